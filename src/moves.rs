//! The move of an entry's file, by one rename.
//!
//! Among several hosts a rename that was answered proves nothing: a kernel that remembers source and target as one file
//! says yes without asking anybody, and a reply may be lost and the request made twice. So both ends are looked at.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::layout;
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::spool::Spool;
use crate::sys::rename::{self, Place};
use crate::sys::{file, sync};

/// How often it is looked whether a file that was moved is gone from where it was.
const LOOKS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Whether what this host sees may not be what is so.
fn is_verified(spool: &Spool) -> bool {
    spool.is_shared_between_hosts() && !omit::is_out(Step::ClaimByLink)
}

/// Moves; `EXIST` if the target is there, `NOENT` if the source is not, `STALE` if what this host sees does not agree.
/// The caller owns the name.
pub(crate) fn without_clobbering(
    spool: &Spool,
    from: Place<'_>,
    to: Place<'_>,
) -> Result<(), Errno> {
    if !is_verified(spool) {
        return rename::without_clobbering(from, to);
    }
    let moving = file::stat_at(from.0, from.1)?;
    match file::stat_at(to.0, to.1) {
        Ok(there) if !file::same(&there, &moving) => return Err(Errno::EXIST),
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    verified(from, to, &moving)
}

/// Gives a new file, of a temporary name, its place; `EXIST` if the target is there. The temporary name may be left.
///
/// Among several hosts by a link: a rename that comes later than its lease would replace what has come there since.
pub(crate) fn publish(spool: &Spool, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    if !is_verified(spool) {
        return rename::without_clobbering(from, to);
    }
    let new = file::stat_at(from.0, from.1)?;
    let Err(errno) = file::link_to(from, to) else {
        return Ok(());
    };
    match file::stat_at(to.0, to.1) {
        // An earlier request of this call did it, and its reply was lost.
        Ok(there) if file::same(&there, &new) => Ok(()),
        _ => Err(errno),
    }
}

/// Moves, and replaces what is there; `NOENT` if nothing is.
pub(crate) fn replacing(spool: &Spool, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
    if !is_verified(spool) {
        return rename::exchanging(from, to);
    }
    let moving = file::stat_at(from.0, from.1)?;
    file::stat_at(to.0, to.1)?;
    verified(from, to, &moving)
}

/// Swaps two files; `NOENT` if either is not there. `entry` is whose they are.
pub(crate) fn exchanging(
    spool: &Spool,
    entry: &EntryName,
    from: Place<'_>,
    to: Place<'_>,
) -> Result<(), Errno> {
    if !is_verified(spool) {
        return rename::exchanging(from, to);
    }
    let second = layout::temporary(entry);
    let second = (from.0, &*second);
    file::link_to(to, second)?;
    let exchanged = replacing(spool, from, to).and_then(|()| rename::plain(second, from));
    if exchanged.is_err() {
        // The first error is the one to tell; what is left is a temporary file, which the monitor names.
        let _ = file::unlink(second.0, second.1);
    }
    exchanged
}

fn verified(from: Place<'_>, to: Place<'_>, moving: &Stat) -> Result<(), Errno> {
    match rename::plain(from, to) {
        Ok(()) if omit::is_out(Step::VerifyMove) => return Ok(()),
        // Or an earlier request of this call did it, and its reply was lost.
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    let mut pause = FIRST_PAUSE;
    for _ in 0..LOOKS {
        match file::stat_at(from.0, from.1) {
            Err(Errno::NOENT) => {
                let target = file::open_read(to.0, to.1)?;
                return match file::same(&file::stat(target.as_fd())?, moving) {
                    true => Ok(()),
                    // Somebody else moved it on.
                    false => Err(Errno::NOENT),
                };
            }
            Err(errno) => return Err(errno),
            // The rename was not asked for, or is not seen yet; or it is there again, as another's.
            Ok(_) => sync::pause(pause),
        }
        pause *= 2;
    }
    // To be made again by who has seen first that the entry is its own still.
    Err(Errno::STALE)
}
