//! # Monitors
//!
//! A monitor looks at a spool from outside: it opens the directory itself, for reading alone, and finds
//! its queues there. What to look at, a directory, and by which limits, is its spec, which can be kept as JSON.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::buffer::multispool_buffer;
use super::error::multispool_error;
use super::guard::{Out, free, on_mut, run};
use super::handle::{State, handle};
use super::limits::{given, multispool_limits};
use super::problems::multispool_problems;
use super::status::MULTISPOOL_OK;
use crate::{Monitor, MonitorSpec};

/// A monitor of a spool.
/// One thread at a time; it may move between threads. A forked child gets FORKED.
pub struct multispool_monitor {
    state: State,
    pub(super) monitor: Monitor,
}
handle!(multispool_monitor, "monitor");

/// Makes a monitor of the spool in `dir`, which must be there; it never creates one, changes nothing in it,
/// and needs only permission to read it. `limits` may be NULL: all defaults.
///
/// Gives: OK; NOT_A_SPOOL; MISSING where `dir` does not exist; PERMISSION where one of its directories cannot
/// be read or searched; UNSUPPORTED where the spool needs a later version; IO, DESCRIPTORS.
/// `*monitor` is the caller's: `multispool_monitor_free`. It does not need `limits` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_monitor_create(
    dir: *const c_char,
    limits: Option<&multispool_limits>,
    monitor: Option<&mut MaybeUninit<*mut multispool_monitor>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(monitor);
    run("monitor", error, |call| {
        // SAFETY: a string as the caller promises.
        let dir = Path::new(unsafe { call.text(dir, "dir") }?);
        out.check(call, "monitor")?;
        let spec = MonitorSpec::new(dir, given(call, limits)?);
        out.give(multispool_monitor {
            state: State::of_this_process(),
            monitor: Monitor::create(&spec)?,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Looks at the spool once, at the queues that it has by now; otherwise as `multispool_spool_problems`.
///
/// Gives: OK, whether or not there are problems; FORKED; MISSING where one of the spool's directories but
/// `.data` is gone; PERMISSION; IO, DESCRIPTORS.
/// `*problems` is the caller's: `multispool_problems_free`. It does not need `monitor` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_monitor_run_once(
    monitor: Option<&mut multispool_monitor>,
    problems: Option<&mut MaybeUninit<*mut multispool_problems>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(problems);
    on_mut("scan", monitor, error, |call, monitor| {
        out.check(call, "problems")?;
        out.give(multispool_problems::new(monitor.monitor.run_once()?));
        Ok(MULTISPOOL_OK)
    })
}

/// A spec as JSON, in one line: `{"spool_dir":"/var/spool/jobs","limits":{"max_checked_out_age":"10m",...}}`.
/// `dir` need not be there. `limits` may be NULL: all defaults.
///
/// Gives: OK; INVALID_ARGUMENT for a path or a queue whose name is not UTF-8, which JSON must be.
/// `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
/// `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_monitor_spec_to_json(
    dir: *const c_char,
    limits: Option<&multispool_limits>,
    json: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(json);
    run("monitor", error, |call| {
        // SAFETY: a string as the caller promises.
        let dir = Path::new(unsafe { call.text(dir, "dir") }?);
        out.check(call, "json")?;
        let spec = MonitorSpec::new(dir, given(call, limits)?);
        out.give(multispool_buffer::text(spec.to_json()?.as_bytes()));
        Ok(MULTISPOOL_OK)
    })
}

/// A spec from JSON, as `multispool_monitor_spec_to_json` gives it: what `multispool_monitor_create` takes. The
/// limits may be left out, or some of them: those have their defaults.
///
/// Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, a spec without a directory, an unknown key, a value
/// that is none; INVALID_NAME for a queue.
/// `*dir`, a path with a NUL after it that its length does not count, is the caller's:
/// `multispool_buffer_free`. So is `*limits`: `multispool_limits_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_monitor_spec_from_json(
    json: *const c_char,
    dir: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    limits: Option<&mut MaybeUninit<*mut multispool_limits>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let dir_out = Out::clear(dir);
    let limits_out = Out::clear(limits);
    run("monitor", error, |call| {
        // SAFETY: a string as the caller promises.
        let json = unsafe { call.utf8(json, "json") }?;
        dir_out.check(call, "dir")?;
        limits_out.check(call, "limits")?;
        let spec = MonitorSpec::from_json(json)?;
        dir_out.give(multispool_buffer::text(
            spec.spool_dir.as_os_str().as_bytes(),
        ));
        limits_out.give(multispool_limits::new(spec.limits));
        Ok(MULTISPOOL_OK)
    })
}

/// Frees a monitor. NULL is fine. The problems that it found stay valid, and the
/// daemons that it started go on.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_monitor_free(monitor: Option<Box<multispool_monitor>>) {
    free(monitor);
}
