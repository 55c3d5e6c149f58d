//! From when on something is too old, by queue.

use std::time::Duration;

use super::super::Queue;
use crate::error::{Error, ErrorKind};
use crate::name::QueueName;

/// The ages above which a monitor calls something a problem; see [`Limits`](crate::Limits).
///
/// To read and write them as JSON, go by way of the untyped limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits<Q> {
    /// How long ago a checked-out entry may have been touched last. Default: 10 minutes.
    pub max_checked_out_age: Duration,
    /// How old a temporary file may be. Default: 10 minutes.
    pub max_tmp_file_age: Duration,
    /// How long an entry may wait in these queues. Default: no limits.
    pub max_queue_ages: Vec<(Q, Duration)>,
    /// How old a reservation may be whose name is in no queue. Default: 10 minutes; the original's is zero.
    pub max_reservation_age: Duration,
    /// How many bytes must be left on the file system for unprivileged users. Default: 16 MiB.
    pub min_free_bytes: u64,
    /// How many files there must be room for, where the file system counts them. Default: 1,000.
    pub min_free_inodes: u64,
}

impl<Q> Limits<Q> {
    fn of(untyped: &crate::Limits, max_queue_ages: Vec<(Q, Duration)>) -> Limits<Q> {
        Limits {
            max_checked_out_age: untyped.max_checked_out_age,
            max_tmp_file_age: untyped.max_tmp_file_age,
            max_queue_ages,
            max_reservation_age: untyped.max_reservation_age,
            min_free_bytes: untyped.min_free_bytes,
            min_free_inodes: untyped.min_free_inodes,
        }
    }
}

impl<Q> Default for Limits<Q> {
    fn default() -> Limits<Q> {
        Limits::of(&crate::Limits::new(), Vec::new())
    }
}

impl<Q: Queue> Limits<Q> {
    /// The defaults.
    pub fn create() -> Limits<Q> {
        Limits::default()
    }

    /// Sets how long ago a checked-out entry may have been touched last.
    pub fn max_checked_out_age(mut self, age: Duration) -> Limits<Q> {
        self.max_checked_out_age = age;
        self
    }

    /// Sets how old a temporary file may be.
    pub fn max_tmp_file_age(mut self, age: Duration) -> Limits<Q> {
        self.max_tmp_file_age = age;
        self
    }

    /// Sets how long an entry may wait in a queue.
    pub fn max_queue_age(mut self, queue: Q, age: Duration) -> Limits<Q> {
        self.max_queue_ages.retain(|(other, _)| *other != queue);
        self.max_queue_ages.push((queue, age));
        self
    }

    /// Sets how old a reservation may be whose name is in no queue.
    pub fn max_reservation_age(mut self, age: Duration) -> Limits<Q> {
        self.max_reservation_age = age;
        self
    }

    /// Sets how many bytes must be left on the file system; 0 asks for none.
    pub fn min_free_bytes(mut self, bytes: u64) -> Limits<Q> {
        self.min_free_bytes = bytes;
        self
    }

    /// Sets how many files there must be room for; 0 asks for none.
    pub fn min_free_inodes(mut self, inodes: u64) -> Limits<Q> {
        self.min_free_inodes = inodes;
        self
    }

    /// The same limits, by the names of the queues.
    pub fn to_untyped(&self) -> crate::Limits {
        let by_name = |(queue, age): &(Q, Duration)| {
            let name = QueueName::checked_before(queue.to_dirname());
            (name, *age)
        };
        let mut untyped = crate::Limits::new();
        untyped.max_checked_out_age = self.max_checked_out_age;
        untyped.max_tmp_file_age = self.max_tmp_file_age;
        untyped.max_queue_ages = self.max_queue_ages.iter().map(by_name).collect();
        untyped.max_reservation_age = self.max_reservation_age;
        untyped.min_free_bytes = self.min_free_bytes;
        untyped.min_free_inodes = self.min_free_inodes;
        untyped
    }
}

impl<Q: Queue> TryFrom<&crate::Limits> for Limits<Q> {
    type Error = Error;

    /// # Errors
    /// [`ErrorKind::UnknownQueue`] where a limit is of none of these queues.
    fn try_from(untyped: &crate::Limits) -> Result<Limits<Q>, Error> {
        let by_queue = |(name, age): &(QueueName, Duration)| match queue_of(name) {
            Some(queue) => Ok((queue, *age)),
            None => Err(Error::plain(
                ErrorKind::UnknownQueue,
                "limits",
                format!("there is no queue {name}"),
            )),
        };
        let max_queue_ages = untyped.max_queue_ages.iter().map(by_queue);
        Ok(Limits::of(
            untyped,
            max_queue_ages.collect::<Result<_, _>>()?,
        ))
    }
}

/// The queue with this directory.
pub(super) fn queue_of<Q: Queue>(name: &QueueName) -> Option<Q> {
    let has_name = |queue: &&Q| queue.to_dirname().as_bytes() == name.as_bytes();
    Q::ALL.iter().find(has_name).cloned()
}
