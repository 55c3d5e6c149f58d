//! How a checkout ends: `Checkout::release`, `save`, `remove`, and its drop.

use super::disk::Entry;
use super::worker::Worker;
use super::{Departure, Process, Steps, Wrong};
use crate::reached::Reached;

/// What a worker does with the entry in its hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Back to its own queue; a save to the same queue is the same.
    Release,
    /// A save to the other queue, if there is one.
    Save,
    /// The same with new metadata.
    SaveChanged,
    Remove,
    /// The entry stays checked out.
    Drop,
}

impl End {
    /// The queue that an entry of this one goes to.
    pub fn target(self, queue: u8, s: &Steps) -> u8 {
        match self {
            End::Release => queue,
            _ => (queue + 1) % s.model.queues,
        }
    }
}

/// Where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    Working,
    /// `Checkout::write_metadata`.
    WriteMetadata,
    Exchange,
    /// `Checkout::touch_registry`, and the touch of `move_out`.
    TouchRegistry(End),
    TouchEntry(End),
    /// The rename of `move_out`.
    Move(End),
    /// The old metadata, with its `Scratch`.
    RemoveOldMetadata,
    /// `Checkout::remove_with` and `remove_rest`.
    UnlinkEntry,
    UnlinkData,
    UnlinkRegistry,
}

impl Ending {
    pub fn owns(self) -> bool {
        !matches!(
            self,
            Ending::RemoveOldMetadata | Ending::UnlinkData | Ending::UnlinkRegistry
        )
    }

    pub fn removes(self) -> bool {
        matches!(
            self,
            Ending::UnlinkEntry | Ending::UnlinkData | Ending::UnlinkRegistry
        )
    }

    pub fn steps(self, worker: Worker, s: &mut Steps) {
        let (me, queue) = (s.me, worker.queue as usize);
        let checkout = s.disk().checkout[queue];
        let data_first = s.departs(Departure::DataFirst);
        match self {
            Ending::Working => {
                for end in s.model.ends {
                    Ending::begin(*end, worker, s);
                }
            }
            Ending::WriteMetadata => {
                let next = worker.ending(Ending::Exchange);
                s.step("write .tmp/NAME.tmp.R", next, |state| {
                    let disk = &mut state.disk;
                    disk.temporary[me] = worker
                        .read
                        .map(|read| disk.new_metadata(read.of, (read.contents + 1) % 4));
                });
            }
            Ending::Exchange if checkout.is_none() => {
                lost(worker, s, "exchange with .checkout/NAME: ENOENT");
            }
            Ending::Exchange => {
                let next = worker.ending(Ending::touching(End::SaveChanged, s));
                s.step("exchange with .checkout/NAME", next, |state| {
                    let disk = &mut state.disk;
                    std::mem::swap(&mut disk.temporary[me], &mut disk.checkout[queue]);
                });
            }
            Ending::TouchRegistry(End::Remove) => {
                s.touch_registry(worker.ending(Ending::removing(s)));
            }
            Ending::TouchRegistry(end) => {
                s.touch_registry(worker.ending(Ending::TouchEntry(end)));
            }
            Ending::TouchEntry(_) if checkout.is_none() => {
                lost(worker, s, "touch .checkout/NAME: ENOENT");
            }
            Ending::TouchEntry(end) => {
                let next = worker.ending(Ending::Move(end));
                s.step("touch .checkout/NAME", next, |state| {
                    state.disk.checkout[queue] = checkout.map(Entry::touched);
                });
            }
            Ending::Move(end) => Ending::move_out(end, worker, s),
            Ending::RemoveOldMetadata => {
                s.step("unlink .tmp/NAME.tmp.R", worker.unlock(), |state| {
                    state.disk.temporary[me] = None;
                });
            }
            Ending::UnlinkEntry if checkout.is_none() => {
                lost(worker, s, "unlink .checkout/NAME: ENOENT");
            }
            Ending::UnlinkEntry => {
                let next = match data_first {
                    true => worker.unlock(),
                    false => worker.ending(Ending::UnlinkData),
                };
                Reached::Removed.mark();
                s.step("unlink .checkout/NAME", next, |state| {
                    let removed = state.disk.checkout[queue].take();
                    if removed.map(|removed| removed.of) == state.entry {
                        state.entry = None;
                    }
                });
            }
            Ending::UnlinkData => {
                let next = worker.ending(Ending::UnlinkRegistry);
                s.step("unlink .data/NAME", next, |state| state.disk.data = None);
            }
            Ending::UnlinkRegistry => {
                let next = match data_first {
                    true => worker.ending(Ending::UnlinkEntry),
                    false => worker.unlock(),
                };
                s.step("unlink .registry/NAME", next, |state| {
                    state.disk.registry = None;
                });
            }
        }
    }

    /// The first step of the end that the worker has chosen.
    fn begin(end: End, worker: Worker, s: &mut Steps) {
        match end {
            End::Drop => Steps::look(s, "drops it", worker.unlock()),
            End::SaveChanged => Ending::WriteMetadata.steps(worker, s),
            End::Remove if !s.has_ages() => Ending::removing(s).steps(worker, s),
            end => Ending::touching(end, s).steps(worker, s),
        }
    }

    fn touching(end: End, s: &Steps) -> Ending {
        match s.has_ages() {
            true => Ending::TouchRegistry(end),
            false => Ending::Move(end),
        }
    }

    fn removing(s: &Steps) -> Ending {
        match s.departs(Departure::DataFirst) {
            true => Ending::UnlinkData,
            false => Ending::UnlinkEntry,
        }
    }

    fn move_out(end: End, worker: Worker, s: &mut Steps) {
        let from = worker.queue as usize;
        let target = end.target(worker.queue, s) as usize;
        if s.disk().checkout[from].is_none() {
            return lost(worker, s, "move out of .checkout: ENOENT");
        }
        if s.disk().waiting[target].is_some() {
            return s.step("move out of .checkout: EEXIST", worker.unlock(), |state| {
                state.goes_wrong(Wrong::Clobbered);
            });
        }
        let next = after_temporary(worker, s);
        s.step("rename .checkout/NAME -> QUEUE", next, |state| {
            state.disk.waiting[target] = state.disk.checkout[from].take();
        });
    }
}

/// The entry has gone: nothing else is touched.
fn lost(worker: Worker, s: &mut Steps, call: &'static str) {
    let next = after_temporary(worker, s);
    s.step(call, next, |state| state.goes_wrong(Wrong::LostOwnership));
}

fn after_temporary(worker: Worker, s: &Steps) -> Process {
    match s.disk().temporary[s.me] {
        Some(_) => worker.ending(Ending::RemoveOldMetadata),
        None => worker.unlock(),
    }
}
