//! What is wrong with a spool, and nothing else.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::spool::Spool;

pub(crate) mod daemon;
pub(crate) mod event;
#[cfg(feature = "json")]
mod json;
pub(crate) mod limits;
pub(crate) mod place;
pub(crate) mod problem;
mod scan;
mod sound;

use limits::Limits;
use problem::Problem;

/// What a monitor looks at, and by which limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorSpec {
    /// The spool's directory.
    pub spool_dir: PathBuf,
    /// From when on things are too old.
    pub limits: Limits,
}

impl MonitorSpec {
    /// A spool to look at, and the limits to judge it by.
    pub fn new(spool_dir: impl AsRef<Path>, limits: Limits) -> MonitorSpec {
        MonitorSpec {
            spool_dir: spool_dir.as_ref().to_owned(),
            limits,
        }
    }
}

/// Looks at a spool for what is wrong with it. It only reads, and owns nothing.
#[derive(Clone, Debug)]
pub struct Monitor {
    spool: Spool,
    limits: Limits,
}

impl Monitor {
    /// A monitor of an existing spool. Never creates one.
    ///
    /// # Errors
    /// As [`Spool::load`] for reading.
    pub fn create(spec: &MonitorSpec) -> Result<Monitor> {
        let queues = Spool::discover(&spec.spool_dir)?;
        let spool = Spool::options()
            .for_monitor()
            .load(&spec.spool_dir, queues)?;
        Ok(Monitor::of(spool, spec.limits.clone()))
    }

    /// A monitor of a spool that was opened for it.
    pub(crate) fn of(spool: Spool, limits: Limits) -> Monitor {
        Monitor { spool, limits }
    }

    /// Looks once, and gives the problems in order. A busy, healthy spool has none: whatever looks wrong is
    /// looked at again until it holds still.
    ///
    /// # Errors
    /// Those of reading the directories.
    pub fn run_once(&self) -> Result<Vec<Problem>> {
        self.spool.problems(&self.limits)
    }
}

impl Spool {
    /// What is wrong with the spool, in all the queues that it has on disk; see [`Monitor::run_once`].
    ///
    /// # Errors
    /// Those of reading the directories.
    pub fn problems(&self, limits: &Limits) -> Result<Vec<Problem>> {
        scan::scan(&self.with_all_queues("scan")?, limits)
    }
}
