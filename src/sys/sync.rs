//! Bytes and names on their way to the disk, and the lock that every thread of a process may meet.

use std::os::fd::BorrowedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::{Errno, retry_on_intr};

use super::file;
use crate::omit::{self, Step};

/// Waits until the file is on disk. A failure must not be retried on the same file: the kernel then takes
/// its pages for clean.
pub(crate) fn fsync(file: BorrowedFd<'_>) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::fsync(file))
}

/// Waits until the names in the directory are on disk.
///
/// XFS may answer 0 where it has given up these names since its log failed, but fails every fstat from then on.
pub(crate) fn fsync_directory(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    fsync(directory)?;
    match omit::is_out(Step::SyncAnswer) {
        true => Ok(()),
        false => file::stat(directory).map(drop),
    }
}

/// Waits until all of the file system that the file is on is on disk.
pub(crate) fn file_system(file: BorrowedFd<'_>) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::syncfs(file))
}

/// Locks, also after a thread that held it panicked: what our locks guard is consistent at each step.
///
/// These are std's locks, which are one futex each. parking_lot's keep a table for the whole process,
/// and a thread that is inside it at the moment of a fork would leave it locked in the child.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification.
pub(crate) fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Lets `duration` go by, holding nothing.
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
