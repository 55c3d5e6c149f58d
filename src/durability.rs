//! What an answer promises, and the directory syncs that threads share to keep it.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, OnceLock};

use rustix::io::Errno;

use crate::error::{Error, ErrorKind};
use crate::omit::{self, Step};
use crate::sys::fork::PerProcess;
use crate::sys::sync::{self, lock, wait};

/// What has been made sure of when an operation returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// The change survives the death of any process, not of the machine.
    None,
    /// As the original implementation: contents were synced before they became visible; the names of
    /// files were not.
    Original,
    /// The change survives the loss of power: an acknowledged enqueue or save is there, whole; an
    /// acknowledged remove stays removed. Promised where renames are journaled (ext4 with a journal,
    /// xfs, btrfs).
    #[default]
    Full,
}

impl Durability {
    /// Whether directories are synced.
    pub(crate) fn syncs_names(self) -> bool {
        self == Durability::Full
    }
}

/// How contents are brought to the disk before they become visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settling {
    /// Not at all.
    Not,
    /// Written out: the sync of the directory that makes them visible carries the rest.
    WrittenOut,
    Synced,
}

impl Settling {
    /// Has the file's contents on their way as far as they must be before they become visible.
    pub(crate) fn settle(self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        match self {
            Settling::Not => Ok(()),
            Settling::WrittenOut => sync::write_out(file),
            Settling::Synced => sync::fsync(file),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Durability::None => "none",
            Durability::Original => "original",
            Durability::Full => "full",
        })
    }
}

impl FromStr for Durability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Durability, Error> {
        match text {
            "none" => Ok(Durability::None),
            "original" => Ok(Durability::Original),
            "full" => Ok(Durability::Full),
            _ => Err(Error::plain(
                ErrorKind::InvalidArgument,
                "durability",
                format!("{text:?} is none of none, original, full"),
            )),
        }
    }
}

/// The syncs of one directory, in rounds that the threads of a process share: a change made while a
/// round runs is covered by the next one, never by that one.
pub(crate) struct SyncRounds(PerProcess<Rounds>);

struct Rounds {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    running: bool,
    /// So many threads wait for a round to end.
    waiting: usize,
    /// The round that begins next: whoever arrives now is covered by it.
    next: Arc<Round>,
}

#[derive(Default)]
struct Round(OnceLock<Result<(), Errno>>);

impl SyncRounds {
    pub(crate) const fn new() -> SyncRounds {
        SyncRounds(PerProcess::new())
    }

    /// Returns when a round that began after this call has ended, with that round's result: one that
    /// failed fails each of its waiters. `sync` is called if it falls to this thread to run the round.
    pub(crate) fn join(&self, sync: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let rounds = self.0.get(|| Rounds {
            state: Mutex::new(State {
                running: false,
                waiting: 0,
                next: Arc::default(),
            }),
            ended: Condvar::new(),
        });
        let mut state = lock(&rounds.state);
        let mine = Arc::clone(&state.next);
        loop {
            if let Some(result) = mine.0.get() {
                return *result;
            }
            if !state.running {
                break;
            }
            state.waiting += 1;
            state = wait(&rounds.ended, state);
            state.waiting -= 1;
            if omit::is_out(Step::SyncRound) {
                return Ok(());
            }
        }
        // No round runs and mine has not: so mine is the next, and I run it.
        state.running = true;
        state.next = Arc::default();
        drop(state);
        let result = sync();
        // Set once: only the thread that found `running` false leads a round.
        let _ = mine.0.set(result);
        let mut state = lock(&rounds.state);
        state.running = false;
        if state.waiting > 0 {
            rounds.ended.notify_all();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_change_made_during_a_round_is_covered_by_the_next_and_waiters_share_it() {
        let rounds = SyncRounds::new();
        let count = AtomicU32::new(0);
        let (begun, has_begun) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let (rounds, count) = (&rounds, &count);
            scope.spawn(move || {
                rounds.join(|| {
                    count.fetch_add(1, Ordering::SeqCst);
                    begun.send(()).expect("main listens");
                    may_end.recv().expect("main answers");
                    Ok(())
                })
            });
            has_begun.recv().expect("the first round runs");
            let late: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(move || {
                        rounds.join(|| {
                            count.fetch_add(1, Ordering::SeqCst);
                            Err(Errno::IO)
                        })
                    })
                })
                .collect();
            let shared = rounds.0.get(|| unreachable!());
            // All four wait for the next round: they and the state hold it.
            while Arc::strong_count(&lock(&shared.state).next) < 5 {
                thread::yield_now();
            }
            assert!(late.iter().all(|thread| !thread.is_finished()));
            end.send(()).expect("the first round waits");
            for thread in late {
                assert_eq!(thread.join().expect("no panic"), Err(Errno::IO));
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
