//! Directories: opened, made, and read in large pieces.

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};

use super::{file, sync};
use crate::omit::{self, Step};

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Opens a directory by its path, symbolic links followed: how a spool's root is found.
pub(crate) fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat(CWD, path, FLAGS, Mode::empty()))
}

/// Opens a directory below another; a symbolic link in its place is `NOTDIR`.
pub(crate) fn open_at(dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let follow = match omit::is_out(Step::RealDirectories) {
        true => OFlags::empty(),
        false => OFlags::NOFOLLOW,
    };
    retry_on_intr(|| rustix::fs::openat(dir, name, FLAGS | follow, Mode::empty()))
}

/// A file in the directory that has no name.
pub(crate) fn unnamed(dir: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(dir, ".", flags, Mode::from_raw_mode(0o600)))
}

/// Makes a directory; `false` if something is there already.
pub(crate) fn make_path(path: &Path) -> Result<bool, Errno> {
    made(retry_on_intr(|| {
        rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(0o777))
    }))
}

/// Whether a directory lies under the name; a symbolic link to one is none.
pub(crate) fn is_there(dir: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
    match file::stat_at(dir, name) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Makes a directory below another, with the mode and group told; `false` if something is there already.
pub(crate) fn make_at(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    mode: Option<u32>,
    group: Option<u32>,
) -> Result<bool, Errno> {
    let is_new = made(retry_on_intr(|| {
        rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o777))
    }))?;
    if is_new && (mode.is_some() || group.is_some()) {
        let set =
            open_at(dir, name).and_then(|made| file::set_mode_and_group(made.as_fd(), mode, group));
        if let Err(errno) = set {
            // Else it would be there the next time, as it must not be.
            let _ = retry_on_intr(|| rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR));
            return Err(errno);
        }
    }
    Ok(is_new)
}

/// Waits until the name of a directory is on disk, which is at this path and open as `inside`.
pub(crate) fn sync_parent(path: &Path, inside: BorrowedFd<'_>) -> Result<(), Errno> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    match open_path(parent) {
        Ok(parent) => sync::fsync_directory(parent.as_fd()),
        // Searchable, but not readable: then the whole file system.
        Err(Errno::ACCESS) => sync::file_system(inside),
        Err(errno) => Err(errno),
    }
}

/// Removes an empty directory.
pub(crate) fn remove_path(path: &Path) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR))
}

fn made(result: Result<(), Errno>) -> Result<bool, Errno> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Whether the caller (its effective user) may do all that `access` names in the directory.
pub(crate) fn may(dir: BorrowedFd<'_>, access: Access) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::accessat(dir, c".", access, AtFlags::EACCESS))
}

/// Gives every name in the directory but `.` and `..` to `each`, in the order of the disk.
///
/// The directory is opened anew: descriptors that threads share also share their position.
pub(crate) fn for_each_name(
    dir: BorrowedFd<'_>,
    mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), Errno> {
    let own = open_at(dir, OsStr::new("."))?;
    let mut buffer: Vec<u8> = Vec::with_capacity(64 * 1024);
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let mut entries = RawDir::new(own, spare);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") && each(name).is_break() {
            break;
        }
    }
    Ok(())
}
