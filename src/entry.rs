//! An entry: a name in a queue. Having one promises nothing about the disk.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::io::Errno;

use crate::checkout::{self, Checkout};
use crate::contents;
use crate::data_file::DataFile;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Queue;
use crate::listing::Listing;
use crate::name::{EntryName, QueueName};
use crate::omit::Step;
use crate::outcome::{self, Outcome};
use crate::registry;
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::{file, rename};

pub(crate) const CONTENTS: &str = "direct contents";

/// An entry of a queue, by its name. Whether it is there is found out when it is used.
#[derive(Clone)]
pub struct Entry {
    spool: Spool,
    queue: Arc<Queue>,
    name: EntryName,
}

impl Spool {
    /// The entry of this name, which may or may not exist; the disk is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`], [`ErrorKind::InvalidName`].
    pub fn entry(&self, queue: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> Result<Entry> {
        let name = EntryName::existing(name.as_ref())?;
        let queue = self.queue(queue.as_ref(), "entry")?;
        Ok(Entry::of(self, queue, name))
    }

    /// The entries of a queue, in the order of their names' bytes. The list is read in pieces: entries
    /// that come or go meanwhile may or may not be in it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`]; reading the directory fails in the iterator, and ends it.
    pub fn list(&self, queue: impl AsRef<OsStr>) -> Result<Entries> {
        let queue = Arc::clone(self.queue(queue.as_ref(), "list")?);
        Ok(Entries {
            spool: self.clone(),
            queue,
            listing: Listing::new("list"),
        })
    }
}

/// The entries of a queue; see [`Spool::list`].
pub struct Entries {
    spool: Spool,
    queue: Arc<Queue>,
    listing: Listing,
}

impl Iterator for Entries {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        let Entries {
            spool,
            queue,
            listing,
        } = self;
        let name = listing.next_or_end(&queue.waiting, |read| spool.step(read))?;
        Some(name.map(|name| Entry::of(spool, queue, name)))
    }
}

impl Entry {
    pub(crate) fn of(spool: &Spool, queue: &Arc<Queue>, name: EntryName) -> Entry {
        Entry {
            spool: spool.clone(),
            queue: Arc::clone(queue),
            name,
        }
    }

    /// The spool that the entry belongs to.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The queue that the entry was seen in.
    pub fn queue(&self) -> &QueueName {
        &self.queue.name
    }

    /// The entry's name.
    pub fn name(&self) -> &EntryName {
        &self.name
    }

    pub(crate) fn queue_dirs(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// The status of the entry's registry file, whose times are those of the last move.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the name is not reserved (any more).
    pub fn stat(&self) -> Result<Metadata> {
        let registry = &self.spool.layout().registry;
        let at = || registry.join(self.name.as_os_str());
        self.spool.step(|| {
            let file = match file::open_path_only(registry.fd("stat")?, self.name.as_os_str()) {
                Err(Errno::NOENT) => {
                    return Err(Error::system_as(
                        ErrorKind::NotFound,
                        "stat",
                        at(),
                        Errno::NOENT,
                    ));
                }
                other => other.at("stat", at)?,
            };
            file::metadata(file).map_err(|error| Error::io("stat", at(), &error))
        })
    }

    /// Takes the entry out of its queue; nobody else can have it then. For a caller that expects to be
    /// the only one who wants it.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] where it is not in its queue (any more), [`ErrorKind::Corrupt`] where it is
    /// damaged; it stays in its queue after every failure.
    pub fn checkout(&self) -> Result<Checkout> {
        self.try_checkout()?.ok_or_else(|| {
            Error::system_as(
                ErrorKind::Missing,
                "checkout",
                self.queue.waiting.join(self.name.as_os_str()),
                Errno::NOENT,
            )
        })
    }

    /// Takes the entry out of its queue, or answers `None` where another process has it or it is gone.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] where it is damaged; it stays in its queue after every failure.
    pub fn try_checkout(&self) -> Result<Option<Checkout>> {
        checkout::take_patiently(self)
    }

    /// Takes the entry out, calls `f` with its metadata and data, and does what `f` decides.
    ///
    /// If `f` fails or panics the entry goes back to its queue, unchanged but for data that `f` saved, and
    /// the failure is passed on. `f` must be able to run again: a crash before its outcome is on disk
    /// gives the entry to another worker.
    ///
    /// # Errors
    /// As [`checkout`](Entry::checkout), [`Checkout::save`] and [`Checkout::remove`]; or that of `f`.
    pub fn with_entry<R, E: From<Error>>(
        &self,
        f: impl FnOnce(&[u8], &DataFile) -> std::result::Result<(Outcome, R), E>,
    ) -> std::result::Result<R, E> {
        outcome::apply(self.checkout()?, f)
    }

    /// As [`with_entry`](Entry::with_entry), but `None` where another process has the entry or it is gone.
    ///
    /// # Errors
    /// As [`try_checkout`](Entry::try_checkout), [`Checkout::save`] and [`Checkout::remove`]; or that of `f`.
    pub fn try_with_entry<R, E: From<Error>>(
        &self,
        f: impl FnOnce(&[u8], &DataFile) -> std::result::Result<(Outcome, R), E>,
    ) -> std::result::Result<Option<R>, E> {
        match self.try_checkout()? {
            Some(checkout) => outcome::apply(checkout, f).map(Some),
            None => Ok(None),
        }
    }

    /// Operations on the entry's files with no ownership and no check.
    pub fn direct(&self) -> Direct<'_> {
        Direct(self)
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("queue", &self.queue.name)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Operations with no ownership and no check: a worker may have the entry at the same time. See
/// [`Entry::direct`].
#[derive(Clone, Copy, Debug)]
pub struct Direct<'a>(&'a Entry);

impl Direct<'_> {
    /// Reads the metadata from the queue.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the entry is not in its queue, [`ErrorKind::Corrupt`] where it is no
    /// regular file, or too large.
    pub fn contents(&self) -> Result<Vec<u8>> {
        let Entry { spool, queue, name } = self.0;
        let read = spool.step(|| {
            let most = spool.max_metadata();
            contents::read(&queue.waiting, name.as_os_str(), most, CONTENTS)
        })?;
        read.map(|(_, contents)| contents)
            .ok_or_else(|| self.not_found(CONTENTS))
    }

    /// The entry's data.
    pub fn data_file(&self) -> DataFile {
        DataFile::new(&self.0.spool, &self.0.name, self.0.spool.durability(), None)
    }

    /// Writes metadata in the entry's place in its queue, whole or not at all, and whatever is there.
    ///
    /// # Errors
    /// [`ErrorKind::NoSpace`], [`ErrorKind::Permission`], [`ErrorKind::NotDurable`]…
    pub fn save(&self, metadata: impl AsRef<[u8]>) -> Result<()> {
        const SAVE: &str = "direct save";
        let Entry { spool, queue, name } = self.0;
        spool.writable(SAVE)?;
        spool.must_hold(metadata.as_ref().len(), SAVE)?;
        let durability = spool.durability();
        spool.step(|| {
            // At every level: what it replaces may be durable.
            let settling = spool.layout().settling_in_place(durability);
            let mut scratch = Scratch::with(spool, name, metadata.as_ref(), settling, SAVE)?;
            let target = queue.waiting.place(SAVE, name.as_os_str())?;
            rename::plain(scratch.place(SAVE)?, target).at(SAVE, || self.path())?;
            scratch.set_moved();
            if durability.syncs_names() {
                queue
                    .waiting
                    .sync(SAVE, Step::SyncQueue)
                    .map_err(|error| error.into_not_durable(name))?;
            }
            Ok(())
        })
    }

    /// Removes the entry from its queue, with its data and its registry file.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the entry is not in its queue; then nothing else is touched.
    pub fn remove(&self) -> Result<()> {
        const REMOVE: &str = "direct remove";
        let Entry { spool, queue, name } = self.0;
        spool.writable(REMOVE)?;
        spool.step(|| {
            if !checkout::is_in(&queue.waiting, name, REMOVE)? {
                return Err(self.not_found(REMOVE));
            }
            // Opened while there is nothing to take back yet.
            spool.layout().data.fd(REMOVE)?;
            // So that a monitor takes the half that is left meanwhile for what it is.
            registry::touch(&spool.layout().registry, name, REMOVE)?;
            match file::unlink(queue.waiting.fd(REMOVE)?, name.as_os_str()) {
                Err(Errno::NOENT) => return Err(self.not_found(REMOVE)),
                other => other.at(REMOVE, || self.path())?,
            }
            if spool.durability().syncs_names() {
                queue
                    .waiting
                    .sync(REMOVE, Step::SyncRemoval)
                    .map_err(|error| error.into_not_durable(name))?;
            }
            remove_rest(spool, name, REMOVE)
        })
    }

    fn path(&self) -> PathBuf {
        self.0.queue.waiting.join(self.0.name.as_os_str())
    }

    fn not_found(&self, operation: &'static str) -> Error {
        Error::system_as(ErrorKind::NotFound, operation, self.path(), Errno::NOENT)
    }
}

/// Removes what is left when an entry's metadata is gone: data, then the reservation.
pub(crate) fn remove_rest(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<()> {
    let data = &spool.layout().data;
    match file::unlink(data.fd(operation)?, name.as_os_str()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => {
            return Err(Error::system(operation, data.join(name.as_os_str()), errno));
        }
    }
    registry::unreserve(&spool.layout().registry, name, operation)
}
