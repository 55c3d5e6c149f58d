//! How old a file is by the clock of its own file system: hosts' clocks need not agree, and the age of a lease must not
//! depend on whose is asked.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{At, Result};
use crate::name::EntryName;
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::clock::since_1970;
use crate::sys::file;
use crate::sys::sync::lock;

/// For so long this host's own clock is relied on to count on from what was read.
const FRESH: Duration = Duration::from_secs(10);

/// The clock of a spool's file system, as it was read last.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<(Duration, Instant)>>);

impl Clock {
    /// Now, since 1970. Where it cannot be told exactly it is earlier, never later.
    fn now(&self, spool: &Spool, name: &EntryName, operation: &'static str) -> Result<Duration> {
        if spool.is_read_only() {
            // Who may not make a file has nothing but its own clock.
            return Ok(SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO));
        }
        if let Some((then, read)) = *lock(&self.0)
            && read.elapsed() < FRESH
        {
            return Ok(then + read.elapsed());
        }
        let made = Scratch::create(spool, name, operation)?;
        let stat = file::stat(made.as_fd()).at(operation, || made.path())?;
        let then = since_1970(stat.st_mtime, stat.st_mtime_nsec);
        // After the answer: the file's time is of before.
        *lock(&self.0) = Some((then, Instant::now()));
        Ok(then)
    }

    /// How long ago this time of a file in the spool was; zero if it lies in the future.
    pub(crate) fn age(
        &self,
        spool: &Spool,
        name: &EntryName,
        time: Duration,
        operation: &'static str,
    ) -> Result<Duration> {
        Ok(self.now(spool, name, operation)?.saturating_sub(time))
    }
}
