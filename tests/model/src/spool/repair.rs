//! `RepairPlan::apply`: one step of a plan. Which plan, and from when, does not matter to the real protocol:
//! it is given steps that no scan would have planned, and they must do no harm.

use super::disk::{PLACES, Place, Reservation};
use super::own::{Claim, Own};
use super::scan::Scan;
use super::{Departure, Process, Spool, Steps, Wrong};
use crate::reached::Reached;

/// A step of a plan: `RepairAction`, with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Any of those below.
    Any,
    /// The temporary file that this process made.
    RemoveTemporary(u8),
    RemoveData,
    Adopt(Place),
    RemoveReservation,
}

impl Task {
    /// All that a model has use for, in the order of `RepairPlan::steps`.
    pub fn of(model: &Spool) -> impl Iterator<Item = Task> {
        let places = PLACES.into_iter().take(2 * model.queues as usize);
        (0..model.processes.len() as u8)
            .map(Task::RemoveTemporary)
            .chain([Task::RemoveData])
            .chain(places.map(Task::Adopt))
            .chain([Task::RemoveReservation])
    }
}

/// One step, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Repair {
    task: Task,
    at: At,
    /// `Held::reserved_here`.
    reserved_here: bool,
    /// `remove_reservation`: the registry file that was old when it was looked at first.
    old: Option<Reservation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Begin,
    /// `Spool::repair`, where the model has it scan.
    Scan(Scan),
    /// `registry::own`, or `own_reserved` of a name that `Repair::hold` has reserved.
    Own(Own),
    /// `remove_reservation`: the first look at its age.
    LookAtAge,
    /// `is_in_a_queue_on_disk`.
    LookInQueues(u8),
    /// `see` of the file that is to go, and its age.
    LookAtFile,
    /// `adopt`: the entry, and its data.
    LookAtEntry,
    LookAtData,
    /// `dispose`; of a reservation's data, if there is some.
    RemoveFile,
    RemoveReservation,
    TakeBack,
    Unlock,
}

impl Repair {
    pub fn of(task: Task) -> Process {
        Process::Repair(Repair {
            task,
            at: At::Begin,
            reserved_here: false,
            old: None,
        })
    }

    pub fn is_at_rest(self) -> bool {
        self.at == At::Begin
    }

    fn at(self, at: At) -> Process {
        Process::Repair(Repair { at, ..self })
    }

    pub fn steps(self, s: &mut Steps) {
        let me = s.me;
        match self.at {
            At::Begin if self.task == Task::Any => {
                for task in Task::of(s.model) {
                    Repair { task, ..self }.steps(s);
                }
            }
            At::Begin if s.model.scans => self.scan(s, Scan::BEGIN),
            At::Begin => self.begin(s),
            At::Scan(scan) if scan.has_planned(s) => self.begin(s),
            At::Scan(scan) => self.scan(s, scan),
            At::Own(own) => self.own(s, own),
            At::LookInQueues(n) => self.look_in_queues(s, n),
            At::LookAtAge => {
                let old = s.disk().registry.filter(|registry| registry.old);
                let next = match old {
                    Some(_) => At::LookInQueues(0),
                    None => At::Unlock,
                };
                s.look("stat .registry/NAME", Repair { old, ..self }.at(next));
            }
            At::LookAtFile => self.look_at_file(s),
            At::LookAtEntry => {
                let is_there = s
                    .disk()
                    .places()
                    .any(|(place, _)| self.task == Task::Adopt(place));
                match is_there {
                    true => s.look("stat the entry", self.at(At::LookAtData)),
                    false => s.look("stat the entry: ENOENT", self.at(self.after_adoption(s))),
                }
            }
            At::LookAtData if s.disk().data.is_some() => {
                Reached::Adopted.mark();
                s.look("stat .data/NAME: adopted", self.at(At::Unlock));
            }
            At::LookAtData => {
                s.look("stat .data/NAME: ENOENT", self.at(self.after_adoption(s)));
            }
            At::RemoveFile => self.remove_file(s),
            At::RemoveReservation => {
                Reached::NameCleared.mark();
                s.step("unlink .registry/NAME", self.at(At::Unlock), |state| {
                    state.disk.registry = None;
                });
            }
            At::TakeBack => {
                s.step("take back .registry/NAME", self.at(At::Unlock), |state| {
                    let taken = state.disk.registry.take();
                    if taken.is_some_and(|registry| registry.by as usize != me) {
                        state.goes_wrong(Wrong::OtherReservation);
                    }
                });
            }
            At::Unlock => s.step("unlock", Process::Done, |state| state.disk.close(me)),
        }
    }

    fn scan(self, s: &mut Steps, scan: Scan) {
        scan.steps(s, self.task, |scan| match scan {
            None => Process::Done,
            Some(scan) => self.at(At::Scan(scan)),
        });
    }

    /// `hold`: whether it reserves a name that nobody has reserved. A temporary file is nobody's then, for
    /// its name is its own.
    fn reserves(self, s: &Steps) -> bool {
        match self.task {
            Task::RemoveData | Task::Adopt(_) => !s.departs(Departure::RepairWithoutReserving),
            Task::RemoveTemporary(_) => s.departs(Departure::ReservesForTemporary),
            Task::RemoveReservation | Task::Any => false,
        }
    }

    fn begin(self, s: &mut Steps) {
        let repair = Repair {
            reserved_here: false,
            ..self
        };
        match self.reserves(s) {
            // A plan knows the names of the temporary files that were there, and no later one has such a name.
            _ if self.is_of_no_file(s) => s.look("plans nothing", Process::Done),
            true => repair.reserve(s),
            false => repair.own(s, Own::Open),
        }
    }

    fn is_of_no_file(self, s: &Steps) -> bool {
        match self.task {
            Task::RemoveTemporary(process) => s.disk().temporary[process as usize].is_none(),
            _ => false,
        }
    }

    fn reserve(self, s: &mut Steps) {
        let me = s.me;
        if s.disk().registry.is_some() {
            return s.look("reserve: EEXIST", self.at(At::Own(Own::Open)));
        }
        let repair = Repair {
            reserved_here: true,
            ..self
        };
        let reopens = s.departs(Departure::ReopenReservation);
        let own = match reopens {
            true => Own::Open,
            false => Own::LockCreated,
        };
        s.step("reserve", repair.at(At::Own(own)), |state| {
            let inode = state.disk.reserve(me);
            state.disk.open[me] = (!reopens).then_some(inode);
        });
    }

    fn own(self, s: &mut Steps, own: Own) {
        let reserves = self.reserves(s);
        let lockless = s.departs(Departure::RepairWithoutLock);
        let held = self.at(self.held(s));
        own.steps(
            s,
            |own| self.at(At::Own(own)),
            |claim| match claim {
                Claim::Owned => held,
                Claim::Busy if lockless => held,
                Claim::Busy => Process::Done,
                Claim::Unreserved if reserves => self.at(At::Begin),
                Claim::Unreserved if lockless || self.task != Task::RemoveReservation => held,
                Claim::Unreserved => Process::Done,
            },
        );
    }

    /// What comes once the name is held.
    fn held(self, s: &Steps) -> At {
        let is_others = self.reserves(s) && !self.reserved_here;
        let looks = !s.departs(Departure::RepairWithoutLook);
        match self.task {
            // Reserved by somebody: their data, their entry.
            Task::RemoveData | Task::Adopt(_) if is_others => At::Unlock,
            Task::Adopt(_) => At::LookAtEntry,
            Task::RemoveTemporary(_) => At::LookAtFile,
            _ if !looks => At::RemoveFile,
            Task::RemoveReservation if !s.departs(Departure::AgeOnlyLast) => At::LookAtAge,
            _ => At::LookInQueues(0),
        }
    }

    fn look_in_queues(self, s: &mut Steps, n: u8) {
        if s.disk().at(PLACES[n as usize]).is_some() {
            // If the name is reserved here, somebody may have used it before it was locked: it keeps it.
            return s.look("look for an entry: there it is", self.at(At::Unlock));
        }
        let next = match self.task {
            _ if n as usize + 1 < s.places().len() => At::LookInQueues(n + 1),
            Task::Adopt(_) => self.give_back(),
            Task::RemoveReservation if s.departs(Departure::AgeOnlyFirst) => At::RemoveFile,
            _ => At::LookAtFile,
        };
        s.look("look for an entry: ENOENT", self.at(next));
    }

    fn look_at_file(self, s: &mut Steps) {
        let disk = s.disk();
        let is_old = match self.task {
            Task::RemoveTemporary(process) => {
                disk.temporary[process as usize].is_some_and(|temporary| temporary.old)
            }
            Task::RemoveData => disk.data.is_some_and(|data| data.old),
            _ => {
                let is_same = disk.registry == self.old || s.departs(Departure::AgeOnlyLast);
                disk.registry.is_some_and(|registry| registry.old) && is_same
            }
        };
        let next = match self.task {
            _ if !is_old => self.give_back(),
            _ => At::RemoveFile,
        };
        s.look("stat the file that is to go", self.at(next));
    }

    /// What comes last.
    fn give_back(self) -> At {
        match self.reserved_here {
            true => At::TakeBack,
            false => At::Unlock,
        }
    }

    /// An adoption that is not needed any more: is the entry elsewhere?
    fn after_adoption(self, s: &Steps) -> At {
        match s.departs(Departure::TakeBackWithoutLook) {
            true => self.give_back(),
            false => At::LookInQueues(0),
        }
    }

    fn remove_file(self, s: &mut Steps) {
        let next = match self.task {
            Task::RemoveReservation => At::RemoveReservation,
            _ => self.give_back(),
        };
        Reached::Cleared.mark();
        match self.task {
            Task::RemoveTemporary(process) => s.step("unlink .tmp/…", self.at(next), |state| {
                state.disk.temporary[process as usize] = None;
            }),
            _ => s.step("unlink .data/NAME", self.at(next), |state| {
                state.disk.data = None;
            }),
        }
    }
}
