//! Taking an entry, and the ways to end that: save, remove, release, or die.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

use crate::contents::{self, Opened};
use crate::data_file::{DataFile, Held};
use crate::durability::{Durability, Settling};
use crate::enqueue;
use crate::entry::{Entry, remove_rest};
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{self, Dir, Queue};
use crate::leaving;
use crate::listing::Listing;
use crate::moves;
use crate::name::{EntryName, QueueName};
use crate::omit::{self, Step};
use crate::outcome::Outcome;
use crate::ownership::{self, Claim, Lease, Ownership};
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::rename::Place;
use crate::sys::{file, fork, rename};
use crate::watch::inotify::Bell;

pub(crate) const CHECKOUT: &str = "checkout";
pub(crate) const LIST_CHECKOUTS: &str = "list checkouts";
const SAVE: &str = "save";
/// How often a move is made again that this host's memory has answered.
const MOVES: u32 = 5;
const REMOVE: &str = "remove";

/// An entry in this process's hands: nobody else who uses this library can have it.
///
/// It ends with a [`save`](Checkout::save), [`remove`](Checkout::remove) or
/// [`release`](Checkout::release). Dropped before that, it stays checked out and its ownership is freed,
/// so that [`Spool::recover`] returns it to its queue, as it does when the process dies.
///
/// May move between threads. In a forked child it answers [`ErrorKind::Forked`] and does not keep the
/// parent's ownership alive.
#[derive(Debug)]
pub struct Checkout {
    spool: Spool,
    /// Where it came from, and lies in `.checkout/` of.
    queue: Arc<Queue>,
    name: EntryName,
    metadata: Vec<u8>,
    metadata_changed: bool,
    durability: Durability,
    ownership: Option<Ownership>,
    finished: Arc<AtomicBool>,
    generation: u64,
    /// The reader that took it, to be told that it was given back.
    reader: Option<Arc<Bell>>,
}

/// What an attempt to take an entry came to.
pub(crate) enum Take {
    Had(Checkout),
    /// Another open file holds the name's lock, perhaps for a moment only.
    Busy,
    /// It is not in its queue.
    Gone,
    /// It is in its queue, but its name is not reserved: for `repair` to adopt.
    Orphaned,
}

/// What keeps us from one entry is one bad entry, whatever it is; but where no descriptor, no room or no
/// right to write is left, it is us.
fn one_bad_entry(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Descriptors | ErrorKind::NoSpace => error,
        _ if error.errno() == Some(libc::EROFS) => error,
        _ => error.with_kind(ErrorKind::Corrupt),
    }
}

/// One attempt to take the entry. After every failure it is in its queue.
pub(crate) fn take(entry: &Entry, durability: Durability) -> Result<Take> {
    let (spool, queue) = (entry.spool(), entry.queue_dirs());
    spool.layout().registry.fd(CHECKOUT)?;
    spool.lease(CHECKOUT)?;
    match ownership::own(spool, entry.name(), CHECKOUT).map_err(one_bad_entry)? {
        Claim::Owned(ownership) => take_owned(entry, durability, ownership),
        Claim::Busy => Ok(Take::Busy),
        Claim::Unreserved => unreserved(spool, queue, entry.name()),
    }
}

/// What an entry is whose name was not reserved a moment ago. Between two looks a name may be reserved and
/// used, so both places are looked at again; `Busy` says that this happened: try once more.
fn unreserved(spool: &Spool, queue: &Queue, name: &EntryName) -> Result<Take> {
    let look = |dir: &Dir| match file::stat_at(dir.fd(CHECKOUT)?, name.as_os_str()) {
        Ok(stat) => Ok(Some((stat.st_ino, stat.st_ctime, stat.st_ctime_nsec))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Error::system(CHECKOUT, dir.join(name.as_os_str()), errno)),
    };
    let Some(first) = look(&queue.waiting)? else {
        return Ok(Take::Gone);
    };
    if look(&spool.layout().registry)?.is_some() {
        return Ok(Take::Busy);
    }
    Ok(match look(&queue.waiting)? {
        None => Take::Gone,
        Some(second) if second == first => Take::Orphaned,
        Some(_) => Take::Busy,
    })
}

pub(crate) fn take_patiently(entry: &Entry) -> Result<Option<Checkout>> {
    let (spool, queue, name) = (entry.spool(), entry.queue_dirs(), entry.name());
    spool.writable(CHECKOUT)?;
    let take = loop {
        let claim = ownership::own_patiently(spool, name, CHECKOUT, || {
            is_in(&queue.waiting, name, CHECKOUT)
        })?;
        break match claim {
            Claim::Owned(ownership) => {
                spool.step(|| take_owned(entry, spool.durability(), ownership))?
            }
            Claim::Busy => Take::Busy,
            Claim::Unreserved => match spool.step(|| unreserved(spool, queue, name))? {
                Take::Busy => continue,
                take => take,
            },
        };
    };
    match take {
        Take::Had(checkout) => Ok(Some(checkout)),
        Take::Busy | Take::Gone => Ok(None),
        Take::Orphaned => Err(orphaned(entry)),
    }
}

pub(crate) fn is_in(dir: &Dir, name: &EntryName, operation: &'static str) -> Result<bool> {
    file::exists(dir.fd(operation)?, name.as_os_str()).at(operation, || dir.join(name.as_os_str()))
}

fn orphaned(entry: &Entry) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        CHECKOUT,
        entry.queue_dirs().waiting.join(entry.name().as_os_str()),
        "the entry has no registry file",
    )
}

fn take_owned(entry: &Entry, durability: Durability, mut ownership: Ownership) -> Result<Take> {
    let (spool, queue, name) = (entry.spool(), entry.queue_dirs(), entry.name());
    let waiting = || queue.waiting.join(name.as_os_str());
    let from = queue.waiting.place(CHECKOUT, name.as_os_str())?;
    let to = queue.checkout.place(CHECKOUT, name.as_os_str())?;
    if spool.is_shared_between_hosts() {
        enqueue::finish_publishing(spool, queue, name, CHECKOUT)?;
    }
    // Everything that can be wrong with the entry is found out before it moves.
    let Some((opened, mut metadata)) = read_metadata(spool, &queue.waiting, name, CHECKOUT)? else {
        return Ok(Take::Gone);
    };
    if let Err(error) = must_have_data(spool, name) {
        // Removed under us, by a process that takes no locks, and the name perhaps used again?
        return match file::stat_at(from.0, from.1) {
            Err(Errno::NOENT) => Ok(Take::Gone),
            Ok(now) if !file::same(&now, &opened.stat) => Ok(Take::Gone),
            _ => Err(error),
        };
    }
    ownership
        .touch(spool, name, CHECKOUT)
        .map_err(one_bad_entry)?;
    match touch(&opened, from) {
        Err(Errno::NOENT) => return Ok(Take::Gone),
        other => other.at(CHECKOUT, waiting).map_err(one_bad_entry)?,
    }
    match moves::without_clobbering(spool, from, to) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(Take::Gone),
        // This host remembers what is not so any more.
        Err(Errno::STALE) => return Ok(Take::Busy),
        Err(Errno::EXIST) => {
            return Err(Error::new(
                ErrorKind::Corrupt,
                CHECKOUT,
                waiting(),
                "the entry lies in its queue and in .checkout at once",
            ));
        }
        Err(errno) => return Err(Error::system(CHECKOUT, waiting(), errno)),
    }
    // Before anything else is done with it: the move may have come so late that it is another's.
    ownership.set_checked_out(queue);
    if !omit::is_out(Step::HoldsAfterTake) && !ownership.holds(CHECKOUT)? {
        return Ok(Take::Busy);
    }
    // What was moved must be what was read: a Direct save may have put another file in its place.
    match file::stat_at(to.0, to.1) {
        Ok(moved) if file::same(&moved, &opened.stat) && file::oddity(&moved).is_none() => {}
        Err(Errno::NOENT) => return Ok(Take::Gone),
        _ => match read_metadata(spool, &queue.checkout, name, CHECKOUT) {
            Ok(Some((_, read_again))) => metadata = read_again,
            Ok(None) => return Ok(Take::Gone),
            Err(error) => {
                if !omit::is_out(Step::UndoCheckout) {
                    moves::without_clobbering(spool, to, from)
                        .at(CHECKOUT, || queue.checkout.join(name.as_os_str()))?;
                }
                return Err(error);
            }
        },
    }
    Ok(Take::Had(Checkout::new(
        entry,
        metadata,
        durability,
        Some(ownership),
    )))
}

/// Reads a metadata file, or `None` where there is none.
fn read_metadata(
    spool: &Spool,
    dir: &Dir,
    name: &EntryName,
    operation: &'static str,
) -> Result<Option<(Opened, Vec<u8>)>> {
    dir.fd(operation)?;
    contents::read(dir, name.as_os_str(), spool.max_metadata(), operation).map_err(one_bad_entry)
}

/// Sets the times of what was opened to now: by then, its name may be another file's.
fn touch(opened: &Opened, at: Place<'_>) -> std::result::Result<(), Errno> {
    match omit::is_out(Step::TouchOpened) {
        true => file::touch_at(at.0, at.1),
        false => file::touch(opened.file.as_fd()),
    }
}

fn must_have_data(spool: &Spool, name: &EntryName) -> Result<()> {
    let data = &spool.layout().data;
    let corrupt = |reason| {
        Error::new(
            ErrorKind::Corrupt,
            CHECKOUT,
            data.join(name.as_os_str()),
            reason,
        )
    };
    match file::stat_at(data.fd(CHECKOUT)?, name.as_os_str()) {
        Ok(stat) => file::oddity(&stat).map_or(Ok(()), |oddity| Err(corrupt(oddity))),
        Err(Errno::NOENT) => Err(corrupt("the entry's data is missing")),
        Err(errno) => Err(Error::system(CHECKOUT, data.join(name.as_os_str()), errno)),
    }
    .map_err(one_bad_entry)
}

impl Checkout {
    fn new(
        entry: &Entry,
        metadata: Vec<u8>,
        durability: Durability,
        ownership: Option<Ownership>,
    ) -> Checkout {
        Checkout {
            spool: entry.spool().clone(),
            queue: Arc::clone(entry.queue_dirs()),
            name: entry.name().clone(),
            metadata,
            metadata_changed: false,
            durability,
            ownership,
            finished: Arc::default(),
            generation: fork::generation(),
            reader: None,
        }
    }

    pub(crate) fn tell(mut self, reader: &Arc<Bell>) -> Checkout {
        self.reader = Some(Arc::clone(reader));
        self
    }

    /// The entry's name.
    pub fn name(&self) -> &EntryName {
        &self.name
    }

    pub(crate) fn queue_dirs(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// The queue that it was taken from.
    pub fn queue(&self) -> &QueueName {
        &self.queue.name
    }

    /// The spool that it belongs to.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The metadata, with the updates made so far.
    pub fn metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Changes the metadata in memory. A save writes it; a release drops it.
    ///
    /// # Errors
    /// [`ErrorKind::Finished`], [`ErrorKind::Forked`].
    pub fn update(&mut self, f: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<()> {
        self.usable("update")?;
        self.metadata = f(&self.metadata);
        self.metadata_changed = true;
        Ok(())
    }

    /// Replaces the metadata in memory; see [`update`](Checkout::update).
    ///
    /// # Errors
    /// As [`update`](Checkout::update).
    pub fn set_metadata(&mut self, metadata: impl Into<Vec<u8>>) -> Result<()> {
        self.update(|_| metadata.into())
    }

    /// The entry's data, usable for as long as this checkout is.
    pub fn data_file(&self) -> DataFile {
        DataFile::new(
            &self.spool,
            &self.name,
            self.durability,
            Some(Held {
                finished: Arc::clone(&self.finished),
                generation: self.generation,
                lease: self
                    .ownership
                    .as_ref()
                    .and_then(Ownership::lease)
                    .map(Lease::shared),
            }),
        )
    }

    /// Whether a save, remove or release has used this up.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// What save, remove and release promise when they return, from now on.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// Moves the entry to a queue, any queue, with its new metadata if that was changed. The move is one
    /// rename. Unchanged metadata is not written, so that this works on a full disk.
    ///
    /// # Errors
    /// With the entry still in hand: [`ErrorKind::UnknownQueue`], [`ErrorKind::NoSpace`],
    /// [`ErrorKind::NameTaken`] where the queue has an entry of this name. [`ErrorKind::LostOwnership`] where
    /// somebody took it away. [`ErrorKind::NotDurable`] where it was moved but a sync failed, and
    /// [`ErrorKind::Finished`] after the end.
    pub fn save(&mut self, queue: impl AsRef<OsStr>) -> Result<()> {
        self.save_with(queue, self.durability)
    }

    /// As [`save`](Checkout::save), with the promise given here.
    ///
    /// # Errors
    /// As [`save`](Checkout::save).
    pub fn save_with(&mut self, queue: impl AsRef<OsStr>, durability: Durability) -> Result<()> {
        let (target, new) = self.begin_save(queue.as_ref())?;
        self.move_saved(&target, new, durability)?;
        if durability.syncs_names() {
            self.sync_names(Some(&target), SAVE)?;
        }
        Ok(())
    }

    /// Sees that it can be saved, and writes the new metadata, if there is any, to a file of its own.
    pub(crate) fn begin_save(&mut self, queue: &OsStr) -> Result<(Arc<Queue>, Option<Scratch>)> {
        self.usable(SAVE)?;
        let target = Arc::clone(self.spool.queue(queue, SAVE)?);
        let spool = self.spool.clone();
        let new = spool.step(|| {
            self.own_if_free(SAVE)?;
            self.metadata_changed
                .then(|| self.write_metadata(SAVE))
                .transpose()
        })?;
        Ok((target, new))
    }

    /// Moves it to a queue, with the new metadata.
    pub(crate) fn move_saved(
        &mut self,
        target: &Queue,
        new: Option<Scratch>,
        durability: Durability,
    ) -> Result<()> {
        let spool = self.spool.clone();
        spool.step(|| {
            if let Some(new) = &new {
                // At every level: what it replaces may be durable.
                let settling = spool.layout().settling_in_place(durability);
                new.settle(settling, SAVE)?;
                self.put_in_place(new, SAVE)?;
            }
            if let Some(reader) = &self.reader
                && target.name == self.queue.name
            {
                reader.given_back().note_saved_back(&self.name);
            }
            self.move_to(target, new, SAVE)
        })?;
        self.forget_elsewhere(Some(target));
        Ok(())
    }

    /// Gives the entry back to the queue that it was taken from, as it was taken: updates are dropped,
    /// nothing is written. Data that was saved stays saved.
    ///
    /// # Errors
    /// As [`save`](Checkout::save).
    pub fn release(&mut self) -> Result<()> {
        const RELEASE: &str = "release";
        self.usable(RELEASE)?;
        // Before it is visible: else a woken reader of ours could take it again at once.
        if let Some(reader) = &self.reader {
            reader.given_back().note(&self.name);
            // It may be asleep in another thread, and is to wake when the entry has rested.
            reader.ring();
        }
        let home = Arc::clone(&self.queue);
        let spool = self.spool.clone();
        spool.step(|| {
            self.own_if_free(RELEASE)?;
            self.move_to(&home, None, RELEASE)
        })?;
        if self.durability.syncs_names() {
            self.sync_names(Some(&home), RELEASE)?;
        }
        Ok(())
    }

    /// Removes the entry, with its data and its name.
    ///
    /// # Errors
    /// [`ErrorKind::LostOwnership`] where somebody took it away; then nothing is touched.
    /// [`ErrorKind::NotDurable`] where it is removed but a sync failed. Any other failure after the entry
    /// itself is gone leaves data or a registry file behind, which `fsck` names; a later call answers
    /// [`ErrorKind::Finished`].
    pub fn remove(&mut self) -> Result<()> {
        self.remove_with(self.durability)
    }

    /// As [`remove`](Checkout::remove), with the promise given here.
    ///
    /// # Errors
    /// As [`remove`](Checkout::remove).
    pub fn remove_with(&mut self, durability: Durability) -> Result<()> {
        self.take_out()?;
        let synced = match durability.syncs_names() {
            true => self.sync_names(None, REMOVE),
            false => Ok(()),
        };
        self.remove_rest(synced)
    }

    /// Removes the entry itself: nobody will see it any more. Its data and its name are for
    /// [`remove_rest`](Checkout::remove_rest).
    pub(crate) fn take_out(&mut self) -> Result<()> {
        self.usable(REMOVE)?;
        let spool = self.spool.clone();
        spool.step(|| {
            self.own_if_free(REMOVE)?;
            // Opened while there is nothing to take back yet.
            self.spool.layout().data.fd(REMOVE)?;
            self.queue.waiting.fd(REMOVE)?;
            self.touch_registry(REMOVE)?;
            let (dir, name) = self.queue.checkout.place(REMOVE, self.name.as_os_str())?;
            if omit::is_out(Step::EntryFirst) {
                remove_rest(&self.spool, &self.name, REMOVE)?;
            }
            // The entry first: a crash after this leaves garbage, never an entry without data.
            match self.spool.is_shared_between_hosts() {
                true => self.take_out_of_hosts(REMOVE)?,
                false => match file::unlink(dir, name) {
                    Err(Errno::NOENT) => return Err(self.lost(REMOVE)),
                    other => other.at(REMOVE, || self.path())?,
                },
            }
            self.finished.store(true, Ordering::Release);
            Ok(())
        })?;
        self.forget_elsewhere(None);
        Ok(())
    }

    /// Removes the entry where a request may be carried out long after it was made, when the entry is another's: it is
    /// given a name of our own, and back if it is not ours.
    fn take_out_of_hosts(&self, operation: &'static str) -> Result<()> {
        let dir = &self.queue.checkout;
        let own = leaving::name_for(&self.name);
        let from = dir.place(operation, self.name.as_os_str())?;
        let to = dir.place(operation, &own)?;
        match rename::plain(from, to) {
            // Gone before, or by this very request, whose reply was lost.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(Error::system(operation, self.path(), errno)),
        }
        if !file::exists(to.0, to.1).at(operation, || dir.join(&own))? {
            return Err(self.lost(operation));
        }
        let held = self.must_hold(operation);
        if held.is_err() {
            // If it is another's by now it has it back; the first error is the one to tell. By a rename, which a client
            // that asks twice cannot do twice; nothing is there, since the entry is here.
            let _ = rename::plain(to, from);
        }
        held?;
        match file::unlink(to.0, to.1) {
            Ok(()) => Ok(()),
            // By an earlier request of this call, whose reply was lost; or this took so long that a recover has returned it.
            Err(Errno::NOENT) => {
                match is_in(&self.queue.waiting, &self.name, operation)?
                    || is_in(dir, &self.name, operation)?
                {
                    true => Err(self.lost(operation)),
                    false => Ok(()),
                }
            }
            Err(errno) => Err(Error::system(operation, dir.join(&own), errno)),
        }
    }

    /// Removes what is left of it, once the entry's removal is as durable as it is to be, and frees its name.
    pub(crate) fn remove_rest(&mut self, synced: Result<()>) -> Result<()> {
        // Until the end: without its ownership the rest could be mistaken for anybody's garbage.
        let ownership = self.ownership.take();
        synced?;
        if let Some(ownership) = &ownership
            && !self.spool.step(|| ownership.holds(REMOVE))?
        {
            // The entry is removed; its name may be another's by now.
            return Ok(());
        }
        self.spool
            .step(|| remove_rest(&self.spool, &self.name, REMOVE))?;
        if let Some(ownership) = ownership {
            ownership.end_nameless();
        }
        Ok(())
    }

    /// Does what an outcome says.
    ///
    /// # Errors
    /// As [`save`](Checkout::save) and [`remove`](Checkout::remove).
    pub fn finish(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Save { queue, metadata } => {
                if let Some(metadata) = metadata {
                    self.set_metadata(metadata)?;
                }
                self.save(queue)
            }
            Outcome::Remove => self.remove(),
            Outcome::Release => self.release(),
        }
    }

    /// Lets a command share the ownership, as flock(1) does: if this process dies and the command lives,
    /// the entry is still owned, until the command ends. Ending this checkout frees the ownership all the
    /// same. A lease, on a spool that several hosts share, is this process's alone: see [`keep`](Checkout::keep).
    ///
    /// # Errors
    /// [`ErrorKind::Descriptors`], [`ErrorKind::Finished`].
    pub fn pass_ownership(&self, command: &mut Command) -> Result<()> {
        const PASS: &str = "pass ownership";
        self.usable(PASS)?;
        if let Some(ownership) = &self.ownership
            && let Some(shared) = ownership.share().at(PASS, || self.path())?
        {
            fork::keep_across_exec(command, shared);
        }
        Ok(())
    }

    /// Makes the ownership last for another lease, on a spool that several hosts share; call it well within one, such
    /// as every quarter, or have [`keep`](Checkout::keep) do it. Elsewhere, sees that the entry is still here.
    ///
    /// # Errors
    /// [`ErrorKind::LostOwnership`] where the entry is another's by now, or was returned: then what was done with it does
    /// not count. [`ErrorKind::Finished`], [`ErrorKind::Forked`].
    pub fn renew(&mut self) -> Result<()> {
        const RENEW: &str = "renew";
        self.usable(RENEW)?;
        let spool = self.spool.clone();
        spool.step(|| {
            let renewed = match &self.ownership {
                Some(ownership) => ownership.renew(RENEW)?,
                None => true,
            };
            match renewed && is_in(&self.queue.checkout, &self.name, RENEW)? {
                true => Ok(()),
                false => Err(self.lost(RENEW)),
            }
        })
    }

    /// Has a thread of the library renew the lease, each quarter of its time, until this checkout ends. Nothing where a
    /// lock tells who owns the entry. Whether the lease was lost all the same, because this host was cut off, the next
    /// call tells.
    ///
    /// # Errors
    /// [`ErrorKind::Finished`], [`ErrorKind::Forked`]; those of starting the thread.
    pub fn keep(&mut self) -> Result<()> {
        const KEEP: &str = "keep";
        self.usable(KEEP)?;
        match &self.ownership {
            Some(ownership) => ownership.keep(KEEP),
            None => Ok(()),
        }
    }

    fn must_hold(&self, operation: &'static str) -> Result<()> {
        match &self.ownership {
            Some(ownership) if !ownership.holds(operation)? => Err(self.lost(operation)),
            _ => Ok(()),
        }
    }

    fn usable(&self, operation: &'static str) -> Result<()> {
        let (kind, reason) = if self.generation != fork::generation() {
            let reason = "the entry was checked out before a fork and belongs to the parent";
            (ErrorKind::Forked, reason)
        } else if self.is_finished() {
            let reason = "the checkout has been saved, removed or released";
            (ErrorKind::Finished, reason)
        } else {
            return self.spool.writable(operation);
        };
        Err(Error::new(kind, operation, self.path(), reason))
    }

    fn path(&self) -> PathBuf {
        self.queue.checkout.join(self.name.as_os_str())
    }

    fn lost(&self, operation: &'static str) -> Error {
        Error::system_as(
            ErrorKind::LostOwnership,
            operation,
            self.path(),
            Errno::NOENT,
        )
    }

    /// For a handle of `list_checkouts_unsafe`, which owns nothing: owns it now, if nobody does.
    fn own_if_free(&mut self, operation: &'static str) -> Result<()> {
        if self.ownership.is_none()
            && let Claim::Owned(ownership) = ownership::own(&self.spool, &self.name, operation)?
        {
            self.ownership = Some(ownership);
        }
        self.must_hold(operation)
    }

    fn touch_registry(&self, operation: &'static str) -> Result<()> {
        match &self.ownership {
            Some(ownership) => ownership.touch(&self.spool, &self.name, operation),
            None => Ok(()),
        }
    }

    /// The entry has left its queue: its reader need not remember it.
    fn forget_elsewhere(&self, target: Option<&Queue>) {
        if let Some(reader) = &self.reader
            && target.is_none_or(|target| target.name != self.queue.name)
        {
            reader.given_back().forget(&self.name);
        }
    }

    fn write_metadata(&self, operation: &'static str) -> Result<Scratch> {
        self.spool.must_hold(self.metadata.len(), operation)?;
        let unsettled = Settling::Not;
        Scratch::with(
            &self.spool,
            &self.name,
            &self.metadata,
            unsettled,
            operation,
        )
    }

    /// Puts the new metadata in the place of the old; if the old is gone, so is the entry, and it must not
    /// come back to life. The scratch then is the old, which is removed when dropped.
    fn put_in_place(&self, scratch: &Scratch, operation: &'static str) -> Result<()> {
        let target = self
            .queue
            .checkout
            .place(operation, self.name.as_os_str())?;
        let replaced = match omit::is_out(Step::Exchange) {
            true => rename::plain(scratch.place(operation)?, target),
            false => moves::exchanging(&self.spool, &self.name, scratch.place(operation)?, target),
        };
        match replaced {
            Ok(()) if self.spool.is_shared_between_hosts() => {
                self.must_hold(operation).inspect_err(|_| {
                    // So late that the entry was elsewhere, what was put in its place here is no entry.
                    self.take_back_if_new(scratch, operation);
                })
            }
            Ok(()) => Ok(()),
            Err(Errno::NOENT) => Err(self.lost(operation)),
            Err(errno) => Err(Error::system(operation, self.path(), errno)),
        }
    }

    fn take_back_if_new(&self, new: &Scratch, operation: &'static str) {
        let tmp = &self.spool.layout().tmp;
        let own = layout::temporary(&self.name);
        // What cannot be taken back is told as an entry that is in two places; the first error is the one to tell.
        if let (Ok(from), Ok(to), Ok(stat)) = (
            self.queue.checkout.place(operation, self.name.as_os_str()),
            tmp.place(operation, &own),
            file::stat(new.as_fd()),
        ) && file::stat_at(from.0, from.1).is_ok_and(|there| file::same(&there, &stat))
            && rename::plain(from, to).is_ok()
        {
            if !file::stat_at(to.0, to.1).is_ok_and(|there| file::same(&there, &stat)) {
                let _ = file::link_to(to, from);
            }
            let _ = file::unlink(to.0, to.1);
        }
    }

    /// After a save that failed: a release must find the metadata as it was taken.
    fn put_back_metadata(&self, old: &Scratch, operation: &'static str) {
        if let (Ok(from), Ok(to)) = (
            old.place(operation),
            self.queue.checkout.place(operation, self.name.as_os_str()),
        ) {
            // The save's own error is the one to tell; the entry is whole with either metadata.
            let _ = moves::exchanging(&self.spool, &self.name, from, to);
        }
    }

    /// Moves it, and again where this host's memory of the directories was too old for that, as long as it is ours.
    fn move_and_look(
        &self,
        target: &Queue,
        operation: &'static str,
    ) -> std::result::Result<(), Moved> {
        let attempt = || move_touched(&self.spool, &self.queue, target, &self.name, operation);
        let mut moved = attempt();
        for _ in 0..MOVES {
            match &moved {
                Err(Moved::Failed(error)) if error.errno() == Some(libc::ESTALE) => {
                    self.must_hold(operation).map_err(Moved::Failed)?;
                    moved = attempt();
                }
                _ => break,
            }
        }
        moved
    }

    /// The move that ends the checkout. `old` is metadata that was replaced for it.
    fn move_to(
        &mut self,
        target: &Queue,
        old: Option<Scratch>,
        operation: &'static str,
    ) -> Result<()> {
        let touched = self
            .touch_registry(operation)
            .map_err(Moved::Failed)
            .and_then(|()| match &old {
                // Its descriptor is that of the new metadata, which lies in the place of the old.
                Some(new) => file::touch(new.as_fd())
                    .at(operation, || self.path())
                    .map_err(Moved::Failed),
                None => touch_checked_out(&self.queue, &self.name, operation),
            });
        let moved = touched.and_then(|()| self.move_and_look(target, operation));
        if let Err(moved) = moved {
            if let Some(old) = old.filter(|_| !omit::is_out(Step::UndoSave)) {
                self.put_back_metadata(&old, operation);
            }
            return Err(match moved {
                Moved::Gone => self.lost(operation),
                Moved::Failed(error) => error,
            });
        }
        self.finished.store(true, Ordering::Release);
        // Before the unlock: whoever has the entry next may remove it, and with it the name that the
        // temporary file belongs to.
        drop(old);
        // At once: a reader that the rename woke is waiting for this lock.
        self.ownership = None;
        Ok(())
    }

    /// Syncs all the directories that this checkout's way has changed.
    pub(crate) fn sync_names(&self, target: Option<&Queue>, operation: &'static str) -> Result<()> {
        let step = match target {
            Some(_) => Step::SyncSource,
            None => Step::SyncRemoval,
        };
        let is_target =
            |dir: &Dir| target.is_some_and(|target| target.waiting.path() == dir.path());
        self.spool
            .step(|| {
                let is_ordered = self.spool.layout().is_ordered();
                let sources = match (target, is_ordered) {
                    // The sync of the one directory that was changed last carries the others.
                    (Some(_), true) => &[][..],
                    (None, true) => &[&self.queue.checkout][..],
                    (_, false) => &[&self.queue.checkout, &*self.queue.waiting],
                };
                if let Some(target) = target {
                    target.waiting.sync(operation, Step::SyncQueue)?;
                }
                sources
                    .iter()
                    .filter(|source| !is_target(source))
                    .try_for_each(|source| source.sync(operation, step))
            })
            .map_err(|error| error.into_not_durable(&self.name))
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // Data handles of this checkout end with it. Its ownership ends after this.
        self.finished.store(true, Ordering::Release);
    }
}

/// Why [`move_out`] did not move.
pub(crate) enum Moved {
    /// The entry is not checked out (any more).
    Gone,
    Failed(Error),
}

/// Touches a checked-out entry and moves it into a queue; the caller owns it.
pub(crate) fn move_out(
    spool: &Spool,
    home: &Queue,
    target: &Queue,
    name: &EntryName,
    operation: &'static str,
) -> std::result::Result<(), Moved> {
    touch_checked_out(home, name, operation)?;
    move_touched(spool, home, target, name, operation)
}

fn touch_checked_out(
    home: &Queue,
    name: &EntryName,
    operation: &'static str,
) -> std::result::Result<(), Moved> {
    contents::touch(&home.checkout, name.as_os_str(), operation)
        .map_err(Moved::Failed)?
        .ok_or(Moved::Gone)
}

fn move_touched(
    spool: &Spool,
    home: &Queue,
    target: &Queue,
    name: &EntryName,
    operation: &'static str,
) -> std::result::Result<(), Moved> {
    let name = name.as_os_str();
    let from = home
        .checkout
        .place(operation, name)
        .map_err(Moved::Failed)?;
    let to = target
        .waiting
        .place(operation, name)
        .map_err(Moved::Failed)?;
    moves::without_clobbering(spool, from, to).map_err(|errno| match errno {
        // What is still there did not go: it is the queue's directory that did.
        Errno::NOENT if file::stat_at(from.0, name).is_ok() => {
            Moved::Failed(Error::system(operation, target.waiting.path(), errno))
        }
        Errno::NOENT => Moved::Gone,
        Errno::EXIST => Moved::Failed(Error::new(
            ErrorKind::NameTaken,
            operation,
            target.waiting.join(name),
            "the queue has an entry of this name",
        )),
        errno => Moved::Failed(Error::system(operation, home.checkout.join(name), errno)),
    })
}

impl Spool {
    /// Gets hold of all entries that are checked out of a queue, whoever owns them, without owning them.
    ///
    /// This breaks the rule that an entry has one owner: use it where it is clear which processes work on
    /// the spool. The handles take the ownership when they are saved or removed, if it is free, and go on
    /// without it if it is not. To return what dead workers left, use [`recover`](Spool::recover).
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`]; reading fails in the iterator: of one entry, which is passed over then, or
    /// of the directory, which ends it.
    pub fn list_checkouts_unsafe(&self, queue: impl AsRef<OsStr>) -> Result<Checkouts> {
        Ok(Checkouts {
            names: self.list_checkout_names(queue)?,
        })
    }

    /// The names of the entries that are checked out of a queue, in the order of their bytes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`]; reading the directory fails in the iterator, and ends it.
    pub fn list_checkout_names(&self, queue: impl AsRef<OsStr>) -> Result<CheckoutNames> {
        let queue = Arc::clone(self.queue(queue.as_ref(), LIST_CHECKOUTS)?);
        Ok(CheckoutNames {
            spool: self.clone(),
            queue,
            listing: Listing::new(LIST_CHECKOUTS),
        })
    }
}

/// Names of checked-out entries; see [`Spool::list_checkout_names`].
pub struct CheckoutNames {
    spool: Spool,
    queue: Arc<Queue>,
    listing: Listing,
}

impl Iterator for CheckoutNames {
    type Item = Result<EntryName>;

    fn next(&mut self) -> Option<Result<EntryName>> {
        let spool = &self.spool;
        self.listing
            .next_or_end(&self.queue.checkout, |read| spool.step(read))
    }
}

/// Checked-out entries, whoever owns them; see [`Spool::list_checkouts_unsafe`].
pub struct Checkouts {
    names: CheckoutNames,
}

impl Iterator for Checkouts {
    type Item = Result<Checkout>;

    fn next(&mut self) -> Option<Result<Checkout>> {
        loop {
            let name = match self.names.next()? {
                Ok(name) => name,
                Err(error) => return Some(Err(error)),
            };
            let CheckoutNames { spool, queue, .. } = &self.names;
            match spool.step(|| read_metadata(spool, &queue.checkout, &name, LIST_CHECKOUTS)) {
                Ok(Some((_, metadata))) => {
                    let entry = Entry::of(spool, queue, name);
                    let durability = spool.durability();
                    return Some(Ok(Checkout::new(&entry, metadata, durability, None)));
                }
                // Finished since it was listed.
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
