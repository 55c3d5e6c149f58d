//! An operation is recorded, and each state after a cut is checked.

use std::path::Path;

use crate::aftermath::{check, check_in_the_end};
use crate::case::{Case, Check, Count};
use crate::enumerate::{self, Cut, Family, states};
use crate::history::{Event, History};
use crate::operate::{Act, Operator};
use crate::operations::Operation;
use crate::promise::Promise;
use crate::tree::{self, Tree};

/// An operation as the kernel saw it, on a spool that was durable before, and the states after a cut.
pub struct Recording<'a> {
    pub operation: &'a Operation,
    pub history: History,
    pub states: Vec<(Tree, Cut)>,
}

impl<'a> Recording<'a> {
    pub fn make(
        operator: &Operator,
        operation: &'a Operation,
        scratch: &Path,
    ) -> Result<Recording<'a>, String> {
        let place = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
        (operation.prepare)(place.path());
        let start = tree::read(place.path()).map_err(|error| error.to_string())?;
        let start = History::beginning_with(start);
        let history = operator.record(operation, Act::First, start, scratch);
        history
            .and_then(|history| Recording::of(operation, history))
            .map_err(|reason| format!("{}: {reason}", operation.name))
    }

    fn of(operation: &'a Operation, history: History) -> Result<Recording<'a>, String> {
        let states = states(&history, enumerate::ALL, 0)?;
        Ok(Recording {
            operation,
            history,
            states,
        })
    }

    /// Every state keeps what was promised.
    pub fn case<'b>(&'b self, scratch: &'b Path) -> Case<'b> {
        let recorded = Count {
            recordings: 1,
            events: self.history.events.len(),
            states: 0,
        };
        let recorded: Check<'b> = Box::new(move || Ok(recorded));
        let states = self.states.iter().map(|state| -> Check<'b> {
            Box::new(move || {
                self.check_state(state, scratch)
                    .map(|()| Count::of_states(1))
            })
        });
        Case {
            name: format!("{}: a cut", self.operation.name),
            checks: std::iter::once(recorded).chain(states).collect(),
        }
    }

    /// Each sync is needed: left out of the recording, a promise is broken in some state.
    pub fn case_without_each_sync<'b>(&'b self, scratch: &'b Path) -> Case<'b> {
        let events = self.history.events.iter().enumerate();
        let syncs = events.filter(|(_, event)| event.is_sync());
        Case {
            name: format!("{}: a cut, with a sync left out", self.operation.name),
            checks: syncs
                .map(|(index, event)| -> Check<'b> {
                    Box::new(move || self.check_without(index, event, scratch))
                })
                .collect(),
        }
    }

    fn check_without(&self, index: usize, event: &Event, scratch: &Path) -> Result<Count, String> {
        let mut history = self.history.clone();
        history.events.remove(index);
        let without = Recording::of(self.operation, history)?;
        match without.first_broken(scratch) {
            Some(_) => Ok(Count {
                recordings: 1,
                events: without.history.events.len(),
                states: without.states.len(),
            }),
            None => Err(format!(
                "no promise is broken without event {index}, {event:?}"
            )),
        }
    }

    /// The first promise that is broken in a state.
    pub fn first_broken(&self, scratch: &Path) -> Option<String> {
        self.states
            .iter()
            .find_map(|state| self.check_state(state, scratch).err())
    }

    fn check_state(&self, state: &(Tree, Cut), scratch: &Path) -> Result<(), String> {
        check_state(
            state,
            &self.operation.promise(state.1.acknowledged),
            scratch,
        )
    }
}

pub fn check_state(
    (tree, cut): &(Tree, Cut),
    promise: &Promise<'_>,
    scratch: &Path,
) -> Result<(), String> {
    let kept = match cut.family {
        Family::Halves => check_in_the_end(promise, tree, scratch),
        Family::Journal | Family::Directories => check(promise, tree, scratch),
    };
    kept.map_err(|broken| format!("{broken}\n  {cut:?}\n{tree}"))
}
