//! The names whose lock was held when a reader tried them: tried again until they are had or gone.

use std::time::{Duration, Instant};

use crate::name::EntryName;
use crate::ownership::{BUSY_PAUSE, BUSY_PAUSE_MAX};

#[derive(Debug, Default)]
pub(crate) struct Busy(Vec<Name>);

#[derive(Debug)]
struct Name {
    name: EntryName,
    pause: Duration,
    next: Instant,
}

impl Busy {
    /// The name was found busy: the next try comes after a pause that doubles.
    pub(crate) fn add(&mut self, name: EntryName) {
        if !self.0.iter().any(|busy| busy.name == name) {
            self.0.push(Name {
                name,
                pause: BUSY_PAUSE,
                next: Instant::now() + BUSY_PAUSE,
            });
        }
    }

    /// A name whose next try is due; it stays in the set, for a later try, until it is settled.
    pub(crate) fn due(&mut self) -> Option<EntryName> {
        let now = Instant::now();
        let busy = self.0.iter_mut().find(|busy| busy.next <= now)?;
        busy.pause = (busy.pause * 2).min(BUSY_PAUSE_MAX);
        busy.next = now + busy.pause;
        Some(busy.name.clone())
    }

    /// The name was had, or has left the queue.
    pub(crate) fn settle(&mut self, name: &EntryName) {
        self.0.retain(|busy| busy.name != *name);
    }

    /// When the next try is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|busy| busy.next).min()
    }

    pub(crate) fn take(&mut self) -> Vec<EntryName> {
        self.0.drain(..).map(|busy| busy.name).collect()
    }
}
