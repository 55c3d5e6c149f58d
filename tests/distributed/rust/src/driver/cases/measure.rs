//! What one and eight processes get done, and how long an entry takes from one client to the other.

use anyhow::{Result, ensure};
use distributed::record::Verb;

use super::{Failures, Field, HANDS, must_hold};
use crate::figures::{ends, rate, share, span};
use crate::ground::Side;

const MANY: usize = HANDS / 2;
/// How many entries one process gets; so many each of the eight get half of.
const EACH: usize = 60;
const SAMPLES: usize = 40;

pub fn throughput(field: &Field) -> Result<String> {
    let mut told = Vec::new();
    for (spool, hands, each) in [("one", 1, EACH), ("eight", MANY, EACH / 2)] {
        let mut crew = field.crew(spool, field.options.lease)?;
        crew.add(hands, &Side::BOTH, &["enqueue", &each.to_string(), "0"])?;
        crew.go()?;
        crew.join(None)?;
        let calls = crew.calls()?;
        let enqueues = calls
            .iter()
            .filter(|call| call.verb == Verb::Enqueue || call.verb == Verb::Reserve);
        let enqueued = rate(hands * each, span(enqueues));
        crew.add(hands, &Side::BOTH, &["work", &each.to_string(), "0"])?;
        let (verdict, calls) = field.end(&mut crew, spool, field.options.lease, Failures::None)?;
        must_hold(&verdict, &calls)?;
        let ended = rate(hands * each, span(ends(&calls)));
        told.push(format!(
            "{hands} processes enqueue {enqueued:.0} and finish {ended:.0} per second"
        ));
    }
    Ok(told.join(", "))
}

pub fn latency(field: &Field) -> Result<String> {
    let lease = field.options.lease;
    let mut crew = field.crew("latency", lease)?;
    let count = field.options.hands.len();
    let each = SAMPLES / count;
    let producers = crew.add(count, &[Side::A], &["enqueue", &each.to_string(), "900"])?;
    crew.add(count, &[Side::B], &["work", "0", "0"])?;
    crew.go()?;
    crew.join(Some(&producers))?;
    crew.until_finished(each * count)?;
    let (verdict, calls) = field.end(&mut crew, "latency", lease, Failures::None)?;
    must_hold(&verdict, &calls)?;
    let mut waits: Vec<u64> = Vec::new();
    for take in calls.iter().filter(|call| call.verb == Verb::Dequeue) {
        let enqueue = calls
            .iter()
            .find(|call| call.verb == Verb::Enqueue && call.name == take.name);
        if let (Some(taken), Some(enqueued)) = (take.done(), enqueue.and_then(|call| call.done())) {
            // A waiting hand may have it before the enqueue's last sync is over.
            waits.push(taken.saturating_sub(enqueued) / 1_000_000);
        }
    }
    ensure!(
        waits.len() == each * count,
        "only {} entries were taken",
        waits.len()
    );
    waits.sort_unstable();
    let (median, last) = (share(&waits, 50), share(&waits, 99));
    Ok(format!(
        "enqueued on a, taken on b: median {median} ms, p99 {last} ms ({} entries)",
        waits.len()
    ))
}
