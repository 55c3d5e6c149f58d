//! Files below a directory descriptor. No call follows a symbolic link in the last component.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT,
};
use rustix::io::{Errno, retry_on_intr};

use super::rename::Place;
use crate::omit::{self, Step};

/// Opens for reading. Non-blocking, so that a FIFO in a file's place stops nobody.
pub(crate) fn open_read(dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let nonblocking = match omit::is_out(Step::OpenNonblocking) {
        true => OFlags::empty(),
        false => OFlags::NONBLOCK,
    };
    open(dir, name, OFlags::RDONLY | nonblocking, Mode::empty())
}

/// How often a name that is given to one file after the other is opened.
const LOOKS: usize = 64;

/// Why a file is left alone.
pub(crate) enum Refused {
    System(Errno),
    /// See [`oddity`].
    Odd(&'static str),
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Refused {
        match errno {
            Errno::LOOP => Refused::Odd(SYMBOLIC_LINK),
            Errno::NXIO => Refused::Odd(NOT_REGULAR),
            errno => Refused::System(errno),
        }
    }
}

/// Opens for reading what lies under the name, if it is a regular file and this is its one name.
pub(crate) fn open_own(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(OwnedFd, Stat), Refused> {
    open_unless(dir, name, oddity)
}

/// Opens for reading what lies under the name, unless it is odd.
pub(crate) fn open_unless(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    oddity: impl Fn(&Stat) -> Option<&'static str>,
) -> Result<(OwnedFd, Stat), Refused> {
    for _ in 0..LOOKS {
        let file = open_read(dir, name)?;
        let opened = stat(file.as_fd())?;
        if let Some(oddity) = oddity(&opened) {
            return Err(Refused::Odd(oddity));
        }
        if omit::is_out(Step::StillNamed) || omit::is_out(Step::RegularOnly) {
            return Ok((file, opened));
        }
        // The one name may be another one, if this one was taken from the file since it was opened.
        let named = stat_at(dir, name)?;
        if same(&named, &opened) {
            return match oddity(&named) {
                Some(oddity) => Err(Refused::Odd(oddity)),
                None => Ok((file, opened)),
            };
        }
    }
    Err(Refused::Odd(
        "its name is given to one file after the other",
    ))
}

/// Opens for reading and writing.
pub(crate) fn open_write(dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    open(dir, name, OFlags::RDWR | OFlags::NONBLOCK, Mode::empty())
}

/// Opens only to name the file: for its status, whatever its permissions.
pub(crate) fn open_path_only(dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    open(dir, name, OFlags::PATH, Mode::empty())
}

/// Takes the non-blocking flag off again, for a descriptor that goes to a caller.
pub(crate) fn make_blocking(file: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)
}

/// Creates a file that was not there before.
pub(crate) fn create_new(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    mode: Option<u32>,
    group: Option<u32>,
) -> Result<OwnedFd, Errno> {
    let file = open(
        dir,
        name,
        OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
        Mode::from_raw_mode(0o666),
    )?;
    match set_mode_and_group(file.as_fd(), mode, group) {
        Ok(()) => Ok(file),
        Err(errno) => {
            let _ = unlink(dir, name);
            Err(errno)
        }
    }
}

/// Gives what was just made the mode and group that it was told to have.
pub(crate) fn set_mode_and_group(
    file: BorrowedFd<'_>,
    mode: Option<u32>,
    group: Option<u32>,
) -> Result<(), Errno> {
    if let Some(group) = group {
        let group = Some(rustix::fs::Gid::from_raw(group));
        retry_on_intr(|| rustix::fs::fchown(file, None, group))?;
    }
    if let Some(mode) = mode {
        retry_on_intr(|| rustix::fs::fchmod(file, Mode::from_raw_mode(mode)))?;
    }
    Ok(())
}

fn open(dir: BorrowedFd<'_>, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let follow = match omit::is_out(Step::RegularOnly) {
        true => OFlags::empty(),
        false => OFlags::NOFOLLOW,
    };
    let flags = flags | OFlags::CLOEXEC | follow;
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, mode))
}

/// What the descriptor's file is.
pub(crate) fn stat(file: BorrowedFd<'_>) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::fstat(file))
}

/// What the file is, in the standard library's words.
pub(crate) fn metadata(file: OwnedFd) -> io::Result<Metadata> {
    let file = File::from(file);
    loop {
        match file.metadata() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// What lies under the name, a symbolic link itself included.
pub(crate) fn stat_at(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW))
}

/// Whether anything lies under the name.
pub(crate) fn exists(dir: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
    match stat_at(dir, name) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Why a file is not one that a spool would hold; `None` if it is a regular file with one name.
pub(crate) fn oddity(stat: &Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        _ if omit::is_out(Step::RegularOnly) => None,
        FileType::RegularFile if stat.st_nlink <= 1 => None,
        FileType::RegularFile => Some("the file has more than one hard link"),
        FileType::Symlink => Some(SYMBOLIC_LINK),
        FileType::Directory => Some("it is a directory, not a regular file"),
        _ => Some(NOT_REGULAR),
    }
}

const SYMBOLIC_LINK: &str = "it is a symbolic link, not a regular file";
const NOT_REGULAR: &str = "it is not a regular file";

/// Whether both are the same file.
pub(crate) fn same(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// Reads from the descriptor's position to the end; `expected` bytes are likely, and more than `most` are
/// `FBIG`. What cannot have its memory is `NOMEM` before anything is read.
pub(crate) fn read_to_end(
    file: BorrowedFd<'_>,
    expected: u64,
    most: u64,
) -> Result<Vec<u8>, Errno> {
    let is_bounded = !omit::is_out(Step::ReadBound);
    if expected > most && is_bounded {
        return Err(Errno::FBIG);
    }
    let mut contents = Vec::new();
    let capacity = usize::try_from(expected).map_err(|_| Errno::NOMEM)?;
    contents
        .try_reserve_exact(capacity.saturating_add(1))
        .map_err(|_| Errno::NOMEM)?;
    loop {
        if contents.len() as u64 > most && is_bounded {
            return Err(Errno::FBIG);
        }
        if contents.len() == contents.capacity() {
            contents
                .try_reserve(contents.len().max(4096))
                .map_err(|_| Errno::NOMEM)?;
        }
        let spare = rustix::buffer::spare_capacity(&mut contents);
        let read = retry_on_intr_once(|| rustix::io::read(file, spare))?;
        // There was room for more than is said to be there, and there was no more.
        let is_all = contents.len() as u64 == expected && contents.len() < contents.capacity();
        if read == Some(0) || read.is_some() && is_all {
            return Ok(contents);
        }
    }
}

/// `None` if a signal came in between: the buffer has been given away, so the caller makes it anew.
fn retry_on_intr_once<T>(call: impl FnOnce() -> Result<T, Errno>) -> Result<Option<T>, Errno> {
    match call() {
        Ok(value) => Ok(Some(value)),
        Err(Errno::INTR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Writes all the bytes.
pub(crate) fn write_all(file: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(_) if omit::is_out(Step::WholeWrite) => return Ok(()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Which side of a [`copy`] failed.
pub(crate) enum CopyFailed {
    Reading(Errno),
    Writing(Errno),
}

/// Copies all that is left of a file, within the kernel where that is possible.
pub(crate) fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), CopyFailed> {
    loop {
        match rustix::fs::copy_file_range(from, None, to, None, 1 << 30) {
            // The end, or a file that does not tell its size: reading finds out.
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
                return Err(CopyFailed::Writing(errno));
            }
            Err(errno @ (Errno::IO | Errno::NOMEM)) => return Err(CopyFailed::Reading(errno)),
            // Not between these two.
            Err(_) => break,
        }
    }
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match retry_on_intr(|| rustix::io::read(from, &mut buffer[..])) {
            Ok(0) => return Ok(()),
            Ok(read) => write_all(to, &buffer[..read]).map_err(CopyFailed::Writing)?,
            Err(errno) => return Err(CopyFailed::Reading(errno)),
        }
    }
}

/// Sets the file's times to now: needs write permission, not ownership.
pub(crate) fn touch(file: BorrowedFd<'_>) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::futimens(file, &NOW))
}

/// Sets the times of what lies under the name to now.
pub(crate) fn touch_at(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::utimensat(dir, name, &NOW, AtFlags::SYMLINK_NOFOLLOW))
}

/// Sets the times of the file of this name to now, if [`open_own`] would open it.
pub(crate) fn touch_own(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(), Refused> {
    match open_own(dir, name) {
        Ok((file, _)) if !omit::is_out(Step::TouchOpened) => Ok(touch(file.as_fd())?),
        // With no descriptor left, the look and the touch are two steps: what is in hand must get out of it.
        Ok(_) | Err(Refused::System(Errno::MFILE | Errno::NFILE)) => {
            match oddity(&stat_at(dir, name)?) {
                Some(oddity) => Err(Refused::Odd(oddity)),
                None => Ok(touch_at(dir, name)?),
            }
        }
        Err(refused) => Err(refused),
    }
}

/// Sets the time at which what lies under the name was last read to now; where that is its owner's alone to do, as
/// [`touch_at`].
pub(crate) fn touch_accessed(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let accessed = Timestamps {
        last_access: NOW.last_access,
        last_modification: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT as _,
        },
    };
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    match retry_on_intr(|| rustix::fs::utimensat(dir, name, &accessed, flags)) {
        Err(Errno::PERM | Errno::ACCESS) => touch_at(dir, name),
        touched => touched,
    }
}

const NOW: Timestamps = Timestamps {
    last_access: Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW as _,
    },
    last_modification: Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW as _,
    },
};

/// Removes the name of a file.
pub(crate) fn unlink(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::unlinkat(dir, name, AtFlags::empty()))
}

/// Gives a file a second name, in the same directory or another; fails if that name is there.
pub(crate) fn link_to(file: Place<'_>, second: Place<'_>) -> Result<(), Errno> {
    let flags = AtFlags::empty();
    retry_on_intr(|| rustix::fs::linkat(file.0, file.1, second.0, second.1, flags))
}

/// Gives a file a second name; fails if that name is there.
pub(crate) fn link(dir: BorrowedFd<'_>, name: &OsStr, second: &OsStr) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::linkat(dir, name, dir, second, AtFlags::empty()))
}
