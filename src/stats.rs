//! How much is in a spool, and how much room there is.

use std::time::Duration;

use rustix::io::Errno;

use crate::error::{At, Error, Result};
use crate::layout::{Dir, Queue};
use crate::listing::Listing;
use crate::name::{EntryName, QueueName};
use crate::ownership;
use crate::spool::Spool;
use crate::sys::{clock, file, file_system};

const STATS: &str = "stats";

/// What is counted.
#[derive(Clone, Debug, Default)]
pub struct StatsOptions {
    bytes: bool,
}

impl StatsOptions {
    /// The defaults: entries, owners and ages.
    pub fn new() -> StatsOptions {
        StatsOptions::default()
    }

    /// Adds up the sizes of metadata and data, too.
    pub fn bytes(mut self, bytes: bool) -> StatsOptions {
        self.bytes = bytes;
        self
    }
}

/// The state of a spool, as it was while it was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Each queue, in the order of their names.
    pub queues: Vec<QueueStats>,
    /// Bytes that unprivileged users may still write.
    pub free_bytes: u64,
    /// Files that may still be made; `None` where the file system does not count them.
    pub free_inodes: Option<u64>,
}

/// The state of one queue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueueStats {
    /// The queue.
    pub queue: QueueName,
    /// The entries that wait in it.
    pub entries: u64,
    /// The entries checked out of it whose owner lives.
    pub checked_out_alive: u64,
    /// The entries checked out of it whose lock nobody holds: their owner is dead, or takes no locks.
    pub checked_out_dead: u64,
    /// How long ago the entry that has waited longest came into the queue; `None` if none waits.
    pub oldest_age: Option<Duration>,
    /// The size of all metadata, waiting and checked out; `None` if not asked for.
    pub metadata_bytes: Option<u64>,
    /// The size of all data, of entries waiting and checked out; `None` if not asked for.
    pub data_bytes: Option<u64>,
}

impl Spool {
    /// Counts what is in each queue. Changes nothing, and works on a spool opened read-only.
    ///
    /// # Errors
    /// Those of reading the directories.
    pub fn stats(&self, options: &StatsOptions) -> Result<Stats> {
        let queues = self
            .layout()
            .queues()
            .map(|queue| self.queue_stats(queue, options))
            .collect::<Result<_>>()?;
        let root = &self.layout().root;
        let room = self
            .step(|| root.fd(STATS).map(file_system::room))?
            .at(STATS, || root.path().to_owned())?;
        Ok(Stats {
            queues,
            free_bytes: room.free_bytes,
            free_inodes: room.free_inodes,
        })
    }

    fn queue_stats(&self, queue: &Queue, options: &StatsOptions) -> Result<QueueStats> {
        let zero = options.bytes.then_some(0);
        let mut stats = QueueStats {
            queue: queue.name.clone(),
            entries: 0,
            checked_out_alive: 0,
            checked_out_dead: 0,
            oldest_age: None,
            metadata_bytes: zero,
            data_bytes: zero,
        };
        let mut waiting = Listing::new(STATS);
        while let Some(name) = waiting.next(&queue.waiting, |read| self.step(read))? {
            let Some(entry) = self.look(&queue.waiting, &name)? else {
                continue;
            };
            stats.entries += 1;
            stats.oldest_age = stats.oldest_age.max(Some(entry.age));
            self.add_bytes(&mut stats, &entry, &name)?;
        }
        let mut checked_out = Listing::new(STATS);
        while let Some(name) = checked_out.next(&queue.checkout, |read| self.step(read))? {
            let is_owned = self.step(|| ownership::is_owned(self, &name, STATS))?;
            // Asked first: what was finished between the two questions is not counted as dead.
            let Some(entry) = self.look(&queue.checkout, &name)? else {
                continue;
            };
            if is_owned {
                stats.checked_out_alive += 1;
            } else {
                stats.checked_out_dead += 1;
            }
            self.add_bytes(&mut stats, &entry, &name)?;
        }
        Ok(stats)
    }

    fn add_bytes(&self, stats: &mut QueueStats, entry: &Found, name: &EntryName) -> Result<()> {
        let (Some(metadata), Some(data)) = (&mut stats.metadata_bytes, &mut stats.data_bytes)
        else {
            return Ok(());
        };
        let size = self
            .look(&self.layout().data, name)?
            .map_or(0, |data| data.size);
        // Sparse files may be of any size.
        *metadata = metadata.saturating_add(entry.size);
        *data = data.saturating_add(size);
        Ok(())
    }

    /// `None` for what has gone since it was listed.
    fn look(&self, dir: &Dir, name: &EntryName) -> Result<Option<Found>> {
        self.step(|| match file::stat_at(dir.fd(STATS)?, name.as_os_str()) {
            Ok(stat) => Ok(Some(Found {
                size: u64::try_from(stat.st_size).unwrap_or(0),
                age: clock::age(clock::since_1970(stat.st_mtime, stat.st_mtime_nsec)),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::system(STATS, dir.join(name.as_os_str()), errno)),
        })
    }
}

struct Found {
    size: u64,
    age: Duration,
}
