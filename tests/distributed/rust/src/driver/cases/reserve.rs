//! Names that all want: each is one process's.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use distributed::record::{Answer, Verb};

use super::{Field, HANDS};
use crate::figures::{rate, span};
use crate::ground::Side;

pub fn race(field: &Field) -> Result<String> {
    let names = field.options.names;
    let mut crew = field.crew("reserve", field.options.lease)?;
    crew.add(HANDS, &Side::BOTH, &["reserve", &names.to_string()])?;
    crew.go()?;
    crew.join(None)?;
    let calls = crew.calls()?;
    let tries: Vec<_> = calls
        .iter()
        .filter(|call| call.verb == Verb::Reserve)
        .collect();
    ensure!(
        tries.len() == names * HANDS,
        "{} tries were made",
        tries.len()
    );
    ensure!(
        tries
            .iter()
            .all(|call| call.answered(Answer::Done) || call.answered(Answer::Refused)),
        "a call failed"
    );
    let mut winners: HashMap<&str, usize> = HashMap::new();
    for call in tries.iter().filter(|call| call.answered(Answer::Done)) {
        *winners.entry(&call.name).or_default() += 1;
    }
    let double = winners.values().filter(|count| **count > 1).count();
    ensure!(double == 0, "{double} names have two winners");
    ensure!(
        winners.len() == names,
        "{} names have no winner",
        names - winners.len()
    );
    let per_second = rate(tries.len(), span(tries.iter().copied()));
    Ok(format!(
        "{names} names, {HANDS} processes, one winner each; {per_second:.0} tries per second"
    ))
}
