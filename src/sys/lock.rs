//! Open-file-description locks: they belong to an open file, not to a process, and end with it.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

fn whole_file(kind: i32) -> libc::flock {
    // SAFETY: flock is plain data; zero is "from the start, to the end" and the pid that OFD locks ask for.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

fn fcntl(fd: BorrowedFd<'_>, command: i32, lock: &mut libc::flock) -> Result<(), Errno> {
    loop {
        // SAFETY: `fd` is open and `lock` is a valid flock for the call.
        let result = unsafe { libc::fcntl(fd.as_raw_fd(), command, lock as *mut libc::flock) };
        if result == 0 {
            return Ok(());
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            Some(errno) => return Err(Errno::from_raw_os_error(errno)),
            None => return Err(Errno::IO),
        }
    }
}

/// Takes the write lock on the whole file if it is free; `false` if another open file holds it.
pub(crate) fn try_lock(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    match fcntl(fd, libc::F_OFD_SETLK, &mut whole_file(libc::F_WRLCK)) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Lets the lock go, also for those who share the open file.
pub(crate) fn unlock(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    fcntl(fd, libc::F_OFD_SETLK, &mut whole_file(libc::F_UNLCK))
}

/// Whether another open file holds a lock; takes none itself, so that it is in nobody's way.
pub(crate) fn is_locked(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut lock = whole_file(libc::F_WRLCK);
    fcntl(fd, libc::F_OFD_GETLK, &mut lock)?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}
