//! Checks again and again, and tells what came and what went, by queue.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use super::super::{Queue, Spoolable};
use super::Problem;
use crate::error::Result;
use crate::stop::Stop;

/// A problem came or went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event<Q> {
    /// From this check on the problem is public: it has been seen in more checks in a row than the daemon
    /// waits for.
    Start(SystemTime, Problem<Q>),
    /// A public problem was not seen any more in this check.
    End(SystemTime, Problem<Q>),
}

impl<Q> Event<Q> {
    /// When the check was made that showed it.
    pub fn time(&self) -> SystemTime {
        match self {
            Event::Start(time, _) | Event::End(time, _) => *time,
        }
    }

    /// What it is about.
    pub fn problem(&self) -> &Problem<Q> {
        match self {
            Event::Start(_, problem) | Event::End(_, problem) => problem,
        }
    }
}

impl<Q: Queue> Event<Q> {
    fn of(untyped: crate::Event) -> Event<Q> {
        match untyped {
            crate::Event::Start(time, problem) => Event::Start(time, Problem::of(problem)),
            crate::Event::End(time, problem) => Event::End(time, Problem::of(problem)),
        }
    }

    /// The same event, by the names of the queues.
    pub fn to_untyped(&self) -> crate::Event {
        match self {
            Event::Start(time, problem) => crate::Event::Start(*time, problem.to_untyped()),
            Event::End(time, problem) => crate::Event::End(*time, problem.to_untyped()),
        }
    }
}

impl<Q: Queue> fmt::Display for Event<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_untyped(), f)
    }
}

/// What a wait for an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched<Q> {
    /// A problem came or went.
    Event(Event<Q>),
    /// The stop was triggered.
    Stopped,
    /// The time was up.
    TimedOut,
    /// A signal handler ran. Nothing is lost: wait again.
    Interrupted,
}

/// A monitor that goes on checking. It works in the thread that asks it for events, and only then; see
/// [`Daemon`](crate::Daemon).
pub struct Daemon<S: Spoolable> {
    untyped: crate::Daemon,
    spoolable: PhantomData<fn() -> S>,
}

impl<S: Spoolable> Daemon<S> {
    pub(super) fn of(untyped: crate::Daemon) -> Daemon<S> {
        Daemon {
            untyped,
            spoolable: PhantomData,
        }
    }

    /// Waits for the next event; see [`Daemon::next`](crate::Daemon::next).
    ///
    /// # Errors
    /// As [`Daemon::next`](crate::Daemon::next).
    pub fn next(
        &mut self,
        stop: Option<&Stop>,
        timeout: Option<Duration>,
    ) -> Result<Watched<S::Queue>> {
        Ok(match self.untyped.next(stop, timeout)? {
            crate::Watched::Event(event) => Watched::Event(Event::of(event)),
            crate::Watched::Stopped => Watched::Stopped,
            crate::Watched::TimedOut => Watched::TimedOut,
            crate::Watched::Interrupted => Watched::Interrupted,
        })
    }

    /// How long it is until [`next`](Daemon::next) has something to do at once.
    pub fn until_check(&self) -> Duration {
        self.untyped.until_check()
    }

    /// Hands each event, and the error of each check that failed, to `f`, until the stop is triggered.
    ///
    /// # Errors
    /// [`ErrorKind::Forked`](crate::ErrorKind::Forked) in a child.
    pub fn run(&mut self, stop: &Stop, mut f: impl FnMut(Result<Event<S::Queue>>)) -> Result<()> {
        self.untyped.run(stop, |event| f(event.map(Event::of)))
    }

    /// The events, and the errors of checks that failed, until the stop is triggered.
    pub fn events<'a>(
        &'a mut self,
        stop: &'a Stop,
    ) -> impl Iterator<Item = Result<Event<S::Queue>>> + 'a {
        self.untyped.events(stop).map(|event| event.map(Event::of))
    }
}

impl<S: Spoolable> fmt::Debug for Daemon<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Daemon").field(&self.untyped).finish()
    }
}
