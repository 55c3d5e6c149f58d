//! A spool after a cut: made on a real file system, looked at, put right, and worked with again.

use std::path::Path;
use std::time::Duration;

use multispool::{ErrorKind, Limits, Mend, Owners, Spool};

use crate::fate::Fate;
use crate::observe::Observed;
use crate::operations::recovery::all_ages;
use crate::operations::{Operation, Try, recover};
use crate::promise::{Promise, Promised};
use crate::tree::Tree;

/// What was promised holds, or how it does not.
pub type Kept<T = ()> = Result<T, String>;

/// What is done with a spool after a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Recover,
    Repair,
    /// The operation, by somebody who does not know how far it came.
    Again,
}

/// What workers do, and what persons do, in either order.
const WAYS: &[&[Step]] = &[
    &[Step::Recover, Step::Again, Step::Repair, Step::Recover],
    &[
        Step::Recover,
        Step::Repair,
        Step::Recover,
        Step::Again,
        Step::Repair,
    ],
    &[Step::Repair, Step::Recover, Step::Again, Step::Repair],
];

const WAYS_WITHOUT_A_SECOND_TRY: &[&[Step]] = &[
    &[Step::Recover, Step::Repair, Step::Recover],
    &[Step::Repair, Step::Recover],
];

/// Checks all that is promised of a state. `scratch` is a directory of the caller's.
pub fn check(promise: &Promise<'_>, tree: &Tree, scratch: &Path) -> Kept {
    let ways = match promise.has_second_try {
        true => WAYS,
        false => WAYS_WITHOUT_A_SECOND_TRY,
    };
    for (number, way) in ways.iter().enumerate() {
        in_place(tree, scratch, |root| {
            let mut aftermath = Aftermath::begin(promise, root)?;
            aftermath.must_hold()?;
            // All begin with the same state, and a look changes nothing.
            if number == 0 {
                aftermath.must_be_named()?;
            }
            aftermath.moved_must_be_there()?;
            if !promise.has_leftovers && !aftermath.observed.leftovers.is_empty() {
                return Err(format!("left over: {:?}", aftermath.observed.leftovers));
            }
            aftermath.go(way)
        })
        .map_err(|broken| format!("{broken}\n  on the way {way:?}"))?;
    }
    Ok(())
}

/// Checks what is promised where renames are two changes each: when all is cleared, what was acknowledged is there.
pub fn check_in_the_end(promise: &Promise<'_>, tree: &Tree, scratch: &Path) -> Kept {
    in_place(tree, scratch, |root| {
        let mut aftermath = Aftermath::begin(promise, root)?;
        aftermath.moved_must_be_there()?;
        aftermath.repair()?;
        aftermath.recover()?;
        aftermath.must_hold()?;
        aftermath.must_be_clean()
    })
}

fn in_place(tree: &Tree, scratch: &Path, check: impl FnOnce(&Path) -> Kept) -> Kept {
    let root = tempfile::tempdir_in(scratch).map_err(told)?;
    tree.make(root.path()).map_err(told)?;
    check(root.path())
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A spool after a cut, and what is promised of it as it is put right.
struct Aftermath<'a> {
    operation: &'a Operation,
    root: &'a Path,
    spool: Spool,
    promised: Vec<Promised>,
    observed: Observed,
    moves: &'static [(&'static str, &'static str)],
    has_moved: bool,
}

impl<'a> Aftermath<'a> {
    fn begin(promise: &Promise<'a>, root: &'a Path) -> Kept<Aftermath<'a>> {
        let again = Try {
            root,
            is_second: true,
            acknowledge: &|| {},
        };
        let path = again.path();
        let loaded = match promise.queues {
            [] => match Spool::load(&path, promise.operation.queues[1]) {
                Err(error) if matches!(error.kind(), ErrorKind::Missing | ErrorKind::NotASpool) => {
                    (promise.operation.attempt)(&again).map_err(|error| {
                        format!("a create cut short cannot be finished: {error}")
                    })?;
                    Spool::load(&path, promise.operation.queues[1])
                }
                loaded => loaded,
            },
            queues => Spool::load(&path, queues),
        };
        let spool = loaded.map_err(|error| format!("it does not load: {error}"))?;
        let format = spool.format().map_err(told)?;
        if !format.recorded() || format.owners() != Owners::Locking {
            return Err(format!("the spool has forgotten what it is: {format:?}"));
        }
        Ok(Aftermath {
            operation: promise.operation,
            root,
            spool,
            promised: promise.entries.clone(),
            observed: Observed::of(&path).map_err(told)?,
            moves: promise.moves,
            has_moved: promise.has_moved,
        })
    }

    fn go(&mut self, way: &[Step]) -> Kept {
        for step in way {
            match step {
                Step::Recover => self.recover()?,
                Step::Repair => self.repair()?,
                Step::Again => self.again()?,
            }
            self.must_hold()
                .map_err(|broken| format!("after {step:?}: {broken}"))?;
        }
        self.must_be_clean()
    }

    fn observe(&mut self) -> Kept {
        self.observed = Observed::of(self.spool.dir()).map_err(told)?;
        Ok(())
    }

    fn recover(&mut self) -> Kept {
        recover(&self.spool).map_err(|error| format!("recover fails: {error}"))?;
        for promised in &mut self.promised {
            promised.change(Fate::recovered);
        }
        self.observe()
    }

    fn repair(&mut self) -> Kept {
        let repaired = self.spool.repair(&all_ages()).and_then(|plan| plan.apply());
        let mut repaired = repaired.map_err(|error| format!("repair fails: {error}"))?;
        if let Some(failure) = repaired.failures.pop() {
            return Err(format!("repair fails: {failure}"));
        }
        for promised in &mut self.promised {
            promised.change(Fate::repaired);
        }
        self.observe()?;
        match self.observed.leftovers.is_empty() {
            true => Ok(()),
            false => Err(format!("repair leaves {:?}", self.observed.leftovers)),
        }
    }

    fn again(&mut self) -> Kept {
        for promised in &mut self.promised {
            let fate = match &promised.after_second_try {
                Some(fate) => fate.clone(),
                // A second try of a repair may adopt it.
                None => self.observed.fate(&promised.name)?.repaired(),
            };
            promised.allowed = vec![fate];
        }
        let again = Try {
            root: self.root,
            is_second: true,
            acknowledge: &|| {},
        };
        (self.operation.attempt)(&again).map_err(|error| format!("a second try fails: {error}"))?;
        self.observe()
    }

    /// Every entry has one of the fates that are promised, and there is no other entry.
    fn must_hold(&self) -> Kept {
        for promised in &self.promised {
            let fate = self.observed.fate(&promised.name)?;
            if !promised.allowed.contains(&fate) {
                let (name, allowed) = (&promised.name, &promised.allowed);
                return Err(format!("{name}: {fate:?}\n  promised: {allowed:?}"));
            }
        }
        let is_promised = |name: &String| self.promised.iter().any(|entry| entry.name == *name);
        match self.observed.entries.keys().find(|name| !is_promised(name)) {
            Some(name) => Err(format!("{name} came from nowhere")),
            None => Ok(()),
        }
    }

    /// Fsck names all that is left over, and finds nothing that only a person could mend.
    fn must_be_named(&self) -> Kept {
        let problems = self.spool.problems(&no_age()).map_err(told)?;
        let is_named = |places: &[&str], name: &str| {
            problems.iter().any(|problem| {
                let found = problem.places().iter().map(|dir| dir.name_on_disk());
                problem.file().filename == *name
                    && found
                        .into_iter()
                        .any(|dir| places.iter().any(|place| dir == *place))
            })
        };
        for (directory, name) in &self.observed.leftovers {
            // A reservation stands for the data under its name, and the other way round.
            let places: &[&str] = match directory.as_str() {
                ".tmp" => &[".tmp"],
                ".multispool" => &[".multispool"],
                _ => &[".registry", ".data"],
            };
            if !is_named(places, name) {
                return Err(format!(
                    "fsck does not name {directory}/{name}: {problems:?}"
                ));
            }
        }
        for (name, places) in &self.observed.entries {
            for place in places {
                let directory = match place.is_checked_out {
                    true => format!("{}/.checkout", place.queue),
                    false => place.queue.clone(),
                };
                let is_wrong = place.is_checked_out || !place.is_registered;
                if is_wrong != is_named(&[&directory], name) {
                    return Err(format!(
                        "fsck is wrong about {directory}/{name}: {problems:?}"
                    ));
                }
            }
        }
        let is_harmless = |mend| matches!(mend, Mend::Repair | Mend::Recover);
        match problems.iter().find(|problem| !is_harmless(problem.mend())) {
            Some(problem) => Err(format!("fsck finds damage: {problem}")),
            None => Ok(()),
        }
    }

    fn must_be_clean(&self) -> Kept {
        let problems = self.spool.problems(&no_age()).map_err(told)?;
        if !problems.is_empty() {
            return Err(format!("fsck is not clean in the end: {problems:?}"));
        }
        match self.observed.leftovers.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "left over in the end: {:?}",
                self.observed.leftovers
            )),
        }
    }

    /// What is moved out of the spool is at one of its two places, or has arrived.
    fn moved_must_be_there(&self) -> Kept {
        for (from, to) in self.moves {
            let is_at = |path: &str| self.root.join(path).exists();
            if !is_at(to) && (self.has_moved || !is_at(from)) {
                return Err(format!("{from} was to be moved to {to}, and is lost"));
            }
        }
        Ok(())
    }
}

/// Everything is old enough to be a problem; how full the disk is, is none.
fn no_age() -> Limits {
    Limits::new()
        .max_tmp_file_age(Duration::ZERO)
        .max_reservation_age(Duration::ZERO)
        .min_free_bytes(0)
        .min_free_inodes(0)
}
