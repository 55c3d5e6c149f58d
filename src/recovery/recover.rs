//! Returning entries whose owner is dead to their queues.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use crate::checkout::{Moved, move_out};
use crate::durability::Durability;
use crate::entry::Entry;
use crate::error::{At, Error, Result};
use crate::format::Owners;
use crate::layout::Queue;
use crate::listing::Listing;
use crate::name::EntryName;
use crate::omit::Step;
use crate::registry::{self, Claim};
use crate::spool::Spool;
use crate::sys::{clock, file};

const RECOVER: &str = "recover";

/// How old a checkout must be before a free lock is taken for a dead owner, where owners may hold none.
const MIXED_MIN_AGE: Duration = Duration::from_secs(600);

/// How dead owners' entries are returned.
#[derive(Clone, Debug, Default)]
pub struct RecoverOptions {
    min_age: Option<Duration>,
    durability: Option<Durability>,
}

impl RecoverOptions {
    /// The defaults.
    pub fn new() -> RecoverOptions {
        RecoverOptions::default()
    }

    /// Returns only entries that were last touched longer ago than this. Default: 0 where every owner
    /// holds a lock; 10 minutes where processes without locks share the spool, since there a free lock
    /// proves nothing.
    pub fn min_age(mut self, min_age: Duration) -> RecoverOptions {
        self.min_age = Some(min_age);
        self
    }

    /// What is promised of the entries returned. Default: the spool's durability.
    pub fn durability(mut self, durability: Durability) -> RecoverOptions {
        self.durability = Some(durability);
        self
    }
}

/// What a [`Spool::recover`] did.
#[derive(Debug, Default)]
#[must_use = "entries that could not be returned are in `failures`"]
pub struct Recovered {
    /// The entries that are back in their queues.
    pub entries: Vec<Entry>,
    /// Why others could not be returned; or [`ErrorKind::NotDurable`](crate::ErrorKind::NotDurable) for
    /// those that were, but are not known to be durable.
    pub failures: Vec<Error>,
}

impl Spool {
    /// Returns each checked-out entry whose owner is dead to the queue that it was taken from.
    ///
    /// Safe at any time, next to live workers and to other recovers: an owner that lives holds the
    /// entry's lock, and no entry is returned twice. Workers call it when they start, now and then, and
    /// when their queue runs empty.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) on a spool opened read-only; those of reading
    /// the format or a directory. What concerns one entry is in [`Recovered::failures`].
    pub fn recover(&self, options: &RecoverOptions) -> Result<Recovered> {
        self.writable(RECOVER)?;
        let min_age = match options.min_age {
            Some(min_age) => min_age,
            None => match self.format()?.owners() {
                Owners::Locking => Duration::ZERO,
                Owners::Mixed => MIXED_MIN_AGE,
            },
        };
        let durability = options.durability.unwrap_or(self.durability());
        let mut recovered = Recovered::default();
        for queue in self.layout().queues() {
            self.recover_queue(queue, min_age, durability, &mut recovered)?;
        }
        Ok(recovered)
    }

    fn recover_queue(
        &self,
        queue: &Arc<Queue>,
        min_age: Duration,
        durability: Durability,
        recovered: &mut Recovered,
    ) -> Result<()> {
        let mut listing = Listing::new(RECOVER);
        let before = recovered.entries.len();
        while let Some(name) = listing.next(&queue.checkout, |read| self.step(read))? {
            match self.step(|| return_one(self, queue, &name, min_age)) {
                Ok(ControlFlow::Break(())) => {
                    recovered.entries.push(Entry::of(self, queue, name));
                }
                Ok(ControlFlow::Continue(())) => {}
                Err(error) => recovered.failures.push(error),
            }
        }
        let returned = &recovered.entries[before..];
        if let Some(last) = returned.last()
            && durability.syncs_names()
        {
            self.step(|| {
                let dirs = match self.layout().is_ordered() {
                    // It was changed by the same renames, and its sync carries the other.
                    true => &[&*queue.waiting][..],
                    false => &[&*queue.waiting, &queue.checkout],
                };
                dirs.iter()
                    .try_for_each(|dir| dir.sync(RECOVER, Step::SyncQueue))
            })
            .unwrap_or_else(|error| {
                recovered.failures.push(error.into_not_durable(last.name()));
            });
        }
        Ok(())
    }
}

/// Breaks when the entry was returned; continues where it was not to be, or is not there any more.
fn return_one(
    spool: &Spool,
    queue: &Queue,
    name: &EntryName,
    min_age: Duration,
) -> Result<ControlFlow<()>> {
    let registry = &spool.layout().registry;
    let Claim::Owned(ownership) = registry::own(registry, name, RECOVER)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let (dir, file_name) = queue.checkout.place(RECOVER, name.as_os_str())?;
    let at = || queue.checkout.join(name.as_os_str());
    let stat = match file::stat_at(dir, file_name) {
        Err(Errno::NOENT) => return Ok(ControlFlow::Continue(())),
        other => other.at(RECOVER, at)?,
    };
    // Zero asks for no age at all, also of an entry touched in this very moment.
    let is_young = clock::age(stat.st_mtime, stat.st_mtime_nsec) <= min_age;
    if is_young && !min_age.is_zero() {
        return Ok(ControlFlow::Continue(()));
    }
    if let Some(oddity) = file::oddity(&stat) {
        return Err(Error::new(crate::ErrorKind::Corrupt, RECOVER, at(), oddity));
    }
    ownership
        .touch()
        .at(RECOVER, || registry.join(name.as_os_str()))?;
    match move_out(queue, queue, name, RECOVER) {
        Ok(()) => Ok(ControlFlow::Break(())),
        Err(Moved::Gone) => Ok(ControlFlow::Continue(())),
        Err(Moved::Failed(error)) => Err(error),
    }
}
