//! The one guard that every export runs in: it clears the error, checks the handle, stops a panic at
//! the border, and turns the answer into a status.

use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::argument::Call;
use super::error::multispool_error;
use super::handle::Handle;
use crate::Error;
use crate::omit::panic_if_asked;

/// A status that is no failure, or the failure.
pub(super) type Answer = Result<i32, Failure>;

pub(super) type ErrorSlot<'a> = Option<&'a mut MaybeUninit<*mut multispool_error>>;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    Error(Error),
    /// An earlier call on the handle panicked.
    Spoilt,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// Runs a call that is on no handle.
pub(super) fn run(
    operation: &'static str,
    error: ErrorSlot<'_>,
    body: impl FnOnce(&Call) -> Answer,
) -> i32 {
    run_guarded(operation, error, |call| {
        panic_if_asked();
        body(call)
    })
}

fn run_guarded(
    operation: &'static str,
    error: ErrorSlot<'_>,
    body: impl FnOnce(&Call) -> Answer,
) -> i32 {
    let slot = error.map(|slot| slot.write(ptr::null_mut()));
    let failure = match caught(|| body(&Call::new(operation))) {
        Ok(Ok(status)) => return status,
        Ok(Err(Failure::Error(error))) => multispool_error::new(&error),
        Ok(Err(Failure::Spoilt)) => {
            multispool_error::panic(operation, "a bug stopped an earlier call on this handle")
        }
        Err(message) => multispool_error::panic(operation, &message),
    };
    let status = failure.status;
    // What is expected to happen is told by its number alone.
    if let (Some(slot), true) = (slot, status < 0) {
        *slot = Box::into_raw(Box::new(failure));
    }
    status
}

/// Runs a call on a handle that threads may share.
pub(super) fn on<H: Handle>(
    operation: &'static str,
    handle: Option<&H>,
    error: ErrorSlot<'_>,
    body: impl FnOnce(&Call, &H) -> Answer,
) -> i32 {
    run_guarded(operation, error, |call| {
        let handle = call.required(handle, H::NAME)?;
        call.usable(handle)?;
        catch_unwind(AssertUnwindSafe(|| {
            panic_if_asked();
            body(call, handle)
        }))
        .unwrap_or_else(|panic| {
            handle.state().spoil();
            resume_unwind(panic)
        })
    })
}

/// Runs a call on a handle that one thread uses at a time.
pub(super) fn on_mut<H: Handle>(
    operation: &'static str,
    handle: Option<&mut H>,
    error: ErrorSlot<'_>,
    body: impl FnOnce(&Call, &mut H) -> Answer,
) -> i32 {
    run_guarded(operation, error, |call| {
        let handle = call.required(handle, H::NAME)?;
        call.usable(handle)?;
        catch_unwind(AssertUnwindSafe(|| {
            panic_if_asked();
            body(call, handle)
        }))
        .unwrap_or_else(|panic| {
            handle.state().spoil();
            resume_unwind(panic)
        })
    })
}

/// Reads from a handle; `absent` where there is none, or where a panic spoilt it.
pub(super) fn get<'a, H: Handle, R>(
    handle: Option<&'a H>,
    absent: R,
    body: impl FnOnce(&'a H) -> R,
) -> R {
    match handle {
        Some(handle) if !handle.state().is_spoilt() => caught(|| {
            panic_if_asked();
            body(handle)
        })
        .unwrap_or(absent),
        _ => absent,
    }
}

/// Drops a handle that C gives back; a panic in it leaks the rest.
pub(super) fn free<T>(handle: Option<Box<T>>) {
    let _ = caught(move || {
        panic_if_asked();
        drop(handle);
    });
}

/// An output that takes a handle: NULL from the start of the call.
pub(super) struct Out<'a, T>(Option<&'a mut *mut T>);

impl<'a, T> Out<'a, T> {
    pub(super) fn clear(slot: Option<&'a mut MaybeUninit<*mut T>>) -> Out<'a, T> {
        Out(slot.map(|slot| slot.write(ptr::null_mut())))
    }

    /// Refuses NULL, before anything is done that would be lost with it.
    pub(super) fn check(&self, call: &Call, name: &str) -> Result<(), Failure> {
        call.required(self.0.as_ref(), name).map(drop)
    }

    /// Whether the caller wants it.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Makes the caller the owner of `value`.
    pub(super) fn give(self, value: T) {
        if let Some(slot) = self.0 {
            *slot = Box::into_raw(Box::new(value));
        }
    }
}

thread_local! {
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `body`; a panic becomes its message and place.
fn caught<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    keep_panics_quiet();
    IN_CALL.set(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    IN_CALL.set(false);
    result.map_err(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        format!("{message} ({})", PLACE.take())
    })
}

/// The standard hook prints to a stderr that is not ours. Other panics still go to the hook before.
fn keep_panics_quiet() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.load(Ordering::Relaxed) || INSTALLED.swap(true, Ordering::Relaxed) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !IN_CALL.get() {
            return before(info);
        }
        if let Some(place) = info.location() {
            PLACE.set(place.to_string());
        }
    }));
}

#[cfg(test)]
#[allow(clippy::panic, reason = "panics are the subject")]
mod tests {
    use super::*;
    use crate::ffi::handle::{State, handle};
    use crate::ffi::status::{MULTISPOOL_OK, MULTISPOOL_PANIC};
    use std::ffi::CStr;

    struct Probe {
        state: State,
    }
    handle!(Probe, "probe");

    fn probe() -> Probe {
        Probe {
            state: State::of_any_process(),
        }
    }

    fn message(error: MaybeUninit<*mut multispool_error>) -> String {
        // SAFETY: `run` has written a box of its own.
        let error = unsafe { Box::from_raw(error.assume_init()) };
        // SAFETY: a valid error.
        let text = unsafe { crate::ffi::error::multispool_error_message(Some(&error)) };
        // SAFETY: the text lives as long as `error`.
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_names_its_place() {
        let mut error = MaybeUninit::uninit();
        let status = run("probe", Some(&mut error), |_| panic!("number {}", 7));
        assert_eq!(status, MULTISPOOL_PANIC);
        let message = message(error);
        assert!(message.starts_with("probe: "), "{message}");
        assert!(message.contains("number 7 (src/ffi/guard.rs:"), "{message}");
    }

    #[test]
    fn a_handle_that_panicked_refuses_further_use() {
        let mut handle = probe();
        assert_eq!(
            on_mut("probe", Some(&mut handle), None, |_, _| panic!("first")),
            MULTISPOOL_PANIC
        );
        assert_eq!(
            on_mut("probe", Some(&mut handle), None, |_, _| Ok(MULTISPOOL_OK)),
            MULTISPOOL_PANIC
        );
        assert_eq!(
            on("probe", Some(&handle), None, |_, _| Ok(MULTISPOOL_OK)),
            MULTISPOOL_PANIC
        );
        assert_eq!(get(Some(&handle), -1, |_| 5), -1);

        let handle = probe();
        assert_eq!(
            on("probe", Some(&handle), None, |_, _| panic!("first")),
            MULTISPOOL_PANIC
        );
        assert_eq!(
            on("probe", Some(&handle), None, |_, _| Ok(MULTISPOOL_OK)),
            MULTISPOOL_PANIC
        );
    }

    #[test]
    fn another_handle_goes_on_after_a_panic() {
        assert_eq!(
            run("probe", None, |_| panic!("elsewhere")),
            MULTISPOOL_PANIC
        );
        assert_eq!(
            on("probe", Some(&probe()), None, |_, _| Ok(MULTISPOOL_OK)),
            MULTISPOOL_OK
        );
        assert_eq!(get(Some(&probe()), -1, |_| 5), 5);
    }

    #[test]
    fn a_panic_while_freeing_stays_inside() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        free(Some(Box::new(Bomb)));
    }
}
