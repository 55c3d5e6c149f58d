//! # Buffers
//!
//! Bytes that the library allocated, for results that may be large.

use std::mem::MaybeUninit;
use std::ptr;

use super::guard::{free, get};
use super::handle::{State, handle};

/// Owned bytes.
/// Shareable: it never changes.
pub struct multispool_buffer {
    state: State,
    bytes: Vec<u8>,
    len: usize,
}
handle!(multispool_buffer, "buffer");

impl multispool_buffer {
    pub(super) fn new(bytes: Vec<u8>) -> multispool_buffer {
        multispool_buffer {
            state: State::of_any_process(),
            len: bytes.len(),
            bytes,
        }
    }

    /// Text, readable as a C string too: a NUL follows, not counted in its length.
    pub(super) fn text(text: &[u8]) -> multispool_buffer {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text);
        bytes.push(0);
        multispool_buffer {
            state: State::of_any_process(),
            len: text.len(),
            bytes,
        }
    }
}

/// A pointer to bytes that is valid even where there are none.
pub(super) fn pointer(bytes: &[u8]) -> *const u8 {
    static NONE: u8 = 0;
    if bytes.is_empty() {
        &raw const NONE
    } else {
        bytes.as_ptr()
    }
}

/// The bytes, and in `*len` (which may be NULL) how many. Never NULL, not even for no bytes; NULL and 0
/// for NULL. Borrowed until the buffer is freed.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_buffer_data(
    buffer: Option<&multispool_buffer>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const u8 {
    if let Some(len) = len {
        len.write(get(buffer, 0, |buffer| buffer.len));
    }
    get(buffer, ptr::null(), |buffer| pointer(&buffer.bytes))
}

/// Frees a buffer. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_buffer_free(buffer: Option<Box<multispool_buffer>>) {
    free(buffer);
}
