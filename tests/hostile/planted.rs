//! One spool in which every thing lies in every place, between good entries: each operation, of the library,
//! of the command and of a program in C, must do all that it can and harm nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::{VERBS, Verb};
use crate::operations::{Kind, OPERATIONS, Operation, open};
use crate::suite::{Suite, judge};
use crate::things::{Held, Thing, Verdict, things};
use crate::told::{Teller, Told, escaped};
use crate::yard::Yard;

/// Which file of an entry the thing has taken the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    Data,
    Registry,
    /// The metadata of an entry that is checked out, by a dead owner.
    HeldMetadata,
    HeldRegistry,
}

const PLACES: [Place; 5] = [
    Place::Waiting,
    Place::Data,
    Place::Registry,
    Place::HeldMetadata,
    Place::HeldRegistry,
];

/// Where things lie that belong to no entry.
const STRAYS: [&str; 6] = ["", "in", "in/.checkout", ".registry", ".data", ".tmp"];

impl Place {
    fn dir(self) -> &'static str {
        match self {
            Place::Waiting => "in",
            Place::Data => ".data",
            Place::Registry | Place::HeldRegistry => ".registry",
            Place::HeldMetadata => "in/.checkout",
        }
    }

    fn is_of_metadata(self) -> bool {
        matches!(self, Place::Waiting | Place::HeldMetadata)
    }

    fn is_held(self) -> bool {
        matches!(self, Place::HeldMetadata | Place::HeldRegistry)
    }
}

struct Planted {
    name: String,
    place: Place,
    thing: &'static Thing,
    path: PathBuf,
}

impl Planted {
    /// What becomes of its entry in an operation of this kind; `None` if that does not concern it.
    fn verdict(&self, kind: Kind) -> Option<Verdict> {
        let thing = self.thing;
        Some(match (kind, self.place) {
            (Kind::Reads, Place::Waiting) if thing.can_be_read => Verdict::Taken,
            (Kind::Takes | Kind::Runs | Kind::Reads, Place::Waiting) => thing.as_metadata,
            (Kind::Runs, Place::Data) if !thing.can_be_opened => Verdict::Bad,
            (Kind::Takes | Kind::Runs, Place::Data) => thing.as_data,
            (Kind::Takes | Kind::Runs, Place::Registry) | (Kind::Recovers, Place::HeldRegistry) => {
                thing.as_registry
            }
            (Kind::Recovers, Place::HeldMetadata) if thing.can_be_moved => Verdict::Taken,
            (Kind::Recovers, Place::HeldMetadata) => thing.as_metadata,
            _ => return None,
        })
    }

    fn must_be_named(&self) -> bool {
        let [metadata, data, registry] = self.thing.is_named;
        match self.place {
            Place::Waiting | Place::HeldMetadata => metadata,
            Place::Data => data,
            Place::Registry | Place::HeldRegistry => registry,
        }
    }
}

/// The yard, all that is planted in it, and what is to be kept open meanwhile.
pub struct Bed {
    pub yard: Yard,
    planted: Vec<Planted>,
    good: Vec<String>,
    held_good: Vec<String>,
    _held: Vec<Held>,
}

impl Bed {
    fn new() -> Bed {
        let mut yard = Yard::new(&["in", "out"]);
        let spool = yard.open();
        let mut bed = (Vec::new(), Vec::new(), Vec::new());
        let enqueue = |name: String, is_held: bool| {
            yard.enqueue(&spool, OsStr::new(&name));
            if is_held {
                // Its owner has died.
                drop(spool.entry("in", &name).unwrap().checkout().unwrap());
            }
            name
        };
        for (number, thing) in things().enumerate() {
            bed.0.push(enqueue(format!("{number:03}-good"), false));
            bed.1.push(enqueue(format!("{number:03}-good-held"), true));
            for place in PLACES {
                if thing.is_for_metadata && !place.is_of_metadata() {
                    continue;
                }
                let name = format!("{number:03}-{place:?}-{}", thing.name);
                bed.2.push(Planted {
                    path: yard.inside(place.dir()).join(&name),
                    name: enqueue(name, place.is_held()),
                    place,
                    thing,
                });
            }
        }
        yard.share();
        let mut held = Vec::new();
        for planted in &bed.2 {
            fs::remove_file(&planted.path).unwrap();
            held.push((planted.thing.plant)(&yard, &planted.path));
        }
        for thing in things().filter(|thing| !thing.is_for_metadata) {
            for dir in STRAYS {
                let name = format!("stray-{}.tmp.abcdef", thing.name);
                held.push((thing.plant)(&yard, &yard.inside(dir).join(name)));
            }
        }
        yard.seal();
        Bed {
            yard,
            planted: bed.2,
            good: bed.0,
            held_good: bed.1,
            _held: held,
        }
    }

    /// What is wrong with what an operation of this kind told.
    pub fn misjudged(&self, kind: Kind, told: &Told) -> Vec<String> {
        let mut faults = Vec::new();
        let goods: &[String] = match kind {
            Kind::Takes | Kind::Runs | Kind::Reads => &self.good,
            Kind::Recovers => &self.held_good,
            Kind::Names | Kind::Works => &[],
        };
        for name in goods {
            if !told.had.contains(name) {
                faults.push(format!("the good entry {name} was not had"));
            }
        }
        for planted in &self.planted {
            let path = escaped(planted.path.display());
            let (had, bad) = (
                told.had.contains(&planted.name),
                told.bad.iter().any(|told| told.contains(&path)),
            );
            let as_told = match planted.verdict(kind) {
                None => true,
                Some(Verdict::Taken) => had,
                Some(Verdict::Bad) => bad && !had,
                Some(Verdict::Busy) => !bad && !had,
            };
            if !as_told {
                let verdict = planted.verdict(kind);
                let reasons = told.about(&planted.name);
                faults.push(format!(
                    "{path} is {verdict:?}: had {had}, reported {bad} {reasons:?}"
                ));
            }
            let named = |line: &String| line.starts_with("damaged ") && line.ends_with(&path);
            if kind == Kind::Names && planted.must_be_named() && !told.had.iter().any(named) {
                faults.push(format!("{path} is not named"));
            }
        }
        faults
    }

    /// What an operation has done that none may do.
    fn harm(&self, name: &str) -> Vec<String> {
        let mut faults = self.yard.changes();
        let spool = self.yard.spool_dir();
        // What a caller asks to be replaced or removed by its name, is.
        let takes_by_name = name.starts_with("direct-");
        for planted in &self.planted {
            let is_bad = |kind| planted.verdict(kind) == Some(Verdict::Bad);
            let stays = is_bad(Kind::Takes) || is_bad(Kind::Recovers);
            if stays && !takes_by_name && fs::symlink_metadata(&planted.path).is_err() {
                // A repair may clear a registry file or data once they belong to no entry, not before.
                faults.push(format!("{} was taken away", planted.path.display()));
            }
        }
        let full = |dir: &Path| count(dir, OsStr::new("inner"));
        let now = full(&spool) + full(&self.yard.path("tmp"));
        let before = self.full_directories();
        if now != before {
            faults.push(format!("of {before} full directories {now} are left"));
        }
        if !name.contains("remov") {
            for good in self.good.iter().chain(&self.held_good) {
                let places: BTreeSet<_> = ["in", "in/.checkout", "out", "out/.checkout"]
                    .into_iter()
                    .filter(|place| spool.join(place).join(good).is_file())
                    .collect();
                let whole = [".registry", ".data"]
                    .iter()
                    .all(|dir| spool.join(dir).join(good).is_file());
                if places.len() != 1 || !whole {
                    faults.push(format!(
                        "the good entry {good} lies in {places:?}, whole: {whole}"
                    ));
                }
            }
        }
        faults
    }

    fn full_directories(&self) -> usize {
        PLACES.len() + STRAYS.len()
    }
}

fn count(dir: &Path, name: &OsStr) -> usize {
    let mut found = 0;
    for below in fs::read_dir(dir).into_iter().flatten() {
        let below = below.unwrap();
        if below.file_type().unwrap().is_dir() {
            found += count(&below.path(), name);
        } else if below.file_name() == name {
            found += 1;
        }
    }
    found
}

pub fn run(suite: &mut Suite) {
    for operation in OPERATIONS {
        suite.case(&format!("things/{}", operation.name), |suite| {
            one_operation(suite, operation)
        });
    }
    for verb in VERBS {
        suite.case(&format!("things/command-{}", verb.name), |suite| {
            one_verb(suite, verb)
        });
    }
    suite.case("things/program-in-c", |suite| {
        let bed = Bed::new();
        suite.weeds += bed.planted.len();
        let ended = suite.run_program(&bed.yard);
        let told = Told::read(&ended.out);
        let mut faults = judge(&ended, &told);
        faults.extend(bed.misjudged(Kind::Takes, &told));
        // It returned those first, and took them too.
        let missed = bed
            .held_good
            .iter()
            .filter(|name| !told.had.contains(*name));
        faults.extend(missed.map(|name| format!("the good entry {name} was not had")));
        faults.extend(bed.harm("program"));
        faults
    });
}

fn one_operation(suite: &mut Suite, operation: &Operation) -> Vec<String> {
    let bed = Bed::new();
    suite.weeds += bed.planted.len();
    let ended = suite.run_worker(&bed.yard, |told| {
        operation.begin(open(&bed.yard.spool_dir()), &mut Teller::new(told));
    });
    let told = Told::read(&ended.out);
    let mut faults = judge(&ended, &told);
    faults.extend(bed.misjudged(operation.kind, &told));
    faults.extend(bed.harm(operation.name));
    faults
}

fn one_verb(suite: &mut Suite, verb: &Verb) -> Vec<String> {
    let bed = Bed::new();
    suite.weeds += bed.planted.len();
    let names: Vec<String> = bed
        .planted
        .iter()
        .filter(|planted| !planted.place.is_held())
        .map(|planted| planted.name.clone())
        .chain(bed.good.iter().cloned())
        .collect();
    let (told, mut faults) = verb.run(suite, &bed.yard, &names);
    faults.extend(bed.misjudged(verb.kind, &told));
    faults.extend(bed.harm(verb.name));
    faults
}
