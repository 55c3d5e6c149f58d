//! What all handles have in common: they may be spoilt by a panic, and some belong to one process.

use std::ffi::{CString, c_char};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::fork;
use crate::{EntryName, QueueName};

/// An opaque type of the ABI.
pub(super) trait Handle {
    /// The parameter's name in the header, for messages.
    const NAME: &'static str;

    fn state(&self) -> &State;
}

/// Whether a handle may be used, here and now.
pub(super) struct State {
    panicked: AtomicBool,
    /// The generation of processes that it was made in, where a child of that must not use it.
    owner: Option<u64>,
}

impl State {
    /// For a handle that a forked child may use.
    pub(super) fn of_any_process() -> State {
        State {
            panicked: AtomicBool::new(false),
            owner: None,
        }
    }

    /// For a handle that answers `FORKED` in a child.
    pub(super) fn of_this_process() -> State {
        State {
            panicked: AtomicBool::new(false),
            owner: Some(fork::generation()),
        }
    }

    pub(super) fn spoil(&self) {
        self.panicked.store(true, Ordering::Release);
    }

    pub(super) fn is_spoilt(&self) -> bool {
        self.panicked.load(Ordering::Acquire)
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.owner.is_some_and(|owner| owner != fork::generation())
    }
}

macro_rules! handle {
    ($type:ident, $name:literal) => {
        impl $crate::ffi::handle::Handle for $type {
            const NAME: &'static str = $name;

            fn state(&self) -> &$crate::ffi::handle::State {
                &self.state
            }
        }
    };
}
pub(super) use handle;

/// The name as C wants it, for as long as the name is there.
pub(super) fn c_name(name: &EntryName) -> *const c_char {
    name.as_terminated().as_ptr().cast()
}

/// As [`c_name`].
pub(super) fn c_queue(name: &QueueName) -> *const c_char {
    name.as_terminated().as_ptr().cast()
}

/// The bytes as C wants them; nothing that comes from a path or a C string has a NUL inside, and what
/// did would end there.
pub(super) fn c_string(bytes: impl Into<Vec<u8>>) -> CString {
    CString::new(bytes).unwrap_or_else(|error| {
        let end = error.nul_position();
        let mut bytes = error.into_vec();
        bytes.truncate(end);
        CString::new(bytes).unwrap_or_default()
    })
}
