//! The one thread that this library starts: it leads for readers whose descriptor is polled, for they
//! have no thread that waits inside it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::inotify::{Bell, Hub, State as HubState, hub, left};
use crate::sys::event::{self, Event};
use crate::sys::fork;
use crate::sys::thread;

/// How long an arrival may lie unfetched by the reader that was rung for it before another is rung.
const OFFER_AGAIN: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(super) struct State {
    /// The readers that have a descriptor.
    readers: usize,
    /// Wakes the thread: there while it runs.
    control: Option<Arc<Event<OwnedFd>>>,
    timers: Vec<(Instant, Arc<Bell>)>,
}

impl State {
    pub(super) fn runs(&self) -> bool {
        self.control.is_some()
    }

    fn wake(&self) {
        if let Some(control) = &self.control {
            control.raise();
        }
    }
}

/// A reader's claim on the thread, which runs while there is one.
#[derive(Debug)]
pub(crate) struct Watched {
    bell: Arc<Bell>,
    generation: u64,
}

impl Watched {
    /// Starts the thread if it does not run.
    pub(crate) fn new(bell: &Arc<Bell>) -> io::Result<Watched> {
        let mut state = hub().lock();
        if !state.watcher.runs() {
            let control = Arc::new(Event::new()?);
            let its = Arc::clone(&control);
            thread::spawn_without_signals("multispool", move || watch(hub(), &its))?;
            state.watcher.control = Some(control);
        }
        state.watcher.readers += 1;
        Ok(Watched {
            bell: Arc::clone(bell),
            generation: fork::generation(),
        })
    }

    /// For a reader without a source: lowers its bell until `at`.
    pub(crate) fn arm(&self, at: Instant) {
        let mut state = hub().lock();
        self.bell.silence();
        set_timer(&mut state, &self.bell, Some(at));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            return;
        }
        let mut state = hub().lock();
        state.watcher.readers -= 1;
        set_timer(&mut state, &self.bell, None);
        if state.watcher.readers == 0 {
            state.watcher.wake();
        }
    }
}

/// Has the bell rung at this time, and at no other that was set before.
pub(super) fn set_timer(
    state: &mut MutexGuard<'_, HubState>,
    bell: &Arc<Bell>,
    at: Option<Instant>,
) {
    let watcher = &mut state.watcher;
    watcher
        .timers
        .retain(|(_, other)| !Arc::ptr_eq(other, bell));
    if let Some(at) = at {
        watcher.timers.push((at, Arc::clone(bell)));
        watcher.wake();
    }
}

/// The thread must wait for a kernel object that it has not seen yet.
pub(super) fn inotify_is_new(state: &MutexGuard<'_, HubState>) {
    state.watcher.wake();
}

fn watch(hub: &Hub, control: &Event<OwnedFd>) {
    let mut offered = Instant::now();
    loop {
        let mut state = hub.lock();
        if state.watcher.readers == 0 {
            state.watcher.control = None;
            state.watcher.timers.clear();
            state.promote();
            return;
        }
        let now = Instant::now();
        // A failure to read is told to the readers, who drain themselves before they answer.
        let _ = state.drain(None);
        state.watcher.timers.retain(|(at, bell)| {
            let is_due = *at <= now;
            if is_due {
                bell.ring();
            }
            !is_due
        });
        if now.saturating_duration_since(offered) >= OFFER_AGAIN {
            state.offer_again();
            offered = now;
        }
        let timer = state.watcher.timers.iter().map(|(at, _)| *at).min();
        let offer = state.has_offers().then(|| offered + OFFER_AGAIN);
        let until = timer.into_iter().chain(offer).min();
        let inotify = state.inotify();
        drop(state);
        let kernel = inotify.as_ref().map(|inotify| inotify.as_fd());
        // A failure (no memory) is as good as a wake-up: all is looked at again.
        if let Ok([true, _]) = event::readable([Some(control.as_fd()), kernel], left(until)) {
            control.lower();
        }
    }
}
