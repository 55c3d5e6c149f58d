//! Entries that all want: each is taken once, though nothing befalls anybody.

use anyhow::{Result, ensure};

use super::{Failures, Field, HANDS, must_hold};
use crate::figures::{ends, rate, span};
use crate::ground::Side;

pub fn once_each(field: &Field) -> Result<String> {
    let (entries, lease) = (field.options.entries, field.options.lease);
    let mut crew = field.crew("take", lease)?;
    field.fill(&mut crew, entries)?;
    crew.add(HANDS, &Side::BOTH, &["work", "0", "0"])?;
    let (verdict, calls) = field.end(&mut crew, "take", lease, Failures::None)?;
    must_hold(&verdict, &calls)?;
    ensure!(
        verdict.taken_over == 0,
        "{} entries were taken twice",
        verdict.taken_over
    );
    let ended = ends(&calls);
    let per_second = rate(ended.len(), span(ended));
    Ok(format!(
        "{} takings by {HANDS} processes, none twice; {per_second:.0} per second",
        verdict.taken
    ))
}
