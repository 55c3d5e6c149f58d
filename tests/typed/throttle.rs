//! A throttle of the caller's own: all that touches the disk passes through it, and nothing of the caller's but
//! the loads and saves of data.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use multispool::spoolable::monitor::{Limits, Monitor, Spec};
use multispool::spoolable::{Data, Entry, Naming, Outcome, QueueReader, UniqueName, expert};
use multispool::{AtMost, Error, Multispool, Spoolable, Throttle};

use crate::{Names, Order, Stage, order};

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
    static IS_IN_STEP: Cell<bool> = const { Cell::new(false) };
}

/// Counts the steps of each thread, and passes them on to one limit for all spools.
#[derive(Default)]
struct Counted;

impl Throttle for Counted {
    fn run(&self, step: &mut dyn FnMut()) {
        static ONE: AtMost = AtMost::new(1);
        ONE.run(&mut || {
            STEPS.set(STEPS.get() + 1);
            assert!(!IS_IN_STEP.replace(true), "a step within a step");
            step();
            IS_IN_STEP.set(false);
        });
    }
}

/// Data whose code must be called in a step.
struct Stepped;

impl Data for Stepped {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<Stepped> {
        assert!(IS_IN_STEP.get(), "a load touches the disk");
        fs::read(path).map(|_| Stepped)
    }

    fn save(&self, path: &Path, _: Option<&Path>) -> io::Result<()> {
        assert!(IS_IN_STEP.get(), "a save touches the disk");
        fs::write(path, "data")
    }
}

struct Throttled;

impl Spoolable for Throttled {
    type Metadata = Order;
    type Data = Stepped;
    type Queue = Stage;
    type NameGenerator = Names;
    type Throttle = Counted;
}

/// `f`'s answer, and how many steps it took.
fn steps<T>(f: impl FnOnce() -> Result<T, Error>) -> (T, usize) {
    let before = STEPS.get();
    let answer = f().unwrap();
    (answer, STEPS.get() - before)
}

/// `f` must take at least one step.
#[track_caller]
fn stepping<T>(f: impl FnOnce() -> Result<T, Error>) -> T {
    let (answer, steps) = steps(f);
    assert!(steps > 0, "it does not pass through the throttle");
    answer
}

fn not_in_a_step() {
    assert!(!IS_IN_STEP.get(), "a slot is held in a caller's code");
}

#[test]
fn every_operation_passes_through_and_no_slot_is_held_in_a_handler() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let spool = stepping(|| Multispool::<Throttled>::create(&path));
    stepping(|| Multispool::<Throttled>::load(&path));
    stepping(|| Multispool::<Throttled>::load_unsafe(&path));

    let name = stepping(|| UniqueName::reserve(&spool, &Names("a")));
    let enqueue =
        |naming| stepping(|| spool.enqueue(Stage::Ordered, &order(1, "Ada"), &Stepped, naming));
    let entry = enqueue(Naming::Use(&name));
    for _ in 0..6 {
        enqueue(Naming::Reserve(&Names("a")));
    }
    stepping(|| Ok(spool.list(Stage::Ordered)?.count()));

    stepping(|| entry.stat());
    let direct = entry.direct();
    stepping(|| direct.contents());
    stepping(|| direct.save(&order(2, "Ada")));
    stepping(|| direct.data_file().load());
    stepping(|| direct.data_file().save(&Stepped));
    stepping(|| direct.data_file().stat());
    stepping(|| direct.remove());

    let entry = |name: &str| Entry::create(&spool, Stage::Ordered, name).unwrap();
    stepping(|| {
        entry("a-1").with_entry(|order, data| {
            not_in_a_step();
            data.load()?;
            data.save(&Stepped)?;
            Ok::<_, Error>((Outcome::Save(order, Stage::Made), ()))
        })
    });
    let tried = stepping(|| {
        entry("a-2").try_with_entry(|_, _| {
            not_in_a_step();
            Ok::<_, Error>((Outcome::Remove, ()))
        })
    });
    assert_eq!(tried, Some(()));

    let mut checkout = stepping(|| expert::checkout(&entry("a-3")));
    stepping(|| Ok(expert::list_checkouts_unsafe(&spool, Stage::Ordered)?.count()));
    checkout
        .update(|_| {
            not_in_a_step();
            order(3, "Ada")
        })
        .unwrap();
    stepping(|| checkout.save(Stage::Made));
    let mut checkout = stepping(|| expert::try_checkout(&entry("a-4"))).unwrap();
    stepping(|| checkout.release());

    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    let mut checkout = stepping(|| expert::dequeue_available(&mut reader)).unwrap();
    stepping(|| checkout.remove());
    stepping(|| expert::dequeue(&mut reader, None, Some(std::time::Duration::ZERO)));
    let mut reader = QueueReader::create(&spool, Stage::Made).unwrap();
    let mut handled = 0;
    stepping(|| {
        reader.iter_available(|_, _| {
            not_in_a_step();
            handled += 1;
            Ok::<_, Error>(Outcome::Release)
        })
    });
    assert_eq!(handled, 2);

    let spec = Spec::create(&path, Limits::create());
    let monitor = stepping(|| Monitor::<Throttled>::create(&spec));
    stepping(|| monitor.run_once());
}

#[test]
fn what_looks_at_nothing_takes_no_step() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Multispool::<Throttled>::create(dir.path().join("spool")).unwrap();
    let (_, taken) = steps(|| Entry::create(&spool, Stage::Made, "nobody"));
    assert_eq!(taken, 0);
}
