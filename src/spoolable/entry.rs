//! Typed entries. Having one promises nothing about the disk.

use std::ffi::OsStr;
use std::fmt;

use super::metadata::decode;
use super::outcome::handle;
use super::{DataFile, Metadata, Multispool, Outcome, Queue, Spoolable};
use crate::entry::CONTENTS;
use crate::error::{Error, Result};
use crate::name::EntryName;

/// An entry of a queue, by its name. Whether it is there is found out when it is used.
pub struct Entry<S: Spoolable> {
    spool: Multispool<S>,
    queue: S::Queue,
    untyped: crate::Entry,
}

impl<S: Spoolable> Entry<S> {
    pub(super) fn of(spool: &Multispool<S>, queue: S::Queue, untyped: crate::Entry) -> Entry<S> {
        Entry {
            spool: spool.clone(),
            queue,
            untyped,
        }
    }

    /// The entry of this name, which may or may not exist; the disk is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName).
    pub fn create(
        spool: &Multispool<S>,
        queue: S::Queue,
        name: impl AsRef<OsStr>,
    ) -> Result<Entry<S>> {
        let untyped = spool.untyped().entry(queue.to_dirname(), name)?;
        Ok(Entry::of(spool, queue, untyped))
    }

    /// The status of the entry's registry file, whose times are those of the last move.
    ///
    /// # Errors
    /// As [`Entry::stat`](crate::Entry::stat).
    pub fn stat(&self) -> Result<std::fs::Metadata> {
        self.untyped.stat()
    }

    /// The spool that the entry belongs to.
    pub fn spool(&self) -> &Multispool<S> {
        &self.spool
    }

    /// The queue that the entry was seen in.
    pub fn queue(&self) -> &S::Queue {
        &self.queue
    }

    /// The entry's name.
    pub fn name(&self) -> &EntryName {
        self.untyped.name()
    }

    /// The same entry by bytes.
    pub fn untyped(&self) -> &crate::Entry {
        &self.untyped
    }

    /// Takes the entry out, calls `f` with its metadata and data, and does what `f` decides. For a caller that
    /// expects to be the only one who wants it.
    ///
    /// If the metadata does not decode, or `f` fails or panics, the entry goes back to its queue, unchanged but
    /// for data that `f` saved, and the failure is passed on. `f` must be able to run again: a crash before its
    /// outcome is on disk gives the entry to another worker.
    ///
    /// # Errors
    /// As [`Entry::with_entry`](crate::Entry::with_entry) of bytes;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for metadata that does not decode.
    pub fn with_entry<R, E: From<Error>>(
        &self,
        f: impl FnOnce(
            S::Metadata,
            &DataFile<S>,
        ) -> std::result::Result<(Outcome<S::Metadata, S::Queue>, R), E>,
    ) -> std::result::Result<R, E> {
        self.untyped
            .with_entry(|metadata, data| handle(self.untyped.queue_dirs(), metadata, data, f))
    }

    /// As [`with_entry`](Entry::with_entry), but `None` where another process has the entry or it is gone.
    ///
    /// # Errors
    /// As [`with_entry`](Entry::with_entry), but for an entry that is not there.
    pub fn try_with_entry<R, E: From<Error>>(
        &self,
        f: impl FnOnce(
            S::Metadata,
            &DataFile<S>,
        ) -> std::result::Result<(Outcome<S::Metadata, S::Queue>, R), E>,
    ) -> std::result::Result<Option<R>, E> {
        self.untyped
            .try_with_entry(|metadata, data| handle(self.untyped.queue_dirs(), metadata, data, f))
    }

    /// Operations on the entry's files with no ownership and no check.
    pub fn direct(&self) -> Direct<'_, S> {
        Direct(self)
    }
}

impl<S: Spoolable> Clone for Entry<S> {
    fn clone(&self) -> Entry<S> {
        Entry::of(&self.spool, self.queue.clone(), self.untyped.clone())
    }
}

impl<S: Spoolable> fmt::Debug for Entry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("queue", &self.queue)
            .field("name", self.name())
            .finish_non_exhaustive()
    }
}

/// The entries of a queue; see [`Multispool::list`].
pub struct Entries<S: Spoolable> {
    spool: Multispool<S>,
    queue: S::Queue,
    untyped: crate::Entries,
}

impl<S: Spoolable> Entries<S> {
    pub(super) fn of(
        spool: &Multispool<S>,
        queue: S::Queue,
        untyped: crate::Entries,
    ) -> Entries<S> {
        Entries {
            spool: spool.clone(),
            queue,
            untyped,
        }
    }
}

impl<S: Spoolable> Iterator for Entries<S> {
    type Item = Result<Entry<S>>;

    fn next(&mut self) -> Option<Result<Entry<S>>> {
        let entry = self.untyped.next()?;
        Some(entry.map(|entry| Entry::of(&self.spool, self.queue.clone(), entry)))
    }
}

/// Operations with no ownership and no check: a worker may have the entry at the same time. See
/// [`Entry::direct`].
pub struct Direct<'a, S: Spoolable>(&'a Entry<S>);

impl<S: Spoolable> Direct<'_, S> {
    /// Reads the metadata from the queue. Who changes the entry later, after a checkout, should look at the
    /// metadata again then.
    ///
    /// # Errors
    /// As [`Direct::contents`](crate::Direct::contents) of bytes;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for metadata that does not decode.
    pub fn contents(&self) -> Result<S::Metadata> {
        let Entry { untyped, .. } = self.0;
        let bytes = untyped.direct().contents()?;
        let path = || {
            untyped
                .queue_dirs()
                .waiting
                .join(untyped.name().as_os_str())
        };
        decode(&bytes, CONTENTS, path)
    }

    /// The entry's data.
    pub fn data_file(&self) -> DataFile<S> {
        DataFile::of(self.0.untyped.direct().data_file())
    }

    /// Writes metadata in the entry's place in its queue, whole or not at all, and whatever is there.
    ///
    /// # Errors
    /// As [`Direct::save`](crate::Direct::save) of bytes.
    pub fn save(&self, metadata: &S::Metadata) -> Result<()> {
        self.0.untyped.direct().save(metadata.to_bytes())
    }

    /// Removes the entry from its queue, with its data and its registry file.
    ///
    /// # Errors
    /// As [`Direct::remove`](crate::Direct::remove) of bytes.
    pub fn remove(&self) -> Result<()> {
        self.0.untyped.direct().remove()
    }
}

impl<S: Spoolable> Clone for Direct<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Spoolable> Copy for Direct<'_, S> {}
