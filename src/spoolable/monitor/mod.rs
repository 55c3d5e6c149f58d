//! What is wrong with a spool, told in terms of its queues.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::multispool::dirnames;
use super::{Queue, Spoolable};
use crate::error::Result;
use crate::spool::SpoolOptions;

mod daemon;
mod limits;
mod problem;

pub use daemon::{Daemon, Event, Watched};
pub use limits::Limits;
pub use problem::{Dir, Problem};

/// What a monitor looks at, and by which limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec<Q> {
    /// The spool's directory.
    pub spool_dir: PathBuf,
    /// From when on things are too old.
    pub limits: Limits<Q>,
}

impl<Q: Queue> Spec<Q> {
    /// A spool to look at, and the limits to judge it by.
    pub fn create(spool_dir: impl AsRef<Path>, limits: Limits<Q>) -> Spec<Q> {
        Spec {
            spool_dir: spool_dir.as_ref().to_owned(),
            limits,
        }
    }
}

/// Looks at a spool for what is wrong with it. It only reads, and owns nothing.
pub struct Monitor<S: Spoolable> {
    untyped: crate::Monitor,
    spoolable: PhantomData<fn() -> S>,
}

impl<S: Spoolable> Monitor<S> {
    /// A monitor of an existing spool, which must have all the queues. Never creates one.
    ///
    /// # Errors
    /// As [`Multispool::load`](super::Multispool::load) for reading.
    pub fn create(spec: &Spec<S::Queue>) -> Result<Monitor<S>> {
        let options = SpoolOptions::new().throttle(S::Throttle::default());
        let spool = options
            .for_monitor()
            .load(&spec.spool_dir, dirnames::<S::Queue>()?)?;
        Ok(Monitor {
            untyped: crate::Monitor::of(spool, spec.limits.to_untyped()),
            spoolable: PhantomData,
        })
    }

    /// Looks once, and gives the problems in order; see [`Monitor::run_once`](crate::Monitor::run_once).
    ///
    /// # Errors
    /// Those of reading the directories.
    pub fn run_once(&self) -> Result<Vec<Problem<S::Queue>>> {
        let found = self.untyped.run_once()?;
        let mut problems: Vec<_> = found.into_iter().map(Problem::of).collect();
        problems.sort();
        Ok(problems)
    }

    /// Begins to check again and again. The first check is made when the first event is asked for.
    pub fn start(&self, spec: &crate::DaemonSpec) -> Daemon<S> {
        Daemon::of(self.untyped.start(spec))
    }
}

impl<S: Spoolable> fmt::Debug for Monitor<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.untyped).finish()
    }
}

impl<S: Spoolable> Clone for Monitor<S> {
    fn clone(&self) -> Monitor<S> {
        Monitor {
            untyped: self.untyped.clone(),
            spoolable: PhantomData,
        }
    }
}
