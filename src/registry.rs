//! The registry: which names are reserved, and, among the processes of one host, who owns them.
//!
//! `.registry/NAME` is the one file that stays the same for an entry's whole life, so its lock is the
//! ownership of the entry: taken before anything moves, freed by the kernel when the owner dies.

use rustix::io::Errno;
use std::cell::Cell;
use std::os::fd::{AsFd, OwnedFd};

use crate::contents;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Dir;
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::ownership::Claim;
use crate::sys::fork::{self, InChild, PrivateFd};
use crate::sys::{file, lock};

/// How often at most a generator is asked for a name.
pub(crate) const ATTEMPTS: u32 = 1000;

/// A reservation that was made just now, for [`own_reserved`].
pub(crate) struct Reserved {
    file: PrivateFd,
    generation: u64,
}

/// Creates the reservation; `None` if the name is in use.
pub(crate) fn reserve(
    registry: &Dir,
    name: &EntryName,
    file_mode: Option<u32>,
    group: Option<u32>,
    operation: &'static str,
) -> Result<Option<Reserved>> {
    let dir = registry.fd(operation)?;
    let generation = fork::generation();
    let made = Cell::new(false);
    let open = || match made.replace(true) {
        false => file::create_new(dir, name.as_os_str(), file_mode, group),
        // A fork came in between: it is made, and to be opened anew.
        true => file::open_write(dir, name.as_os_str()),
    };
    match PrivateFd::open(InChild::Nothing, open) {
        Ok(file) => Ok(Some(Reserved { file, generation })),
        Err(Errno::EXIST) => Ok(None),
        Err(errno) => Err(Error::system(
            operation,
            registry.join(name.as_os_str()),
            errno,
        )),
    }
}

/// Removes the reservation; that it is gone already is fine.
pub(crate) fn unreserve(registry: &Dir, name: &EntryName, operation: &'static str) -> Result<()> {
    match file::unlink(registry.fd(operation)?, name.as_os_str()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::system(
            operation,
            registry.join(name.as_os_str()),
            errno,
        )),
    }
}

/// Sets the reservation's times to now; that there is none is fine.
pub(crate) fn touch(registry: &Dir, name: &EntryName, operation: &'static str) -> Result<()> {
    match contents::touch(registry, name.as_os_str(), operation) {
        // Whose file is that?
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
        touched => touched.map(drop),
    }
}

/// Takes the ownership of a reserved name if it is free.
pub(crate) fn own(
    registry: &Dir,
    name: &EntryName,
    operation: &'static str,
) -> Result<Claim<Locked>> {
    let dir = registry.fd(operation)?;
    let at = || registry.join(name.as_os_str());
    loop {
        let generation = fork::generation();
        let opened = PrivateFd::open(InChild::Nothing, || file::open_write(dir, name.as_os_str()));
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Claim::Unreserved),
            // Somebody has a lease on the file: the kernel has asked for it back.
            Err(Errno::AGAIN) => return Ok(Claim::Busy),
            Err(errno) => return Err(Error::system(operation, at(), errno)),
        };
        let reserved = Reserved { file, generation };
        if let Some(claim) = claim(registry, name, reserved, operation)? {
            return Ok(claim);
        }
    }
}

/// Takes the ownership of a reservation that was made just now. Where the name is another's by now it is not
/// ours, and so `Unreserved`.
pub(crate) fn own_reserved(
    registry: &Dir,
    name: &EntryName,
    reserved: Reserved,
    operation: &'static str,
) -> Result<Claim<Locked>> {
    let claim = claim(registry, name, reserved, operation)?;
    Ok(claim.unwrap_or(Claim::Unreserved))
}

/// Locks an open registry file; `None` if another file has its name.
fn claim(
    registry: &Dir,
    name: &EntryName,
    Reserved { file, generation }: Reserved,
    operation: &'static str,
) -> Result<Option<Claim<Locked>>> {
    let dir = registry.fd(operation)?;
    let at = || registry.join(name.as_os_str());
    let opened = file::stat(file.as_fd()).at(operation, at)?;
    if let Some(oddity) = file::oddity(&opened).filter(|_| opened.st_nlink > 0) {
        return Err(Error::new(ErrorKind::Corrupt, operation, at(), oddity));
    }
    if !lock::try_lock(file.as_fd()).at(operation, at)? && !omit::is_out(Step::Lock) {
        return Ok(Some(Claim::Busy));
    }
    let locked = Locked {
        file,
        generation,
        nameless: false,
    };
    // The lock may be on a ghost: a file that was removed, and perhaps made anew, in between.
    match file::stat_at(dir, name.as_os_str()) {
        Ok(named) if file::same(&named, &opened) || omit::is_out(Step::LockSameFile) => {
            match file::oddity(&named) {
                None => Ok(Some(Claim::Owned(locked))),
                Some(oddity) => Err(Error::new(ErrorKind::Corrupt, operation, at(), oddity)),
            }
        }
        Ok(_) => Ok(None),
        Err(Errno::NOENT) => Ok(Some(Claim::Unreserved)),
        Err(errno) => Err(Error::system(operation, at(), errno)),
    }
}

/// Whether some process owns the name. Only asks: it never takes the lock, and so is in nobody's way.
pub(crate) fn is_owned(registry: &Dir, name: &EntryName, operation: &'static str) -> Result<bool> {
    let at = || registry.join(name.as_os_str());
    match file::open_read(registry.fd(operation)?, name.as_os_str()) {
        Ok(file) => lock::is_locked(file.as_fd()).at(operation, at),
        // Nothing that could be owned.
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(false),
        // It cannot be told, and nobody may be called dead who may live.
        Err(Errno::ACCESS | Errno::PERM | Errno::AGAIN) => Ok(true),
        Err(errno) => Err(Error::system(operation, at(), errno)),
    }
}

/// A name's lock: ends when it is dropped, or when the process dies.
///
/// A forked child does not share it: there the descriptor is `/dev/null`'s.
#[derive(Debug)]
pub(crate) struct Locked {
    file: PrivateFd,
    generation: u64,
    nameless: bool,
}

impl Locked {
    /// Sets the registry file's times to now.
    pub(crate) fn touch(&self) -> std::result::Result<(), Errno> {
        file::touch(self.file.as_fd())
    }

    /// Ends it where the registry file has been removed: a lock on that says nothing any more, and goes with its
    /// last descriptor.
    pub(crate) fn end_nameless(mut self) {
        self.nameless = true;
    }

    /// A second descriptor of the lock, for a child process to hold.
    pub(crate) fn share(&self) -> std::result::Result<OwnedFd, Errno> {
        self.file.share()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if !self.nameless && self.generation == fork::generation() {
            // Unlocked, not only closed: a command that shares the descriptor must not keep the lock.
            // The one failure, a lost descriptor, frees the lock as well.
            let _ = lock::unlock(self.file.as_fd());
        }
    }
}
