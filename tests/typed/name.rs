//! Where the names of entries come from: a generator of the caller's, or a reservation.

use std::ffi::OsString;
use std::sync::Mutex;

use multispool::spoolable::{Naming, UniqueName};
use multispool::{ErrorKind, Multispool, NameGenerator, Spoolable, Unlimited};
use tempfile::TempDir;

use crate::tree::{listing, state};
use crate::{Names, Order, Stage, Widget, cog, must_fail, names, new_spool, order, sprocket};

#[test]
fn a_reservation_takes_the_first_name_of_the_generators_that_is_free() {
    let (_dir, spool) = new_spool();
    for expected in ["a-0", "a-1", "a-2"] {
        let name = UniqueName::reserve(&spool, &Names("a")).unwrap();
        assert_eq!(
            (name.to_string(), name.as_os_str()),
            (expected.into(), expected.as_ref())
        );
    }
    let other = UniqueName::reserve(&spool, &Names("b")).unwrap();
    assert_eq!(other.to_string(), "b-0");
    assert_eq!(
        listing(&spool.dir().join(".registry")),
        ["a-0 0", "a-1 0", "a-2 0", "b-0 0"]
    );
    assert_eq!(names(&spool), [const { Vec::<String>::new() }; 3]);
}

#[test]
fn an_enqueue_with_a_generator_passes_over_names_that_are_taken() {
    let (_dir, spool) = new_spool();
    UniqueName::reserve(&spool, &Names("a")).unwrap();
    let enqueue = |stage| {
        let naming = Naming::Reserve(&Names("a"));
        spool.enqueue(stage, &order(1, "Ada"), &cog(), naming)
    };
    // A name is taken in the whole spool, whatever the queue.
    assert_eq!(enqueue(Stage::Ordered).unwrap().name().to_string(), "a-1");
    assert_eq!(enqueue(Stage::Made).unwrap().name().to_string(), "a-2");
}

#[test]
fn a_reserved_name_is_used_once() {
    let (_dir, spool) = new_spool();
    let name = UniqueName::reserve(&spool, &Names("a")).unwrap();
    let naming = Naming::Use(&name);
    let entry = spool
        .enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming)
        .unwrap();
    assert_eq!(
        (entry.queue(), entry.name().as_os_str()),
        (&Stage::Made, name.as_os_str())
    );
    let before = state(spool.dir());
    let again = spool.enqueue(Stage::Shipped, &order(2, "Grace"), &sprocket(), naming);
    must_fail(again, ErrorKind::NameTaken, spool.dir().join("made/a-0"));
    let files = |state: Vec<String>| -> Vec<String> {
        state
            .into_iter()
            .filter(|line| !line.starts_with("./"))
            .collect()
    };
    assert_eq!(files(state(spool.dir())), files(before));
}

#[test]
fn a_name_that_another_process_reserved_may_be_used() {
    let (_dir, spool) = new_spool();
    let name = UniqueName::from(spool.untyped().reserve_name("theirs").unwrap());
    let naming = Naming::Use(&name);
    spool
        .enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming)
        .unwrap();
    assert_eq!(names(&spool)[1], ["theirs"]);
}

#[test]
fn a_name_that_nobody_reserved_is_not_found_and_nothing_is_made() {
    let (_dir, spool) = new_spool();
    let before = listing(spool.dir());
    let name = UniqueName::from(multispool::EntryName::new("nobodys").unwrap());
    let naming = Naming::Use(&name);
    let failed = spool.enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming);
    must_fail(
        failed,
        ErrorKind::NotFound,
        spool.dir().join(".registry/nobodys"),
    );
    assert_eq!(listing(spool.dir()), before);
}

/// Notes the attempts that it is asked for, and always answers the same.
struct Always(&'static str, Mutex<Vec<u32>>);

impl NameGenerator for Always {
    fn next(&self, attempt: u32) -> OsString {
        self.1.lock().unwrap().push(attempt);
        self.0.into()
    }
}

struct Stubborn;

impl Spoolable for Stubborn {
    type Metadata = Order;
    type Data = Widget;
    type Queue = Stage;
    type NameGenerator = Always;
    type Throttle = Unlimited;
}

fn stubborn() -> (TempDir, Multispool<Stubborn>) {
    let dir = tempfile::tempdir().unwrap();
    let spool = Multispool::create(dir.path().join("spool")).unwrap();
    (dir, spool)
}

#[test]
fn a_generator_is_asked_with_rising_attempts_and_given_up_after_a_thousand() {
    let (_dir, spool) = stubborn();
    let always = Always("taken", Mutex::default());
    UniqueName::reserve(&spool, &always).unwrap();
    assert_eq!(*always.1.lock().unwrap(), [0]);
    let registry = spool.dir().join(".registry");
    let thousand: Vec<u32> = (0..1000).collect();
    let before = listing(spool.dir());

    always.1.lock().unwrap().clear();
    let reserved = UniqueName::reserve(&spool, &always);
    must_fail(reserved, ErrorKind::NamesExhausted, &registry);
    assert_eq!(*always.1.lock().unwrap(), thousand);

    always.1.lock().unwrap().clear();
    let naming = Naming::Reserve(&always);
    let enqueued = spool.enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming);
    must_fail(enqueued, ErrorKind::NamesExhausted, &registry);
    assert_eq!(*always.1.lock().unwrap(), thousand);
    assert_eq!(listing(spool.dir()), before);
}

#[test]
fn a_name_that_no_file_can_have_is_refused_before_anything_is_made() {
    let (_dir, spool) = stubborn();
    let before = listing(spool.dir());
    for bad in ["", ".hidden", "a/b", "nul\0"] {
        let always = Always(bad, Mutex::default());
        must_fail(
            UniqueName::reserve(&spool, &always),
            ErrorKind::InvalidName,
            bad,
        );
        let naming = Naming::Reserve(&always);
        let enqueued = spool.enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming);
        must_fail(enqueued, ErrorKind::InvalidName, bad);
        assert_eq!(*always.1.lock().unwrap(), [0, 0]);
    }
    assert_eq!(listing(spool.dir()), before);
}
