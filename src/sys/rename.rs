//! The two renames that a spool needs: one that never clobbers, one that swaps.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;

use rustix::fs::{RenameFlags, renameat, renameat_with};
use rustix::io::{Errno, retry_on_intr};

use super::file;

/// A name below a directory descriptor.
pub(crate) type Place<'a> = (BorrowedFd<'a>, &'a OsStr);

/// Moves; `EXIST` if the target is there.
///
/// Where the file system cannot do that in one step, the target is looked for first. The caller holds
/// the name's lock, so that only a process that takes no locks could come in between.
pub(crate) fn without_clobbering(from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    match no_replace(from, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if file::exists(to.0, to.1)? {
                return Err(Errno::EXIST);
            }
            plain(from, to)
        }
        result => result,
    }
}

/// Swaps two files; `NOENT` if either is not there. Where the file system cannot, the target is looked
/// for first and then replaced, and nothing is left under `from`.
pub(crate) fn exchanging(from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    match swap(from, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if !file::exists(to.0, to.1)? {
                return Err(Errno::NOENT);
            }
            plain(from, to)
        }
        result => result,
    }
}

/// Moves, and replaces what is there.
pub(crate) fn plain(from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    retry_on_intr(|| renameat(from.0, from.1, to.0, to.1))
}

/// Moves; `EXIST` if the target is there. Fails where the file system cannot do that in one step.
pub(crate) fn no_replace(from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    with_flags(from, to, RenameFlags::NOREPLACE)
}

/// Swaps two files. Fails where the file system cannot.
pub(crate) fn swap(from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    with_flags(from, to, RenameFlags::EXCHANGE)
}

fn with_flags(from: Place<'_>, to: Place<'_>, flags: RenameFlags) -> Result<(), Errno> {
    retry_on_intr(|| renameat_with(from.0, from.1, to.0, to.1, flags))
}
