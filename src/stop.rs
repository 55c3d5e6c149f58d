//! A word to those who wait: stop.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::sys::event::{self, Event};
use crate::sys::fork::{InChild, PrivateFd};

/// Ends every wait that it is given to, now and from now on.
///
/// May be triggered from any thread and from a signal handler. In a forked child it is the child's own:
/// triggering it there stops nobody here.
#[derive(Clone)]
pub struct Stop(Arc<Inner>);

struct Inner {
    triggered: AtomicBool,
    event: Event<PrivateFd>,
}

impl Stop {
    /// A stop that nobody has triggered.
    ///
    /// # Errors
    /// [`ErrorKind::Descriptors`](crate::ErrorKind::Descriptors).
    pub fn new() -> Result<Stop> {
        let descriptor = PrivateFd::open(InChild::OwnEvent, event::new_descriptor)
            .map_err(|errno| Error::system("stop", "eventfd", errno))?;
        Ok(Stop(Arc::new(Inner {
            triggered: AtomicBool::new(false),
            event: Event::of(descriptor),
        })))
    }

    /// Ends the waits. One store and one write: safe in a signal handler.
    pub fn trigger(&self) {
        self.0.triggered.store(true, Ordering::SeqCst);
        self.0.event.raise();
    }

    /// Whether it has been triggered.
    pub fn is_triggered(&self) -> bool {
        self.0.triggered.load(Ordering::SeqCst)
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop")
            .field("triggered", &self.is_triggered())
            .finish_non_exhaustive()
    }
}
