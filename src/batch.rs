//! Batches: many entries written one by one, then brought to the disk and made visible together.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use crate::checkout::Checkout;
use crate::data_file::Source;
use crate::durability::Durability;
use crate::enqueue::{EnqueueOptions, EnqueueWriter, Opened, Written};
use crate::entry::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::Queue;
use crate::name::EntryName;
use crate::omit::Step;
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::fork;

const BATCH: &str = "enqueue many";
const SAVE_MANY: &str = "save many";
const REMOVE_MANY: &str = "remove many";

/// As many entries at most are brought to the disk at once: each has three descriptors until then.
const PIECE: usize = 256;

impl Spool {
    /// Begins a batch of entries for a queue.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`], [`ErrorKind::Permission`] on a spool opened read-only,
    /// [`ErrorKind::InvalidArgument`] for options with one name for all.
    pub fn batch(&self, queue: impl AsRef<OsStr>, options: &EnqueueOptions) -> Result<Batch> {
        let queue = Arc::clone(self.queue(queue.as_ref(), BATCH)?);
        self.writable(BATCH)?;
        if options.uses_one_name() {
            let reason = "the options name one entry, and a batch has many";
            return Err(Error::plain(ErrorKind::InvalidArgument, BATCH, reason));
        }
        Ok(Batch {
            spool: self.clone(),
            queue,
            durability: options.durability_on(self),
            options: options.clone(),
            generation: fork::generation(),
            pending: Vec::new(),
            results: Vec::new(),
        })
    }

    /// Adds many entries to a queue, each whole or not at all, for about the price of one sync in all. The answers come
    /// in the order of the entries: one that fails keeps no other back.
    ///
    /// # Errors
    /// As [`batch`](Spool::batch); each answer is as that of [`enqueue`](Spool::enqueue).
    pub fn enqueue_many<'a, M: AsRef<[u8]>, D: Into<Source<'a>>>(
        &self,
        queue: impl AsRef<OsStr>,
        entries: impl IntoIterator<Item = (M, D)>,
    ) -> Result<Vec<Result<Entry>>> {
        let mut batch = self.batch(queue, &EnqueueOptions::new())?;
        for (metadata, data) in entries {
            if let Err(error) = batch.add(metadata, data) {
                batch.results.push(Some(Err(error)));
            }
        }
        Ok(batch.commit())
    }
}

/// Entries that are enqueued together: written as they are added, then synced once for all, then made visible.
///
/// It is no transaction: each entry is all or nothing for itself, and a large batch goes in pieces of 256, or fewer where
/// descriptors run out. What was not made visible when the batch is dropped is undone.
pub struct Batch {
    spool: Spool,
    queue: Arc<Queue>,
    durability: Durability,
    options: EnqueueOptions,
    generation: u64,
    /// Written and not visible, each with its place in the results.
    pending: Vec<(usize, Written)>,
    /// By the order of adding; none for what is pending.
    results: Vec<Option<Result<Entry>>>,
}

impl Batch {
    /// Writes an entry that the batch is to hold. It becomes visible with the others.
    ///
    /// # Errors
    /// As [`Spool::enqueue`], of this entry alone: it is not in the batch, and nothing of it is left.
    pub fn add<'a>(
        &mut self,
        metadata: impl AsRef<[u8]>,
        data: impl Into<Source<'a>>,
    ) -> Result<EntryName> {
        self.usable()?;
        if self.pending.len() >= PIECE {
            self.publish();
        }
        let metadata = metadata.as_ref();
        self.spool.must_hold(metadata.len(), BATCH)?;
        let source = Opened::from(data.into())?;
        let (mut writer, metadata) = match self.begin(metadata) {
            Err(error) if error.kind() == ErrorKind::Descriptors && !self.pending.is_empty() => {
                self.publish();
                self.begin(metadata)?
            }
            begun => begun?,
        };
        if let Err(error) = writer.fill(source) {
            // Before the name that it belongs to is given up.
            self.spool.step(|| drop(metadata));
            return Err(error);
        }
        let written = writer.written(metadata)?;
        self.spool.step(|| written.begin_to_settle())?;
        let name = written.name().clone();
        self.pending.push((self.results.len(), written));
        self.results.push(None);
        Ok(name)
    }

    /// How many entries were added.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// Makes all entries visible. The answers, in the order of adding, are as those of [`Spool::enqueue`].
    pub fn commit(mut self) -> Vec<Result<Entry>> {
        match self.usable() {
            Ok(()) => self.publish(),
            Err(error) => {
                for (at, _) in std::mem::take(&mut self.pending) {
                    self.results[at] = Some(Err(error.clone()));
                }
            }
        }
        std::mem::take(&mut self.results)
            .into_iter()
            .flatten()
            .collect()
    }

    /// All the descriptors that an entry needs.
    fn begin(&self, metadata: &[u8]) -> Result<(EnqueueWriter, Scratch)> {
        let queue = self.queue.name.as_os_str();
        let writer = self.spool.enqueue_writer(queue, &self.options)?;
        let metadata = writer.write_metadata(metadata)?;
        Ok((writer, metadata))
    }

    fn usable(&self) -> Result<()> {
        if self.generation == fork::generation() {
            return Ok(());
        }
        let reason = "it was begun before a fork and belongs to the parent";
        let path = self.queue.waiting.path();
        Err(Error::new(ErrorKind::Forked, BATCH, path, reason))
    }

    /// Brings all that is pending to the disk, and makes it visible.
    fn publish(&mut self) {
        let spool = self.spool.clone();
        let mut settled = Vec::new();
        for (at, written) in std::mem::take(&mut self.pending) {
            match spool.step(|| written.settle()) {
                Ok(()) => settled.push((at, written)),
                Err(error) => {
                    spool.step(|| drop(written));
                    self.results[at] = Some(Err(error));
                }
            }
        }
        // All names lie in the same two directories: the first one's syncs are those of all.
        if let Some((_, first)) = settled.first()
            && let Err(error) = spool.step(|| first.sync_names())
        {
            for (at, written) in settled {
                spool.step(|| drop(written));
                self.results[at] = Some(Err(error.clone()));
            }
            return;
        }
        let mut visible = Vec::new();
        for (at, written) in settled {
            let moved = spool.step(|| written.move_in());
            if moved.is_ok() {
                visible.push(at);
            }
            self.results[at] = Some(moved);
        }
        if visible.is_empty() || !self.durability.syncs_names() {
            return;
        }
        if let Err(error) = spool.step(|| self.queue.waiting.sync(BATCH, Step::SyncQueue)) {
            for at in visible {
                if let Some(Ok(entry)) = &self.results[at] {
                    let told = error.clone().into_not_durable(entry.name());
                    self.results[at] = Some(Err(told));
                }
            }
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("queue", &self.queue)
            .field("added", &self.len())
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let spool = self.spool.clone();
        for (_, written) in self.pending.drain(..) {
            if self.generation == fork::generation() {
                spool.step(|| drop(written));
            }
        }
    }
}

impl Checkout {
    /// Saves many checkouts to one queue, as [`save`](Checkout::save) does, with the syncs that they share made once.
    /// The answers come in the order of the checkouts: one that fails keeps no other back.
    pub fn save_many<'a>(
        checkouts: impl IntoIterator<Item = &'a mut Checkout>,
        queue: impl AsRef<OsStr>,
    ) -> Vec<Result<()>> {
        let begun: Vec<_> = checkouts
            .into_iter()
            .map(|checkout| {
                let begun = checkout.begin_save(queue.as_ref());
                (checkout, begun)
            })
            .collect();
        for (checkout, begun) in &begun {
            if let Ok((_, Some(new))) = begun {
                // Only a start, that all are written at once: a failure is told when each is waited for.
                let _ = checkout.spool().step(|| new.begin_to_write_out(SAVE_MANY));
            }
        }
        let moved: Vec<_> = begun
            .into_iter()
            .map(|(checkout, begun)| {
                let moved = begun.and_then(|(target, new)| {
                    checkout.move_saved(&target, new, checkout.durability())?;
                    Ok(target)
                });
                (checkout, moved)
            })
            .collect();
        let mut shared = Shared::default();
        moved
            .into_iter()
            .map(|(checkout, moved)| shared.sync(checkout, Some(&moved?), SAVE_MANY))
            .collect()
    }

    /// Removes many entries, as [`remove`](Checkout::remove) does, with the syncs that they share made once. The
    /// answers come in the order of the checkouts: one that fails keeps no other back.
    pub fn remove_many<'a>(
        checkouts: impl IntoIterator<Item = &'a mut Checkout>,
    ) -> Vec<Result<()>> {
        let taken_out: Vec<_> = checkouts
            .into_iter()
            .map(|checkout| {
                let taken_out = checkout.take_out();
                (checkout, taken_out)
            })
            .collect();
        let mut shared = Shared::default();
        taken_out
            .into_iter()
            .map(|(checkout, taken_out)| {
                taken_out?;
                let synced = shared.sync(checkout, None, REMOVE_MANY);
                checkout.remove_rest(synced)
            })
            .collect()
    }
}

/// The syncs that checkouts of a batch share: those of the first one from a queue hold for all that were moved by then.
#[derive(Default)]
struct Shared(Vec<SharedSync>);

struct SharedSync {
    source: Arc<Queue>,
    target: Option<Arc<Queue>>,
    synced: Result<()>,
}

impl Shared {
    fn sync(
        &mut self,
        checkout: &Checkout,
        target: Option<&Arc<Queue>>,
        operation: &'static str,
    ) -> Result<()> {
        if !checkout.durability().syncs_names() {
            return Ok(());
        }
        let from = checkout.queue_dirs();
        let is_of = |target: Option<&Arc<Queue>>| target.map(Arc::as_ptr);
        let known = self.0.iter().find(|known| {
            Arc::ptr_eq(&known.source, from) && is_of(known.target.as_ref()) == is_of(target)
        });
        if let Some(known) = known {
            let told = known.synced.clone();
            return told.map_err(|error| error.into_not_durable(checkout.name()));
        }
        let synced = checkout.sync_names(target.map(|target| &**target), operation);
        self.0.push(SharedSync {
            source: Arc::clone(from),
            target: target.cloned(),
            synced: synced.clone(),
        });
        synced
    }
}
