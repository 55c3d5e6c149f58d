//! The planter strikes between two system calls of an operation: it stops the worker there, gives a name to
//! something else, and lets it go on. Every such moment of every operation is tried, and two strikes soon
//! after each other as well: one that plants a thing, and one that takes it away again, or the other way.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use multispool::{EnqueueOptions, Error, RecoverOptions, RepairOptions, Spool, StatsOptions};

use crate::operations::{look_at, open};
use crate::suite::{Suite, judge_conduct};
use crate::things::fifo;
use crate::told::{Teller, Told};
use crate::traced::trace;
use crate::yard::Yard;

/// The one entry of the spool.
const NAME: &str = "struck";

/// What the worker does. It is stopped in the operation alone, not in what comes before.
struct Strike {
    name: &'static str,
    /// Whether the entry is checked out by a dead owner first.
    is_held: bool,
    /// A few of its moments must do: it looks at everything, and again after a while.
    is_long: bool,
    run: fn(&Spool, &mut Teller<'_>) -> Result<(), Error>,
}

#[rustfmt::skip]
const OPERATIONS: &[Strike] = &[
    Strike { name: "direct-contents", is_held: false, is_long: false, run: |spool, told| {
        told.saw(&spool.entry("in", NAME)?.direct().contents()?);
        Ok(())
    } },
    Strike { name: "data", is_held: false, is_long: false, run: |spool, told| {
        let data = spool.entry("in", NAME)?.direct().data_file();
        look_at(&data, told);
        told.saw(&data.load()?);
        Ok(())
    } },
    Strike { name: "direct-save", is_held: false, is_long: false, run: |spool, _| spool.entry("in", NAME)?.direct().save("new") },
    Strike { name: "direct-remove", is_held: false, is_long: false, run: |spool, _| spool.entry("in", NAME)?.direct().remove() },
    Strike { name: "checkout", is_held: false, is_long: false, run: |spool, told| {
        told.saw(spool.entry("in", NAME)?.checkout()?.metadata());
        Ok(())
    } },
    Strike { name: "checkout-release", is_held: false, is_long: false, run: |spool, told| {
        let mut checkout = spool.entry("in", NAME)?.checkout()?;
        look_at(&checkout.data_file(), told);
        checkout.release()
    } },
    Strike { name: "checkout-save", is_held: false, is_long: false, run: |spool, told| {
        let mut checkout = spool.entry("in", NAME)?.checkout()?;
        told.saw(checkout.metadata());
        checkout.data_file().save("new data")?;
        checkout.set_metadata("new metadata")?;
        checkout.save("out")
    } },
    Strike { name: "checkout-remove", is_held: false, is_long: false, run: |spool, _| spool.entry("in", NAME)?.checkout()?.remove() },
    Strike { name: "dequeue", is_held: false, is_long: false, run: |spool, told| {
        let mut reader = spool.reader("in")?;
        while let Some(mut checkout) = reader.dequeue_available()? {
            told.saw(checkout.metadata());
            checkout.save("out")?;
        }
        Ok(())
    } },
    Strike { name: "list-checkouts-save", is_held: true, is_long: false, run: |spool, told| {
        for checkout in spool.list_checkouts_unsafe("in")? {
            let mut checkout = checkout?;
            told.saw(checkout.metadata());
            checkout.save("out")?;
        }
        Ok(())
    } },
    Strike { name: "recover", is_held: true, is_long: false, run: |spool, _| spool.recover(&RecoverOptions::new()).map(drop) },
    Strike { name: "stats", is_held: true, is_long: false, run: |spool, _| spool.stats(&StatsOptions::new().bytes(true)).map(drop) },
    Strike { name: "repair", is_held: false, is_long: true, run: |spool, _| {
        let options = RepairOptions::new().min_age(std::time::Duration::ZERO);
        spool.repair(&options)?.apply().map(drop)
    } },
    Strike { name: "enqueue", is_held: false, is_long: false, run: |spool, _| {
        spool.enqueue_with("out", "new", "new", &EnqueueOptions::new().name("reserved")).map(drop)
    } },
];

/// Where the planter strikes, at what name.
#[rustfmt::skip]
const TARGETS: [(&str, &str); 7] = [
    ("in", NAME), ("in/.checkout", NAME), (".data", NAME), (".registry", NAME),
    (".data", "reserved"), (".registry", "reserved"),
    // Whatever is there at that moment.
    (".tmp", ""),
];

type Make = fn(&Yard, &Path) -> std::io::Result<()>;

const THINGS: [(&str, Make); 3] = [
    ("a-second-name", |yard, at| {
        fs::hard_link(yard.path("outside/0"), at)
    }),
    ("a-link", |yard, at| symlink(yard.path("outside/0"), at)),
    ("a-fifo", |_, at| fifo(at)),
];

pub fn run(suite: &mut Suite) {
    for operation in OPERATIONS {
        for (thing, make) in THINGS {
            suite.case(&format!("strikes/{}/{thing}", operation.name), |suite| {
                let mut ground = Ground::new(operation, make);
                let calls = ground.begin(suite, &[]).0;
                let mut faults = Vec::new();
                for target in TARGETS {
                    faults.extend(ground.strike_everywhere(suite, target, calls));
                    if !faults.is_empty() {
                        break;
                    }
                }
                faults
            });
        }
    }
}

/// A strike: before which of its system calls the worker is stopped, and what then has the name.
#[derive(Clone, Copy, Debug)]
struct Blow {
    before: usize,
    target: (&'static str, &'static str),
    is_thing: bool,
}

struct Ground<'a> {
    yard: Yard,
    operation: &'a Strike,
    make: Make,
}

impl Ground<'_> {
    fn new(operation: &Strike, make: Make) -> Ground<'_> {
        let mut yard = Yard::new(&["in", "out"]);
        yard.victim();
        yard.seal();
        yard.links_grow = true;
        Ground {
            yard,
            operation,
            make,
        }
    }

    fn strike_everywhere(
        &mut self,
        suite: &mut Suite,
        target: (&'static str, &'static str),
        calls: usize,
    ) -> Vec<String> {
        let (stride, span) = match self.operation.is_long {
            true => (16 * suite.stride, 0),
            false => (suite.stride, suite.span),
        };
        let offset = usize::try_from(suite.seed).unwrap_or(0) % stride;
        for first in (0..=calls).skip(offset).step_by(stride) {
            for is_thing in [true, false] {
                let blow = |before, is_thing| Blow {
                    before,
                    target,
                    is_thing,
                };
                // A thing that comes and stays; one that was there and goes; then one that comes and goes,
                // or goes and comes again.
                let mut plans = vec![vec![blow(first, is_thing)]];
                for second in first + 1..=first + span {
                    plans.push(vec![blow(first, is_thing), blow(second, !is_thing)]);
                }
                for plan in plans {
                    let faults = self.begin(suite, &plan).1;
                    if !faults.is_empty() {
                        let about = format!("with {plan:?} of {calls}:");
                        return [about].into_iter().chain(faults).collect();
                    }
                }
            }
        }
        Vec::new()
    }

    /// Does the operation once, on a new entry, with these strikes. Answers with the number of its system
    /// calls, and what was wrong.
    fn begin(&mut self, suite: &mut Suite, blows: &[Blow]) -> (usize, Vec<String>) {
        self.plant_anew();
        if let Some(first) = blows.first().filter(|first| !first.is_thing) {
            self.land(&Blow {
                is_thing: true,
                ..*first
            });
        }
        let dir = self.yard.spool_dir();
        let (calls, ended) = trace(
            &self.yard.path("told"),
            suite.patience,
            || open(&dir).unwrap(),
            // Any outcome will do: what counts is what it did.
            |spool, told| drop((self.operation.run)(spool, &mut Teller::new(told))),
            |call| {
                for blow in blows.iter().filter(|blow| blow.before == call) {
                    self.land(blow);
                    suite.strikes += 1;
                }
            },
        );
        let mut faults = judge_conduct(&ended, &Told::read(&ended.out));
        faults.extend(self.yard.changes());
        self.yard.seal();
        (calls, faults)
    }

    /// Makes the spool as it was, with the entry that is struck at, and a reserved name.
    fn plant_anew(&self) {
        let held = self.operation.is_held;
        let entry = if held { "in/.checkout" } else { "in" };
        let queues = ["in", "in/.checkout", "out", "out/.checkout"];
        for dir in queues.iter().chain(&[".data", ".registry"]) {
            for name in [NAME, "reserved"] {
                let _ = fs::remove_file(self.yard.inside(dir).join(name));
            }
        }
        for found in fs::read_dir(self.yard.inside(".tmp")).unwrap() {
            fs::remove_file(found.unwrap().path()).unwrap();
        }
        for (dir, name) in [
            (".registry", NAME),
            (".registry", "reserved"),
            (".data", NAME),
            (entry, NAME),
        ] {
            fs::write(self.yard.inside(dir).join(name), name).unwrap();
        }
    }

    /// What the planter does in the moment of a strike.
    fn land(&self, blow: &Blow) {
        let (dir, name) = blow.target;
        let dir = self.yard.inside(dir);
        let names = match name {
            "" => fs::read_dir(&dir)
                .unwrap()
                .map(|found| found.unwrap().file_name())
                .collect(),
            name => vec![name.into()],
        };
        let staged = self.yard.path("staging/next");
        for name in names {
            match blow.is_thing {
                true => (self.make)(&self.yard, &staged).unwrap(),
                false => fs::write(&staged, "by the planter").unwrap(),
            }
            fs::rename(&staged, dir.join(name)).unwrap();
            // A rename between two names of one file does nothing.
            let _ = fs::remove_file(&staged);
        }
    }
}
