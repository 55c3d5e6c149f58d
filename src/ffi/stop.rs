//! # Stops
//!
//! A stop ends waits: those that go on in any thread, and those that begin later.

use std::mem::MaybeUninit;

use super::error::multispool_error;
use super::guard::{Out, free, get, run};
use super::handle::{State, handle};
use super::status::{MULTISPOOL_INVALID_ARGUMENT, MULTISPOOL_OK};
use crate::Stop;

/// A signal to end waits.
/// Shareable. In a forked child it is the child's own: a trigger there wakes no one here.
pub struct multispool_stop {
    state: State,
    pub(super) stop: Stop,
}
handle!(multispool_stop, "stop");

/// Makes a stop that is not triggered.
///
/// Gives: OK; DESCRIPTORS; IO.
/// `*stop` is the caller's: `multispool_stop_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stop_create(
    stop: Option<&mut MaybeUninit<*mut multispool_stop>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(stop);
    run("stop", error, |call| {
        out.check(call, "stop")?;
        out.give(multispool_stop {
            state: State::of_any_process(),
            stop: Stop::new()?,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Ends every wait that was given this stop, now and from now on. From any thread, and from a signal
/// handler: it is async-signal-safe.
///
/// Gives: OK, also when it was triggered before; INVALID_ARGUMENT for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stop_trigger(stop: Option<&multispool_stop>) -> i32 {
    // Not through the guard, which may allocate: one write to a descriptor cannot panic.
    match stop {
        None => MULTISPOOL_INVALID_ARGUMENT,
        Some(stop) => {
            stop.stop.trigger();
            MULTISPOOL_OK
        }
    }
}

/// 1 once it was triggered, else 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stop_triggered(stop: Option<&multispool_stop>) -> i32 {
    get(stop, 0, |stop| i32::from(stop.stop.is_triggered()))
}

/// Frees a stop. NULL is fine. No wait may still have it, and no signal handler may trigger it any more.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stop_free(stop: Option<Box<multispool_stop>>) {
    free(stop);
}
