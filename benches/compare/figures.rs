//! All that was measured: a figure of a contestant for each round.

use std::collections::{BTreeMap, BTreeSet};

use crate::contestant::Who;

/// What a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// An enqueue, in µs, median of the calls.
    Enqueue,
    /// A dequeue with the reading of the data and the remove, in µs, median of the calls.
    Dequeue,
    /// The same at 1,000 waiting, mean of the calls, so that the listing is in it.
    DequeueAt1000,
    /// That in the deep queue.
    DequeueDeep,
    /// That at 1,000,000.
    DequeueAtMillion,
    /// From the start of a process to its first entry out of 1,000,000, in s.
    FirstOfMillion,
    /// The same, when the kernel remembers nothing of them.
    FirstOfMillionFromDisk,
    /// Entries per s of four producers and four consumers.
    FourAndFour,
    /// Entries per s in batches of 64.
    Batches,
    /// Median time from before the enqueue until a waiting consumer has read it, in µs.
    Latency,
    /// The same, of the slowest in a hundred.
    LatencyTail,
    /// Entries per s that one consumer takes.
    OneConsumer,
    /// Entries per s that eight consumers take.
    EightConsumers,
    /// Claims that failed, of all that eight consumers made.
    FailedClaims,
    /// Resident memory of an idle reader, in MiB.
    IdleMemory,
    /// The most resident memory of a consumer at 1,000,000, in MiB.
    MemoryAtMillion,
}

#[derive(Default)]
pub struct Figures {
    rounds: BTreeMap<(What, Who), Vec<f64>>,
    missing: BTreeMap<Who, String>,
    /// How deep the deep queue is.
    pub waiting: f64,
}

impl Figures {
    pub fn add(&mut self, what: What, who: Who, figure: f64) {
        self.rounds.entry((what, who)).or_default().push(figure);
    }

    /// Notes why nothing was measured of a contestant.
    pub fn set_missing(&mut self, who: Who, reason: String) {
        self.missing.insert(who, reason);
    }

    pub fn missing(&self) -> &BTreeMap<Who, String> {
        &self.missing
    }

    pub fn measured(&self) -> BTreeSet<Who> {
        self.rounds.keys().map(|(_, who)| *who).collect()
    }

    pub fn median(&self, what: What, who: Who) -> Option<f64> {
        self.rounds.get(&(what, who)).cloned().and_then(median)
    }

    /// The median of the rounds' ratios: what made a round slow for both is not in it.
    pub fn ratio(&self, of: (What, Who), to: (What, Who)) -> Option<f64> {
        let (of, to) = (self.rounds.get(&of)?, self.rounds.get(&to)?);
        if of.len() != to.len() {
            return Some(median(of.clone())? / median(to.clone())?);
        }
        median(of.iter().zip(to).map(|(of, to)| of / to).collect())
    }
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() % 2 {
        1 => Some(figures[middle]),
        _ => Some(f64::midpoint(
            *figures.get(middle.checked_sub(1)?)?,
            figures[middle],
        )),
    }
}
