//! The files of a spool, opened, read and touched: only regular files whose one name is this one, and no more
//! of them than there is to be room for.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Dir;
use crate::sys::file::{self, Refused};

/// A file of a spool, open for reading, and its status.
pub(crate) struct Opened {
    pub(crate) file: OwnedFd,
    pub(crate) stat: Stat,
}

/// Opens the file of this name; `None` if there is none (any more).
pub(crate) fn open(dir: &Dir, name: &OsStr, operation: &'static str) -> Result<Option<Opened>> {
    open_unless(file::oddity, dir, name, operation)
}

fn open_unless(
    oddity: impl Fn(&Stat) -> Option<&'static str>,
    dir: &Dir,
    name: &OsStr,
    operation: &'static str,
) -> Result<Option<Opened>> {
    let opened = file::open_unless(dir.fd(operation)?, name, oddity);
    let opened = told(opened, dir, name, operation)?;
    Ok(opened.map(|(file, stat)| Opened { file, stat }))
}

/// Sets the times of the file of this name to now; `None` if there is none (any more).
pub(crate) fn touch(dir: &Dir, name: &OsStr, operation: &'static str) -> Result<Option<()>> {
    told(
        file::touch_own(dir.fd(operation)?, name),
        dir,
        name,
        operation,
    )
}

fn told<T>(
    result: std::result::Result<T, Refused>,
    dir: &Dir,
    name: &OsStr,
    operation: &'static str,
) -> Result<Option<T>> {
    match result {
        Ok(had) => Ok(Some(had)),
        Err(Refused::System(Errno::NOENT)) => Ok(None),
        Err(Refused::System(errno)) => Err(Error::system(operation, dir.join(name), errno)),
        Err(Refused::Odd(oddity)) => Err(Error::new(
            ErrorKind::Corrupt,
            operation,
            dir.join(name),
            oddity,
        )),
    }
}

/// Reads the file of this name, of at most `most` bytes: whoever made it chose its size, and a sparse
/// terabyte costs nothing.
pub(crate) fn read(
    dir: &Dir,
    name: &OsStr,
    most: u64,
    operation: &'static str,
) -> Result<Option<(Opened, Vec<u8>)>> {
    read_unless(file::oddity, dir, name, most, operation)
}

/// As [`read`], by another measure of what is odd.
pub(crate) fn read_unless(
    oddity: impl Fn(&Stat) -> Option<&'static str>,
    dir: &Dir,
    name: &OsStr,
    most: u64,
    operation: &'static str,
) -> Result<Option<(Opened, Vec<u8>)>> {
    let Some(opened) = open_unless(oddity, dir, name, operation)? else {
        return Ok(None);
    };
    match file::read_to_end(opened.file.as_fd(), opened.size(), most) {
        Err(Errno::FBIG) => {
            let too_big =
                Error::system_as(ErrorKind::Corrupt, operation, dir.join(name), Errno::FBIG);
            Err(too_big.because(&format!("it holds more than {most} bytes")))
        }
        read => read
            .at(operation, || dir.join(name))
            .map(|contents| Some((opened, contents))),
    }
}

impl Opened {
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or(0)
    }
}
