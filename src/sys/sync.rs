//! Bytes and names on their way to the disk, and the lock that every thread of a process may meet.

use std::os::fd::{AsRawFd, BorrowedFd};
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

/// Starts to write the file's contents out.
pub(crate) fn begin_to_write_out(file: BorrowedFd<'_>) -> Result<(), Errno> {
    file_range(file, libc::SYNC_FILE_RANGE_WRITE)
}

/// Waits until the file's contents are written out, though perhaps not out of the disk's cache, nor the file's own
/// changes (its size, where it lies): these the next sync of a directory carries, where a journal keeps the order.
pub(crate) fn write_out(file: BorrowedFd<'_>) -> Result<(), Errno> {
    file_range(
        file,
        libc::SYNC_FILE_RANGE_WAIT_BEFORE
            | libc::SYNC_FILE_RANGE_WRITE
            | libc::SYNC_FILE_RANGE_WAIT_AFTER,
    )
}

fn file_range(file: BorrowedFd<'_>, flags: libc::c_uint) -> Result<(), Errno> {
    retry_on_intr(|| {
        // SAFETY: an open descriptor; no memory is involved.
        match unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, flags) } {
            0 => Ok(()),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
        }
    })
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
