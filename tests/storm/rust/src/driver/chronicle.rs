//! What the driver itself saw: who was started, stopped and killed when, and what the tools said.

use std::collections::HashMap;

use crate::tool::{Sighting, Tool};

/// A process that was killed. It lived at `before`, and was dead at `after`.
pub struct Death {
    pub process: u32,
    pub before: u64,
    pub after: u64,
}

/// A process that was stopped for a while, and then went on or was killed.
pub struct Pause {
    pub process: u32,
    pub from: u64,
    pub to: u64,
}

/// How often a tool ran to its end, and how much it found.
#[derive(Clone, Copy, Default)]
pub struct Runs {
    pub runs: usize,
    pub found: usize,
}

#[derive(Default)]
pub struct Chronicle {
    /// How many processes were started; each has the number that it was.
    pub starts: u32,
    /// The languages of producers and workers.
    pub languages: Vec<(u32, String)>,
    pub deaths: Vec<Death>,
    pub pauses: Vec<Pause>,
    pub sightings: Vec<Sighting>,
    /// Ends that must not be, and what tools must not find.
    pub wrongs: Vec<String>,
    pub runs: HashMap<Tool, Runs>,
}

impl Chronicle {
    pub fn runs(&self, tool: Tool) -> Runs {
        self.runs.get(&tool).copied().unwrap_or_default()
    }

    pub fn count(&mut self, tool: Tool, found: usize) {
        let runs = self.runs.entry(tool).or_default();
        runs.runs += 1;
        runs.found += found;
    }

    /// The pause of this process that has not ended has.
    pub fn pause_ends(&mut self, process: u32, now: u64) {
        let mut pauses = self.pauses.iter_mut().rev();
        if let Some(pause) = pauses.find(|pause| pause.process == process) {
            pause.to = now;
        }
    }
}
