//! # Limits
//!
//! What problems are judged by: from when on something is too old, which is strictly older than the limit by
//! the time of the file's last change; and how much room there must be.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use super::argument::Call;
use super::buffer::multispool_buffer;
use super::error::multispool_error;
use super::guard::{Answer, Failure, Out, free, get, on, on_mut, run};
use super::handle::{State, c_string, handle};
use super::status::MULTISPOOL_OK;
use super::time::milliseconds;
use crate::{Limits, QueueName};

/// From when on something is too old, or too little.
/// One thread at a time; calls that read the same limits at once are fine.
pub struct multispool_limits {
    state: State,
    limits: Limits,
    /// The queues that have a limit, as C wants them.
    queues: Vec<CString>,
}
handle!(multispool_limits, "limits");

impl multispool_limits {
    pub(super) fn new(limits: Limits) -> multispool_limits {
        let queues = limits.max_queue_ages.iter();
        multispool_limits {
            state: State::of_any_process(),
            queues: queues
                .map(|(queue, _)| c_string(queue.as_bytes()))
                .collect(),
            limits,
        }
    }

    fn set(&mut self, change: impl FnOnce(Limits) -> Limits) -> Answer {
        *self = multispool_limits::new(change(std::mem::take(&mut self.limits)));
        Ok(MULTISPOOL_OK)
    }
}

/// The limits that a call was given; the defaults for NULL.
pub(super) fn given(call: &Call, limits: Option<&multispool_limits>) -> Result<Limits, Failure> {
    Ok(call
        .optional(limits)?
        .map(|limits| limits.limits.clone())
        .unwrap_or_default())
}

/// Makes limits, each at its default.
///
/// Gives: OK.
/// `*limits` is the caller's: `multispool_limits_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_new(
    limits: Option<&mut MaybeUninit<*mut multispool_limits>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(limits);
    run("limits", error, |call| {
        out.check(call, "limits")?;
        out.give(multispool_limits::new(Limits::new()));
        Ok(MULTISPOOL_OK)
    })
}

/// Makes limits from JSON, as `multispool_limits_to_json` gives it. What is left out has its default.
///
/// Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, an unknown key, a value that is none; INVALID_NAME
/// for a queue.
/// `*limits` is the caller's: `multispool_limits_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_from_json(
    json: *const c_char,
    limits: Option<&mut MaybeUninit<*mut multispool_limits>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(limits);
    run("limits", error, |call| {
        // SAFETY: a string as the caller promises.
        let json = unsafe { call.utf8(json, "json") }?;
        out.check(call, "limits")?;
        out.give(multispool_limits::new(Limits::from_json(json)?));
        Ok(MULTISPOOL_OK)
    })
}

/// The limits as JSON, in one line: `{"max_checked_out_age":"10m",...}`. The keys are named as the functions
/// below, ages are spans like "15s" or "1h 30m", and `max_queue_ages` has an age for each queue that has one.
///
/// Gives: OK; INVALID_ARGUMENT for a queue whose name is not UTF-8, which JSON must be.
/// `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
/// `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_to_json(
    limits: Option<&multispool_limits>,
    json: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(json);
    on("limits", limits, error, |call, limits| {
        out.check(call, "json")?;
        out.give(multispool_buffer::text(limits.limits.to_json()?.as_bytes()));
        Ok(MULTISPOOL_OK)
    })
}

/// How long ago a checked-out entry may have been moved last, in milliseconds. Default: 600,000.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_max_checked_out_age_ms(
    limits: Option<&mut multispool_limits>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |call, limits| {
        let age = call.milliseconds(ms, "ms")?;
        limits.set(|limits| limits.max_checked_out_age(age))
    })
}

/// How old a temporary file may be, in milliseconds. Default: 600,000.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_max_tmp_file_age_ms(
    limits: Option<&mut multispool_limits>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |call, limits| {
        let age = call.milliseconds(ms, "ms")?;
        limits.set(|limits| limits.max_tmp_file_age(age))
    })
}

/// How long an entry may wait in that queue, in milliseconds; a second limit of a queue takes the place of
/// its first. A queue that the spool does not have is no error. Default: no limit for any queue.
///
/// Gives: OK; INVALID_NAME; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_max_queue_age_ms(
    limits: Option<&mut multispool_limits>,
    queue: *const c_char,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |call, limits| {
        // SAFETY: a string as the caller promises.
        let queue = QueueName::new(unsafe { call.text(queue, "queue") }?)?;
        let age = call.milliseconds(ms, "ms")?;
        limits.set(|limits| limits.max_queue_age(queue, age))
    })
}

/// How old a reservation may be whose name is in no queue, in milliseconds. Default: 600,000.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_max_reservation_age_ms(
    limits: Option<&mut multispool_limits>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |call, limits| {
        let age = call.milliseconds(ms, "ms")?;
        limits.set(|limits| limits.max_reservation_age(age))
    })
}

/// How many bytes must be left on the file system for unprivileged users; 0 asks for none. Default: 16 MiB.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_min_free_bytes(
    limits: Option<&mut multispool_limits>,
    bytes: u64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |_, limits| {
        limits.set(|limits| limits.min_free_bytes(bytes))
    })
}

/// How many files there must be room for, where the file system counts them; 0 asks for none.
/// Default: 1,000.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_set_min_free_inodes(
    limits: Option<&mut multispool_limits>,
    inodes: u64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("limits", limits, error, |_, limits| {
        limits.set(|limits| limits.min_free_inodes(inodes))
    })
}

/// How long ago a checked-out entry may have been moved last, in milliseconds; here and below a part of a
/// millisecond counts as a whole one. -1 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_max_checked_out_age_ms(
    limits: Option<&multispool_limits>,
) -> i64 {
    get(limits, -1, |limits| {
        milliseconds(limits.limits.max_checked_out_age)
    })
}

/// How old a temporary file may be, in milliseconds. -1 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_max_tmp_file_age_ms(
    limits: Option<&multispool_limits>,
) -> i64 {
    get(limits, -1, |limits| {
        milliseconds(limits.limits.max_tmp_file_age)
    })
}

/// How many queues have a limit; the two functions below take an index from 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_queue_count(
    limits: Option<&multispool_limits>,
) -> usize {
    get(limits, 0, |limits| limits.queues.len())
}

/// A queue that has a limit. NULL past the end, and for NULL. Borrowed until the limits are changed or freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_queue(
    limits: Option<&multispool_limits>,
    index: usize,
) -> *const c_char {
    get(limits, ptr::null(), |limits| {
        let queue = limits.queues.get(index);
        queue.map_or(ptr::null(), |queue| queue.as_ptr())
    })
}

/// How long an entry may wait in that queue, in milliseconds. -1 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_max_queue_age_ms(
    limits: Option<&multispool_limits>,
    index: usize,
) -> i64 {
    get(limits, -1, |limits| {
        let age = limits.limits.max_queue_ages.get(index);
        age.map_or(-1, |(_, age)| milliseconds(*age))
    })
}

/// How old a reservation may be whose name is in no queue, in milliseconds. -1 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_max_reservation_age_ms(
    limits: Option<&multispool_limits>,
) -> i64 {
    get(limits, -1, |limits| {
        milliseconds(limits.limits.max_reservation_age)
    })
}

/// How many bytes must be left on the file system. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_min_free_bytes(
    limits: Option<&multispool_limits>,
) -> u64 {
    get(limits, 0, |limits| limits.limits.min_free_bytes)
}

/// How many files there must be room for. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_min_free_inodes(
    limits: Option<&multispool_limits>,
) -> u64 {
    get(limits, 0, |limits| limits.limits.min_free_inodes)
}

/// Frees limits. NULL is fine. Monitors made with them are not affected.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_limits_free(limits: Option<Box<multispool_limits>>) {
    free(limits);
}
