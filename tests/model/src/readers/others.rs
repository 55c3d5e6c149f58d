//! What other processes do in the queue meanwhile.

use super::queue::Queue;
use super::{Action, Readers, State};

/// One of them, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Other {
    Done,
    /// An enqueue: lock, rename into the queue, unlock.
    Producer {
        name: u8,
        done: u8,
    },
    /// A reader of another process, that is about to lock the name.
    Reader {
        name: u8,
    },
    /// It has the lock.
    Holder {
        name: u8,
    },
    /// It has the entry as well.
    Owner {
        name: u8,
    },
    /// It has given it back, or removed it, or found nothing, and is about to unlock.
    Unlocks {
        name: u8,
    },
    /// It has died with the entry: a recover is to return it.
    Recover {
        name: u8,
        done: u8,
    },
    /// Somebody makes an entry by hand, without a registry file.
    Hand {
        name: u8,
    },
    /// A repair that makes the registry file anew.
    Adopt {
        name: u8,
    },
}

impl Other {
    pub fn producer(name: u8) -> Other {
        Other::Producer { name, done: 0 }
    }

    /// Whether nothing needs to come of it by itself: it has not begun, or it works on what it owns.
    pub fn is_at_rest(self) -> bool {
        matches!(
            self,
            Other::Done
                | Other::Producer { done: 0, .. }
                | Other::Reader { .. }
                | Other::Owner { .. }
                | Other::Recover { done: 0, .. }
                | Other::Hand { .. }
                | Other::Adopt { .. }
        )
    }

    pub fn steps(self, model: &Readers, state: &State, me: usize, actions: &mut Vec<Action>) {
        let holds = model.kernel_holds;
        let mut step = |call: &'static str, then: Other, change: &dyn Fn(&mut State)| {
            let mut state = state.clone();
            change(&mut state);
            state.others[me] = then;
            actions.push(Action {
                who: "process",
                number: me,
                call,
                next: state,
            });
        };
        let is_free = |queue: &Queue, name: u8| queue.reserved(name) && !queue.locked(name);
        match self {
            Other::Done => {}
            Other::Producer { name, done: 0 } => {
                step(
                    "reserve and lock NAME",
                    Other::Producer { name, done: 1 },
                    &|state| {
                        state.queue.reserve(name);
                        state.queue.lock(name);
                    },
                );
            }
            Other::Producer { name, done: 1 } => {
                step("rename to QUEUE/NAME", Other::Unlocks { name }, &|state| {
                    state.queue.put(name);
                    state.hub.tell(name, holds);
                });
            }
            Other::Reader { name } if is_free(&state.queue, name) => {
                step("lock NAME", Other::Holder { name }, &|state| {
                    state.queue.lock(name)
                });
            }
            Other::Reader { .. } => {}
            Other::Holder { name } => {
                if state.queue.has(name) {
                    step("rename to .checkout", Other::Owner { name }, &|state| {
                        state.queue.take(name);
                    });
                }
                step("gives up", Other::Unlocks { name }, &|_| {});
            }
            Other::Owner { name } => {
                step("rename back to QUEUE", Other::Unlocks { name }, &|state| {
                    state.queue.put(name);
                    state.hub.tell(name, holds);
                });
                step("remove", Other::Unlocks { name }, &|state| {
                    state.queue.unreserve(name);
                });
                step("die", Other::Recover { name, done: 0 }, &|state| {
                    state.queue.unlock(name);
                });
            }
            Other::Unlocks { name } => {
                step("unlock NAME", Other::Done, &|state| {
                    state.queue.unlock(name)
                });
            }
            Other::Recover { name, done: 0 } if is_free(&state.queue, name) => {
                step(
                    "recover locks NAME",
                    Other::Recover { name, done: 1 },
                    &|state| {
                        state.queue.lock(name);
                    },
                );
            }
            Other::Recover { done: 0, .. } => {}
            Other::Recover { name, .. } => {
                step(
                    "recover renames it back",
                    Other::Unlocks { name },
                    &|state| {
                        state.queue.put(name);
                        state.hub.tell(name, holds);
                    },
                );
            }
            Other::Hand { name } => {
                step("make QUEUE/NAME", Other::Adopt { name }, &|state| {
                    state.queue.put(name);
                    state.hub.tell(name, holds);
                });
            }
            Other::Adopt { name } => {
                step("repair makes its registry file", Other::Done, &|state| {
                    state.queue.reserve(name);
                });
            }
            Other::Producer { .. } => unreachable!("a producer has three steps"),
        }
    }
}
