//! From when on something is too old.

use std::time::Duration;

use crate::name::QueueName;

/// The ages above which a monitor calls something a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How long ago a checked-out entry may have been touched last. Default: 10 minutes.
    pub max_checked_out_age: Duration,
    /// How old a temporary file may be. Default: 10 minutes.
    pub max_tmp_file_age: Duration,
    /// How long an entry may wait in these queues. Default: no limits.
    pub max_queue_ages: Vec<(QueueName, Duration)>,
    /// How old a reservation may be whose name is in no queue. Default: 10 minutes; the original's is zero.
    pub max_reservation_age: Duration,
    /// How many bytes must be left on the file system for unprivileged users. Default: 16 MiB.
    pub min_free_bytes: u64,
    /// How many files there must be room for, where the file system counts them. Default: 1,000.
    pub min_free_inodes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        let ten_minutes = Duration::from_secs(600);
        Limits {
            max_checked_out_age: ten_minutes,
            max_tmp_file_age: ten_minutes,
            max_queue_ages: Vec::new(),
            max_reservation_age: ten_minutes,
            min_free_bytes: 16 << 20,
            min_free_inodes: 1000,
        }
    }
}

impl Limits {
    /// The defaults.
    pub fn new() -> Limits {
        Limits::default()
    }

    /// Sets how long ago a checked-out entry may have been touched last.
    pub fn max_checked_out_age(mut self, age: Duration) -> Limits {
        self.max_checked_out_age = age;
        self
    }

    /// Sets how old a temporary file may be.
    pub fn max_tmp_file_age(mut self, age: Duration) -> Limits {
        self.max_tmp_file_age = age;
        self
    }

    /// Sets how long an entry may wait in a queue.
    pub fn max_queue_age(mut self, queue: QueueName, age: Duration) -> Limits {
        self.max_queue_ages.retain(|(other, _)| *other != queue);
        self.max_queue_ages.push((queue, age));
        self
    }

    /// Sets how old a reservation may be whose name is in no queue.
    pub fn max_reservation_age(mut self, age: Duration) -> Limits {
        self.max_reservation_age = age;
        self
    }

    /// Sets how many bytes must be left on the file system; 0 asks for none.
    pub fn min_free_bytes(mut self, bytes: u64) -> Limits {
        self.min_free_bytes = bytes;
        self
    }

    /// Sets how many files there must be room for; 0 asks for none.
    pub fn min_free_inodes(mut self, inodes: u64) -> Limits {
        self.min_free_inodes = inodes;
        self
    }

    pub(super) fn of_queue(&self, queue: &QueueName) -> Option<Duration> {
        self.max_queue_ages
            .iter()
            .find(|(limited, _)| limited == queue)
            .map(|(_, age)| *age)
    }
}
