//! `Spool::recover`: one pass over all queues.

use super::disk::Entry;
use super::own::{Claim, Own};
use super::{Departure, Process, Steps, Wrong};
use crate::reached::Reached;

/// One pass, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recover {
    queue: u8,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    /// The listing of `recover_queue`.
    List,
    /// `return_one`.
    Own(Own),
    Look,
    TouchRegistry,
    /// `move_out`.
    TouchEntry,
    Move,
    Unlock,
}

impl Recover {
    pub fn pass() -> Process {
        Process::Recover(Recover {
            queue: 0,
            at: At::List,
        })
    }

    pub fn is_at_rest(self) -> bool {
        self.at == At::List
    }

    fn at(self, at: At) -> Process {
        Process::Recover(Recover { at, ..self })
    }

    fn next_queue(self, s: &Steps) -> Process {
        match self.queue + 1 < s.model.queues {
            false => Process::Done,
            true => Process::Recover(Recover {
                queue: self.queue + 1,
                at: At::List,
            }),
        }
    }

    pub fn steps(self, s: &mut Steps) {
        let (me, queue) = (s.me, self.queue as usize);
        let checkout = s.disk().checkout[queue];
        let next_queue = self.next_queue(s);
        let locks = !s.departs(Departure::RecoverWithoutLock);
        match self.at {
            At::List => match checkout {
                None => s.look("list .checkout: empty", next_queue),
                Some(_) if locks => s.look("list .checkout: NAME", self.at(At::Own(Own::Open))),
                Some(_) => s.look("list .checkout: NAME", self.at(At::Look)),
            },
            At::Own(own) => own.steps(
                s,
                |own| self.at(At::Own(own)),
                |claim| match claim {
                    Claim::Owned => self.at(At::Look),
                    Claim::Busy | Claim::Unreserved => next_queue,
                },
            ),
            At::Look => match checkout {
                None => s.look("stat .checkout/NAME: ENOENT", self.at(At::Unlock)),
                Some(entry) if self.is_too_young(s, entry) => {
                    s.look("stat .checkout/NAME: young", self.at(At::Unlock));
                }
                Some(_) if s.has_ages() => {
                    s.look("stat .checkout/NAME", self.at(At::TouchRegistry));
                }
                Some(_) => s.look("stat .checkout/NAME", self.at(At::Move)),
            },
            At::TouchRegistry => s.touch_registry(self.at(At::TouchEntry)),
            At::TouchEntry | At::Move if checkout.is_none() => {
                s.look("touch or move .checkout/NAME: ENOENT", self.at(At::Unlock));
            }
            At::TouchEntry => s.step("touch .checkout/NAME", self.at(At::Move), |state| {
                state.disk.checkout[queue] = checkout.map(Entry::touched);
            }),
            At::Move if s.disk().waiting[queue].is_some() => {
                s.step(
                    "move out of .checkout: EEXIST",
                    self.at(At::Unlock),
                    |state| {
                        state.goes_wrong(Wrong::Clobbered);
                    },
                );
            }
            At::Move => {
                Reached::Recovered.mark();
                s.step(
                    "rename .checkout/NAME -> QUEUE",
                    self.at(At::Unlock),
                    |state| {
                        state.disk.waiting[queue] = state.disk.checkout[queue].take();
                    },
                );
            }
            At::Unlock => s.step("unlock", next_queue, |state| state.disk.close(me)),
        }
    }

    fn is_too_young(self, s: &Steps, entry: Entry) -> bool {
        s.model.mixed && !entry.old && !s.departs(Departure::RecoverWithoutAge)
    }
}
