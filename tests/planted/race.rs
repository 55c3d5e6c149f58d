//! A race that `tools/check-races` and `tools/check-miri` must notice, or their silence about the library means nothing:
//! one thread writes to a name that the library checks for another.
#![allow(unsafe_code, clippy::unwrap_used, reason = "a planted fault")]

use std::cell::UnsafeCell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

struct Shared(UnsafeCell<[u8; 8]>);

// SAFETY: it is not: that is what is to be noticed.
unsafe impl Sync for Shared {}

#[test]
fn a_name_is_written_to_while_the_library_checks_it() {
    let name = &Shared(UnsafeCell::new(*b"a name 1"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: the bytes live long enough, but are written to meanwhile.
            let bytes = unsafe { &*name.0.get() };
            multispool::EntryName::new(OsStr::from_bytes(bytes)).unwrap();
        });
        scope.spawn(|| {
            // SAFETY: the bytes live long enough, but are read meanwhile.
            unsafe { (*name.0.get())[7] = b'2' };
        });
    });
}
