//! # Statistics
//!
//! What a spool holds, counted at one time while others go on.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use super::error::multispool_error;
use super::guard::{Out, free, get, on, on_mut, run};
use super::handle::{State, c_string, handle};
use super::spool::multispool_spool;
use super::status::MULTISPOOL_OK;
use crate::{QueueStats, Stats, StatsOptions};

/// What to count.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_stats_options {
    state: State,
    options: StatsOptions,
}
handle!(multispool_stats_options, "options");

/// What was counted.
/// Shareable: it never changes.
pub struct multispool_stats {
    state: State,
    stats: Stats,
    names: Vec<CString>,
}
handle!(multispool_stats, "stats");

fn of_queue<R: Copy>(
    stats: Option<&multispool_stats>,
    index: usize,
    absent: R,
    read: impl FnOnce(&QueueStats) -> R,
) -> R {
    get(stats, absent, |stats| {
        stats.stats.queues.get(index).map_or(absent, read)
    })
}

/// A count that may not have been made: -1.
fn or_none(count: Option<u64>) -> i64 {
    count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_stats_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_stats_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_stats_options {
            state: State::of_any_process(),
            options: StatsOptions::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// 1: add up the sizes of metadata and data too, which looks at every file. Default: 0.
///
/// Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_options_set_bytes(
    options: Option<&mut multispool_stats_options>,
    yes: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let yes = call.flag(yes, "yes")?;
        options.options = options.options.clone().bytes(yes);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_options_free(
    options: Option<Box<multispool_stats_options>>,
) {
    free(options);
}

/// Counts what is in the queues that the spool was opened with, in the order of their names. `options`
/// may be NULL.
///
/// Gives: OK; MISSING; PERMISSION; IO, DESCRIPTORS.
/// `*stats` is the caller's: `multispool_stats_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_stats(
    spool: Option<&multispool_spool>,
    options: Option<&multispool_stats_options>,
    stats: Option<&mut MaybeUninit<*mut multispool_stats>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(stats);
    on("stats", spool, error, |call, spool| {
        out.check(call, "stats")?;
        let stats = match call.optional(options)? {
            Some(options) => spool.spool.stats(&options.options)?,
            None => spool.spool.stats(&StatsOptions::new())?,
        };
        out.give(multispool_stats {
            state: State::of_any_process(),
            names: stats
                .queues
                .iter()
                .map(|queue| c_string(queue.queue.as_bytes()))
                .collect(),
            stats,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// How many queues were counted; the functions below take an index from 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_queue_count(stats: Option<&multispool_stats>) -> usize {
    get(stats, 0, |stats| stats.names.len())
}

/// The name of a queue; NULL past the end, and for NULL. Borrowed until the stats are freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_queue(
    stats: Option<&multispool_stats>,
    index: usize,
) -> *const c_char {
    get(stats, ptr::null(), |stats| {
        stats
            .names
            .get(index)
            .map_or(ptr::null(), |name| name.as_ptr())
    })
}

/// The entries that wait in the queue. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_entries(
    stats: Option<&multispool_stats>,
    index: usize,
) -> u64 {
    of_queue(stats, index, 0, |queue| queue.entries)
}

/// The entries checked out of the queue whose owner is alive. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_checked_out_alive(
    stats: Option<&multispool_stats>,
    index: usize,
) -> u64 {
    of_queue(stats, index, 0, |queue| queue.checked_out_alive)
}

/// The entries checked out of the queue whose lock is free: recover returns them. 0 past the end, and for
/// NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_checked_out_dead(
    stats: Option<&multispool_stats>,
    index: usize,
) -> u64 {
    of_queue(stats, index, 0, |queue| queue.checked_out_dead)
}

/// How long ago the oldest entry that waits was last moved, in milliseconds; -1 where there is none, past
/// the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_oldest_age_ms(
    stats: Option<&multispool_stats>,
    index: usize,
) -> i64 {
    of_queue(stats, index, -1, |queue| {
        or_none(
            queue
                .oldest_age
                .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        )
    })
}

/// The sizes of all metadata; -1 where that was not asked for, past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_metadata_bytes(
    stats: Option<&multispool_stats>,
    index: usize,
) -> i64 {
    of_queue(stats, index, -1, |queue| or_none(queue.metadata_bytes))
}

/// The sizes of all data; -1 where that was not asked for, past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_data_bytes(
    stats: Option<&multispool_stats>,
    index: usize,
) -> i64 {
    of_queue(stats, index, -1, |queue| or_none(queue.data_bytes))
}

/// The bytes that are free for this user on the spool's file system. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_free_bytes(stats: Option<&multispool_stats>) -> u64 {
    get(stats, 0, |stats| stats.stats.free_bytes)
}

/// The inodes that are free there: each entry takes three. -1 where the file system does not count them,
/// and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_free_inodes(stats: Option<&multispool_stats>) -> i64 {
    get(stats, -1, |stats| or_none(stats.stats.free_inodes))
}

/// Frees stats. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_stats_free(stats: Option<Box<multispool_stats>>) {
    free(stats);
}
