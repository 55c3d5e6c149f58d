//! Typed readers of a queue.

use std::fmt;
use std::sync::Arc;

use super::outcome::handle;
use super::{DataFile, Multispool, Outcome, Queue, Spoolable};
use crate::error::{Error, Result};
use crate::layout;
use crate::reader::{CREATE, ReaderOptions};
use crate::stop::Stop;

/// Calls a handler with the entries of a queue, one by one. There may be any number of readers, in threads and
/// processes; they do not interfere with one another.
///
/// To take entries without a handler, see [`expert`](super::expert).
pub struct QueueReader<S: Spoolable> {
    spool: Multispool<S>,
    queue: S::Queue,
    untyped: crate::QueueReader,
    dirs: Arc<layout::Queue>,
}

impl<S: Spoolable> QueueReader<S> {
    /// A reader of a queue.
    ///
    /// # Errors
    /// As [`Spool::reader`](crate::Spool::reader).
    pub fn create(spool: &Multispool<S>, queue: S::Queue) -> Result<QueueReader<S>> {
        QueueReader::create_with(spool, queue, &ReaderOptions::new())
    }

    /// A reader of a queue, as the options say.
    ///
    /// # Errors
    /// As [`create`](QueueReader::create).
    pub fn create_with(
        spool: &Multispool<S>,
        queue: S::Queue,
        options: &ReaderOptions,
    ) -> Result<QueueReader<S>> {
        let bytes = spool.untyped();
        Ok(QueueReader {
            untyped: bytes.reader_with(queue.to_dirname(), options)?,
            dirs: Arc::clone(bytes.queue(queue.to_dirname().as_ref(), CREATE)?),
            spool: spool.clone(),
            queue,
        })
    }

    /// The spool that it belongs to.
    pub fn spool(&self) -> &Multispool<S> {
        &self.spool
    }

    /// The queue that it reads.
    pub fn queue(&self) -> &S::Queue {
        &self.queue
    }

    /// The same reader by bytes.
    pub fn untyped(&mut self) -> &mut crate::QueueReader {
        &mut self.untyped
    }

    /// Calls `f` with each entry's metadata and data, does what it decides, and waits for the next, until
    /// `stop` is triggered.
    ///
    /// # Errors
    /// The first failure, of `f` (whose entry is given back), of a bad entry, or of the queue, ends it. It may
    /// be called again, and goes on with the other entries.
    pub fn iter<E: From<Error>>(
        &mut self,
        stop: Option<&Stop>,
        mut f: impl FnMut(
            S::Metadata,
            &DataFile<S>,
        ) -> std::result::Result<Outcome<S::Metadata, S::Queue>, E>,
    ) -> std::result::Result<(), E> {
        self.untyped.iter(stop, |metadata, data| {
            let f = |metadata, data: &_| f(metadata, data).map(|outcome| (outcome, ()));
            handle(&self.dirs, metadata, data, f).map(|(outcome, ())| outcome)
        })
    }

    /// Calls `f` with the metadata and data of each entry that is there, at most once with each, and does what
    /// it decides. Does not wait.
    ///
    /// # Errors
    /// As [`iter`](QueueReader::iter).
    pub fn iter_available<E: From<Error>>(
        &mut self,
        mut f: impl FnMut(
            S::Metadata,
            &DataFile<S>,
        ) -> std::result::Result<Outcome<S::Metadata, S::Queue>, E>,
    ) -> std::result::Result<(), E> {
        self.untyped.iter_available(|metadata, data| {
            let f = |metadata, data: &_| f(metadata, data).map(|outcome| (outcome, ()));
            handle(&self.dirs, metadata, data, f).map(|(outcome, ())| outcome)
        })
    }
}

impl<S: Spoolable> fmt::Debug for QueueReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueReader")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
