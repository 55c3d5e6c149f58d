//! Waiting: the readers of one process, which share a source of arrivals, and other processes, which put
//! entries into the queue, take them, lock them for a moment, or die.

mod caller;
pub mod hub;
mod look;
pub mod others;
mod queue;
pub mod reader;
mod sleep;
mod steps;

use stateright::{Model, Property};

use crate::check::Labelled;
use hub::{Hub, Resting};
use others::Other;
use queue::Queue;
use reader::{Call, Reader};
use steps::Steps;

/// The names in the queue.
pub const NAMES: usize = 2;
/// The readers of the process.
pub const READERS: usize = 2;

/// One thing that a known-bad protocol does differently from the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// A reader lists its queue before it watches it.
    ListsFirst,
    /// A name whose lock is held is not tried again.
    BusyForgotten,
    /// A reader that stops waiting does not ring another for what it leaves.
    NobodyOffered,
    /// A leader that stops waiting makes no other the leader.
    NobodyPromoted,
    /// Events that the kernel dropped are not made up for by a listing.
    OverflowForgotten,
    /// A call that does not wait keeps busy names to its reader.
    KeepsBusy,
    /// A rest that ends between the look at what has rested and the sleep sets no timer.
    RestsEndUnseen,
    /// A release does not ring its reader, which may be asleep in another thread.
    ReleaseUnheard,
    /// A reader that is dropped keeps what it found bad to itself.
    KeepsBadWhenDropped,
}

/// What a model is made of.
#[derive(Clone)]
pub struct Readers {
    /// The calls of each reader.
    pub calls: [&'static [Call]; READERS],
    pub others: Vec<Other>,
    /// How many waits may be stopped.
    pub stops: u8,
    /// Readers may be dropped.
    pub drops: bool,
    /// Callers may give back what they have.
    pub releases: bool,
    /// How many events the kernel holds, and how many arrivals a source.
    pub kernel_holds: usize,
    pub arrivals_held: usize,
    pub departure: Option<Departure>,
}

impl Readers {
    /// The same with one step done differently.
    pub fn departing(&self, departure: Departure) -> Readers {
        Readers {
            departure: Some(departure),
            ..self.clone()
        }
    }
}

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub queue: Queue,
    pub hub: Hub,
    pub readers: [Reader; READERS],
    pub others: Vec<Other>,
    pub stops: u8,
}

impl State {
    pub fn resting(&self) -> Resting {
        self.readers.map(|reader| reader.resting)
    }
}

/// A step, with the moment that it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub who: &'static str,
    pub number: usize,
    pub call: &'static str,
    pub next: State,
}

impl Labelled for Action {
    fn label(&self) -> String {
        format!("{} {}: {}", self.who, self.number, self.call)
    }
}

impl Model for Readers {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            queue: Queue::default(),
            hub: Hub::default(),
            readers: [Reader::default(); READERS],
            others: self.others.clone(),
            stops: self.stops,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for me in 0..READERS {
            let mut steps = Steps {
                model: self,
                state,
                me,
                actions,
            };
            steps.all();
        }
        for (me, other) in state.others.iter().enumerate() {
            other.steps(self, state, me, actions);
        }
        if state.hub.watched > 0 {
            self.watch(state, actions);
        }
    }

    fn next_state(&self, _: &State, action: Action) -> Option<State> {
        Some(action.next)
    }

    fn properties(&self) -> Vec<Property<Readers>> {
        vec![Property::always("no wake-up is lost", no_wake_up_is_lost)]
    }
}

impl Readers {
    /// `watcher::watch`: the thread that leads for readers whose descriptor is polled.
    fn watch(&self, state: &State, actions: &mut Vec<Action>) {
        let mut step = |call: &'static str, change: &dyn Fn(&mut Hub, &Resting)| {
            let mut next = state.clone();
            change(&mut next.hub, &state.resting());
            actions.push(Action {
                who: "watcher",
                number: 0,
                call,
                next,
            });
        };
        if !state.hub.kernel.is_empty() {
            step("drains", &|hub, resting| {
                hub.drain(None, resting, self.arrivals_held, self.departure);
            });
        }
        for reader in (0..READERS).filter(|reader| state.hub.timers[*reader]) {
            step("rings: a timer is due", &|hub, _| {
                hub.timers[reader] = false;
                hub.bells[reader] = true;
            });
        }
        if state.hub.has_offers(&state.resting()) {
            step("offers again", &|hub, resting| hub.offer(resting));
        }
    }
}

/// Where nothing more comes of anybody but at a caller's will, no reader waits while it could have an entry.
fn no_wake_up_is_lost(_: &Readers, state: &State) -> bool {
    let hub = &state.hub;
    let is_at_rest = |(me, reader): (usize, &Reader)| {
        let is_left = reader.is_with_its_caller()
            || reader.waits() && !hub.bells[me] && !reader.timer && !hub.timers[me];
        is_left && !reader.gives_back()
    };
    let kernel_is_read = hub.watched > 0 || state.readers.iter().any(Reader::leads);
    let moves = !state.readers.iter().enumerate().all(is_at_rest)
        || !state.others.iter().all(|other| other.is_at_rest())
        || kernel_is_read && !hub.kernel.is_empty()
        || hub.watched > 0 && hub.has_offers(&state.resting());
    // What a reader found bad it tries again itself, at its next call if it is not in one.
    let callers = state
        .readers
        .iter()
        .filter(|reader| reader.is_with_its_caller());
    let bad = callers.fold(0, |bad, reader| bad | reader.bad);
    let waits = state.readers.iter().any(Reader::waits);
    moves || !waits || state.queue.free() & !bad == 0
}
