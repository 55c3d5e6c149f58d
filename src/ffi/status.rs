//! # Statuses
//!
//! Only 0 is success. A positive status is something that is expected to happen: it sets no error.
//! A negative one is a failure and sets the error. The numbers are never used for anything else.

use std::ffi::{CStr, c_char};

use crate::ErrorKind;

/// Done, and as durable as was asked for.
pub const MULTISPOOL_OK: i32 = 0;
/// There is nothing (more) to give.
pub const MULTISPOOL_EMPTY: i32 = 1;
/// The stop was triggered; nothing was taken.
pub const MULTISPOOL_STOPPED: i32 = 2;
/// The time is over; nothing was taken.
pub const MULTISPOOL_TIMED_OUT: i32 = 3;
/// A signal interrupted the wait (EINTR); nothing was taken. Only waits give it.
pub const MULTISPOOL_INTERRUPTED: i32 = 4;
/// The entry, or the reserved name, is not there (any more): another process may have it.
pub const MULTISPOOL_NOT_FOUND: i32 = 5;
/// The name is in use. What is there was left alone.
pub const MULTISPOOL_NAME_TAKEN: i32 = 6;

/// The system failed a call, for none of the reasons below: see `multispool_error_errno`.
pub const MULTISPOOL_IO: i32 = -1;
/// An argument makes no sense: NULL where that is not allowed, or a number out of range.
pub const MULTISPOOL_INVALID_ARGUMENT: i32 = -2;
/// A name cannot be the name of an entry or a queue. The disk was not touched.
pub const MULTISPOOL_INVALID_NAME: i32 = -3;
/// The directory is not a spool, or is not a directory.
pub const MULTISPOOL_NOT_A_SPOOL: i32 = -4;
/// A spool cannot be created in a directory that holds other things.
pub const MULTISPOOL_NOT_EMPTY: i32 = -5;
/// The queue is not among those that the spool was opened with.
pub const MULTISPOOL_UNKNOWN_QUEUE: i32 = -6;
/// The entry is damaged: no data, not a regular file, or in two places. The others are not affected.
pub const MULTISPOOL_CORRUPT: i32 = -7;
/// The handle was used up by a save, remove, release or commit.
pub const MULTISPOOL_FINISHED: i32 = -8;
/// The handle was made before a fork and belongs to the parent process.
pub const MULTISPOOL_FORKED: i32 = -9;
/// The spool or the caller asks for something that this version does not know, or cannot do here.
pub const MULTISPOOL_UNSUPPORTED: i32 = -10;
/// The disk, the quota or the inodes are used up.
pub const MULTISPOOL_NO_SPACE: i32 = -11;
/// A permission is lacking, or the spool was opened read-only.
pub const MULTISPOOL_PERMISSION: i32 = -12;
/// What must be there is not: the spool, one of its directories, or the entry to be checked out.
pub const MULTISPOOL_MISSING: i32 = -13;
/// The entry was taken away from its holder. Nothing was changed.
pub const MULTISPOOL_LOST_OWNERSHIP: i32 = -14;
/// Done and visible, but not known to survive the loss of power. Do not do it again.
pub const MULTISPOOL_NOT_DURABLE: i32 = -15;
/// The process or the system has no file descriptor left.
pub const MULTISPOOL_DESCRIPTORS: i32 = -16;
/// A name generator gave 1,000 names that were all taken.
pub const MULTISPOOL_NAMES_EXHAUSTED: i32 = -17;
/// A bug in this library. The handle refuses further use; free it.
pub const MULTISPOOL_PANIC: i32 = -99;

/// The status of an error: a new kind does not compile until it has its number here.
pub(super) fn of(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::NotFound => MULTISPOOL_NOT_FOUND,
        ErrorKind::NameTaken => MULTISPOOL_NAME_TAKEN,
        ErrorKind::Interrupted => MULTISPOOL_INTERRUPTED,
        ErrorKind::Io => MULTISPOOL_IO,
        ErrorKind::InvalidArgument => MULTISPOOL_INVALID_ARGUMENT,
        ErrorKind::InvalidName => MULTISPOOL_INVALID_NAME,
        ErrorKind::NotASpool => MULTISPOOL_NOT_A_SPOOL,
        ErrorKind::NotEmpty => MULTISPOOL_NOT_EMPTY,
        ErrorKind::UnknownQueue => MULTISPOOL_UNKNOWN_QUEUE,
        ErrorKind::Corrupt => MULTISPOOL_CORRUPT,
        ErrorKind::Finished => MULTISPOOL_FINISHED,
        ErrorKind::Forked => MULTISPOOL_FORKED,
        ErrorKind::Unsupported => MULTISPOOL_UNSUPPORTED,
        ErrorKind::NoSpace => MULTISPOOL_NO_SPACE,
        ErrorKind::Permission => MULTISPOOL_PERMISSION,
        ErrorKind::Missing => MULTISPOOL_MISSING,
        ErrorKind::LostOwnership => MULTISPOOL_LOST_OWNERSHIP,
        ErrorKind::NotDurable => MULTISPOOL_NOT_DURABLE,
        ErrorKind::Descriptors => MULTISPOOL_DESCRIPTORS,
        ErrorKind::NamesExhausted => MULTISPOOL_NAMES_EXHAUSTED,
    }
}

fn name(status: i32) -> &'static CStr {
    match status {
        MULTISPOOL_OK => c"OK",
        MULTISPOOL_EMPTY => c"EMPTY",
        MULTISPOOL_STOPPED => c"STOPPED",
        MULTISPOOL_TIMED_OUT => c"TIMED_OUT",
        MULTISPOOL_INTERRUPTED => c"INTERRUPTED",
        MULTISPOOL_NOT_FOUND => c"NOT_FOUND",
        MULTISPOOL_NAME_TAKEN => c"NAME_TAKEN",
        MULTISPOOL_IO => c"IO",
        MULTISPOOL_INVALID_ARGUMENT => c"INVALID_ARGUMENT",
        MULTISPOOL_INVALID_NAME => c"INVALID_NAME",
        MULTISPOOL_NOT_A_SPOOL => c"NOT_A_SPOOL",
        MULTISPOOL_NOT_EMPTY => c"NOT_EMPTY",
        MULTISPOOL_UNKNOWN_QUEUE => c"UNKNOWN_QUEUE",
        MULTISPOOL_CORRUPT => c"CORRUPT",
        MULTISPOOL_FINISHED => c"FINISHED",
        MULTISPOOL_FORKED => c"FORKED",
        MULTISPOOL_UNSUPPORTED => c"UNSUPPORTED",
        MULTISPOOL_NO_SPACE => c"NO_SPACE",
        MULTISPOOL_PERMISSION => c"PERMISSION",
        MULTISPOOL_MISSING => c"MISSING",
        MULTISPOOL_LOST_OWNERSHIP => c"LOST_OWNERSHIP",
        MULTISPOOL_NOT_DURABLE => c"NOT_DURABLE",
        MULTISPOOL_DESCRIPTORS => c"DESCRIPTORS",
        MULTISPOOL_NAMES_EXHAUSTED => c"NAMES_EXHAUSTED",
        MULTISPOOL_PANIC => c"PANIC",
        _ => c"UNKNOWN",
    }
}

/// The name of a status without its prefix, such as "NOT_FOUND"; "UNKNOWN" for any other number.
/// It lives for ever; do not free it.
///
/// # Safety
/// None is needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_status_name(status: i32) -> *const c_char {
    name(status).as_ptr()
}
