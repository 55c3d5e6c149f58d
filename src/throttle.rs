//! How many disk steps run at once.

use std::sync::{Condvar, Mutex};

use crate::sys::fork::PerProcess;
use crate::sys::sync::{lock, wait};

/// Every step that touches the disk passes through here.
///
/// A step is a short run of system calls. None waits for another process or runs a caller's code (but the
/// load and save of a [`Data`](crate::spoolable::Data), which are disk steps themselves), so a throttle may
/// hold a slot for its duration without harm.
pub trait Throttle: Send + Sync {
    /// Calls `step` once, now or when there is room.
    fn run(&self, step: &mut dyn FnMut());
}

/// No limit: the default.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unlimited;

impl Throttle for Unlimited {
    fn run(&self, step: &mut dyn FnMut()) {
        step();
    }
}

/// At most so many steps at once in this process; a forked child counts anew.
pub struct AtMost {
    limit: usize,
    slots: PerProcess<Slots>,
}

struct Slots {
    used: Mutex<usize>,
    freed: Condvar,
}

impl AtMost {
    /// At most `limit` steps at once; 0 counts as 1.
    pub const fn new(limit: usize) -> AtMost {
        AtMost {
            limit: if limit == 0 { 1 } else { limit },
            slots: PerProcess::new(),
        }
    }
}

impl Throttle for AtMost {
    fn run(&self, step: &mut dyn FnMut()) {
        let slots = self.slots.get(|| Slots {
            used: Mutex::new(0),
            freed: Condvar::new(),
        });
        let mut used = lock(&slots.used);
        while *used >= self.limit {
            used = wait(&slots.freed, used);
        }
        *used += 1;
        drop(used);
        let _slot = Slot(slots);
        step();
    }
}

/// Frees the slot also when the step panics.
struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *lock(&self.0.used) -= 1;
        self.0.freed.notify_one();
    }
}

/// Runs one step through the throttle.
pub(crate) fn step<T>(throttle: &dyn Throttle, step: impl FnOnce() -> T) -> T {
    let mut waiting = Some(step);
    let mut result = None;
    throttle.run(&mut || {
        if let Some(step) = waiting.take() {
            result = Some(step());
        }
    });
    match (result, waiting) {
        (Some(result), _) => result,
        // A throttle that did not do its one duty: the step must not be lost with it.
        (None, Some(step)) => step(),
        (None, None) => unreachable!("a step that ran has a result"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn at_most_so_many_steps_run_at_once_and_all_run() {
        let throttle = AtMost::new(3);
        let (now, most, all) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let together = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..9 {
                scope.spawn(|| {
                    throttle.run(&mut || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        // Three at a time meet here: fewer would hang, more would be counted.
                        together.wait();
                        now.fetch_sub(1, Ordering::SeqCst);
                        all.fetch_add(1, Ordering::SeqCst);
                    });
                });
            }
        });
        assert_eq!(most.into_inner(), 3);
        assert_eq!(all.into_inner(), 9);
    }
}
