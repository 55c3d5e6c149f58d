//! What comes from C, checked before it is believed.

use std::collections::HashSet;
use std::ffi::{CStr, OsStr, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::time::Duration;

use super::guard::Failure;
use super::handle::Handle;
use crate::{Durability, Error, ErrorKind};

/// How many pointers an array can have.
const fn most_slots<T>() -> usize {
    isize::MAX as usize / size_of::<*mut T>()
}

/// Sets each pointer of an array to NULL, before anything is refused. What can be no array is left to
/// [`Call::slots`].
///
/// # Safety
/// `slots` is NULL, or points to `count` pointers that nobody else uses.
pub(super) unsafe fn clear_slots<T>(slots: *mut *mut T, count: usize) {
    if slots.is_null() || count > most_slots::<T>() {
        return;
    }
    for index in 0..count {
        // SAFETY: one of `count` pointers as the caller promises; it need not be initialised.
        unsafe { slots.add(index).write(ptr::null_mut()) };
    }
}

/// The call in hand: it gives its name to what it refuses.
pub(super) struct Call {
    pub(super) operation: &'static str,
}

impl Call {
    pub(super) fn new(operation: &'static str) -> Call {
        Call { operation }
    }

    pub(super) fn refuse(&self, reason: impl Into<String>) -> Failure {
        self.fail(ErrorKind::InvalidArgument, reason)
    }

    pub(super) fn fail(&self, kind: ErrorKind, reason: impl Into<String>) -> Failure {
        Failure::Error(Error::plain(kind, self.operation, reason))
    }

    /// A failed write to a stream of ours, which carries the real error inside.
    pub(super) fn write_failed(&self, error: io::Error) -> Failure {
        match error.downcast::<Error>() {
            Ok(error) => Failure::Error(error),
            Err(error) => self.fail(ErrorKind::Io, error.to_string()),
        }
    }

    /// A pointer that must not be NULL.
    pub(super) fn required<T>(&self, pointer: Option<T>, name: &str) -> Result<T, Failure> {
        pointer.ok_or_else(|| self.null(name))
    }

    fn null(&self, name: &str) -> Failure {
        self.refuse(format!("`{name}` is NULL"))
    }

    /// Refuses a handle that a panic spoilt, or that belongs to another process.
    pub(super) fn usable<H: Handle>(&self, handle: &H) -> Result<(), Failure> {
        if handle.state().is_spoilt() {
            return Err(Failure::Spoilt);
        }
        if handle.state().is_foreign() {
            let reason = format!("`{}` was made before a fork, by another process", H::NAME);
            return Err(self.fail(ErrorKind::Forked, reason));
        }
        Ok(())
    }

    /// A second handle, such as a set of options, that may be NULL.
    pub(super) fn optional<'a, H: Handle>(
        &self,
        handle: Option<&'a H>,
    ) -> Result<Option<&'a H>, Failure> {
        if let Some(handle) = handle {
            self.usable(handle)?;
        }
        Ok(handle)
    }

    /// A C string: any bytes up to its NUL.
    ///
    /// # Safety
    /// `text` is NULL, or a NUL-terminated string that stays unchanged for `'a`.
    pub(super) unsafe fn text<'a>(
        &self,
        text: *const c_char,
        name: &str,
    ) -> Result<&'a OsStr, Failure> {
        if text.is_null() {
            return Err(self.null(name));
        }
        // SAFETY: not NULL; the rest is what the caller promises.
        Ok(OsStr::from_bytes(
            unsafe { CStr::from_ptr(text) }.to_bytes(),
        ))
    }

    /// A C string that must be text.
    ///
    /// # Safety
    /// As [`Call::text`].
    pub(super) unsafe fn utf8<'a>(
        &self,
        text: *const c_char,
        name: &str,
    ) -> Result<&'a str, Failure> {
        // SAFETY: as the caller promises.
        let text = unsafe { self.text(text, name) }?;
        text.to_str()
            .ok_or_else(|| self.refuse(format!("`{name}` is not UTF-8")))
    }

    /// An array of C strings.
    ///
    /// # Safety
    /// `texts` is NULL, or points to `count` pointers, each as [`Call::text`] wants it.
    pub(super) unsafe fn texts<'a>(
        &self,
        texts: *const *const c_char,
        count: usize,
        name: &str,
    ) -> Result<Vec<&'a OsStr>, Failure> {
        if count == 0 {
            return Ok(Vec::new());
        }
        if texts.is_null() {
            return Err(self.null(name));
        }
        if count > isize::MAX as usize / size_of::<*const c_char>() {
            return Err(self.refuse(format!("`{name}` cannot have {count} elements")));
        }
        // SAFETY: not NULL, of a possible size; the rest is what the caller promises.
        let texts = unsafe { std::slice::from_raw_parts(texts, count) };
        texts
            .iter()
            .enumerate()
            // SAFETY: as the caller promises.
            .map(|(index, text)| unsafe { self.text(*text, &format!("{name}[{index}]")) })
            .collect()
    }

    /// An array for pointers that the call gives.
    ///
    /// # Safety
    /// `slots` is NULL, or points to `count` pointers that nobody else uses for `'a`; `clear_slots` had them.
    pub(super) unsafe fn slots<'a, T>(
        &self,
        slots: *mut *mut T,
        count: usize,
        name: &str,
    ) -> Result<&'a mut [*mut T], Failure> {
        if count == 0 {
            return Ok(&mut []);
        }
        if slots.is_null() {
            return Err(self.null(name));
        }
        if count > most_slots::<T>() {
            return Err(self.refuse(format!("`{name}` cannot have {count} elements")));
        }
        // SAFETY: not NULL, of a possible size, initialised; the rest is what the caller promises.
        Ok(unsafe { std::slice::from_raw_parts_mut(slots, count) })
    }

    /// An array of handles, each another one that may be used.
    ///
    /// # Safety
    /// `handles` is NULL, or points to `count` pointers, each NULL or a handle that nobody else uses for `'a`.
    pub(super) unsafe fn handles_mut<'a, H: Handle>(
        &self,
        handles: *const *mut H,
        count: usize,
        name: &str,
    ) -> Result<Vec<&'a mut H>, Failure> {
        if count == 0 {
            return Ok(Vec::new());
        }
        if handles.is_null() {
            return Err(self.null(name));
        }
        if count > isize::MAX as usize / size_of::<*mut H>() {
            return Err(self.refuse(format!("`{name}` cannot have {count} elements")));
        }
        // SAFETY: not NULL, of a possible size; the rest is what the caller promises.
        let handles = unsafe { std::slice::from_raw_parts(handles, count) };
        let mut seen = HashSet::new();
        for (index, handle) in handles.iter().enumerate() {
            if handle.is_null() {
                return Err(self.null(&format!("{name}[{index}]")));
            }
            if !seen.insert(*handle) {
                let reason = format!("`{name}[{index}]` is there a second time");
                return Err(self.refuse(reason));
            }
        }
        handles
            .iter()
            .map(|handle| {
                // SAFETY: not NULL, in the array once, and the caller promises the rest.
                let handle = unsafe { &mut **handle };
                self.usable(handle).map(|()| handle)
            })
            .collect()
    }

    /// Bytes; NULL is fine where there are none.
    ///
    /// # Safety
    /// `bytes` is NULL, or points to `len` bytes that stay unchanged for `'a`.
    pub(super) unsafe fn bytes<'a>(
        &self,
        bytes: *const u8,
        len: usize,
        name: &str,
    ) -> Result<&'a [u8], Failure> {
        if len == 0 {
            return Ok(&[]);
        }
        if bytes.is_null() {
            return Err(self.refuse(format!("`{name}` is NULL, but its length is {len}")));
        }
        if len > isize::MAX as usize {
            return Err(self.refuse(format!("`{name}` cannot have {len} bytes")));
        }
        // SAFETY: not NULL, of a possible size; the rest is what the caller promises.
        Ok(unsafe { std::slice::from_raw_parts(bytes, len) })
    }

    /// A yes or no.
    pub(super) fn flag(&self, value: i32, name: &str) -> Result<bool, Failure> {
        match value {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.refuse(format!("`{name}` is {other}, not 0 or 1"))),
        }
    }

    /// A time in milliseconds, not negative.
    pub(super) fn milliseconds(&self, value: i64, name: &str) -> Result<Duration, Failure> {
        u64::try_from(value)
            .map(Duration::from_millis)
            .map_err(|_| self.refuse(format!("`{name}` is {value}, a negative time")))
    }

    /// How long to wait, in milliseconds: -1 for ever.
    pub(super) fn timeout(&self, ms: i64) -> Result<Option<Duration>, Failure> {
        match ms {
            -1 => Ok(None),
            ms => self.milliseconds(ms, "timeout_ms").map(Some),
        }
    }

    /// A `MULTISPOOL_DURABILITY_` number.
    pub(super) fn durability(&self, value: i32) -> Result<Durability, Failure> {
        use super::spool::{
            MULTISPOOL_DURABILITY_FULL, MULTISPOOL_DURABILITY_NONE, MULTISPOOL_DURABILITY_ORIGINAL,
        };
        match value {
            MULTISPOOL_DURABILITY_NONE => Ok(Durability::None),
            MULTISPOOL_DURABILITY_ORIGINAL => Ok(Durability::Original),
            MULTISPOOL_DURABILITY_FULL => Ok(Durability::Full),
            other => Err(self.refuse(format!("{other} is no durability"))),
        }
    }
}
