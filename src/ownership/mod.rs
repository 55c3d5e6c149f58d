//! Who owns a name: among the processes of one host whoever holds its lock, among several hosts whoever holds its
//! lease.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::error::{At, Result};
use crate::layout::Queue;
use crate::name::EntryName;
use crate::registry::{self, Locked};
use crate::spool::Spool;
use crate::sys::sync;

mod age;
mod keeper;
mod lease;
mod token;

pub(crate) use age::Clock;
pub(crate) use lease::{Held, Lease, end_if_over, expired, reserve};

/// How long a caller that does not wait tries a name that is busy for a moment.
const BUSY_PATIENCE: Duration = Duration::from_millis(100);
/// The first pause before a busy name is tried again; doubles up to [`BUSY_PAUSE_MAX`].
pub(crate) const BUSY_PAUSE: Duration = Duration::from_micros(50);
pub(crate) const BUSY_PAUSE_MAX: Duration = Duration::from_millis(50);

/// What an attempt to own a name found.
pub(crate) enum Claim<O = Ownership> {
    Owned(O),
    /// Somebody else owns it.
    Busy,
    /// The name is not reserved.
    Unreserved,
}

impl<O> Claim<O> {
    fn map<P>(self, f: impl FnOnce(O) -> P) -> Claim<P> {
        match self {
            Claim::Owned(ownership) => Claim::Owned(f(ownership)),
            Claim::Busy => Claim::Busy,
            Claim::Unreserved => Claim::Unreserved,
        }
    }
}

/// A reservation that was made just now, for [`own_reserved`].
pub(crate) enum Reserved {
    Open(registry::Reserved),
    Linked,
}

/// The ownership of a name: ends when it is dropped. What a dead process leaves ends at once, if it is a lock, or when
/// its time is up.
#[derive(Debug)]
pub(crate) enum Ownership {
    Locked(Locked),
    Leased(Lease),
}

/// Takes the ownership of a reserved name if it is free.
pub(crate) fn own(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<Claim> {
    Ok(match spool.lease(operation)? {
        None => registry::own(&spool.layout().registry, name, operation)?.map(Ownership::Locked),
        Some(_) => lease::claim(spool, name, operation)?.map(Ownership::Leased),
    })
}

/// Takes the ownership of a reservation that was made just now. Where the name is another's by now it is not
/// ours, and so `Unreserved`.
pub(crate) fn own_reserved(
    spool: &Spool,
    name: &EntryName,
    reserved: Reserved,
    operation: &'static str,
) -> Result<Claim> {
    match reserved {
        Reserved::Open(reserved) => {
            let registry = &spool.layout().registry;
            let claim = registry::own_reserved(registry, name, reserved, operation)?;
            Ok(claim.map(Ownership::Locked))
        }
        Reserved::Linked => own(spool, name, operation),
    }
}

/// As [`own`], but gives a busy name up to 100 ms, for as long as `worth_it` says so: most names are
/// held for the moment between a rename and its unlock.
pub(crate) fn own_patiently(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
    mut worth_it: impl FnMut() -> Result<bool>,
) -> Result<Claim> {
    let begun = Instant::now();
    let mut pause = BUSY_PAUSE;
    loop {
        match spool.step(|| own(spool, name, operation))? {
            Claim::Busy if begun.elapsed() < BUSY_PATIENCE => {}
            claim => return Ok(claim),
        }
        sync::pause(pause);
        pause = (pause * 2).min(BUSY_PAUSE_MAX);
        if !spool.step(&mut worth_it)? {
            return Ok(Claim::Busy);
        }
    }
}

/// Whether some process owns the name. Only asks: it never owns the name itself, and so is in nobody's way.
pub(crate) fn is_owned(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<bool> {
    match spool.lease(operation)? {
        None => registry::is_owned(&spool.layout().registry, name, operation),
        Some(_) => lease::is_owned(spool, name, operation),
    }
}

impl Ownership {
    /// Sets the registry file's times to now: the entry moves.
    pub(crate) fn touch(
        &self,
        spool: &Spool,
        name: &EntryName,
        operation: &'static str,
    ) -> Result<()> {
        let registry = &spool.layout().registry;
        match self {
            Ownership::Locked(locked) => locked
                .touch()
                .at(operation, || registry.join(name.as_os_str())),
            Ownership::Leased(_) => registry::touch(registry, name, operation),
        }
    }

    /// Whether the name is still ours. A lock is, for as long as it is held.
    pub(crate) fn holds(&self, operation: &'static str) -> Result<bool> {
        match self {
            Ownership::Locked(_) => Ok(true),
            Ownership::Leased(lease) => lease.holds(operation),
        }
    }

    /// Makes the ownership last, where it has a time: of an entry that is checked out of the queue.
    pub(crate) fn renew(&self, operation: &'static str) -> Result<bool> {
        match self {
            Ownership::Locked(_) => Ok(true),
            Ownership::Leased(lease) => lease.renew(operation),
        }
    }

    /// Makes the ownership last, if a good part of its time is over.
    pub(crate) fn renew_if_due(&self, operation: &'static str) -> Result<bool> {
        match self {
            Ownership::Leased(lease) if lease.is_due() => lease.renew(operation),
            _ => Ok(true),
        }
    }

    /// Has the ownership renewed until it ends, without the caller.
    pub(crate) fn keep(&self, operation: &'static str) -> Result<()> {
        match self {
            Ownership::Locked(_) => Ok(()),
            Ownership::Leased(lease) => lease.keep(operation),
        }
    }

    /// Says that the entry is checked out of this queue now.
    pub(crate) fn set_checked_out(&mut self, queue: &Arc<Queue>) {
        if let Ownership::Leased(lease) = self {
            lease.set_checked_out(queue);
        }
    }

    /// Ends it where the registry file has been removed.
    pub(crate) fn end_nameless(self) {
        match self {
            Ownership::Locked(locked) => locked.end_nameless(),
            Ownership::Leased(lease) => drop(lease),
        }
    }

    /// The lease, where it is one.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        match self {
            Ownership::Locked(_) => None,
            Ownership::Leased(lease) => Some(lease),
        }
    }

    /// A second descriptor of the lock, for a child process to hold; `None` where there is none to hold.
    pub(crate) fn share(&self) -> std::result::Result<Option<OwnedFd>, Errno> {
        match self {
            Ownership::Locked(locked) => locked.share().map(Some),
            Ownership::Leased(_) => Ok(None),
        }
    }
}
