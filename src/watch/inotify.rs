//! The sources of arrivals: one inotify instance for the process, one source for each queue directory,
//! shared by all readers of the process.
//!
//! Each arrival is kept in its source until a reader takes it, and one waiting reader is rung for it.
//! Of the threads that wait, one leads: it also waits for the kernel, and rings the others. Once a
//! reader's descriptor has been asked for, the watcher thread leads instead.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::watcher;
use crate::layout::{CHECKOUT, Dir};
use crate::name::EntryName;
use crate::reader::GivenBack;
use crate::sys::event::{self, Event};
use crate::sys::fork::{self, PerProcess};
use crate::sys::inotify::{Happening, Inotify};
use crate::sys::sync::lock;

/// More arrivals than this are forgotten, and listed instead.
const ARRIVALS_HELD: usize = 16_384;

static HUB: PerProcess<Hub> = PerProcess::new();

/// All that the readers of a process share.
#[derive(Default)]
pub(super) struct Hub {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    inotify: Option<Arc<Inotify>>,
    sources: HashMap<i32, Source>,
    /// Some thread waits for the kernel.
    leading: bool,
    /// The bells of the threads that wait and do not lead.
    followers: Vec<Arc<Bell>>,
    pub(super) watcher: watcher::State,
}

#[derive(Default)]
struct Source {
    readers: usize,
    arrivals: VecDeque<EntryName>,
    /// Counts the times that arrivals were lost: whoever listed before that must list again.
    epoch: u64,
    gone: bool,
    waiting: VecDeque<Arc<Bell>>,
}

/// What wakes one reader.
#[derive(Debug)]
pub(crate) struct Bell {
    event: Event<OwnedFd>,
    given_back: Arc<GivenBack>,
}

impl Bell {
    pub(crate) fn new(given_back: &Arc<GivenBack>) -> Result<Arc<Bell>, Errno> {
        Ok(Arc::new(Bell {
            event: Event::new()?,
            given_back: Arc::clone(given_back),
        }))
    }

    pub(crate) fn ring(&self) {
        self.event.raise();
    }

    pub(crate) fn silence(&self) {
        self.event.lower();
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    /// What its reader gave back or found bad.
    pub(crate) fn given_back(&self) -> &GivenBack {
        &self.given_back
    }

    fn wants(&self, name: &EntryName) -> bool {
        !self.given_back.must_rest(name)
    }
}

pub(super) fn hub() -> &'static Hub {
    HUB.get(Hub::default)
}

impl Hub {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    pub(super) fn inotify(&self) -> Option<Arc<Inotify>> {
        self.inotify.clone()
    }

    /// Takes what the kernel has and rings whom it concerns; true if `leader` is among them.
    pub(super) fn drain(&mut self, leader: Option<&Arc<Bell>>) -> Result<bool, Errno> {
        let Some(inotify) = self.inotify.clone() else {
            return Ok(false);
        };
        let mut leader_rung = false;
        inotify.drain(|happening| match happening {
            Happening::Arrival { watch, name } => {
                let source = self.sources.get_mut(&watch);
                if let (Some(source), Some(name)) = (source, EntryName::found(name)) {
                    leader_rung |= source.arrived(name, leader);
                }
            }
            // A queue's directory is removed after its `.checkout/`, and of that alone the kernel tells
            // at once: the directory itself we hold open.
            Happening::Removal { watch, name } if name == CHECKOUT.as_bytes() => {
                leader_rung |= self.gone(watch, leader);
            }
            Happening::Removal { .. } => {}
            Happening::Gone { watch } => leader_rung |= self.gone(watch, leader),
            Happening::Overflow => {
                for source in self.sources.values_mut() {
                    leader_rung |= source.lose_arrivals(leader);
                }
            }
        })?;
        Ok(leader_rung)
    }

    fn gone(&mut self, watch: i32, leader: Option<&Arc<Bell>>) -> bool {
        self.sources.get_mut(&watch).is_some_and(|source| {
            source.gone = true;
            source.ring_all(leader)
        })
    }

    /// Rings a reader for arrivals that whoever was rung for them has not fetched.
    pub(super) fn offer_again(&mut self) {
        for source in self.sources.values_mut() {
            source.offer();
        }
    }

    /// Whether there are arrivals that a waiting reader could be rung for.
    pub(super) fn has_offers(&self) -> bool {
        self.sources
            .values()
            .any(|source| source.wanting().is_some())
    }

    /// Makes one of those who wait the leader.
    pub(super) fn promote(&mut self) {
        if !self.leading
            && !self.watcher.runs()
            && let Some(bell) = self.followers.pop()
        {
            bell.ring();
        }
    }
}

impl Source {
    fn arrived(&mut self, name: EntryName, leader: Option<&Arc<Bell>>) -> bool {
        if self.arrivals.len() >= ARRIVALS_HELD {
            return self.lose_arrivals(leader);
        }
        let is_leader = |bell: &Arc<Bell>| leader.is_some_and(|leader| Arc::ptr_eq(bell, leader));
        // The leader is awake already: first to it.
        let chosen = self
            .waiting
            .iter()
            .position(|bell| is_leader(bell) && bell.wants(&name))
            .or_else(|| self.waiting.iter().position(|bell| bell.wants(&name)));
        self.arrivals.push_back(name);
        let Some(bell) = chosen.and_then(|chosen| self.waiting.remove(chosen)) else {
            return false;
        };
        if is_leader(&bell) {
            return true;
        }
        bell.ring();
        false
    }

    fn lose_arrivals(&mut self, leader: Option<&Arc<Bell>>) -> bool {
        self.arrivals.clear();
        self.epoch += 1;
        self.ring_all(leader)
    }

    fn ring_all(&mut self, leader: Option<&Arc<Bell>>) -> bool {
        let mut leader_rung = false;
        for bell in self.waiting.drain(..) {
            match leader {
                Some(leader) if Arc::ptr_eq(leader, &bell) => leader_rung = true,
                _ => bell.ring(),
            }
        }
        leader_rung
    }

    /// Rings a waiting reader that wants one of the arrivals.
    fn offer(&mut self) {
        if let Some(bell) = self
            .wanting()
            .and_then(|chosen| self.waiting.remove(chosen))
        {
            bell.ring();
        }
    }

    fn wanting(&self) -> Option<usize> {
        self.waiting
            .iter()
            .position(|bell| self.arrivals.iter().any(|name| bell.wants(name)))
    }

    fn has_news(&self, bell: &Bell, seen: u64) -> bool {
        self.gone || self.epoch != seen || self.arrivals.iter().any(|name| bell.wants(name))
    }
}

/// One reader's share in a source.
#[derive(Debug)]
pub(crate) struct Subscription {
    watch: i32,
    bell: Arc<Bell>,
    generation: u64,
}

/// Why a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// There may be something: look.
    Look,
    Stopped,
    TimeIsUp,
    /// By a signal.
    Interrupted,
}

impl Subscription {
    /// Watches a queue's directory. From now on every arrival in it is kept for its readers.
    pub(crate) fn new(dir: BorrowedFd<'_>, at: &Dir, bell: &Arc<Bell>) -> Result<Self, Errno> {
        let mut state = hub().lock();
        let inotify = match &state.inotify {
            Some(inotify) => Arc::clone(inotify),
            None => {
                let inotify = Arc::new(Inotify::new()?);
                state.inotify = Some(Arc::clone(&inotify));
                watcher::inotify_is_new(&state);
                inotify
            }
        };
        let watch = inotify.watch(dir, at.path())?;
        state.sources.entry(watch).or_default().readers += 1;
        Ok(Subscription {
            watch,
            bell: Arc::clone(bell),
            generation: fork::generation(),
        })
    }

    /// Takes in what the kernel has by now.
    pub(crate) fn drain(&self) -> Result<(), Errno> {
        hub().lock().drain(None).map(drop)
    }

    /// Changes whenever arrivals were lost, so that a listing is needed.
    pub(crate) fn epoch(&self) -> u64 {
        self.source(|source| source.epoch)
    }

    /// Whether the directory has gone away.
    pub(crate) fn is_gone(&self) -> bool {
        self.source(|source| source.gone)
    }

    /// The first arrival that is not to `rest`.
    pub(crate) fn pop(&self, rest: impl Fn(&EntryName) -> bool) -> Option<EntryName> {
        self.source(|source| {
            let first = source.arrivals.iter().position(|name| !rest(name))?;
            source.arrivals.remove(first)
        })
    }

    /// Gives names that were not settled to whoever comes next.
    pub(crate) fn hand_back(&self, names: impl IntoIterator<Item = EntryName>) {
        self.source(|source| {
            for name in names {
                source.arrivals.push_front(name);
            }
        });
    }

    /// The reader stops waiting: what it was rung for goes to the next.
    pub(crate) fn leave(&self) {
        self.source(Source::offer);
    }

    /// Waits until the reader is rung, unless there is news since the epoch that it has `seen`.
    pub(crate) fn sleep(
        &self,
        seen: u64,
        stop: Option<BorrowedFd<'_>>,
        until: Option<Instant>,
    ) -> Result<Woken, Errno> {
        let mut state = hub().lock();
        let Some(source) = state.sources.get_mut(&self.watch) else {
            return Ok(Woken::Look);
        };
        if source.has_news(&self.bell, seen) {
            return Ok(Woken::Look);
        }
        source.waiting.push_back(Arc::clone(&self.bell));
        let leads = !state.leading && !state.watcher.runs();
        let inotify = if leads {
            state.leading = true;
            state.inotify()
        } else {
            state.followers.push(Arc::clone(&self.bell));
            None
        };
        drop(state);
        let mut was_rung = false;
        let woken = loop {
            let kernel = inotify.as_ref().map(|inotify| inotify.as_fd());
            let polled = event::readable([Some(self.bell.as_fd()), stop, kernel], left(until));
            match polled {
                Ok([_, true, _]) => break Ok(Woken::Stopped),
                Ok([true, ..]) => {
                    was_rung = true;
                    break Ok(Woken::Look);
                }
                Ok([.., true]) => match hub().lock().drain(Some(&self.bell)) {
                    Ok(true) => break Ok(Woken::Look),
                    Ok(false) => {}
                    Err(errno) => break Err(errno),
                },
                Ok(_) => {
                    if until.is_some_and(|until| until <= Instant::now()) {
                        break Ok(Woken::TimeIsUp);
                    }
                }
                Err(Errno::INTR) => break Ok(Woken::Interrupted),
                Err(errno) => break Err(errno),
            }
        };
        let mut state = hub().lock();
        // Whoever rings later wakes the next sleep.
        if was_rung {
            self.bell.silence();
        }
        let mine = |bell: &Arc<Bell>| Arc::ptr_eq(bell, &self.bell);
        if let Some(source) = state.sources.get_mut(&self.watch) {
            source.waiting.retain(|bell| !mine(bell));
        }
        state.followers.retain(|bell| !mine(bell));
        if leads {
            state.leading = false;
        }
        state.promote();
        woken
    }

    /// For a reader whose descriptor is polled: lowers it until there is news, or until `at`.
    pub(crate) fn arm(&self, seen: u64, at: Option<Instant>) {
        let mut state = hub().lock();
        watcher::set_timer(&mut state, &self.bell, at);
        let Some(source) = state.sources.get_mut(&self.watch) else {
            return;
        };
        source.waiting.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
        if source.has_news(&self.bell, seen) {
            // Not lowered: and an edge for whoever has seen the last one.
            self.bell.ring();
            return;
        }
        self.bell.silence();
        source.waiting.push_back(Arc::clone(&self.bell));
    }

    fn source<T: Default>(&self, f: impl FnOnce(&mut Source) -> T) -> T {
        hub()
            .lock()
            .sources
            .get_mut(&self.watch)
            .map(f)
            .unwrap_or_default()
    }
}

/// The time left until `until`.
pub(crate) fn left(until: Option<Instant>) -> Option<Duration> {
    until.map(|until| until.saturating_duration_since(Instant::now()))
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            return;
        }
        let mut state = hub().lock();
        let inotify = state.inotify();
        if let Some(source) = state.sources.get_mut(&self.watch) {
            source.waiting.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
            source.readers -= 1;
            if source.readers > 0 {
                source.offer();
            } else {
                state.sources.remove(&self.watch);
                if let Some(inotify) = inotify {
                    inotify.unwatch(self.watch);
                }
            }
        }
    }
}
