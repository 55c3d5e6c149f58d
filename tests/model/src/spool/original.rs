//! The original's processes, which take no locks: the rename alone is their claim, and only the time that
//! they take tells them from the dead. What they do and in which order is said in docs/format.md.

use super::disk::{Data, Entry, Id};
use super::ending::End;
use super::{Process, Steps, Wrong};

/// A worker of the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Original {
    takes: u8,
    pub(super) queue: u8,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Idle,
    TouchRegistry,
    TouchEntry,
    Move,
    FindData,
    Working,
    /// New metadata, renamed over the old.
    WriteMetadata,
    Replace,
    TouchRegistryAgain(End),
    TouchEntryAgain(End),
    MoveOut(End),
    UnlinkEntry,
    UnlinkData,
    UnlinkRegistry,
}

impl Original {
    pub fn taking(takes: u8) -> Process {
        Process::Original(Original {
            takes,
            queue: 0,
            at: At::Idle,
        })
    }

    pub fn is_at_rest(self) -> bool {
        self.at == At::Idle
    }

    /// The queue whose checked-out entry is in its hands.
    pub fn owns(self) -> Option<u8> {
        let owns = !matches!(
            self.at,
            At::Idle
                | At::TouchRegistry
                | At::TouchEntry
                | At::Move
                | At::UnlinkData
                | At::UnlinkRegistry
        );
        owns.then_some(self.queue)
    }

    pub fn removes(self) -> bool {
        matches!(
            self.at,
            At::UnlinkEntry | At::UnlinkData | At::UnlinkRegistry
        )
    }

    fn at(self, at: At) -> Process {
        Process::Original(Original { at, ..self })
    }

    fn idle(self) -> Process {
        match self.takes {
            0 => Process::Done,
            takes => Original::taking(takes),
        }
    }

    pub fn steps(self, s: &mut Steps) {
        let (me, queue) = (s.me, self.queue as usize);
        let (waiting, checkout) = (s.disk().waiting[queue], s.disk().checkout[queue]);
        match self.at {
            At::Idle => {
                for queue in 0..s.model.queues {
                    let original = Original {
                        takes: self.takes - 1,
                        queue,
                        at: At::TouchRegistry,
                    };
                    original.steps(s);
                }
            }
            At::TouchRegistry if s.disk().registry.is_none() => {
                s.look("touch .registry/NAME: ENOENT", self.idle());
            }
            At::TouchRegistry => s.touch_registry_by_name(self.at(At::TouchEntry)),
            At::TouchEntry | At::Move if waiting.is_none() => {
                s.look("touch or move QUEUE/NAME: ENOENT", self.idle());
            }
            At::TouchEntry => s.step("touch QUEUE/NAME", self.at(At::Move), |state| {
                state.disk.waiting[queue] = waiting.map(Entry::touched);
            }),
            At::Move => s.step(
                "rename QUEUE/NAME -> .checkout",
                self.at(At::FindData),
                |state| {
                    let replaced =
                        state.disk.checkout[queue].replace(waiting.expect("it is there"));
                    state.disk.waiting[queue] = None;
                    if replaced.is_some() {
                        state.goes_wrong(Wrong::Clobbered);
                    }
                },
            ),
            At::FindData => {
                let is_missing = s.disk().data.is_none();
                s.step("stat .data/NAME", self.at(At::Working), |state| {
                    if is_missing {
                        state.goes_wrong(Wrong::DataMissing);
                    }
                });
            }
            At::Working => {
                for end in s.model.ends {
                    match end {
                        End::SaveChanged => self.having(At::WriteMetadata).steps(s),
                        End::Drop => s.look("forgets it", self.idle()),
                        end => self.having(At::TouchRegistryAgain(*end)).steps(s),
                    }
                }
            }
            At::WriteMetadata => s.step("write .tmp/NAME", self.at(At::Replace), |state| {
                let disk = &mut state.disk;
                disk.temporary[me] =
                    checkout.map(|old| disk.new_metadata(old.of, (old.contents + 1) % 4));
            }),
            At::Replace => {
                let next = self.at(At::TouchRegistryAgain(End::Release));
                s.step("rename .tmp/NAME -> .checkout", next, |state| {
                    state.disk.checkout[queue] = state.disk.temporary[me].take();
                });
            }
            At::TouchRegistryAgain(End::Remove) => {
                s.touch_registry_by_name(self.at(At::UnlinkEntry));
            }
            At::TouchRegistryAgain(end) => {
                s.touch_registry_by_name(self.at(At::TouchEntryAgain(end)));
            }
            At::TouchEntryAgain(_) | At::MoveOut(_) | At::UnlinkEntry if checkout.is_none() => {
                s.step("the entry: ENOENT", self.idle(), |state| {
                    state.goes_wrong(Wrong::LostOwnership);
                });
            }
            At::TouchEntryAgain(end) => {
                s.step("touch .checkout/NAME", self.at(At::MoveOut(end)), |state| {
                    state.disk.checkout[queue] = checkout.map(Entry::touched);
                });
            }
            At::MoveOut(end) => {
                let target = end.target(self.queue, s) as usize;
                s.step("rename .checkout/NAME -> QUEUE", self.idle(), |state| {
                    state.disk.checkout[queue] = None;
                    if state.disk.waiting[target].is_some() {
                        state.goes_wrong(Wrong::Clobbered);
                    }
                    state.disk.waiting[target] = checkout;
                });
            }
            At::UnlinkEntry => {
                s.step("unlink .checkout/NAME", self.at(At::UnlinkData), |state| {
                    let removed = state.disk.checkout[queue].take();
                    if removed.map(|removed| removed.of) == state.entry {
                        state.entry = None;
                    }
                });
            }
            At::UnlinkData => s.step("unlink .data/NAME", self.at(At::UnlinkRegistry), |state| {
                state.disk.data = None;
            }),
            At::UnlinkRegistry => s.step("unlink .registry/NAME", self.idle(), |state| {
                state.disk.registry = None;
            }),
        }
    }

    fn having(self, at: At) -> Original {
        Original { at, ..self }
    }
}

/// An enqueue of the original's, under a name that it reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginalProducer {
    id: Id,
    /// How many of its steps are done: reserve, data, metadata, publish.
    done: u8,
}

impl OriginalProducer {
    pub fn of(id: Id) -> Process {
        Process::OriginalProducer(OriginalProducer { id, done: 0 })
    }

    pub fn is_at_rest(self) -> bool {
        self.done == 0
    }

    pub fn steps(self, s: &mut Steps) {
        let me = s.me;
        let next = Process::OriginalProducer(OriginalProducer {
            done: self.done + 1,
            ..self
        });
        match self.done {
            0 if s.disk().registry.is_some() => {
                s.look("reserve: EEXIST, so another name", Process::Done);
            }
            0 => s.step("reserve", next, |state| {
                state.disk.reserve(me);
            }),
            1 => s.step("write .data/NAME", next, |state| {
                state.disk.data = Some(Data {
                    of: self.id,
                    old: false,
                });
            }),
            2 => s.step("write .tmp/NAME", next, |state| {
                state.disk.temporary[me] = Some(state.disk.new_metadata(self.id, 0));
            }),
            _ => s.step("rename .tmp/NAME -> QUEUE", Process::Done, |state| {
                let metadata = state.disk.temporary[me].take();
                let replaced = std::mem::replace(&mut state.disk.waiting[0], metadata);
                let entry = state.entry.replace(self.id);
                if replaced.is_some() || entry.is_some() {
                    state.goes_wrong(Wrong::TwoEntries);
                }
            }),
        }
    }
}
