//! # Errors
//!
//! A function with a last parameter `error` sets it to NULL when it begins, and to an owned error when
//! its status is negative. `error` may be NULL for who wants the status alone. There is no "last error"
//! anywhere: an error belongs to who got it, whatever thread that is.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use super::guard::{free, get};
use super::handle::{State, c_string, handle};
use super::status::{MULTISPOOL_PANIC, of};
use crate::Error;

/// What failed, where, why, and what to do about it.
/// Shareable: it never changes.
pub struct multispool_error {
    state: State,
    pub(super) status: i32,
    errno: i32,
    path: Option<CString>,
    operation: CString,
    message: CString,
    name: Option<CString>,
}
handle!(multispool_error, "error");

impl multispool_error {
    pub(super) fn new(error: &Error) -> multispool_error {
        multispool_error {
            state: State::of_any_process(),
            status: of(error.kind()),
            errno: error.errno().unwrap_or(0),
            path: error
                .path()
                .map(|path| c_string(path.as_os_str().as_bytes())),
            operation: c_string(error.operation()),
            message: c_string(error.to_string()),
            name: error.entry_name().map(|name| c_string(name.as_bytes())),
        }
    }

    pub(super) fn panic(operation: &str, what: &str) -> multispool_error {
        multispool_error {
            state: State::of_any_process(),
            status: MULTISPOOL_PANIC,
            errno: 0,
            path: None,
            operation: c_string(operation),
            message: c_string(format!(
                "{operation}: a bug in multispool: {what}; free the handle and report this"
            )),
            name: None,
        }
    }
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// The status that the function returned with this error. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_status(error: Option<&multispool_error>) -> i32 {
    get(error, 0, |error| error.status)
}

/// The system's error number (see errno(3)); 0 where no system call failed, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_errno(error: Option<&multispool_error>) -> i32 {
    get(error, 0, |error| error.errno)
}

/// The path (or the name) that the failure is about; NULL where there is none, and for NULL.
/// Borrowed until the error is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_path(error: Option<&multispool_error>) -> *const c_char {
    get(error, ptr::null(), |error| pointer(error.path.as_ref()))
}

/// The operation that failed: "enqueue", "checkout" and so on. NULL for NULL.
/// Borrowed until the error is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_operation(
    error: Option<&multispool_error>,
) -> *const c_char {
    get(error, ptr::null(), |error| error.operation.as_ptr())
}

/// One sentence for people: operation, path, reason and what to do. NULL for NULL.
/// Borrowed until the error is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_message(
    error: Option<&multispool_error>,
) -> *const c_char {
    get(error, ptr::null(), |error| error.message.as_ptr())
}

/// With NOT_DURABLE: the name of the entry that is visible. NULL otherwise, and for NULL.
/// Borrowed until the error is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_name(error: Option<&multispool_error>) -> *const c_char {
    get(error, ptr::null(), |error| pointer(error.name.as_ref()))
}

/// Frees an error. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_error_free(error: Option<Box<multispool_error>>) {
    free(error);
}
