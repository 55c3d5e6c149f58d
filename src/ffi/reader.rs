//! # Queue readers
//!
//! A reader takes the entries of a queue one after another, and waits for more. Any number of readers,
//! in any number of threads and processes, may read one queue: each entry goes to one of them. A wait
//! uses no processor time.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Duration;

use super::checkout::multispool_checkout;
use super::error::multispool_error;
use super::guard::{Out, free, get, on, on_mut, run};
use super::handle::{State, c_queue, handle};
use super::spool::multispool_spool;
use super::status::{MULTISPOOL_EMPTY, MULTISPOOL_OK, MULTISPOOL_STOPPED, MULTISPOOL_TIMED_OUT};
use super::stop::multispool_stop;
use crate::{Dequeued, ErrorKind, QueueReader, ReaderOptions};

/// How to read a queue.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_reader_options {
    state: State,
    options: ReaderOptions,
}
handle!(multispool_reader_options, "options");

/// A reader of a queue.
/// One thread at a time; it may move between threads. A forked child gets FORKED.
pub struct multispool_reader {
    state: State,
    pub(super) reader: QueueReader,
}
handle!(multispool_reader, "reader");

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_reader_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_reader_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_reader_options {
            state: State::of_any_process(),
            options: ReaderOptions::new().interruptible(true),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What the end of each checkout from this reader promises, where its call says nothing else, a
/// `MULTISPOOL_DURABILITY_` number. Default: the spool's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_set_durability(
    options: Option<&mut multispool_reader_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let durability = call.durability(durability)?;
        options.options = options.options.clone().durability(durability);
        Ok(MULTISPOOL_OK)
    })
}

/// When an entry that this reader gave back, or found bad, is tried again in a wait: after `min_ms`,
/// doubling each time up to `max_ms`. Default: 1,000 and 60,000.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time, and for a maximum below the minimum.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_set_retry_after_ms(
    options: Option<&mut multispool_reader_options>,
    min_ms: i64,
    max_ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let min = call.milliseconds(min_ms, "min_ms")?;
        let max = call.milliseconds(max_ms, "max_ms")?;
        if max < min {
            return Err(call.refuse(format!(
                "`max_ms` is {max_ms}, less than `min_ms`, {min_ms}"
            )));
        }
        options.options = options.options.clone().retry_after(min, max);
        Ok(MULTISPOOL_OK)
    })
}

/// How often to look where the system tells nothing of arrivals: on a network file system, or where the
/// user's inotify instances or watches are used up. Default: 50 to 1,000 ms, by how busy the queue is.
///
/// Gives: OK; INVALID_ARGUMENT for a time that is not positive.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_set_poll_interval_ms(
    options: Option<&mut multispool_reader_options>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let interval = call.milliseconds(ms, "ms")?;
        if interval.is_zero() {
            return Err(call.refuse("`ms` is 0, a busy loop"));
        }
        options.options = options.options.clone().poll_interval(interval);
        Ok(MULTISPOOL_OK)
    })
}

/// Whether names are tried in their order even where other readers are quicker with them: 1 or 0. Default: 0, a reader
/// that finds an entry gone or busy leaps to another place of the queue and comes back later, so that readers of one
/// queue do not try each other's entries. A reader that is alone keeps the order in either case.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_set_strict_order(
    options: Option<&mut multispool_reader_options>,
    yes: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let yes = call.flag(yes, "yes")?;
        options.options = options.options.clone().strict_order(yes);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_options_free(
    options: Option<Box<multispool_reader_options>>,
) {
    free(options);
}

/// Makes a reader of a queue. `queues` is an array of one name; more are for a later version. `options`
/// may be NULL.
///
/// Gives: OK; UNSUPPORTED for any number of queues but 1; UNKNOWN_QUEUE; PERMISSION (read-only); IO,
/// DESCRIPTORS.
/// `*reader` is the caller's: `multispool_reader_free`. It does not need `spool` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_create(
    spool: Option<&multispool_spool>,
    queues: *const *const c_char,
    queue_count: usize,
    options: Option<&multispool_reader_options>,
    reader: Option<&mut MaybeUninit<*mut multispool_reader>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(reader);
    on("reader", spool, error, |call, spool| {
        // SAFETY: an array of strings as the caller promises.
        let queues = unsafe { call.texts(queues, queue_count, "queues") }?;
        out.check(call, "reader")?;
        let [queue] = queues[..] else {
            let reason = format!("a reader of {queue_count} queues; this version reads one");
            return Err(call.fail(ErrorKind::Unsupported, reason));
        };
        let reader = match call.optional(options)? {
            Some(options) => spool.spool.reader_with(queue, &options.options)?,
            None => spool
                .spool
                .reader_with(queue, &ReaderOptions::new().interruptible(true))?,
        };
        out.give(multispool_reader {
            state: State::of_this_process(),
            reader,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// The queue that it reads. NULL for NULL. Borrowed until the reader is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_queue(
    reader: Option<&multispool_reader>,
) -> *const c_char {
    get(reader, ptr::null(), |reader| c_queue(reader.reader.queue()))
}

/// Takes the next entry, waiting for one at most `timeout_ms` milliseconds: -1 for ever, 0 not at all.
/// `stop` (which may be NULL) ends the wait. What a wait did not take, the next call will find; what was
/// taken is always given.
///
/// Gives: OK; EMPTY with a timeout of 0; TIMED_OUT with another; STOPPED; INTERRUPTED where a signal
/// handler ran (call again); CORRUPT for one bad entry, named in the error (the next call goes on);
/// FORKED; MISSING where the queue's directory is gone; PERMISSION; IO, NO_SPACE, DESCRIPTORS.
/// `*checkout` is the caller's: `multispool_checkout_free`. It does not need the reader to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_dequeue(
    reader: Option<&mut multispool_reader>,
    stop: Option<&multispool_stop>,
    timeout_ms: i64,
    checkout: Option<&mut MaybeUninit<*mut multispool_checkout>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(checkout);
    on_mut("dequeue", reader, error, |call, reader| {
        out.check(call, "checkout")?;
        let stop = call.optional(stop)?.map(|stop| &stop.stop);
        let timeout = call.timeout(timeout_ms)?;
        if timeout == Some(Duration::ZERO) {
            if stop.is_some_and(crate::Stop::is_triggered) {
                return Ok(MULTISPOOL_STOPPED);
            }
            return match reader.reader.dequeue_available()? {
                None => Ok(MULTISPOOL_EMPTY),
                Some(checkout) => {
                    out.give(multispool_checkout::new(checkout));
                    Ok(MULTISPOOL_OK)
                }
            };
        }
        match reader.reader.dequeue(stop, timeout)? {
            Dequeued::Stopped => Ok(MULTISPOOL_STOPPED),
            Dequeued::TimedOut => Ok(MULTISPOOL_TIMED_OUT),
            Dequeued::CheckedOut(checkout) => {
                out.give(multispool_checkout::new(checkout));
                Ok(MULTISPOOL_OK)
            }
        }
    })
}

/// A descriptor for poll(2) and its like, for callers with an event loop: it is readable while a dequeue
/// may succeed. Only a dequeue that gives EMPTY clears it; each later cause is a new edge. So: dequeue
/// with timeout 0 until EMPTY, then poll. The first call starts the process's one watcher thread.
///
/// Gives: OK; FORKED; MISSING where the queue's directory is gone; IO, DESCRIPTORS.
/// `*fd` is borrowed until the reader is freed: never read, write or close it. On a failure it is -1.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_fd(
    reader: Option<&mut multispool_reader>,
    fd: Option<&mut MaybeUninit<c_int>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let fd = fd.map(|slot| slot.write(-1));
    on_mut("reader fd", reader, error, |call, reader| {
        let fd = call.required(fd, "fd")?;
        *fd = reader.reader.fd()?.as_raw_fd();
        Ok(MULTISPOOL_OK)
    })
}

/// Frees a reader. NULL is fine. What it took stays valid; what it had only heard of goes to others.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_reader_free(reader: Option<Box<multispool_reader>>) {
    free(reader);
}
