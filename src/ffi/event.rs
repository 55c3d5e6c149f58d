//! # Events
//!
//! A problem came, or went.

use std::ptr;

use super::guard::{free, get};
use super::handle::{State, handle};
use super::problems::{c_order, multispool_problems};
use super::time::nanoseconds;
use crate::Event;

/// From this check on the problem is public: more checks in a row have seen it than the daemon waits for.
pub const MULTISPOOL_EVENT_START: i32 = 1;
/// A public problem was not seen any more in this check.
pub const MULTISPOOL_EVENT_END: i32 = 2;

/// What a daemon has to tell of a problem.
/// Shareable: it never changes.
pub struct multispool_event {
    state: State,
    event: Event,
    problem: multispool_problems,
}
handle!(multispool_event, "event");

impl multispool_event {
    pub(super) fn new(event: Event) -> multispool_event {
        multispool_event {
            state: State::of_any_process(),
            problem: multispool_problems::new(vec![event.problem().clone()]),
            event,
        }
    }
}

/// Whether the problem came or went, a `MULTISPOOL_EVENT_` number. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_event_kind(event: Option<&multispool_event>) -> i32 {
    get(event, 0, |event| match event.event {
        Event::Start(..) => MULTISPOOL_EVENT_START,
        Event::End(..) => MULTISPOOL_EVENT_END,
    })
}

/// When the check was made that showed it, in nanoseconds since 1970. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_event_time_ns(event: Option<&multispool_event>) -> i64 {
    get(event, 0, |event| nanoseconds(event.event.time()))
}

/// The problem, with index 0 in a list of its own, for the functions of problems. NULL for NULL. Borrowed
/// until the event is freed: do not free it.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_event_problem(
    event: Option<&multispool_event>,
) -> *const multispool_problems {
    get(event, ptr::null(), |event| &raw const event.problem)
}

/// Compares two events: -1, 0 or 1 where the first comes before the second, is the same, or comes after it,
/// by kind (starts come first), time and problem. NULL comes after all else.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_event_compare(
    event: Option<&multispool_event>,
    other: Option<&multispool_event>,
) -> i32 {
    let [event, other] = [event, other].map(|event| get(event, None, |event| Some(&event.event)));
    c_order(event, other)
}

/// Frees an event. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_event_free(event: Option<Box<multispool_event>>) {
    free(event);
}
