//! # Recovery
//!
//! The entries of owners that died go back to their queues. Workers call this when they start, every 15
//! seconds, and when their queue runs empty.

use std::mem::MaybeUninit;

use super::enqueue::multispool_entries;
use super::error::multispool_error;
use super::guard::{Out, free, on, on_mut, run};
use super::handle::{State, handle};
use super::spool::multispool_spool;
use super::status::MULTISPOOL_OK;
use crate::RecoverOptions;

/// What to recover.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_recover_options {
    state: State,
    options: RecoverOptions,
}
handle!(multispool_recover_options, "options");

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_recover_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_recover_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_recover_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_recover_options {
            state: State::of_any_process(),
            options: RecoverOptions::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Only what was last touched longer ago than this, in milliseconds. Default: 0 where every owner locks
/// what it owns; 600,000 where some do not, since there a free lock proves nothing.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_recover_options_set_min_age_ms(
    options: Option<&mut multispool_recover_options>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let age = call.milliseconds(ms, "ms")?;
        options.options = options.options.clone().min_age(age);
        Ok(MULTISPOOL_OK)
    })
}

/// What the return to the queue promises, a `MULTISPOOL_DURABILITY_` number.
/// Default: the spool's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_recover_options_set_durability(
    options: Option<&mut multispool_recover_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let durability = call.durability(durability)?;
        options.options = options.options.clone().durability(durability);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_recover_options_free(
    options: Option<Box<multispool_recover_options>>,
) {
    free(options);
}

/// Returns to its queue each entry that is checked out and whose owner is gone: whose lock is free, and
/// that is old enough. A slow owner keeps what it has. Safe next to live workers, at any time; two
/// recovers never return one entry twice. `options` may be NULL.
///
/// Gives: OK, also when there was nothing to do; the first failure, after all that could be returned
/// was: NOT_DURABLE; NAME_TAKEN where the queue has an entry of that name; CORRUPT; MISSING; PERMISSION
/// (read-only too); IO, DESCRIPTORS.
/// `*entries` (which may be NULL), what went back, is the caller's: `multispool_entries_free`. After a
/// failure it is set too, unless nothing could be looked at.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_recover(
    spool: Option<&multispool_spool>,
    options: Option<&multispool_recover_options>,
    entries: Option<&mut MaybeUninit<*mut multispool_entries>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(entries);
    on("recover", spool, error, |call, spool| {
        let recovered = match call.optional(options)? {
            Some(options) => spool.spool.recover(&options.options)?,
            None => spool.spool.recover(&RecoverOptions::new())?,
        };
        out.give(multispool_entries::new(
            recovered.entries.into_iter().map(Ok),
        ));
        match recovered.failures.into_iter().next() {
            None => Ok(MULTISPOOL_OK),
            Some(failure) => Err(failure.into()),
        }
    })
}
