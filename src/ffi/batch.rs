//! # Batches
//!
//! Many entries for about the price of one sync: they are written one by one, brought to the disk
//! together and then made visible. A batch is no transaction: each entry is all or nothing for itself,
//! and one that fails keeps no other back.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::ptr;
use std::time::Duration;

use super::argument::{Call, clear_slots};
use super::checkout::multispool_checkout;
use super::enqueue::{multispool_enqueue_options, options_or_default};
use super::error::multispool_error;
use super::guard::{Answer, Failure, Out, free, get, on, on_mut, run};
use super::handle::{State, c_name, handle};
use super::reader::multispool_reader;
use super::spool::multispool_spool;
use super::status::{
    MULTISPOOL_EMPTY, MULTISPOOL_OK, MULTISPOOL_STOPPED, MULTISPOOL_TIMED_OUT, of,
};
use super::stop::multispool_stop;
use crate::{Batch, Checkout, DequeuedMany, Entry, EntryName, ErrorKind, Result, Source};

/// Entries that are enqueued together.
/// One thread at a time; it may move between threads. A forked child gets FORKED.
pub struct multispool_batch {
    state: State,
    /// None once it was committed.
    batch: Option<Batch>,
    names: Vec<EntryName>,
    results: Vec<Result<Entry>>,
}
handle!(multispool_batch, "batch");

/// Begins a batch for a queue. `options` may be NULL, and must not name one entry.
///
/// Gives: OK; UNKNOWN_QUEUE; PERMISSION (read-only).
/// `*batch` is the caller's: `multispool_batch_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_create(
    spool: Option<&multispool_spool>,
    queue: *const c_char,
    options: Option<&multispool_enqueue_options>,
    batch: Option<&mut MaybeUninit<*mut multispool_batch>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(batch);
    on("enqueue many", spool, error, |call, spool| {
        // SAFETY: a string as the caller promises.
        let queue = unsafe { call.text(queue, "queue") }?;
        out.check(call, "batch")?;
        let options = options_or_default(call, options)?;
        out.give(multispool_batch {
            state: State::of_this_process(),
            batch: Some(spool.spool.batch(queue, &options)?),
            names: Vec::new(),
            results: Vec::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

fn add(call: &Call, batch: &mut multispool_batch, metadata: &[u8], source: Source<'_>) -> Answer {
    let Some(open) = &mut batch.batch else {
        return Err(committed(call));
    };
    let name = open.add(metadata, source)?;
    batch.names.push(name.clone());
    Ok(MULTISPOOL_OK)
}

fn committed(call: &Call) -> Failure {
    call.fail(ErrorKind::Finished, "the batch was committed")
}

/// Adds an entry with this metadata and data, any bytes, copied. It becomes visible with the others; in
/// a large batch the first 256 may do so before the commit, or fewer where descriptors run out.
///
/// Gives: as `multispool_enqueue`, for this entry alone: then it is not in the batch, and nothing of it
/// is left. FINISHED after the commit; FORKED.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_add(
    batch: Option<&mut multispool_batch>,
    metadata: *const u8,
    metadata_len: usize,
    data: *const u8,
    data_len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("enqueue many", batch, error, |call, batch| {
        // SAFETY: two ranges of bytes as the caller promises.
        let (metadata, data) = unsafe {
            (
                call.bytes(metadata, metadata_len, "metadata")?,
                call.bytes(data, data_len, "data")?,
            )
        };
        add(call, batch, metadata, Source::Bytes(data))
    })
}

/// The same, with a copy of the file at `path` as data.
///
/// Gives: as `multispool_batch_add`; MISSING and PERMISSION also for `path`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_add_file(
    batch: Option<&mut multispool_batch>,
    metadata: *const u8,
    metadata_len: usize,
    path: *const c_char,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("enqueue many", batch, error, |call, batch| {
        // SAFETY: a range of bytes and a string as the caller promises.
        let (metadata, path) = unsafe {
            (
                call.bytes(metadata, metadata_len, "metadata")?,
                call.text(path, "path")?,
            )
        };
        add(call, batch, metadata, Source::File(Path::new(path)))
    })
}

/// Brings all entries to the disk, as durable as the spool or the batch's options promise, and makes
/// them visible. Each one's own status is then had from `multispool_batch_status`.
///
/// Gives: OK if all are in the queue; else the first failure, as `multispool_enqueue`; FINISHED for a
/// second commit; FORKED.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_commit(
    batch: Option<&mut multispool_batch>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("enqueue many", batch, error, |call, batch| {
        let open = batch.batch.take().ok_or_else(|| committed(call))?;
        batch.results = open.commit();
        first_failure(&batch.results)
    })
}

/// OK, or the first that failed.
fn first_failure<T>(results: &[Result<T>]) -> Answer {
    match results.iter().find_map(|result| result.as_ref().err()) {
        Some(error) => Err(Failure::Error(error.clone())),
        None => Ok(MULTISPOOL_OK),
    }
}

/// How many entries were added. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_size(batch: Option<&multispool_batch>) -> usize {
    get(batch, 0, |batch| batch.names.len())
}

/// The name of the entry that was added at this place, from 0. NULL for NULL, and where none was.
/// Borrowed until the batch is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_name(
    batch: Option<&multispool_batch>,
    index: usize,
) -> *const c_char {
    get(batch, ptr::null(), |batch| {
        batch.names.get(index).map_or(ptr::null(), c_name)
    })
}

/// What became of the entry that was added at this place, from 0.
///
/// Gives: as `multispool_enqueue`; INVALID_ARGUMENT for a place without an entry, and before the commit.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_status(
    batch: Option<&multispool_batch>,
    index: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on("enqueue many", batch, error, |call, batch| {
        match batch.results.get(index) {
            Some(Ok(_)) => Ok(MULTISPOOL_OK),
            Some(Err(error)) => Err(Failure::Error(error.clone())),
            None if batch.batch.is_some() => Err(call.refuse("the batch was not committed yet")),
            None => {
                let size = batch.results.len();
                Err(call.refuse(format!(
                    "`index` is {index}, and the batch has {size} entries"
                )))
            }
        }
    })
}

/// Frees a batch. NULL is fine. What was not made visible is undone.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_batch_free(batch: Option<Box<multispool_batch>>) {
    free(batch);
}

/// Takes as many entries as are there, `most` at most, and waits for one if there is none: at most
/// `timeout_ms` milliseconds, -1 for ever, 0 not at all. `stop` may be NULL.
///
/// Gives: OK with `*count` entries, one at least; else as `multispool_reader_dequeue`, EMPTY with a
/// timeout of 0 too; INVALID_ARGUMENT for `most` 0. A failure after some were taken is given by the
/// reader's next call. `checkouts` is an array of `most` pointers, of which the first `*count` become
/// the caller's, each: `multispool_checkout_free`; the others become NULL.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_dequeue_many(
    reader: Option<&mut multispool_reader>,
    stop: Option<&multispool_stop>,
    timeout_ms: i64,
    most: usize,
    checkouts: *mut *mut multispool_checkout,
    count: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let count = count.map(|count| count.write(0));
    // SAFETY: an array of `most` pointers as the caller promises.
    unsafe { clear_slots(checkouts, most) };
    on_mut("dequeue", reader, error, |call, reader| {
        // SAFETY: the same array.
        let slots = unsafe { call.slots(checkouts, most, "checkouts") }?;
        let count = call.required(count, "count")?;
        let stop = call.optional(stop)?.map(|stop| &stop.stop);
        let timeout = call.timeout(timeout_ms)?;
        let taken = if timeout == Some(Duration::ZERO) {
            if stop.is_some_and(crate::Stop::is_triggered) {
                return Ok(MULTISPOOL_STOPPED);
            }
            let taken = reader.reader.dequeue_many_available(most)?;
            if taken.is_empty() {
                return Ok(MULTISPOOL_EMPTY);
            }
            taken
        } else {
            match reader.reader.dequeue_many(most, stop, timeout)? {
                DequeuedMany::Stopped => return Ok(MULTISPOOL_STOPPED),
                DequeuedMany::TimedOut => return Ok(MULTISPOOL_TIMED_OUT),
                DequeuedMany::CheckedOut(taken) => taken,
            }
        };
        *count = taken.len();
        for (slot, checkout) in slots.iter_mut().zip(taken) {
            *slot = Box::into_raw(Box::new(multispool_checkout::new(checkout)));
        }
        Ok(MULTISPOOL_OK)
    })
}

/// Ends many checkouts at once; a panic spoils all of them.
///
/// # Safety
/// `checkouts` is NULL, or points to `count` pointers, each NULL or a checkout that no other call uses;
/// `statuses` is NULL, or points to `count` numbers.
unsafe fn end_many(
    operation: &'static str,
    (checkouts, count): (*const *mut multispool_checkout, usize),
    statuses: *mut i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
    end: impl FnOnce(&Call, Vec<&mut Checkout>) -> std::result::Result<Vec<Result<()>>, Failure>,
) -> i32 {
    run(operation, error, |call| {
        // SAFETY: as the caller promises.
        let mut handles = unsafe { call.handles_mut(checkouts, count, "checkouts") }?;
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let checkouts = handles.iter_mut().map(|handle| &mut handle.checkout);
            end(call, checkouts.collect())
        }));
        let results = ended.unwrap_or_else(|panic| {
            for handle in &handles {
                handle.state.spoil();
            }
            resume_unwind(panic)
        })?;
        if !statuses.is_null() {
            for (index, result) in results.iter().enumerate() {
                let status = result
                    .as_ref()
                    .map_or_else(|error| of(error.kind()), |()| MULTISPOOL_OK);
                // SAFETY: there is a result for each of `count` handles, and as many numbers.
                unsafe { statuses.add(index).write(status) };
            }
        }
        first_failure(&results)
    })
}

/// Saves many checkouts to one queue, as `multispool_checkout_save` does, with the syncs that they share
/// made once. `checkouts` is an array of `count`, each another one; `statuses` (which may be NULL) an
/// array for the status of each.
///
/// Gives: OK if all were saved; else the first failure, as `multispool_checkout_save`. Where the
/// arguments are refused, nothing is done, and `statuses` is left alone.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_save_many(
    checkouts: *const *mut multispool_checkout,
    count: usize,
    queue: *const c_char,
    statuses: *mut i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        end_many(
            "save many",
            (checkouts, count),
            statuses,
            error,
            |call, checkouts| {
                let queue = call.text(queue, "queue")?;
                Ok(Checkout::save_many(checkouts, queue))
            },
        )
    }
}

/// Removes many entries, as `multispool_checkout_remove` does, with the syncs that they share made once.
/// `checkouts` is an array of `count`, each another one; `statuses` (which may be NULL) an array for the
/// status of each.
///
/// Gives: OK if all were removed; else the first failure, as `multispool_checkout_remove`. Where the
/// arguments are refused, nothing is done, and `statuses` is left alone.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_remove_many(
    checkouts: *const *mut multispool_checkout,
    count: usize,
    statuses: *mut i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe {
        end_many(
            "remove many",
            (checkouts, count),
            statuses,
            error,
            |_, checkouts| Ok(Checkout::remove_many(checkouts)),
        )
    }
}
