//! `Spool::enqueue`, with a name that it reserves (`Draft::reserving`) or one that was reserved before
//! (`Draft::using`).

use super::disk::{Data, Id, PLACES};
use super::own::{Claim, Own};
use super::{Departure, Process, Steps, Wrong};
use crate::reached::Reached;

/// Where the name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    Reserve,
    Use,
}

/// One enqueue into the first queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Producer {
    id: Id,
    naming: Naming,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Begin,
    /// `registry::own_reserved`, or `registry::own_patiently` of a `Use`.
    Own(Own),
    /// `find_in` of a `Use`.
    LookInQueues(u8),
    /// `create_data`.
    CreateData,
    /// `find_on_disk` of `create_data`.
    LookOnDisk(u8),
    RemoveLeftover,
    CreateDataAgain,
    /// `Scratch::with` of `Draft::publish`.
    WriteMetadata,
    Publish,
    /// `Scratch::drop`.
    UndoMetadata,
    /// `Draft::drop`.
    UndoData,
    UndoReservation,
    /// `Ownership::drop`.
    Unlock,
    /// Without the lock: only a known-bad protocol comes here.
    GiveUpReservation,
}

impl Producer {
    pub fn of(id: Id, naming: Naming) -> Process {
        Process::Producer(Producer {
            id,
            naming,
            at: At::Begin,
        })
    }

    pub fn is_at_rest(self) -> bool {
        self.at == At::Begin
    }

    /// Whether it is making the data that is there, which is nobody's garbage then.
    fn at(self, at: At) -> Process {
        Process::Producer(Producer { at, ..self })
    }

    fn reserved_here(self) -> bool {
        self.naming == Naming::Reserve
    }

    pub fn steps(self, s: &mut Steps) {
        let me = s.me;
        match self.at {
            At::Begin if self.naming == Naming::Use => self.own(s, Own::Open),
            At::Begin if s.disk().registry.is_some() => {
                s.look("reserve: EEXIST, so another name", Process::Done);
            }
            At::Begin => {
                let reopens = s.departs(Departure::ReopenReservation);
                let own = match reopens {
                    true => Own::Open,
                    false => Own::LockCreated,
                };
                s.step("reserve", self.at(At::Own(own)), |state| {
                    let inode = state.disk.reserve(me);
                    state.disk.open[me] = (!reopens).then_some(inode);
                });
            }
            At::Own(own) => {
                self.own(s, own);
                if self.reserved_here() {
                    let gives_up = s.departs(Departure::UnreserveUnlocked);
                    let next = match gives_up {
                        true => self.at(At::GiveUpReservation),
                        false => Process::Done,
                    };
                    self.fail(s, "locking the reservation fails", next);
                }
            }
            At::LookInQueues(n) => {
                let free = match n as usize + 1 < s.places().len() {
                    true => At::LookInQueues(n + 1),
                    false => At::CreateData,
                };
                self.look(s, n, self.at(free), self.at(At::Unlock));
            }
            At::CreateData if s.disk().data.is_some() => {
                let next = match s.departs(Departure::UseWithoutLook) {
                    true => At::RemoveLeftover,
                    false => At::LookOnDisk(0),
                };
                s.look("create .data/NAME: EEXIST", self.at(next));
            }
            At::CreateData | At::CreateDataAgain => {
                s.step("create .data/NAME", self.at(At::WriteMetadata), |state| {
                    state.disk.data = Some(Data {
                        of: self.id,
                        old: false,
                    });
                });
                let undo = match self.at {
                    At::CreateData => self.after_data(),
                    _ => self.after_others_data(s),
                };
                self.fail(s, "create .data/NAME: fails", self.at(undo));
            }
            At::LookOnDisk(n) => {
                let free = match n as usize + 1 < s.places().len() {
                    true => At::LookOnDisk(n + 1),
                    false => At::RemoveLeftover,
                };
                let taken = self.at(self.after_others_data(s));
                self.look(s, n, self.at(free), taken);
                self.fail(s, "look for an entry: fails", taken);
            }
            At::RemoveLeftover => {
                Reached::LeftoverGone.mark();
                s.step("unlink .data/NAME", self.at(At::CreateDataAgain), |state| {
                    state.disk.data = None;
                });
            }
            At::WriteMetadata => {
                s.step("write .tmp/NAME.tmp.R", self.at(At::Publish), |state| {
                    state.disk.temporary[me] = Some(state.disk.new_metadata(self.id, 0));
                });
                self.fail(s, "write .tmp/NAME.tmp.R: fails", self.at(self.undo()));
            }
            At::Publish => {
                if s.disk().waiting[0].is_some() {
                    let next = self.at(At::UndoMetadata);
                    s.step("publish: EEXIST", next, |state| {
                        state.goes_wrong(Wrong::Clobbered)
                    });
                } else {
                    s.step(
                        "rename .tmp/NAME.tmp.R -> in/NAME",
                        self.at(At::Unlock),
                        |state| {
                            state.disk.waiting[0] = state.disk.temporary[me].take();
                            if state.entry.replace(self.id).is_some() {
                                state.goes_wrong(Wrong::TwoEntries);
                            }
                        },
                    );
                    self.fail(s, "publish: fails", self.at(At::UndoMetadata));
                }
            }
            At::UndoMetadata => {
                s.step("unlink .tmp/NAME.tmp.R", self.at(self.undo()), |state| {
                    state.disk.temporary[me] = None
                });
            }
            At::UndoData => {
                let next = match s.departs(Departure::ReservationFirst) {
                    true => At::Unlock,
                    false => self.after_data(),
                };
                s.step("undo: unlink .data/NAME", self.at(next), |state| {
                    state.disk.data = None;
                });
            }
            At::UndoReservation => {
                Reached::Undone.mark();
                let next = match s.departs(Departure::ReservationFirst) {
                    true => At::UndoData,
                    false => At::Unlock,
                };
                self.unreserve(s, "undo: unlink .registry/NAME", self.at(next));
            }
            At::Unlock => s.step("unlock", Process::Done, |state| state.disk.close(me)),
            At::GiveUpReservation => {
                self.unreserve(s, "unlink .registry/NAME", Process::Done);
            }
        }
    }

    fn own(self, s: &mut Steps, own: Own) {
        let owned = match self.naming {
            Naming::Use if !s.departs(Departure::UseWithoutLook) => At::LookInQueues(0),
            _ => At::CreateData,
        };
        own.steps(
            s,
            |own| self.at(At::Own(own)),
            |claim| match claim {
                Claim::Owned => self.at(owned),
                Claim::Busy | Claim::Unreserved => Process::Done,
            },
        );
    }

    /// A look for an entry of the name in one place.
    fn look(self, s: &mut Steps, n: u8, free: Process, taken: Process) {
        match s.disk().at(PLACES[n as usize]) {
            None => s.look("look for an entry: ENOENT", free),
            Some(_) => {
                Reached::NameTaken.mark();
                s.look("look for an entry: the name is taken", taken);
            }
        }
    }

    /// The system call may also fail, with nothing done.
    fn fail(self, s: &mut Steps, call: &'static str, next: Process) {
        let me = s.me;
        if s.state.failures > 0 {
            s.step(call, next, |state| {
                state.failures -= 1;
                if next == Process::Done || next == self.at(At::GiveUpReservation) {
                    state.disk.close(me);
                }
            });
        }
    }

    /// What an undo begins with when there is data.
    fn undo(self) -> At {
        At::UndoData
    }

    /// What an undo does after the data is gone.
    fn after_data(self) -> At {
        match self.reserved_here() {
            true => At::UndoReservation,
            false => At::Unlock,
        }
    }

    /// Somebody else has used the name since it was reserved: it is not to be taken back.
    fn after_others_data(self, s: &Steps) -> At {
        match s.departs(Departure::UnreserveTaken) {
            true => self.after_data(),
            false => At::Unlock,
        }
    }

    fn unreserve(self, s: &mut Steps, call: &'static str, next: Process) {
        let me = s.me;
        s.step(call, next, |state| {
            if let Some(registry) = state.disk.registry.take()
                && registry.by as usize != me
            {
                state.goes_wrong(Wrong::OtherReservation);
            }
        });
    }
}
