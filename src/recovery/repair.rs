//! Clearing away what crashes left: temporary files, data without an entry, reservations without one; and
//! making whole what lost only its registry file.
//!
//! Nothing is touched but under its name's lock. A name that nobody has reserved is reserved first: then
//! no enqueue can use it while it is looked at and cleared. Only a temporary file of such a name needs no lock:
//! it is nobody's, and stays so.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

use super::away::Away;
use crate::durability::Durability;
use crate::enqueue::is_in_a_queue_on_disk;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::Dir as Directory;
use crate::monitor::limits::Limits;
use crate::monitor::place::{owner_of_temporary, see};
use crate::monitor::problem::{Dir, Problem};
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::ownership::{self, Claim, Ownership};
use crate::registry;
use crate::spool::Spool;
use crate::sys::file;

const REPAIR: &str = "repair";

/// How often a name that others reserve and let go is tried.
const ATTEMPTS: usize = 8;

/// What a repair may clear.
#[derive(Clone, Debug)]
pub struct RepairOptions {
    min_age: Duration,
    to: Option<PathBuf>,
    durability: Option<Durability>,
}

impl Default for RepairOptions {
    fn default() -> RepairOptions {
        RepairOptions {
            min_age: Duration::from_secs(600),
            to: None,
            durability: None,
        }
    }
}

impl RepairOptions {
    /// The defaults.
    pub fn new() -> RepairOptions {
        RepairOptions::default()
    }

    /// Leaves alone what was touched last within this time. Default: 10 minutes.
    pub fn min_age(mut self, min_age: Duration) -> RepairOptions {
        self.min_age = min_age;
        self
    }

    /// Moves what would be removed into this directory, which must be on the spool's file system.
    pub fn to(mut self, directory: impl AsRef<Path>) -> RepairOptions {
        self.to = Some(directory.as_ref().to_owned());
        self
    }

    /// What is promised of the changes. Default: the spool's durability.
    pub fn durability(mut self, durability: Durability) -> RepairOptions {
        self.durability = Some(durability);
        self
    }
}

/// What is done to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RepairAction {
    /// A temporary file whose owner is dead is removed.
    RemoveTemporary,
    /// Data whose name is reserved by nobody, and that no entry has, is removed.
    RemoveData,
    /// An entry that has its data but no registry file gets one again.
    Adopt,
    /// A reservation whose name is in no queue is removed, with what lies under its name.
    RemoveReservation,
}

impl RepairAction {
    /// In words: `remove_temporary`, `remove_data`, `adopt`, `remove_reservation`.
    pub fn as_str(self) -> &'static str {
        match self {
            RepairAction::RemoveTemporary => "remove_temporary",
            RepairAction::RemoveData => "remove_data",
            RepairAction::Adopt => "adopt",
            RepairAction::RemoveReservation => "remove_reservation",
        }
    }
}

/// One step of a repair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RepairStep {
    /// What is done.
    pub action: RepairAction,
    /// Where the file lies.
    pub dir: Dir,
    /// The file's name.
    pub filename: OsString,
}

/// What a repair would do; nothing is done before [`apply`](RepairPlan::apply).
#[derive(Clone, Debug)]
pub struct RepairPlan {
    spool: Spool,
    options: RepairOptions,
    steps: Vec<RepairStep>,
}

/// What a repair did.
#[derive(Debug, Default)]
#[must_use = "what could not be repaired is in `failures`"]
pub struct Repaired {
    /// The steps that were done. One that was not needed any more is not among them.
    pub steps: Vec<RepairStep>,
    /// Why others could not be.
    pub failures: Vec<Error>,
}

impl Spool {
    /// Plans how to clear what crashes left. Changes nothing; safe next to live workers.
    ///
    /// What is in a queue and damaged is for a person to look at, and not in any plan; what dead workers
    /// hold is for [`recover`](Spool::recover).
    ///
    /// # Errors
    /// Those of reading the directories.
    pub fn repair(&self, options: &RepairOptions) -> Result<RepairPlan> {
        let limits = Limits::new()
            .max_tmp_file_age(options.min_age)
            .max_reservation_age(options.min_age);
        let whole = self.with_all_queues(REPAIR)?;
        let mut steps: Vec<RepairStep> = whole
            .problems(&limits)?
            .iter()
            .filter_map(|problem| whole.step_for(problem, options.min_age).transpose())
            .collect::<Result<_>>()?;
        // Temporary files first, reservations last: a repair cut short leaves nothing unnamed.
        steps.sort_unstable();
        steps.dedup();
        Ok(RepairPlan {
            spool: whole,
            options: options.clone(),
            steps,
        })
    }

    fn step_for(&self, problem: &Problem, min_age: Duration) -> Result<Option<RepairStep>> {
        let (action, dir) = match problem {
            Problem::TooOld(_, dir @ Dir::Tmp) | Problem::Orphaned(_, dir @ Dir::Tmp) => {
                (RepairAction::RemoveTemporary, dir)
            }
            Problem::Orphaned(file, dir @ Dir::Data) => {
                let name = EntryName::existing(&file.filename)?;
                // An entry's, to be adopted with it.
                if self.step(|| is_in_a_queue_on_disk(self, &name, REPAIR))? {
                    return Ok(None);
                }
                (RepairAction::RemoveData, dir)
            }
            // The one takes the other with it.
            Problem::Orphaned(_, Dir::Registry) | Problem::HalfMade(..) => {
                (RepairAction::RemoveReservation, &Dir::Registry)
            }
            Problem::Orphaned(file, dir @ (Dir::Queue(_) | Dir::QueueCheckout(_))) => {
                let data = &self.layout().data;
                if self.step(|| see(data, &file.filename, REPAIR))?.is_none() {
                    return Ok(None);
                }
                (RepairAction::Adopt, dir)
            }
            _ => return Ok(None),
        };
        let filename = problem.file().filename.clone();
        let directory = self.directory(dir)?;
        let seen = self.step(|| see(directory, &filename, REPAIR))?;
        Ok(seen
            .is_some_and(|seen| seen.is_older_than(min_age))
            .then(|| RepairStep {
                action,
                dir: dir.clone(),
                filename,
            }))
    }

    fn directory(&self, dir: &Dir) -> Result<&Directory> {
        let layout = self.layout();
        Ok(match dir {
            Dir::Registry => &layout.registry,
            Dir::Tmp => &layout.tmp,
            Dir::Data => &layout.data,
            Dir::Queue(queue) => &self.queue(queue.as_os_str(), REPAIR)?.waiting,
            Dir::QueueCheckout(queue) => &self.queue(queue.as_os_str(), REPAIR)?.checkout,
        })
    }
}

impl RepairPlan {
    /// The steps, in the order in which they will be done.
    pub fn steps(&self) -> &[RepairStep] {
        &self.steps
    }

    /// Does the steps, each under its name's lock and after another look: what has come to life since the
    /// plan was made, or is being worked on, is left alone.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] on a spool opened read-only; those of making the directory to move to. What
    /// concerns one step is in [`Repaired::failures`].
    pub fn apply(&self) -> Result<Repaired> {
        let (spool, options) = (&self.spool, &self.options);
        spool.writable(REPAIR)?;
        let durability = options.durability.unwrap_or(spool.durability());
        let away = match &options.to {
            Some(to) => Some(Away::create(to, durability.syncs_names(), REPAIR)?),
            None => None,
        };
        let layout = spool.layout();
        let synced = match durability.syncs_names() {
            true => vec![&layout.tmp, &layout.data, &layout.registry],
            false => Vec::new(),
        };
        // Opened while nothing is changed yet.
        spool.step(|| synced.iter().try_for_each(|dir| dir.fd(REPAIR).map(drop)))?;
        if durability.syncs_names() {
            self.sync_queues()?;
        }
        let mut repaired = Repaired::default();
        for step in &self.steps {
            let repair = Repair {
                spool,
                min_age: options.min_age,
                away: away.as_ref(),
            };
            match spool.step(|| repair.apply(step)) {
                Ok(true) => repaired.steps.push(step.clone()),
                Ok(false) => {}
                Err(error) => repaired.failures.push(error),
            }
        }
        // A step that failed may have changed something before that.
        if !repaired.steps.is_empty() || !repaired.failures.is_empty() {
            let arrived = spool.step(|| away.as_ref().map_or(Ok(()), Away::sync));
            let left = synced
                .into_iter()
                .map(|dir| spool.step(|| dir.sync(REPAIR, Step::SyncRepair)));
            for synced in std::iter::once(arrived).chain(left) {
                repaired.failures.extend(
                    synced
                        .err()
                        .map(|error| error.with_kind(ErrorKind::NotDurable)),
                );
            }
        }
        Ok(repaired)
    }

    /// Before anything is taken from a name that has no entry: whoever removed the entry may have died before
    /// its sync, and a loss of power would bring the entry back.
    fn sync_queues(&self) -> Result<()> {
        let takes_data = |step: &RepairStep| {
            matches!(
                step.action,
                RepairAction::RemoveData | RepairAction::RemoveReservation
            )
        };
        if !self.steps.iter().any(takes_data) {
            return Ok(());
        }
        self.spool.layout().queues().try_for_each(|queue| {
            self.spool
                .step(|| queue.sync(REPAIR, Step::SyncBeforeRepair))
        })
    }
}

struct Repair<'a> {
    spool: &'a Spool,
    min_age: Duration,
    away: Option<&'a Away>,
}

/// A name that is locked, so that nobody can use it meanwhile.
struct Held {
    name: EntryName,
    /// Nobody had reserved it: the reservation is ours to keep or to take back.
    reserved_here: bool,
    _ownership: Option<Ownership>,
}

impl Repair<'_> {
    /// Whether the step was done; false if it is not needed any more.
    fn apply(&self, step: &RepairStep) -> Result<bool> {
        match step.action {
            RepairAction::RemoveTemporary => self.remove_temporary(&step.filename),
            RepairAction::RemoveData => self.remove_data(&step.filename),
            RepairAction::Adopt => self.adopt(&step.dir, &step.filename),
            RepairAction::RemoveReservation => self.remove_reservation(&step.filename),
        }
    }

    fn remove_temporary(&self, filename: &OsStr) -> Result<bool> {
        let tmp = &self.spool.layout().tmp;
        let temporary = EntryName::existing(filename)?;
        // Where nobody has reserved its name it is nobody's, and no later one is called as it is: there is no
        // need to reserve that.
        let claim = match owner_of_temporary(self.spool, &temporary, REPAIR)? {
            Some(name) => ownership::own(self.spool, &name, REPAIR)?,
            None => Claim::Unreserved,
        };
        if matches!(claim, Claim::Busy) && !omit::is_out(Step::RepairLock) {
            return Ok(false);
        }
        let disposed = self.dispose_if_old(tmp, filename);
        drop(claim);
        disposed
    }

    fn remove_data(&self, filename: &OsStr) -> Result<bool> {
        let data = &self.spool.layout().data;
        let Some(held) = self.hold(EntryName::existing(filename)?)? else {
            return Ok(false);
        };
        // Reserved by somebody since: their data.
        if !held.reserved_here {
            return Ok(false);
        }
        match is_in_a_queue_on_disk(self.spool, &held.name, REPAIR) {
            Ok(false) => self.clear(&held, data, filename),
            // Not garbage but an entry, made perhaps between our reservation and our lock: it keeps that.
            Ok(true) => Ok(false),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.take_back(&held);
                Err(error)
            }
        }
    }

    fn adopt(&self, dir: &Dir, filename: &OsStr) -> Result<bool> {
        let directory = self.spool.directory(dir)?;
        let Some(held) = self.hold(EntryName::existing(filename)?)? else {
            return Ok(false);
        };
        if !held.reserved_here {
            return Ok(false);
        }
        let data = &self.spool.layout().data;
        let is_whole = see(directory, filename, REPAIR)
            .and_then(|entry| Ok(entry.is_some() && see(data, filename, REPAIR)?.is_some()));
        let is_elsewhere = match is_whole {
            Ok(true) => return is_whole,
            // Somebody may have used the name between our reservation and our lock: then the entry keeps it.
            Ok(false) => is_in_a_queue_on_disk(self.spool, &held.name, REPAIR),
            Err(error) => Err(error),
        };
        let taken_back = match is_elsewhere {
            Ok(true) => Ok(()),
            _ => self.take_back(&held),
        };
        is_elsewhere?;
        taken_back.map(|()| false)
    }

    fn remove_reservation(&self, filename: &OsStr) -> Result<bool> {
        let layout = self.spool.layout();
        let name = EntryName::existing(filename)?;
        let claim = ownership::own(self.spool, &name, REPAIR)?;
        if !matches!(claim, Claim::Owned(_)) && !omit::is_out(Step::RepairLock) {
            return Ok(false);
        }
        let look = || {
            let seen = see(&layout.registry, filename, REPAIR)?;
            Ok::<_, Error>(seen.filter(|seen| seen.is_older_than(self.min_age)))
        };
        let old = look()?;
        if old.is_none() || is_in_a_queue_on_disk(self.spool, &name, REPAIR)? {
            return Ok(false);
        }
        // A process that takes no locks may have moved the entry while we looked: it has touched this file.
        if look()? != old {
            return Ok(false);
        }
        if see(&layout.data, filename, REPAIR)?.is_some() {
            self.dispose(&layout.data, filename)?;
        }
        self.dispose(&layout.registry, filename)?;
        Ok(true)
    }

    /// Locks the name, and reserves it first if nobody has; `None` if somebody works with it.
    fn hold(&self, name: EntryName) -> Result<Option<Held>> {
        let spool = self.spool;
        let registry = &spool.layout().registry;
        for _ in 0..ATTEMPTS {
            let reserved = spool.try_reserve_in_step(&name, REPAIR)?;
            let reserved_here = reserved.is_some();
            let claim = match reserved {
                Some(reserved) => ownership::own_reserved(spool, &name, reserved, REPAIR)
                    .inspect_err(|_| {
                        // The first error is the one to tell.
                        let _ = registry::unreserve(registry, &name, REPAIR);
                    })?,
                None => ownership::own(spool, &name, REPAIR)?,
            };
            match claim {
                Claim::Owned(ownership) => {
                    return Ok(Some(Held {
                        name,
                        reserved_here,
                        _ownership: Some(ownership),
                    }));
                }
                Claim::Busy if omit::is_out(Step::RepairLock) => {
                    return Ok(Some(Held {
                        name,
                        reserved_here,
                        _ownership: None,
                    }));
                }
                Claim::Busy => return Ok(None),
                Claim::Unreserved => {}
            }
        }
        Ok(None)
    }

    /// Disposes of the file, if it is still old enough, and lets its name go, after a failure too.
    fn clear(&self, held: &Held, dir: &Directory, filename: &OsStr) -> Result<bool> {
        let cleared = self.dispose_if_old(dir, filename);
        let taken_back = self.take_back(held);
        let is_cleared = cleared?;
        taken_back?;
        Ok(is_cleared)
    }

    fn dispose_if_old(&self, dir: &Directory, filename: &OsStr) -> Result<bool> {
        let seen = see(dir, filename, REPAIR)?;
        let is_old = seen.is_some_and(|seen| seen.is_older_than(self.min_age));
        if is_old {
            self.dispose(dir, filename)?;
        }
        Ok(is_old)
    }

    /// Takes back a reservation that was made only to look.
    fn take_back(&self, held: &Held) -> Result<()> {
        if !held.reserved_here {
            return Ok(());
        }
        registry::unreserve(&self.spool.layout().registry, &held.name, REPAIR)
    }

    /// Removes the file, or moves it away.
    fn dispose(&self, dir: &Directory, filename: &OsStr) -> Result<()> {
        let place = dir.place(REPAIR, filename)?;
        match self.away {
            Some(away) => away.take(dir, filename),
            None => match file::unlink(place.0, place.1) {
                Ok(()) | Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(Error::system(REPAIR, dir.join(filename), errno)),
            },
        }
    }
}
