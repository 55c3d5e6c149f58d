//! # Names
//!
//! A list of names, read one by one.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use super::error::multispool_error;
use super::guard::{free, on_mut};
use super::handle::{State, c_string, handle};
use super::status::{MULTISPOOL_EMPTY, MULTISPOOL_OK};
use crate::Result;

/// A cursor over names.
/// One thread at a time.
pub struct multispool_names {
    state: State,
    names: Box<dyn Iterator<Item = Result<Vec<u8>>> + Send>,
    current: CString,
}
handle!(multispool_names, "names");

impl multispool_names {
    pub(super) fn new(
        names: impl Iterator<Item = Result<Vec<u8>>> + Send + 'static,
    ) -> multispool_names {
        multispool_names {
            state: State::of_this_process(),
            names: Box::new(names),
            current: CString::default(),
        }
    }
}

/// The next name.
///
/// Gives: OK; EMPTY at the end, each time; FORKED; IO, PERMISSION.
/// `*name` is borrowed until the next call with these names, or until they are freed.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_names_next(
    names: Option<&mut multispool_names>,
    name: Option<&mut MaybeUninit<*const c_char>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let name = name.map(|slot| slot.write(ptr::null()));
    on_mut("names", names, error, |call, names| {
        let name = call.required(name, "name")?;
        match names.names.next() {
            None => Ok(MULTISPOOL_EMPTY),
            Some(next) => {
                names.current = c_string(next?);
                *name = names.current.as_ptr();
                Ok(MULTISPOOL_OK)
            }
        }
    })
}

/// Frees the names. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_names_free(names: Option<Box<multispool_names>>) {
    free(names);
}
