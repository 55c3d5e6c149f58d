//! A step is left out, and a broken promise must be found.

use std::path::Path;

use crate::case::{Case, Check, Count};
use crate::cuts::Recording;
use crate::operate::{Act, Operator};
use crate::operations::Operation;
use crate::sequel;

/// A step, and an operation that breaks a promise without it.
pub struct Blindness {
    pub step: &'static str,
    pub operation: &'static str,
    /// What has to follow a kill before it shows; `None` where a cut is enough.
    after_a_kill: Option<Act>,
}

const fn cut(step: &'static str, operation: &'static str) -> Blindness {
    Blindness {
        step,
        operation,
        after_a_kill: None,
    }
}

const fn kill(step: &'static str, operation: &'static str, act: Act) -> Blindness {
    Blindness {
        step,
        operation,
        after_a_kill: Some(act),
    }
}

pub const CASES: &[Blindness] = &[
    cut("sync-create", "create"),
    cut("sync-data", "enqueue"),
    cut("sync-scratch", "enqueue"),
    cut("sync-data-name", "enqueue"),
    cut("sync-registry-name", "enqueue"),
    cut("sync-queue", "enqueue"),
    cut("sync-queue", "save to the same queue"),
    cut("sync-queue", "save to another queue"),
    cut("sync-queue", "release"),
    cut("sync-queue", "direct save"),
    cut("sync-queue", "recover"),
    cut("sync-source", "save to another queue"),
    cut("sync-scratch", "save of new metadata to another queue"),
    cut("sync-scratch", "save of new metadata without syncs"),
    cut("sync-scratch", "save of data"),
    cut("sync-scratch", "direct save"),
    cut("sync-exchange", "save of data"),
    cut("sync-data", "enqueue of data saved by path"),
    cut("open-saved", "enqueue of data saved by path"),
    cut("sync-scratch", "save of data by path"),
    cut("open-saved", "save of data by path"),
    cut("sync-removal", "remove"),
    cut("sync-removal", "direct remove"),
    cut("entry-first", "remove"),
    cut("sync-repair", "repair: adopt"),
    cut("sync-repair", "repair: remove reservations"),
    cut("sync-away", "repair: move away"),
    kill("sync-before-repair", "remove", Act::Tidy),
    kill("sync-before-repair", "direct remove", Act::Tidy),
    kill("sync-before-reuse", "remove", Act::Reuse),
];

/// The same operations by the same program, which leaves out nothing.
pub fn controls<'a>(
    operations: &'a [Operation],
    omitting: &Path,
    scratch: &Path,
) -> Result<Vec<Recording<'a>>, String> {
    let operator = Operator {
        executable: omitting.to_owned(),
        omitted: None,
    };
    operations
        .iter()
        .filter(|operation| CASES.iter().any(|case| case.operation == operation.name))
        .map(|operation| Recording::make(&operator, operation, scratch))
        .collect()
}

/// With the steps left out by the program `omitting`, each breaks a promise.
pub fn cases<'a>(
    operations: &'a [Operation],
    omitting: &'a Path,
    scratch: &'a Path,
) -> Vec<Case<'a>> {
    let blind = CASES.iter().map(|blindness| {
        let check: Check<'a> = Box::new(move || blindness.see(operations, omitting, scratch));
        let (operation, step) = (blindness.operation, blindness.step);
        Case {
            name: format!("{operation}: {step} left out"),
            checks: vec![check],
        }
    });
    blind.collect()
}

impl Blindness {
    fn see(
        &self,
        operations: &[Operation],
        omitting: &Path,
        scratch: &Path,
    ) -> Result<Count, String> {
        let operation = operations
            .iter()
            .find(|operation| operation.name == self.operation)
            .ok_or("no such operation")?;
        let operator = Operator {
            executable: omitting.to_owned(),
            omitted: Some(self.step),
        };
        let recording = Recording::make(&operator, operation, scratch)?;
        let broken = match self.after_a_kill {
            None => recording.first_broken(scratch),
            Some(act) => sequel::after_kills(&recording, &[act])
                .iter()
                .find_map(|sequel| sequel.check(&operator, scratch).err()),
        };
        let broken = broken.ok_or("no promise is broken")?;
        println!("{}: {} left out:", self.operation, self.step);
        broken
            .lines()
            .take(2)
            .for_each(|line| println!("    {line}"));
        Ok(Count {
            recordings: 1,
            events: recording.history.events.len(),
            states: recording.states.len(),
        })
    }
}
