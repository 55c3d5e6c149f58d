//! Returning entries whose owner is dead to their queues.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::checkout::{Moved, move_out};
use crate::durability::Durability;
use crate::enqueue;
use crate::entry::Entry;
use crate::error::{At, Error, Result};
use crate::format::Owners;
use crate::layout::Queue;
use crate::leaving;
use crate::listing::Listing;
use crate::moves;
use crate::name::EntryName;
use crate::omit::Step;
use crate::ownership::{self, Claim};
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
        if self.lease(RECOVER)?.is_some() {
            self.end_leases(&mut recovered)?;
        }
        for queue in self.layout().queues() {
            self.recover_queue(queue, min_age, durability, &mut recovered)?;
        }
        Ok(recovered)
    }

    /// Takes away the claims whose time is up, also those of names that are in no `.checkout/`.
    fn end_leases(&self, recovered: &mut Recovered) -> Result<()> {
        let mut listing = Listing::new(RECOVER);
        while let Some(name) = listing.next(&self.layout().claims, |read| self.step(read))? {
            if let Err(error) = self.step(|| ownership::end_if_over(self, &name, RECOVER)) {
                recovered.failures.push(error);
            }
        }
        Ok(())
    }

    fn recover_queue(
        &self,
        queue: &Arc<Queue>,
        min_age: Duration,
        durability: Durability,
        recovered: &mut Recovered,
    ) -> Result<()> {
        let before = recovered.entries.len();
        let mut note = |name, returned| match returned {
            Ok(ControlFlow::Break(())) => recovered.entries.push(Entry::of(self, queue, name)),
            Ok(ControlFlow::Continue(())) => {}
            Err(error) => recovered.failures.push(error),
        };
        let mut listing = Listing::new(RECOVER);
        while let Some(name) = listing.next(&queue.checkout, |read| self.step(read))? {
            let returned = self.step(|| return_one(self, queue, &name, min_age));
            note(name, returned);
        }
        if self.is_shared_between_hosts() {
            for (leaving, name) in self.step(|| leaving::all_in(queue, RECOVER))? {
                let returned =
                    self.step(|| return_leaving(self, queue, (&leaving, &name), min_age));
                note(name, returned);
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
    if !has_been_left(spool, queue, name.as_os_str(), name)? {
        return Ok(ControlFlow::Continue(()));
    }
    let Claim::Owned(ownership) = ownership::own(spool, name, RECOVER)? else {
        return Ok(ControlFlow::Continue(()));
    };
    // Once more: somebody may have taken it between the two, and be cut off from its claim for a moment.
    if !has_been_left(spool, queue, name.as_os_str(), name)? {
        return Ok(ControlFlow::Continue(()));
    }
    let (dir, file_name) = queue.checkout.place(RECOVER, name.as_os_str())?;
    let at = || queue.checkout.join(name.as_os_str());
    let stat = match file::stat_at(dir, file_name) {
        Err(Errno::NOENT) => return Ok(ControlFlow::Continue(())),
        other => other.at(RECOVER, at)?,
    };
    if is_too_young(&stat, min_age) {
        return Ok(ControlFlow::Continue(()));
    }
    if let Some(oddity) = file::oddity(&stat) {
        return Err(Error::new(crate::ErrorKind::Corrupt, RECOVER, at(), oddity));
    }
    ownership.touch(spool, name, RECOVER)?;
    match move_out(spool, queue, queue, name, RECOVER) {
        Ok(()) => Ok(ControlFlow::Break(())),
        Err(Moved::Gone) => Ok(ControlFlow::Continue(())),
        Err(Moved::Failed(error)) => Err(error),
    }
}

/// As [`return_one`], of an entry whose remover has died, or lost it before it could give it back.
fn return_leaving(
    spool: &Spool,
    queue: &Queue,
    (leaving, name): (&OsStr, &EntryName),
    min_age: Duration,
) -> Result<ControlFlow<()>> {
    if !has_been_left(spool, queue, leaving, name)? {
        return Ok(ControlFlow::Continue(()));
    }
    let Claim::Owned(ownership) = ownership::own(spool, name, RECOVER)? else {
        return Ok(ControlFlow::Continue(()));
    };
    // As above: a remover that is cut off from its claim for a moment goes on when it has it again.
    if !has_been_left(spool, queue, leaving, name)? {
        return Ok(ControlFlow::Continue(()));
    }
    let data = &spool.layout().data;
    let has_data = file::exists(data.fd(RECOVER)?, name.as_os_str())
        .at(RECOVER, || data.join(name.as_os_str()))?;
    // Another entry has its name by now, or it is none any more: for a person to look at.
    if !has_data || enqueue::is_whole_in_a_queue_on_disk(spool, name, RECOVER)? {
        return Ok(ControlFlow::Continue(()));
    }
    let from = queue.checkout.place(RECOVER, leaving)?;
    match file::stat_at(from.0, from.1) {
        Ok(stat) if is_too_young(&stat, min_age) => return Ok(ControlFlow::Continue(())),
        // The move finds out what else is wrong.
        _ => ownership.touch(spool, name, RECOVER)?,
    }
    let to = queue.waiting.place(RECOVER, name.as_os_str())?;
    match moves::without_clobbering(spool, from, to) {
        Ok(()) => Ok(ControlFlow::Break(())),
        // Its remover was quicker, one way or the other.
        Err(Errno::NOENT) => Ok(ControlFlow::Continue(())),
        Err(errno) => Err(Error::system(RECOVER, queue.checkout.join(leaving), errno)),
    }
}

/// Zero asks for no age at all, also of an entry touched in this very moment.
fn is_too_young(stat: &Stat, min_age: Duration) -> bool {
    let age = clock::age(clock::since_1970(stat.st_mtime, stat.st_mtime_nsec));
    age <= min_age && !min_age.is_zero()
}

/// Whether nobody has renewed the entry, which is called `file_name` in `.checkout/`, for longer than a lease. Where locks
/// tell who owns it they are asked.
fn has_been_left(
    spool: &Spool,
    queue: &Queue,
    file_name: &OsStr,
    name: &EntryName,
) -> Result<bool> {
    if spool.lease(RECOVER)?.is_none() {
        return Ok(true);
    }
    let (dir, file_name) = queue.checkout.place(RECOVER, file_name)?;
    match file::stat_at(dir, file_name) {
        Ok(stat) => ownership::expired(spool, name, &stat, RECOVER),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(Error::system(
            RECOVER,
            queue.checkout.join(file_name),
            errno,
        )),
    }
}
