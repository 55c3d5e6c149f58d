//! Entries in hand: taken, and ended by the caller. For what [`Entry::with_entry`] and [`QueueReader`] do not do.

use std::fmt;
use std::time::Duration;

use super::metadata::decode;
use super::{DataFile, Entry, Metadata, Multispool, Queue, QueueReader, Spoolable};
use crate::checkout::{CHECKOUT, Checkout, LIST_CHECKOUTS};
use crate::error::Result;
use crate::name::EntryName;
use crate::outcome::or_give_back;
use crate::stop::Stop;

/// An entry in this process's hands: nobody else who uses this interface can have it, unlike an [`Entry`], which
/// another may take at any time.
///
/// It ends with a [`save`](CheckedOutEntry::save), [`remove`](CheckedOutEntry::remove) or
/// [`release`](CheckedOutEntry::release). Dropped before that, it stays checked out and its ownership is freed,
/// so that [`Spool::recover`](crate::Spool::recover) returns it to its queue, as it does when the process dies.
pub struct CheckedOutEntry<S: Spoolable> {
    queue: S::Queue,
    contents: S::Metadata,
    untyped: Checkout,
}

impl<S: Spoolable> CheckedOutEntry<S> {
    /// The entry's name.
    pub fn name(&self) -> &EntryName {
        self.untyped.name()
    }

    /// The queue that it was taken from.
    pub fn queue(&self) -> &S::Queue {
        &self.queue
    }

    /// The metadata, with the updates made so far.
    pub fn contents(&self) -> &S::Metadata {
        &self.contents
    }

    /// Changes the metadata in memory. A save writes it; a release drops it.
    ///
    /// # Errors
    /// As [`Checkout::update`].
    pub fn update(&mut self, f: impl FnOnce(&S::Metadata) -> S::Metadata) -> Result<()> {
        let contents = f(&self.contents);
        self.untyped.set_metadata(contents.to_bytes())?;
        self.contents = contents;
        Ok(())
    }

    /// The entry's data, usable for as long as this is.
    pub fn data_file(&self) -> DataFile<S> {
        DataFile::of(self.untyped.data_file())
    }

    /// Moves the entry to a queue, with its new metadata if that was updated. The move is one rename. After it
    /// this is used up.
    ///
    /// # Errors
    /// As [`Checkout::save`].
    pub fn save(&mut self, queue: S::Queue) -> Result<()> {
        self.untyped.save(queue.to_dirname())
    }

    /// Removes the entry, with its data and its name. After it this is used up.
    ///
    /// # Errors
    /// As [`Checkout::remove`].
    pub fn remove(&mut self) -> Result<()> {
        self.untyped.remove()
    }

    /// Gives the entry back to its queue, as it was taken: updates are dropped. After it this is used up.
    ///
    /// # Errors
    /// As [`Checkout::release`].
    pub fn release(&mut self) -> Result<()> {
        self.untyped.release()
    }

    /// Whether a save, remove or release has used this up.
    pub fn is_finished(&self) -> bool {
        self.untyped.is_finished()
    }

    /// The same checkout by bytes.
    pub fn untyped(&self) -> &Checkout {
        &self.untyped
    }
}

impl<S: Spoolable> fmt::Debug for CheckedOutEntry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedOutEntry")
            .field("queue", &self.queue)
            .field("name", self.name())
            .finish_non_exhaustive()
    }
}

/// Gives the entry back if its metadata does not decode.
fn decoded<S: Spoolable>(queue: &S::Queue, checkout: Checkout) -> Result<CheckedOutEntry<S>> {
    let (untyped, contents) = or_give_back(checkout, |checkout| {
        let waiting = &checkout.queue_dirs().waiting;
        let path = || waiting.join(checkout.name().as_os_str());
        decode(checkout.metadata(), CHECKOUT, path)
    })?;
    Ok(CheckedOutEntry {
        queue: queue.clone(),
        contents,
        untyped,
    })
}

/// Takes an entry out of its queue. For a caller that expects to be the only one who wants it.
///
/// # Errors
/// As [`Entry::checkout`](crate::Entry::checkout) of bytes;
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for metadata that does not decode. The entry is in its queue
/// after every failure.
pub fn checkout<S: Spoolable>(entry: &Entry<S>) -> Result<CheckedOutEntry<S>> {
    decoded(entry.queue(), entry.untyped().checkout()?)
}

/// Takes an entry out of its queue, or answers `None` where another process has it or it is gone.
///
/// # Errors
/// As [`checkout`], but for an entry that is not there.
pub fn try_checkout<S: Spoolable>(entry: &Entry<S>) -> Result<Option<CheckedOutEntry<S>>> {
    let checkout = entry.untyped().try_checkout()?;
    checkout
        .map(|checkout| decoded(entry.queue(), checkout))
        .transpose()
}

/// Gets hold of all entries that are checked out of a queue, whoever owns them, without owning them.
///
/// This breaks the rule that an entry has one owner: use it where it is clear which processes work on the spool.
/// See [`Spool::list_checkouts_unsafe`](crate::Spool::list_checkouts_unsafe).
///
/// # Errors
/// As [`Spool::list_checkouts_unsafe`](crate::Spool::list_checkouts_unsafe). In the iterator also
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for metadata that does not decode: its entry is passed over.
pub fn list_checkouts_unsafe<S: Spoolable>(
    spool: &Multispool<S>,
    queue: S::Queue,
) -> Result<CheckedOutEntries<S>> {
    let untyped = spool.untyped().list_checkouts_unsafe(queue.to_dirname())?;
    Ok(CheckedOutEntries { queue, untyped })
}

/// Checked-out entries, whoever owns them; see [`list_checkouts_unsafe`].
pub struct CheckedOutEntries<S: Spoolable> {
    queue: S::Queue,
    untyped: crate::Checkouts,
}

impl<S: Spoolable> Iterator for CheckedOutEntries<S> {
    type Item = Result<CheckedOutEntry<S>>;

    fn next(&mut self) -> Option<Result<CheckedOutEntry<S>>> {
        let checkout = self.untyped.next()?;
        Some(checkout.and_then(|untyped| {
            // Not given back: it is another's.
            let dir = &untyped.queue_dirs().checkout;
            let path = || dir.join(untyped.name().as_os_str());
            Ok(CheckedOutEntry {
                queue: self.queue.clone(),
                contents: decode(untyped.metadata(), LIST_CHECKOUTS, path)?,
                untyped,
            })
        }))
    }
}

/// What a [`dequeue`] came to.
pub enum Dequeued<S: Spoolable> {
    /// An entry, now this process's.
    CheckedOut(CheckedOutEntry<S>),
    /// The stop was triggered.
    Stopped,
    /// The time was up.
    TimedOut,
}

impl<S: Spoolable> fmt::Debug for Dequeued<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dequeued::CheckedOut(entry) => f.debug_tuple("CheckedOut").field(entry).finish(),
            Dequeued::Stopped => f.write_str("Stopped"),
            Dequeued::TimedOut => f.write_str("TimedOut"),
        }
    }
}

/// Takes the next entry of a reader's queue, and waits for one if there is none: until `timeout`, or until `stop`
/// is triggered. A wait that ends without an entry loses nothing: the next call sees what came in between.
///
/// # Errors
/// As [`QueueReader::dequeue`](crate::QueueReader::dequeue) of bytes;
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for metadata that does not decode, whose entry is given back
/// and left alone for a while.
pub fn dequeue<S: Spoolable>(
    reader: &mut QueueReader<S>,
    stop: Option<&Stop>,
    timeout: Option<Duration>,
) -> Result<Dequeued<S>> {
    Ok(match reader.untyped().dequeue(stop, timeout)? {
        crate::Dequeued::CheckedOut(checkout) => {
            Dequeued::CheckedOut(decoded(reader.queue(), checkout)?)
        }
        crate::Dequeued::Stopped => Dequeued::Stopped,
        crate::Dequeued::TimedOut => Dequeued::TimedOut,
    })
}

/// Takes the next entry of a reader's queue that is there, or answers `None`. Does not wait.
///
/// # Errors
/// As [`dequeue`].
pub fn dequeue_available<S: Spoolable>(
    reader: &mut QueueReader<S>,
) -> Result<Option<CheckedOutEntry<S>>> {
    let checkout = reader.untyped().dequeue_available()?;
    checkout
        .map(|checkout| decoded(reader.queue(), checkout))
        .transpose()
}
