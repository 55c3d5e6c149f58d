//! Where a repair moves things instead of removing them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Dir as Directory;
use crate::omit::{self, Step};
use crate::sys::{dir, rename, sync};

/// A directory of the caller's.
pub(super) struct Away {
    operation: &'static str,
    path: PathBuf,
    dir: OwnedFd,
    is_durable: bool,
    /// The directories in it that things were moved to.
    kinds: RefCell<BTreeMap<OsString, OwnedFd>>,
}

impl Away {
    pub(super) fn create(path: &Path, is_durable: bool, operation: &'static str) -> Result<Away> {
        let refused = |errno| match errno {
            Errno::NOTDIR => Error::system_as(ErrorKind::InvalidArgument, operation, path, errno),
            _ => Error::system(operation, path, errno),
        };
        dir::make_path(path).map_err(refused)?;
        let away = Away {
            operation,
            path: path.to_owned(),
            dir: dir::open_path(path).map_err(refused)?,
            is_durable,
            kinds: RefCell::default(),
        };
        if away.is_synced() {
            let parent = || path.parent().unwrap_or(path).to_owned();
            dir::sync_parent(path, away.dir.as_fd()).at(operation, parent)?;
        }
        Ok(away)
    }

    /// Moves a file to a directory of the name of its own, and replaces nothing there.
    pub(super) fn take(&self, from: &Directory, filename: &OsStr) -> Result<()> {
        let kind = from.path().file_name().unwrap_or_default();
        let at = || self.path.join(kind).join(filename);
        let mut kinds = self.kinds.borrow_mut();
        let target = match kinds.entry(kind.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.make(kind)?),
        };
        let place = from.place(self.operation, filename)?;
        match rename::without_clobbering(place, (target.as_fd(), filename)) {
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::XDEV) => Err(Error::system_as(
                ErrorKind::InvalidArgument,
                self.operation,
                &self.path,
                Errno::XDEV,
            )),
            moved => moved.at(self.operation, at),
        }
    }

    /// Waits until what was moved here is on disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.kinds
            .borrow()
            .iter()
            .try_for_each(|(kind, made)| self.sync_directory(made.as_fd(), || self.path.join(kind)))
    }

    /// A directory that is on disk before anything is moved to it.
    fn make(&self, kind: &OsStr) -> Result<OwnedFd> {
        let at = || self.path.join(kind);
        dir::make_at(self.dir.as_fd(), kind, None, None).at(self.operation, at)?;
        let made = dir::open_at(self.dir.as_fd(), kind).at(self.operation, at)?;
        self.sync_directory(self.dir.as_fd(), || self.path.clone())?;
        Ok(made)
    }

    fn sync_directory(&self, dir: BorrowedFd<'_>, path: impl FnOnce() -> PathBuf) -> Result<()> {
        match self.is_synced() {
            true => sync::fsync_directory(dir).at(self.operation, path),
            false => Ok(()),
        }
    }

    fn is_synced(&self) -> bool {
        self.is_durable && !omit::is_out(Step::SyncAway)
    }
}
