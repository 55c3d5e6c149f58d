//! When to look again where no event can be relied on: on a file system that other hosts change, or
//! when the kernel has no watch left.

use std::time::{Duration, Instant};

use crate::sys::random;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The times of the looks: soon after something was found, then ever less often.
#[derive(Debug)]
pub(crate) struct Looks {
    pause: Duration,
    longest: Duration,
    next: Instant,
}

impl Looks {
    /// `longest` is the longest pause between two looks; `None`: one second.
    pub(crate) fn new(longest: Option<Duration>) -> Looks {
        let longest = longest.unwrap_or(LONGEST).max(Duration::from_millis(1));
        Looks {
            pause: SHORTEST.min(longest),
            longest,
            next: Instant::now(),
        }
    }

    /// When the next look is due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    pub(crate) fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    /// Something was found: more may come soon.
    pub(crate) fn found(&mut self) {
        self.pause = SHORTEST.min(self.longest);
    }

    /// A look has been made. The next is up to a quarter sooner or later than its time, so that many
    /// readers do not look all at once.
    pub(crate) fn looked(&mut self) {
        let jitter = u32::from(random::letters(1).as_bytes()[0] % 32);
        self.next = Instant::now() + self.pause * (24 + jitter / 2) / 32;
        self.pause = (self.pause * 3 / 2).min(self.longest);
    }
}
