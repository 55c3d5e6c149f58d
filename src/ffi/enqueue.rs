//! # Enqueueing and listing
//!
//! An entry has a name, metadata and data. The name is unique in the whole spool: it is reserved first,
//! by the call itself or before. The entry becomes visible at once and whole, by a rename.

use std::ffi::{CString, OsStr, c_char, c_int};
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::argument::Call;
use super::buffer::multispool_buffer;
use super::checkout::multispool_checkout;
use super::entry::multispool_entry;
use super::error::multispool_error;
use super::guard::{Answer, Failure, Out, free, get, on, on_mut, run};
use super::handle::{State, c_string, handle};
use super::spool::multispool_spool;
use super::status::{MULTISPOOL_EMPTY, MULTISPOOL_OK};
use crate::{
    Checkouts, EnqueueOptions, EnqueueWriter, Entry, ErrorKind, Result, Source, Spool, TimeNames,
};

/// How to enqueue.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_enqueue_options {
    state: State,
    options: EnqueueOptions,
}
handle!(multispool_enqueue_options, "options");

/// An entry whose data is being written; it is not visible yet.
/// One thread at a time.
pub struct multispool_enqueue_writer {
    state: State,
    writer: EnqueueWriter,
    spool: Spool,
    queue: CString,
    name: CString,
}
handle!(multispool_enqueue_writer, "writer");

/// A cursor over entries.
/// One thread at a time.
pub struct multispool_entries {
    state: State,
    entries: Box<dyn Iterator<Item = Result<Entry>> + Send>,
}
handle!(multispool_entries, "entries");

impl multispool_entries {
    pub(super) fn new(
        entries: impl Iterator<Item = Result<Entry>> + Send + 'static,
    ) -> multispool_entries {
        multispool_entries {
            state: State::of_this_process(),
            entries: Box::new(entries),
        }
    }
}

/// A cursor over what is checked out.
/// One thread at a time.
pub struct multispool_checkouts {
    state: State,
    checkouts: Checkouts,
}
handle!(multispool_checkouts, "checkouts");

/// Reserves a name in the whole spool; an empty file in its registry keeps it, until the entry of that
/// name is removed. `name` NULL: a new name of the default generator, whose order is the order of time.
/// A generator of your own is a loop around this call: try the next name on NAME_TAKEN.
/// What is reserved and never used is for `repair` to find.
///
/// Gives: OK; NAME_TAKEN; INVALID_NAME; NAMES_EXHAUSTED; PERMISSION (read-only too); MISSING; IO,
/// NO_SPACE, DESCRIPTORS.
/// `*reserved` (which may be NULL) is the caller's: `multispool_buffer_free`. It is the name, and a NUL
/// follows it that its length does not count.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reserve(
    spool: Option<&multispool_spool>,
    name: *const c_char,
    reserved: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(reserved);
    on("reserve", spool, error, |call, spool| {
        let reserved = if name.is_null() {
            if !out.is_wanted() {
                return Err(
                    call.refuse("`name` and `reserved` are both NULL: the name would be lost")
                );
            }
            spool.spool.reserve(&TimeNames::new())?
        } else {
            // SAFETY: a string as the caller promises.
            let name = unsafe { call.text(name, "name") }?;
            spool.spool.reserve_name(name)?
        };
        out.give(multispool_buffer::text(reserved.as_bytes()));
        Ok(MULTISPOOL_OK)
    })
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_enqueue_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_enqueue_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_enqueue_options {
            state: State::of_any_process(),
            options: EnqueueOptions::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What the enqueue promises, a `MULTISPOOL_DURABILITY_` number.
/// Default: the spool's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_options_set_durability(
    options: Option<&mut multispool_enqueue_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let durability = call.durability(durability)?;
        options.options = std::mem::take(&mut options.options).durability(durability);
        Ok(MULTISPOOL_OK)
    })
}

/// The name to use: one that was reserved before, by any process. Default: the enqueue reserves one of
/// the default generator. The string is copied.
///
/// Gives: OK. A name that cannot be one gives INVALID_NAME when it is used.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_options_set_name(
    options: Option<&mut multispool_enqueue_options>,
    reserved_name: *const c_char,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        // SAFETY: a string as the caller promises.
        let name = unsafe { call.text(reserved_name, "reserved_name") }?;
        options.options = std::mem::take(&mut options.options).name(name);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_options_free(
    options: Option<Box<multispool_enqueue_options>>,
) {
    free(options);
}

pub(super) fn options_or_default(
    call: &Call,
    options: Option<&multispool_enqueue_options>,
) -> std::result::Result<EnqueueOptions, Failure> {
    let options = call.optional(options)?;
    Ok(options.map_or_else(EnqueueOptions::new, |options| options.options.clone()))
}

/// Hands out the entry, also where it is there but not known to be durable.
fn answer(
    spool: &Spool,
    queue: &OsStr,
    result: Result<Entry>,
    out: Out<'_, multispool_entry>,
) -> Answer {
    match result {
        Ok(entry) => {
            out.give(multispool_entry::new(entry));
            Ok(MULTISPOOL_OK)
        }
        Err(error) => {
            if let (ErrorKind::NotDurable, Some(name)) = (error.kind(), error.entry_name()) {
                out.give(multispool_entry::new(spool.entry(queue, name)?));
            }
            Err(error.into())
        }
    }
}

/// Adds an entry with this metadata and data, any bytes, copied. When it returns OK, the entry is
/// visible in `queue`, and as durable as the spool or `options` (which may be NULL) promise. On a
/// failure everything that the call made is gone again.
///
/// Gives: OK; with a name in `options` NOT_FOUND (it was never reserved) and NAME_TAKEN (in use);
/// NOT_DURABLE (`*entry` is given all the same); UNKNOWN_QUEUE; INVALID_NAME; PERMISSION (read-only
/// too); MISSING; IO, NO_SPACE, DESCRIPTORS, NAMES_EXHAUSTED; LOST_OWNERSHIP (several hosts share the
/// spool, and another has the name since this took longer than a lease).
/// `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    metadata: *const u8,
    metadata_len: usize,
    data: *const u8,
    data_len: usize,
    options: Option<&multispool_enqueue_options>,
    entry: Option<&mut MaybeUninit<*mut multispool_entry>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entry);
    on("enqueue", spool, error, |call, spool| {
        // SAFETY: a string and two ranges of bytes as the caller promises.
        let (queue, metadata, data) = unsafe {
            (
                call.text(queue, "queue")?,
                call.bytes(metadata, metadata_len, "metadata")?,
                call.bytes(data, data_len, "data")?,
            )
        };
        let options = options_or_default(call, options)?;
        let result = spool
            .spool
            .enqueue_with(queue, metadata, Source::Bytes(data), &options);
        answer(&spool.spool, queue, result, out)
    })
}

/// The same, with a copy of the file at `path` as data; it may be larger than memory.
///
/// Gives: as `multispool_enqueue`; MISSING and PERMISSION also for `path`.
/// `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_file(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    metadata: *const u8,
    metadata_len: usize,
    path: *const c_char,
    options: Option<&multispool_enqueue_options>,
    entry: Option<&mut MaybeUninit<*mut multispool_entry>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entry);
    on("enqueue", spool, error, |call, spool| {
        // SAFETY: two strings and a range of bytes as the caller promises.
        let (queue, metadata, path) = unsafe {
            (
                call.text(queue, "queue")?,
                call.bytes(metadata, metadata_len, "metadata")?,
                call.text(path, "path")?,
            )
        };
        let options = options_or_default(call, options)?;
        let source = Source::File(Path::new(path));
        let result = spool.spool.enqueue_with(queue, metadata, source, &options);
        answer(&spool.spool, queue, result, out)
    })
}

/// Begins an entry whose data comes piece by piece. Its name is reserved, and owned by this process
/// until the commit; nothing is visible before. `options` may be NULL.
///
/// Gives: as `multispool_enqueue`, but for NOT_DURABLE.
/// `*writer` is the caller's: `multispool_enqueue_writer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_create(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    options: Option<&multispool_enqueue_options>,
    writer: Option<&mut MaybeUninit<*mut multispool_enqueue_writer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(writer);
    on("enqueue", spool, error, |call, spool| {
        // SAFETY: a string as the caller promises.
        let queue = unsafe { call.text(queue, "queue") }?;
        out.check(call, "writer")?;
        let options = options_or_default(call, options)?;
        let writer = spool.spool.enqueue_writer(queue, &options)?;
        out.give(multispool_enqueue_writer {
            state: State::of_this_process(),
            spool: spool.spool.clone(),
            queue: c_string(queue.as_bytes()),
            name: c_string(writer.name().as_bytes()),
            writer,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Appends bytes to the data.
///
/// Gives: OK; FINISHED after a commit; FORKED; IO, NO_SPACE. After a failure only free the writer.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_write(
    writer: Option<&mut multispool_enqueue_writer>,
    data: *const u8,
    len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("enqueue", writer, error, |call, writer| {
        // SAFETY: a range of bytes as the caller promises.
        let data = unsafe { call.bytes(data, len, "data") }?;
        let written = writer.writer.write_all(data);
        written.map_err(|error| call.write_failed(error))?;
        Ok(MULTISPOOL_OK)
    })
}

/// The name that the entry will have. NULL for NULL. Borrowed until the writer is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_name(
    writer: Option<&multispool_enqueue_writer>,
) -> *const c_char {
    get(writer, ptr::null(), |writer| writer.name.as_ptr())
}

/// A descriptor that the data can be written to as well, for writev, splice or sendfile; the commit
/// syncs it as the rest. -1 for NULL, and once finished. Borrowed until the commit or free: never close
/// it.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_fd(
    writer: Option<&multispool_enqueue_writer>,
) -> c_int {
    get(writer, -1, |writer| {
        writer.writer.as_fd().map_or(-1, |fd| fd.as_raw_fd())
    })
}

/// Makes the entry visible with this metadata and the data written. After a success, or NOT_DURABLE,
/// the writer is finished, and is still to be freed.
///
/// Gives: OK; NOT_DURABLE (`*entry` is given all the same); FINISHED; FORKED; LOST_OWNERSHIP;
/// NAME_TAKEN; MISSING; PERMISSION; IO, NO_SPACE, DESCRIPTORS.
/// `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_commit(
    writer: Option<&mut multispool_enqueue_writer>,
    metadata: *const u8,
    metadata_len: usize,
    entry: Option<&mut MaybeUninit<*mut multispool_entry>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entry);
    on_mut("enqueue", writer, error, |call, writer| {
        // SAFETY: a range of bytes as the caller promises.
        let metadata = unsafe { call.bytes(metadata, metadata_len, "metadata") }?;
        let result = writer.writer.commit(metadata);
        answer(
            &writer.spool,
            OsStr::from_bytes(writer.queue.as_bytes()),
            result,
            out,
        )
    })
}

/// Frees a writer. NULL is fine. What was not committed is undone: data, name and all.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_enqueue_writer_free(
    writer: Option<Box<multispool_enqueue_writer>>,
) {
    free(writer);
}

/// Lists the entries that wait in a queue, in the order of their names' bytes. Nothing is taken: by the
/// time it is looked at, an entry may be gone. The disk is read by multispool_entries_next, piece by piece.
///
/// Gives: OK; UNKNOWN_QUEUE.
/// `*entries` is the caller's: `multispool_entries_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_list(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    entries: Option<&mut MaybeUninit<*mut multispool_entries>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entries);
    on("list", spool, error, |call, spool| {
        // SAFETY: a string as the caller promises.
        let queue = unsafe { call.text(queue, "queue") }?;
        out.check(call, "entries")?;
        out.give(multispool_entries::new(spool.spool.list(queue)?));
        Ok(MULTISPOOL_OK)
    })
}

/// The next entry.
///
/// Gives: OK; EMPTY at the end, each time; FORKED; MISSING where the queue's directory is gone; PERMISSION;
/// IO, DESCRIPTORS.
/// `*entry` is the caller's: `multispool_entry_free`. It does not need the cursor.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entries_next(
    entries: Option<&mut multispool_entries>,
    entry: Option<&mut MaybeUninit<*mut multispool_entry>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entry);
    on_mut("list", entries, error, |call, entries| {
        out.check(call, "entry")?;
        match entries.entries.next() {
            None => Ok(MULTISPOOL_EMPTY),
            Some(next) => {
                out.give(multispool_entry::new(next?));
                Ok(MULTISPOOL_OK)
            }
        }
    })
}

/// Frees a cursor. NULL is fine. The entries it gave stay valid.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_entries_free(entries: Option<Box<multispool_entries>>) {
    free(entries);
}

/// Gets hold of all that is checked out of a queue, whoever has it. This breaks the rule that one
/// process owns an entry: use it only where it is easy to tell which processes use the spool. A handle
/// takes the entry's lock at save or remove if it is free, and goes on without if not. The disk is read by
/// multispool_checkouts_next, piece by piece.
///
/// Gives: OK; UNKNOWN_QUEUE.
/// `*checkouts` is the caller's: `multispool_checkouts_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_list_checkouts_unsafe(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    checkouts: Option<&mut MaybeUninit<*mut multispool_checkouts>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(checkouts);
    on("list checkouts", spool, error, |call, spool| {
        // SAFETY: a string as the caller promises.
        let queue = unsafe { call.text(queue, "queue") }?;
        out.check(call, "checkouts")?;
        out.give(multispool_checkouts {
            state: State::of_this_process(),
            checkouts: spool.spool.list_checkouts_unsafe(queue)?,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// The next of them.
///
/// Gives: OK; EMPTY at the end, each time; CORRUPT for one bad entry (the next call goes on); FORKED;
/// MISSING where the queue's directory is gone; PERMISSION; IO, DESCRIPTORS.
/// `*checkout` is the caller's: `multispool_checkout_free`. It does not need the cursor.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkouts_next(
    checkouts: Option<&mut multispool_checkouts>,
    checkout: Option<&mut MaybeUninit<*mut multispool_checkout>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(checkout);
    on_mut("list checkouts", checkouts, error, |call, checkouts| {
        out.check(call, "checkout")?;
        match checkouts.checkouts.next() {
            None => Ok(MULTISPOOL_EMPTY),
            Some(next) => {
                out.give(multispool_checkout::new(next?));
                Ok(MULTISPOOL_OK)
            }
        }
    })
}

/// Frees a cursor. NULL is fine. The checkouts it gave stay valid.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkouts_free(checkouts: Option<Box<multispool_checkouts>>) {
    free(checkouts);
}
