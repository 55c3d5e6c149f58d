//! Cases with something wrong in them, to see that the judge notices.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::agent::Agent;
use crate::case::{Case, Step};
use crate::figures::play_anew;
use crate::verbs::by_hand;

/// Plays each case with each thing wrong: how many failed, as they must, and how many passed.
///
/// # Errors
/// The agent does not start.
pub fn all_must_fail(cases: &[Case], command: &str) -> Result<(usize, usize)> {
    let (mut seen, mut missed) = (0, 0);
    for case in cases {
        for (what, wrong) in falsified(case) {
            let mut agent = Agent::start(command, Duration::from_secs(20))?;
            if play_anew(&wrong, &mut agent).is_err() {
                seen += 1;
            } else {
                missed += 1;
                eprintln!("FAILED {}: {}: passes with {what}", case.concept, case.name);
            }
        }
    }
    Ok((seen, missed))
}

/// The case with one thing wrong in its last step where there is such a thing: the status, a value of the answer, what
/// changes on disk, and a change that does not come.
fn falsified(case: &Case) -> Vec<(&'static str, Case)> {
    let last = |has: &dyn Fn(&Step) -> bool| case.steps.iter().rposition(has);
    let mut wrong = Vec::new();
    let mut add = |what, at: usize, change: &dyn Fn(&mut Step)| {
        let mut case = case.clone();
        change(&mut case.steps[at]);
        wrong.push((what, case));
    };
    if let Some(at) = last(&|step| !by_hand(&step.verb)) {
        add("another status", at, &|step| {
            let other = if step.status == "OK" { "CORRUPT" } else { "OK" };
            other.clone_into(&mut step.status);
        });
        add("a change that does not come", at, &|step| {
            step.disk
                .insert("in/never".to_owned(), Value::String("there".to_owned()));
        });
    }
    if let Some(at) = last(&|step| step.answer.values().any(is_plain)) {
        add("another answer", at, &|step| {
            if let Some(value) = step.answer.values_mut().find(|value| is_plain(value)) {
                *value = Value::String("something else".to_owned());
            }
        });
    }
    if let Some(at) = last(&|step| !step.disk.is_empty()) {
        add("a change left out", at, &|step| step.disk.clear());
    }
    wrong
}

/// Whether a value is a text, which another one can take the place of.
fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_array()
}
