//! # Daemons
//!
//! A daemon is a monitor that goes on checking, and tells what came and what went. It starts no thread and no
//! process: it checks in the calls of `multispool_daemon_next`, and only then. In one check ends come before
//! starts.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use super::buffer::multispool_buffer;
use super::error::multispool_error;
use super::event::multispool_event;
use super::guard::{Out, free, get, on, on_mut, run};
use super::handle::{State, handle};
use super::monitor::multispool_monitor;
use super::status::{
    MULTISPOOL_EMPTY, MULTISPOOL_INTERRUPTED, MULTISPOOL_OK, MULTISPOOL_STOPPED,
    MULTISPOOL_TIMED_OUT,
};
use super::stop::multispool_stop;
use super::time::milliseconds;
use crate::{Daemon, DaemonSpec, Watched};

/// How often to check, and from when on to tell.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_daemon_options {
    state: State,
    spec: DaemonSpec,
}
handle!(multispool_daemon_options, "options");

impl multispool_daemon_options {
    fn new(spec: DaemonSpec) -> multispool_daemon_options {
        multispool_daemon_options {
            state: State::of_any_process(),
            spec,
        }
    }
}

/// A monitor that goes on checking.
/// One thread at a time; it may move between threads. A forked child gets FORKED.
pub struct multispool_daemon {
    state: State,
    daemon: Daemon,
}
handle!(multispool_daemon, "daemon");

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_daemon_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_daemon_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_daemon_options::new(DaemonSpec::new()));
        Ok(MULTISPOOL_OK)
    })
}

/// Makes options from JSON, as `multispool_daemon_options_to_json` gives it. What is left out has its default.
///
/// Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, an unknown key, a value that is none.
/// `*options` is the caller's: `multispool_daemon_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_from_json(
    json: *const c_char,
    options: Option<&mut MaybeUninit<*mut multispool_daemon_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        // SAFETY: a string as the caller promises.
        let json = unsafe { call.utf8(json, "json") }?;
        out.check(call, "options")?;
        out.give(multispool_daemon_options::new(DaemonSpec::from_json(json)?));
        Ok(MULTISPOOL_OK)
    })
}

/// The options as JSON, in one line: `{"check_every":"15s","alert_after_cycles":2}`.
///
/// Gives: OK.
/// `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
/// `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_to_json(
    options: Option<&multispool_daemon_options>,
    json: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(json);
    on("options", options, error, |call, options| {
        out.check(call, "json")?;
        out.give(multispool_buffer::text(options.spec.to_json()?.as_bytes()));
        Ok(MULTISPOOL_OK)
    })
}

/// The pause between the end of a check and the beginning of the next, in milliseconds. Default: 15,000.
/// It is at least five times as long as the check took, unless it is 0.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_set_check_every_ms(
    options: Option<&mut multispool_daemon_options>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        options.spec.check_every = call.milliseconds(ms, "ms")?;
        Ok(MULTISPOOL_OK)
    })
}

/// A problem is told when more checks in a row than this have seen it; 0 tells it at once. Default: 2.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_set_alert_after_cycles(
    options: Option<&mut multispool_daemon_options>,
    cycles: u64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |_, options| {
        options.spec.alert_after_cycles = cycles;
        Ok(MULTISPOOL_OK)
    })
}

/// The pause between two checks, in milliseconds; a part of one counts as a whole. -1 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_check_every_ms(
    options: Option<&multispool_daemon_options>,
) -> i64 {
    get(options, -1, |options| {
        milliseconds(options.spec.check_every)
    })
}

/// After how many checks in a row a problem is told. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_alert_after_cycles(
    options: Option<&multispool_daemon_options>,
) -> u64 {
    get(options, 0, |options| options.spec.alert_after_cycles)
}

/// Frees options. NULL is fine. Daemons started with them are not affected.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_options_free(
    options: Option<Box<multispool_daemon_options>>,
) {
    free(options);
}

/// Begins to check again and again. The first check is made when the first event is asked for. `options` may
/// be NULL: all defaults.
///
/// Gives: OK; FORKED.
/// `*daemon` is the caller's: `multispool_daemon_free`. It does not need `monitor` or `options` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_start(
    monitor: Option<&mut multispool_monitor>,
    options: Option<&multispool_daemon_options>,
    daemon: Option<&mut MaybeUninit<*mut multispool_daemon>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(daemon);
    on_mut("monitor", monitor, error, |call, monitor| {
        out.check(call, "daemon")?;
        let options = call.optional(options)?;
        let spec = options.map_or_else(DaemonSpec::new, |options| options.spec.clone());
        out.give(multispool_daemon {
            state: State::of_this_process(),
            daemon: monitor.monitor.start(&spec),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Gives the next event, checking and waiting for one at most `timeout_ms` milliseconds: -1 for ever; 0 makes
/// a check if one is due, and does not wait. `stop` (which may be NULL) ends the wait. A check is made whole
/// or not at all, and no event is lost: the next call goes on from there.
///
/// Gives: OK; EMPTY with a timeout of 0; TIMED_OUT with another; STOPPED; INTERRUPTED where a signal handler
/// ran (call again); FORKED; of a check that failed, MISSING where one of the spool's directories but `.data`
/// is gone, PERMISSION, IO, DESCRIPTORS: the daemon has outlived it, and the next call goes on with the next
/// check.
/// `*event` is the caller's: `multispool_event_free`. It does not need the daemon to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_next(
    daemon: Option<&mut multispool_daemon>,
    stop: Option<&multispool_stop>,
    timeout_ms: i64,
    event: Option<&mut MaybeUninit<*mut multispool_event>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(event);
    on_mut("monitor", daemon, error, |call, daemon| {
        out.check(call, "event")?;
        let stop = call.optional(stop)?.map(|stop| &stop.stop);
        let timeout = call.timeout(timeout_ms)?;
        match daemon.daemon.next(stop, timeout)? {
            Watched::Event(event) => {
                out.give(multispool_event::new(event));
                Ok(MULTISPOOL_OK)
            }
            Watched::Stopped => Ok(MULTISPOOL_STOPPED),
            Watched::TimedOut if timeout_ms == 0 => Ok(MULTISPOOL_EMPTY),
            Watched::TimedOut => Ok(MULTISPOOL_TIMED_OUT),
            Watched::Interrupted => Ok(MULTISPOOL_INTERRUPTED),
        }
    })
}

/// How long it is, in milliseconds, until `multispool_daemon_next` has something to do at once: 0 where a check
/// is due, or where events of the last one have not been asked for. For callers with an event loop: ask with a
/// timeout of 0 until EMPTY, then let so much time go by. 0 for NULL, and in a forked child.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_until_check_ms(
    daemon: Option<&multispool_daemon>,
) -> i64 {
    get(daemon, 0, |daemon| {
        milliseconds(daemon.daemon.until_check())
    })
}

/// Frees a daemon, which ends it. NULL is fine. The events that it gave stay valid.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_daemon_free(daemon: Option<Box<multispool_daemon>>) {
    free(daemon);
}
