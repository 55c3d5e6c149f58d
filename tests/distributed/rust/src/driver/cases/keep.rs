//! The library renews by itself what is kept: nobody takes it, however long it is held.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use distributed::record::{Answer, Verb};

use super::{Failures, Field, must_hold};
use crate::ground::Side;

/// The shortest that there is.
const LEASE: Duration = Duration::from_secs(4);

pub fn for_longer_than_a_lease(field: &Field) -> Result<String> {
    let mut crew = field.crew("keep", LEASE)?;
    let count = field.options.hands.len();
    field.fill(&mut crew, count)?;
    let keepers = crew.add(count, &[Side::A], &["keep"])?;
    crew.hold(&keepers)?;
    crew.until("each keeps an entry", |calls| {
        let kept = calls
            .iter()
            .filter(|call| call.verb == Verb::Keep && call.answered(Answer::Done));
        Ok(kept.count() == count)
    })?;
    crew.add(count, &[Side::B], &["work", "0", "0"])?;
    let held = LEASE * 5 / 2 + Duration::from_secs(2);
    thread::sleep(held);
    crew.let_go(&keepers)?;
    let (verdict, calls) = field.end(&mut crew, "keep", LEASE, Failures::None)?;
    must_hold(&verdict, &calls)?;
    ensure!(
        verdict.taken_over == 0,
        "{} entries that were kept were taken",
        verdict.taken_over
    );
    let recoveries = calls
        .iter()
        .filter(|call| call.verb == Verb::Recover)
        .count();
    Ok(format!(
        "{count} entries kept for {} s with a lease of 4 s, through {recoveries} recoveries",
        held.as_secs()
    ))
}
