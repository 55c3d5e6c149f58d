//! The library as a C program calls it.

#![allow(unsafe_code, reason = "a foreign interface is the subject")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;

type Handle = *mut c_void;

unsafe extern "C" {
    fn multispool_spool_load(
        dir: *const c_char,
        queues: *const *const c_char,
        count: usize,
        options: Handle,
        spool: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn multispool_spool_free(spool: Handle);
    fn multispool_spool_options_new(options: *mut Handle, error: *mut Handle) -> i32;
    fn multispool_spool_options_set_durability(
        options: Handle,
        level: i32,
        error: *mut Handle,
    ) -> i32;
    fn multispool_spool_options_free(options: Handle);
    fn multispool_enqueue(
        spool: Handle,
        queue: *const c_char,
        metadata: *const u8,
        metadata_len: usize,
        data: *const u8,
        data_len: usize,
        options: Handle,
        entry: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn multispool_entry_free(entry: Handle);
    fn multispool_reader_create(
        spool: Handle,
        queues: *const *const c_char,
        count: usize,
        options: Handle,
        reader: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn multispool_reader_dequeue(
        reader: Handle,
        stop: Handle,
        timeout_ms: i64,
        checkout: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn multispool_reader_free(reader: Handle);
    fn multispool_checkout_metadata(checkout: Handle, len: *mut usize) -> *const u8;
    fn multispool_checkout_remove(checkout: Handle, options: Handle, error: *mut Handle) -> i32;
    fn multispool_checkout_free(checkout: Handle);
}

/// Makes a call that gives a handle.
fn made(call: impl FnOnce(*mut Handle) -> i32) -> Handle {
    let mut handle = null_mut();
    assert_eq!(call(&raw mut handle), 0);
    handle
}

pub struct Spool(Handle);

impl Spool {
    /// The same spool, at the same durability.
    pub fn load(spool: &multispool::Spool) -> Spool {
        let dir = CString::new(spool.dir().as_os_str().as_encoded_bytes()).unwrap();
        let queues = [c"in".as_ptr(), c"out".as_ptr()];
        let level = match spool.durability() {
            multispool::Durability::None => 0,
            multispool::Durability::Original => 1,
            _ => 2,
        };
        // SAFETY: as the header wants each pointer.
        unsafe {
            let options = made(|options| multispool_spool_options_new(options, null_mut()));
            let set = multispool_spool_options_set_durability(options, level, null_mut());
            assert_eq!(set, 0);
            let spool = made(|spool| {
                multispool_spool_load(dir.as_ptr(), queues.as_ptr(), 2, options, spool, null_mut())
            });
            multispool_spool_options_free(options);
            Spool(spool)
        }
    }

    pub fn enqueue(&self, queue: &CStr, metadata: &[u8], data: &[u8]) {
        let ((m, m_len), (d, d_len)) = (
            (metadata.as_ptr(), metadata.len()),
            (data.as_ptr(), data.len()),
        );
        // SAFETY: as the header wants each pointer.
        unsafe {
            let entry = made(|entry| {
                multispool_enqueue(
                    self.0,
                    queue.as_ptr(),
                    m,
                    m_len,
                    d,
                    d_len,
                    null_mut(),
                    entry,
                    null_mut(),
                )
            });
            multispool_entry_free(entry);
        }
    }

    pub fn reader(&self, queue: &CStr) -> Reader {
        let queue = queue.as_ptr();
        // SAFETY: as the header wants each pointer.
        Reader(made(|reader| unsafe {
            multispool_reader_create(self.0, &raw const queue, 1, null_mut(), reader, null_mut())
        }))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { multispool_spool_free(self.0) }
    }
}

pub struct Reader(Handle);

impl Reader {
    pub fn dequeue_and_remove(&self, metadata: &[u8]) {
        let mut len = 0;
        // SAFETY: as the header wants each pointer.
        unsafe {
            let checkout = made(|checkout| {
                multispool_reader_dequeue(self.0, null_mut(), -1, checkout, null_mut())
            });
            let found = multispool_checkout_metadata(checkout, &raw mut len);
            assert_eq!(std::slice::from_raw_parts(found, len), metadata);
            assert_eq!(
                multispool_checkout_remove(checkout, null_mut(), null_mut()),
                0
            );
            multispool_checkout_free(checkout);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { multispool_reader_free(self.0) }
    }
}
