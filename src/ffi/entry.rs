//! # Entries
//!
//! An entry is a name in a queue, as it was when it was listed or enqueued; another process may have
//! taken it since. To work on it, check it out.

use std::ffi::c_char;
use std::fs::Metadata;
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::ptr;

use super::buffer::multispool_buffer;
use super::checkout::{multispool_checkout, multispool_checkout_options};
use super::data_file::multispool_data_file;
use super::error::multispool_error;
use super::guard::{Out, free, get, on};
use super::handle::{State, c_name, c_queue, handle};
use super::spool::multispool_spool;
use super::status::{MULTISPOOL_NOT_FOUND, MULTISPOOL_OK};
use crate::Entry;

/// An entry of a queue.
/// Shareable: it never changes.
pub struct multispool_entry {
    state: State,
    entry: Entry,
}
handle!(multispool_entry, "entry");

impl multispool_entry {
    pub(super) fn new(entry: Entry) -> multispool_entry {
        multispool_entry {
            state: State::of_any_process(),
            entry,
        }
    }
}

/// Where a file's times and size go; each may be unwanted.
pub(super) struct StatOut<'a> {
    mtime_ns: Option<&'a mut i64>,
    ctime_ns: Option<&'a mut i64>,
    size: Option<&'a mut u64>,
}

impl<'a> StatOut<'a> {
    pub(super) fn clear(
        mtime_ns: Option<&'a mut MaybeUninit<i64>>,
        ctime_ns: Option<&'a mut MaybeUninit<i64>>,
        size: Option<&'a mut MaybeUninit<u64>>,
    ) -> StatOut<'a> {
        StatOut {
            mtime_ns: mtime_ns.map(|slot| slot.write(0)),
            ctime_ns: ctime_ns.map(|slot| slot.write(0)),
            size: size.map(|slot| slot.write(0)),
        }
    }

    pub(super) fn give(self, stat: &Metadata) {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        if let Some(slot) = self.mtime_ns {
            *slot = nanoseconds(stat.mtime(), stat.mtime_nsec());
        }
        if let Some(slot) = self.ctime_ns {
            *slot = nanoseconds(stat.ctime(), stat.ctime_nsec());
        }
        if let Some(slot) = self.size {
            *slot = stat.len();
        }
    }
}

/// An entry of that name in that queue, whether it is there or not; the disk is not looked at.
///
/// Gives: OK; UNKNOWN_QUEUE; INVALID_NAME.
/// `*entry` is the caller's: `multispool_entry_free`. It does not need `spool` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_create(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    name: *const c_char,
    entry: Option<&mut MaybeUninit<*mut multispool_entry>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entry);
    on("entry", spool, error, |call, spool| {
        // SAFETY: two strings as the caller promises.
        let (queue, name) = unsafe { (call.text(queue, "queue")?, call.text(name, "name")?) };
        out.check(call, "entry")?;
        out.give(multispool_entry::new(spool.spool.entry(queue, name)?));
        Ok(MULTISPOOL_OK)
    })
}

/// The entry's name. NULL for NULL. Borrowed until the entry is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_name(entry: Option<&multispool_entry>) -> *const c_char {
    get(entry, ptr::null(), |entry| c_name(entry.entry.name()))
}

/// The queue that it is looked for in. NULL for NULL. Borrowed until the entry is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_queue(entry: Option<&multispool_entry>) -> *const c_char {
    get(entry, ptr::null(), |entry| c_queue(entry.entry.queue()))
}

/// When the entry was last moved (`*mtime_ns`, `*ctime_ns`: nanoseconds since 1970), by its file in the
/// registry, whose size is `*size`. The three may be NULL.
///
/// Gives: OK; NOT_FOUND; PERMISSION; IO.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_stat(
    entry: Option<&multispool_entry>,
    mtime_ns: Option<&mut MaybeUninit<i64>>,
    ctime_ns: Option<&mut MaybeUninit<i64>>,
    size: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = StatOut::clear(mtime_ns, ctime_ns, size);
    on("stat", entry, error, |_, entry| {
        out.give(&entry.entry.stat()?);
        Ok(MULTISPOOL_OK)
    })
}

/// Takes the entry out of its queue, so that it belongs to this process alone until it is saved,
/// removed or released, or until this process dies. For who expects to be the only one to take it:
/// that it is gone is an error. `options` may be NULL.
///
/// Gives: OK; MISSING where it is gone or taken; CORRUPT; PERMISSION (read-only too); IO, NO_SPACE,
/// DESCRIPTORS.
/// `*checkout` is the caller's: `multispool_checkout_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_checkout(
    entry: Option<&multispool_entry>,
    options: Option<&multispool_checkout_options>,
    checkout: Option<&mut MaybeUninit<*mut multispool_checkout>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(checkout);
    on("checkout", entry, error, |call, entry| {
        out.check(call, "checkout")?;
        let options = call.optional(options)?;
        let checkout = entry.entry.checkout()?;
        out.give(multispool_checkout::with(checkout, options));
        Ok(MULTISPOOL_OK)
    })
}

/// The same for who expects that another may be faster. It tries for up to 100 ms where the entry is
/// there but its name is busy for a moment.
///
/// Gives: OK; NOT_FOUND where it is gone or taken; otherwise as `multispool_entry_checkout`.
/// `*checkout` is the caller's: `multispool_checkout_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_try_checkout(
    entry: Option<&multispool_entry>,
    options: Option<&multispool_checkout_options>,
    checkout: Option<&mut MaybeUninit<*mut multispool_checkout>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(checkout);
    on("checkout", entry, error, |call, entry| {
        out.check(call, "checkout")?;
        let options = call.optional(options)?;
        match entry.entry.try_checkout()? {
            None => Ok(MULTISPOOL_NOT_FOUND),
            Some(checkout) => {
                out.give(multispool_checkout::with(checkout, options));
                Ok(MULTISPOOL_OK)
            }
        }
    })
}

/// Reads the metadata where it lies in the queue, without a checkout: it may change at any time. Before
/// a write that depends on it, look again after a checkout.
///
/// Gives: OK; NOT_FOUND; CORRUPT; PERMISSION; IO, DESCRIPTORS.
/// `*contents` is the caller's: `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_direct_contents(
    entry: Option<&multispool_entry>,
    contents: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(contents);
    on("direct contents", entry, error, |call, entry| {
        out.check(call, "contents")?;
        out.give(multispool_buffer::new(entry.entry.direct().contents()?));
        Ok(MULTISPOOL_OK)
    })
}

/// Writes the metadata to its place in the queue, without a checkout or any check: whole, over whatever
/// is there.
///
/// Gives: OK; NOT_DURABLE; MISSING; PERMISSION (read-only too); IO, NO_SPACE, DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_direct_save(
    entry: Option<&multispool_entry>,
    metadata: *const u8,
    len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on("direct save", entry, error, |call, entry| {
        // SAFETY: a range of bytes as the caller promises.
        let metadata = unsafe { call.bytes(metadata, len, "metadata") }?;
        entry.entry.direct().save(metadata)?;
        Ok(MULTISPOOL_OK)
    })
}

/// Removes the entry from its queue, its data and its name, without a checkout or any check.
///
/// Gives: OK; NOT_FOUND (nothing was touched); NOT_DURABLE; PERMISSION (read-only too); IO,
/// DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_direct_remove(
    entry: Option<&multispool_entry>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on("direct remove", entry, error, |_, entry| {
        entry.entry.direct().remove()?;
        Ok(MULTISPOOL_OK)
    })
}

/// The entry's data file, without a checkout: not safe to change while another may take the entry.
///
/// Gives: OK.
/// `*data_file` is the caller's: `multispool_data_file_free`. It does not need the entry to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_direct_data_file(
    entry: Option<&multispool_entry>,
    data_file: Option<&mut MaybeUninit<*mut multispool_data_file>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(data_file);
    on("direct data file", entry, error, |call, entry| {
        out.check(call, "data_file")?;
        out.give(multispool_data_file::shared(
            entry.entry.direct().data_file(),
        ));
        Ok(MULTISPOOL_OK)
    })
}

/// Frees the handle; the entry on disk is not touched. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entry_free(entry: Option<Box<multispool_entry>>) {
    free(entry);
}
