//! What comes after a process was killed, or the power was cut, in the middle of an operation: somebody goes on with
//! what is there, and then the power is cut.

use std::path::Path;

use crate::case::{Case, Check, Count};
use crate::cuts::{Recording, check_state};
use crate::enumerate::{Family, JOURNALED, states};
use crate::history::{Event, History};
use crate::observe::Observed;
use crate::operate::{Act, Operator};
use crate::operations::{Operation, SPOOL};
use crate::promise::Promise;
use crate::tree::Tree;

/// How one goes on.
pub struct Sequel<'a> {
    operation: &'a Operation,
    act: Act,
    before: History,
    /// Whether all of it was durable.
    is_durable: bool,
    told: String,
}

/// The process is killed after each of its changes. Nothing is lost by that, but what it has not synced is not
/// durable when the next process goes on.
pub fn after_kills<'a>(recording: &Recording<'a>, acts: &[Act]) -> Vec<Sequel<'a>> {
    let events = recording.history.events.iter().enumerate();
    // A kill after a sync leaves what a kill before it may leave.
    let changes = events.filter(|(_, event)| !event.is_sync());
    changes
        .flat_map(|(index, event)| acts.iter().map(move |act| (index, event, *act)))
        .map(|(index, event, act)| Sequel {
            operation: recording.operation,
            act,
            before: recording.history.until(index + 1),
            is_durable: false,
            told: format!("after a kill at event {index}, {event:?}, then {act:?}"),
        })
        .collect()
}

/// The power is cut, and once more while the spool is put right.
pub fn after_cuts<'a>(recording: &Recording<'a>) -> Vec<Sequel<'a>> {
    let states = recording.states.iter();
    let journaled = states.filter(|(_, cut)| cut.family != Family::Halves);
    let operation = recording.operation;
    journaled
        .map(|(tree, cut)| {
            let act = match operation.promise(cut.acknowledged).queues {
                [] => Act::Second,
                _ => Act::Tidy,
            };
            let mut before = History::beginning_with(tree.nodes());
            // What was acknowledged before the first cut stays so.
            before.events = vec![Event::Acknowledged; cut.acknowledged];
            Sequel {
                operation,
                act,
                before,
                is_durable: true,
                told: format!("after {cut:?} that left\n{tree}  then {act:?}"),
            }
        })
        .collect()
}

/// Each sequel is recorded, and every state of it keeps what was promised.
pub fn case<'a>(
    name: String,
    sequels: Vec<Sequel<'a>>,
    operator: &'a Operator,
    scratch: &'a Path,
) -> Case<'a> {
    let checks = sequels
        .into_iter()
        .map(|sequel| -> Check<'a> { Box::new(move || sequel.check(operator, scratch)) });
    Case {
        name,
        checks: checks.collect(),
    }
}

impl Sequel<'_> {
    pub fn check(&self, operator: &Operator, scratch: &Path) -> Result<Count, String> {
        self.check_states(operator, scratch)
            .map_err(|broken| format!("{}:\n{broken}", self.told))
    }

    fn check_states(&self, operator: &Operator, scratch: &Path) -> Result<Count, String> {
        let begins_at = self.before.events.len();
        let history = operator.record(self.operation, self.act, self.before.clone(), scratch)?;
        let last = history.events.len();
        let place = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
        let made = Tree::of(&history.live()).make(place.path());
        let seen = made
            .and_then(|()| Observed::of(&place.path().join(SPOOL)))
            .map_err(|error| error.to_string())?;
        let first = match self.act {
            // What is seen between its saves is no one's business here.
            Act::Work => last,
            _ => begins_at,
        };
        let states = states(&history, JOURNALED, first)?;
        let total = history.acknowledged(last);
        for state in &states {
            let is_done = state.1.acknowledged == total && total > history.acknowledged(begins_at);
            check_state(state, &self.promise(is_done, &seen), scratch)?;
        }
        Ok(Count {
            recordings: 1,
            events: last - begins_at,
            states: states.len(),
        })
    }

    /// What is promised before and after it has acknowledged that it is done, where `seen` is there in the end.
    fn promise(&self, is_done: bool, seen: &Observed) -> Promise<'_> {
        let acknowledged = self.before.acknowledged(self.before.events.len());
        let mut before = self.operation.promise(acknowledged);
        before.has_second_try = false;
        // Who finds nothing left to do has not made sure that what the dead did is durable.
        let is_sweep = self.act == Act::Tidy || (self.act == Act::Second && self.operation.sweeps);
        let mut promise = match (self.act, is_done) {
            (Act::First, _) => before,
            _ if is_sweep && !self.is_durable => before.while_tidying(),
            (Act::Second, true) => before.while_recovering().done_again(),
            (Act::Second, false) => before.while_recovering().while_taking(),
            (Act::Tidy, true) => before.tidied(),
            (Act::Tidy, false) => before.while_tidying(),
            (Act::Work | Act::Reuse, true) => before.while_recovering().become_acknowledged(seen),
            (Act::Work | Act::Reuse, false) => before.while_recovering().while_becoming(seen),
        };
        promise.has_leftovers |= !self.is_durable;
        promise
    }
}
