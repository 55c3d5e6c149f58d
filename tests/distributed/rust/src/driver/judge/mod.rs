//! The judge: whether what the hands tell, and what is left on disk, is what network mode promises.
//!
//! * Every entry that was enqueued is finished by an end that was acknowledged, or by one of which nobody was told.
//! * An entry is taken again only when the lease of who had it had run out: since the beginning of its last renewal that
//!   was acknowledged, or of the call that took it, as long as the lease has passed. The library waits another two seconds,
//!   as times may be whole seconds; the judge does not ask for them.
//! * Nothing is taken by a call that began after its end was acknowledged.
//! * A late holder is told LOST_OWNERSHIP by each call that it begins after another has taken the entry. A call that had
//!   begun by then may count.
//! * An enqueue is told LOST_OWNERSHIP of its name only if it took as long as a lease.
//! * Data is what was enqueued, whenever it is read.

mod disk;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use distributed::record::{Answer, Verb};

use crate::chronicle::Call;

pub use disk::{Left, left};

/// What the hands were promised.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// In nanoseconds.
    pub lease: u64,
    /// Whether calls may fail, as they do on a mount that is dead.
    pub failures: bool,
}

#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<String>,
    /// How many takings there were.
    pub taken: usize,
    /// Those among them that took over what another had.
    pub taken_over: usize,
    /// Late holders that were told LOST_OWNERSHIP.
    pub told: usize,
    /// Ends that counted though they were late, since they had begun in time.
    pub in_flight: usize,
    /// Calls that failed.
    pub failed: usize,
}

/// From the taking of an entry on, what one hand did with it.
struct Holding<'a> {
    take: &'a Call,
    taken: u64,
    calls: Vec<&'a Call>,
}

impl Holding<'_> {
    /// The beginning of the last call, before a time, that certainly renewed the lease.
    fn renewed(&self, before: u64) -> u64 {
        let renewals = self
            .calls
            .iter()
            .filter(|call| call.verb == Verb::Renew && call.begun < before);
        let sure = renewals.filter(|call| call.answered(Answer::Done));
        sure.map(|call| call.begun).max().unwrap_or(self.take.begun)
    }
}

pub fn judge(calls: &[Call], left: &Left, promise: Promise) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.judge_calls(calls, promise);
    let entries = entries(calls);
    let none = Vec::new();
    let holdings = holdings(calls);
    for (name, enqueue) in &entries {
        let holdings = holdings.get(name).unwrap_or(&none);
        verdict.judge_holders(name, holdings, promise);
        verdict.judge_end(name, enqueue, holdings, left);
    }
    for name in holdings.keys().filter(|name| !entries.contains_key(*name)) {
        verdict.violate(name, "was taken, and never enqueued");
    }
    for (name, why) in &left.wrong {
        verdict.violate(name, why);
    }
    verdict
}

/// The enqueue of each entry, whatever came of it.
fn entries(calls: &[Call]) -> BTreeMap<&str, &Call> {
    let enqueues = calls.iter().filter(|call| call.verb == Verb::Enqueue);
    enqueues.map(|call| (call.name.as_str(), call)).collect()
}

/// Who had each entry, in the order in which they were told that they had it.
fn holdings(calls: &[Call]) -> BTreeMap<&str, Vec<Holding<'_>>> {
    let mut all: BTreeMap<&str, Vec<Holding>> = BTreeMap::new();
    for (at, take) in calls.iter().enumerate() {
        let (Verb::Dequeue, Some(taken)) = (take.verb, take.done()) else {
            continue;
        };
        // A hand has one entry at a time, and its calls are together.
        let calls = calls[at + 1..].iter();
        let calls = calls.take_while(|call| call.hand == take.hand && call.verb != Verb::Dequeue);
        let calls = calls.filter(|call| call.name == take.name).collect();
        all.entry(&take.name)
            .or_default()
            .push(Holding { take, taken, calls });
    }
    for holdings in all.values_mut() {
        holdings.sort_by_key(|holding| holding.taken);
    }
    all
}

impl Verdict {
    fn violate(&mut self, name: &str, why: &str) {
        self.violations.push(format!("{name} {why}"));
    }

    fn judge_calls(&mut self, calls: &[Call], promise: Promise) {
        for call in calls {
            let Some(end) = &call.end else { continue };
            match end.answer {
                Answer::Torn => {
                    self.violate(&call.name, &format!("has other data: {}", end.detail))
                }
                Answer::Failed => {
                    self.failed += 1;
                    if !promise.failures {
                        self.violate(
                            &call.name,
                            &format!("could not be done to: {}: {}", call.verb, end.detail),
                        );
                    }
                }
                Answer::Lost if call.verb == Verb::Enqueue => {
                    let ms = end.at.saturating_sub(call.begun) / 1_000_000;
                    if end.at.saturating_sub(call.begun) < promise.lease {
                        self.violate(
                            &call.name,
                            &format!("was lost to its enqueue after {ms} ms"),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    fn judge_holders(&mut self, name: &str, holdings: &[Holding], promise: Promise) {
        self.taken += holdings.len();
        for (at, late) in holdings.iter().enumerate() {
            let Some(next) = holdings.get(at + 1) else {
                if !promise.failures {
                    self.judge_last(name, late, &holdings[..at]);
                }
                continue;
            };
            self.taken_over += 1;
            let (by, since) = (next.take.hand, late.renewed(next.taken));
            let after = next.taken.saturating_sub(since);
            if after < promise.lease {
                let ms = after / 1_000_000;
                self.violate(
                    name,
                    &format!(
                        "was taken by {by} only {ms} ms after {} had renewed it",
                        late.take.hand
                    ),
                );
            }
            self.judge_late(name, late, next);
        }
    }

    /// Nobody took it from the last, who may not be told so; unless one before was late, whose end counted after all.
    fn judge_last(&mut self, name: &str, last: &Holding, before: &[Holding]) {
        let ends = before
            .iter()
            .flat_map(|holding| &holding.calls)
            .filter(|call| call.finishes());
        let finished = ends
            .filter_map(|call| call.done())
            .any(|done| done > last.take.begun);
        if !finished && last.calls.iter().any(|call| call.answered(Answer::Lost)) {
            let hand = last.take.hand;
            self.violate(
                name,
                &format!("was lost to {hand}, from whom nobody took it"),
            );
        }
    }

    fn judge_late(&mut self, name: &str, late: &Holding, next: &Holding) {
        let mut told = false;
        for call in &late.calls {
            let Some(done) = call.done() else {
                told |= call.answered(Answer::Lost);
                continue;
            };
            // Data may be read by whoever has it open.
            if call.begun > next.taken && call.verb != Verb::Read {
                let (hand, verb, by) = (late.take.hand, call.verb, next.take.hand);
                self.violate(
                    name,
                    &format!("was taken by {by}, and after that {hand}'s {verb} was acknowledged"),
                );
            } else if call.finishes() && done < next.take.begun {
                let by = next.take.hand;
                self.violate(
                    name,
                    &format!("was taken by {by} after its end was acknowledged"),
                );
            } else if call.finishes() {
                self.in_flight += 1;
            }
        }
        self.told += usize::from(told);
    }

    fn judge_end(&mut self, name: &str, enqueue: &Call, holdings: &[Holding], left: &Left) {
        let ends = || {
            holdings
                .iter()
                .flat_map(|holding| &holding.calls)
                .filter(|call| call.finishes())
        };
        let acknowledged =
            |verb: Verb| ends().any(|call| call.verb == verb && call.done().is_some());
        let unsure = |verb: Verb| ends().any(|call| call.verb == verb && call.is_unsure());
        if left.done.contains(name) {
            if !acknowledged(Verb::Save) && !unsure(Verb::Save) {
                self.violate(name, "is saved, and nobody saved it");
            }
            return;
        }
        if acknowledged(Verb::Save) {
            self.violate(name, "was saved, and is not there");
        } else if enqueue.done().is_some() && !acknowledged(Verb::Remove) && !unsure(Verb::Remove) {
            self.violate(name, "is lost: it was enqueued, and never finished");
        }
    }
}
