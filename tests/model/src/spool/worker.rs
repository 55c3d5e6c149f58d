//! A process that checks entries out: `checkout::take`. How it ends that is in `ending`.

use super::disk::Entry;
use super::ending::Ending;
use super::own::{Claim, Own};
use super::{Departure, Process, Steps, Wrong};
use crate::reached::Reached;

/// A worker that takes whatever the queues have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// How often it still tries to take.
    takes: u8,
    /// The queue that it takes from now.
    pub(super) queue: u8,
    at: At,
    /// The metadata that it read.
    pub(super) read: Option<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Idle,
    Own(Own),
    /// `checkout::unreserved`: looks at the queue, the registry, the queue.
    Unreserved(u8),
    /// `checkout::take_owned`.
    Read,
    FindData,
    /// Its data is missing: is it still in the queue?
    StillThere,
    TouchRegistry,
    TouchEntry,
    Move,
    Compare,
    ReadAgain,
    /// The entry is in its hands, or on its way out of them.
    Ending(Ending),
    /// `Ownership::drop`.
    Unlock,
}

impl Worker {
    pub fn taking(takes: u8) -> Process {
        Process::Worker(Worker {
            takes,
            queue: 0,
            at: At::Idle,
            read: None,
        })
    }

    pub fn is_at_rest(self) -> bool {
        self.at == At::Idle
    }

    /// The queue whose checked-out entry is in its hands.
    pub fn owns(self) -> Option<u8> {
        match self.at {
            At::Ending(ending) => ending.owns().then_some(self.queue),
            _ => None,
        }
    }

    /// Whether it is removing what it owns, or owned a moment ago.
    pub fn removes(self) -> bool {
        matches!(self.at, At::Ending(ending) if ending.removes())
    }

    /// Whether it runs a command that could outlive it.
    pub fn has_command(self) -> bool {
        self.at == At::Ending(Ending::Working)
    }

    fn at(self, at: At) -> Process {
        Process::Worker(Worker { at, ..self })
    }

    pub(super) fn ending(self, ending: Ending) -> Process {
        self.at(At::Ending(ending))
    }

    pub(super) fn unlock(self) -> Process {
        self.at(At::Unlock)
    }

    fn idle(self) -> Process {
        match self.takes {
            0 => Process::Done,
            takes => Worker::taking(takes),
        }
    }

    fn working(self) -> Process {
        self.ending(Ending::Working)
    }

    pub fn steps(self, s: &mut Steps) {
        let (me, queue) = (s.me, self.queue as usize);
        let waiting = s.disk().waiting[queue];
        match self.at {
            At::Idle => self.begin(s),
            At::Own(own) => self.own(s, own),
            At::Unreserved(n) => self.unreserved(s, n),
            At::Read => self.read(s, At::FindData),
            At::FindData => match s.disk().data {
                Some(_) if s.has_ages() => s.look("stat .data/NAME", self.at(At::TouchRegistry)),
                Some(_) => s.look("stat .data/NAME", self.at(At::Move)),
                None => s.look("stat .data/NAME: ENOENT", self.at(At::StillThere)),
            },
            At::StillThere => s.step("stat QUEUE/NAME", self.unlock(), |state| {
                if waiting
                    .zip(self.read)
                    .is_some_and(|(now, read)| now.is(read))
                {
                    state.goes_wrong(Wrong::DataMissing);
                }
            }),
            At::TouchRegistry => s.touch_registry(self.at(At::TouchEntry)),
            At::TouchEntry => s.step("touch what was read", self.at(At::Move), |state| {
                let disk = &mut state.disk;
                for entry in disk.waiting.iter_mut().chain(&mut disk.checkout).flatten() {
                    if self.read.is_some_and(|read| read.is(*entry)) {
                        entry.old = false;
                    }
                }
            }),
            At::Move if waiting.is_none() => self.gone(s, "move to .checkout: ENOENT"),
            At::Move if s.disk().checkout[queue].is_some() => {
                s.step("move to .checkout: EEXIST", self.unlock(), |state| {
                    state.goes_wrong(Wrong::Clobbered);
                });
            }
            At::Move => {
                let next = match s.departs(Departure::LockAfterMove) {
                    true => At::Own(Own::Open),
                    false => At::Compare,
                };
                Reached::Taken.mark();
                s.step("rename QUEUE/NAME -> .checkout", self.at(next), |state| {
                    state.disk.checkout[queue] = state.disk.waiting[queue].take();
                });
            }
            At::Compare => self.compare(s),
            At::ReadAgain => match s.disk().checkout[queue] {
                None => self.gone(s, "read .checkout/NAME: ENOENT"),
                read => {
                    Reached::ReadAgain.mark();
                    s.look("read .checkout/NAME", Worker { read, ..self }.working());
                }
            },
            At::Ending(ending) => ending.steps(self, s),
            At::Unlock => s.step("unlock", self.idle(), |state| state.disk.close(me)),
        }
    }

    /// It has heard of the name, from a listing or an event, whether that still holds or not.
    fn begin(self, s: &mut Steps) {
        for queue in 0..s.model.queues {
            let takes = self.takes - 1;
            let worker = Worker {
                takes,
                queue,
                ..self
            };
            match s.departs(Departure::LockAfterMove) {
                true => worker.read(s, At::FindData),
                false => worker.own(s, Own::Open),
            }
        }
    }

    fn own(self, s: &mut Steps, own: Own) {
        let owned = match s.departs(Departure::LockAfterMove) {
            true => self.working(),
            false => self.at(At::Read),
        };
        own.steps(
            s,
            |own| self.at(At::Own(own)),
            |claim| match claim {
                Claim::Owned => owned,
                Claim::Busy => self.idle(),
                Claim::Unreserved => self.at(At::Unreserved(0)),
            },
        );
    }

    fn unreserved(self, s: &mut Steps, n: u8) {
        let waiting = s.disk().waiting[self.queue as usize];
        match n {
            0 if waiting.is_some() => self.read(s, At::Unreserved(1)),
            1 if s.disk().registry.is_none() => {
                s.look("stat .registry/NAME: ENOENT", self.at(At::Unreserved(2)));
            }
            1 => s.look("stat .registry/NAME", self.idle()),
            2 if waiting.is_some() && waiting == self.read => {
                let orphans = s.model.orphans;
                s.step("stat QUEUE/NAME: as before", self.idle(), |state| {
                    if !orphans {
                        state.goes_wrong(Wrong::Orphan);
                    }
                });
            }
            _ => s.look("stat QUEUE/NAME: gone or moved", self.idle()),
        }
    }

    /// `checkout::read_regular`.
    fn read(self, s: &mut Steps, next: At) {
        let me = s.me;
        match s.disk().waiting[self.queue as usize] {
            None => self.gone(s, "open QUEUE/NAME: ENOENT"),
            Some(entry) => {
                let read = Some(entry);
                let keeps_open = s.model.mixed
                    && next == At::FindData
                    && !s.departs(Departure::ClosesWhatItRead);
                let next = Worker { read, ..self }.at(next);
                s.step("open and read QUEUE/NAME", next, |state| {
                    state.disk.reading[me] = keeps_open.then_some(entry.inode);
                });
            }
        }
    }

    /// What was moved must be what was read.
    fn compare(self, s: &mut Steps) {
        let me = s.me;
        match (s.disk().checkout[self.queue as usize], self.read) {
            (Some(moved), Some(read)) if moved.is(read) || s.departs(Departure::NoSecondRead) => {
                let next = self.working();
                s.step("stat .checkout/NAME: what was read", next, |state| {
                    state.disk.reading[me] = None;
                    if read.contents != moved.contents {
                        state.goes_wrong(Wrong::StaleMetadata);
                    }
                });
            }
            (Some(_), _) => s.step(
                "stat .checkout/NAME: another file",
                self.at(At::ReadAgain),
                |state| state.disk.reading[me] = None,
            ),
            (None, _) => self.gone(s, "stat .checkout/NAME: ENOENT"),
        }
    }

    /// Somebody else had it first; the lock goes with the ownership.
    fn gone(self, s: &mut Steps, call: &'static str) {
        Reached::Gone.mark();
        match s.disk().open[s.me] {
            Some(_) => s.look(call, self.unlock()),
            None => s.look(call, self.idle()),
        }
    }
}
