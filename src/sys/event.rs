//! A flag that `poll` sees, and waiting for several of them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

/// A flag with a descriptor that is readable while it is raised.
#[derive(Debug)]
pub(crate) struct Event<D: AsFd>(D);

pub(crate) fn new_descriptor() -> Result<OwnedFd, Errno> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
}

impl Event<OwnedFd> {
    pub(crate) fn new() -> Result<Event<OwnedFd>, Errno> {
        Ok(Event(new_descriptor()?))
    }
}

impl<D: AsFd> Event<D> {
    pub(crate) fn of(descriptor: D) -> Event<D> {
        Event(descriptor)
    }

    /// Raises the flag; one system call, safe in a signal handler.
    pub(crate) fn raise(&self) {
        // The one failure, EAGAIN, says that it has been raised 2^64-2 times already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Lowers the flag.
    pub(crate) fn lower(&self) {
        // EAGAIN says that it was not raised.
        let _ = rustix::io::read(&self.0, &mut [0_u8; 8]);
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of the descriptors is readable; none is when the time is up.
pub(crate) fn readable<const N: usize>(
    descriptors: [Option<BorrowedFd<'_>>; N],
    timeout: Option<Duration>,
) -> Result<[bool; N], Errno> {
    let mut polled: Vec<PollFd<'_>> = descriptors
        .iter()
        .flatten()
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    poll(&mut polled, timeout.as_ref())?;
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(descriptors.map(|fd| fd.is_some() && answers.next().unwrap_or(false)))
}
