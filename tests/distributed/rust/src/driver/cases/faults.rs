//! Entries that all want, while servers die, a client is cut off, or a client's mount dies.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use distributed::record::now;

use super::{Failures, Field, HANDS, must_hold};
use crate::crew::{Crew, finished};
use crate::figures::longest_pause;
use crate::ground::Side;

/// The entries come over about so many seconds, so that some do while all goes wrong.
const COURSE: usize = 10;
/// How many ends show that work goes on.
const GOING: usize = 10;

/// Half of the entries are there at the beginning, the others come in the course of it, from both sides.
fn begin<'a>(field: &'a Field, spool: &str) -> Result<Crew<'a>> {
    let entries = field.options.entries;
    let mut crew = field.crew(spool, field.options.lease)?;
    field.fill(&mut crew, entries / 2)?;
    let each = entries / 4;
    // A hand lingers half of the most that it is told, and never for so long that its lease could run out.
    let pace = 2 * COURSE * 1000 / each;
    let linger = (2 * COURSE * 1000 * HANDS / entries)
        .min(usize::try_from(field.options.lease.as_millis() / 4)?);
    crew.add(
        2,
        &Side::BOTH,
        &["enqueue", &each.to_string(), &pace.to_string()],
    )?;
    crew.add(HANDS, &Side::BOTH, &["work", "0", &linger.to_string()])?;
    crew.until_finished(entries / 20)?;
    Ok(crew)
}

/// Waits until work has gone on for a bit.
fn goes_on(crew: &mut Crew) -> Result<()> {
    let before = finished(&crew.calls()?).len();
    crew.until_finished(before + GOING)
}

pub fn servers(field: &Field) -> Result<String> {
    let mut crew = begin(field, "servers")?;
    let mut faults = Vec::new();
    for (host, down) in [("chunk1", 0), ("master", 3)] {
        let from = now();
        field.ground.kill(host)?;
        thread::sleep(Duration::from_secs(down));
        if host != "master" {
            // Others have the same chunks.
            goes_on(&mut crew)?;
        }
        field.ground.start(host)?;
        goes_on(&mut crew)?;
        faults.push((host, from, now()));
    }
    let (verdict, calls) =
        field.end(&mut crew, "servers", field.options.lease, Failures::Replies)?;
    must_hold(&verdict, &calls)?;
    let pauses: Vec<String> = faults
        .iter()
        .map(|(host, from, to)| format!("{:.1} s ({host})", longest_pause(&calls, *from, *to)))
        .collect();
    Ok(format!(
        "{} takings, {} of them over again; longest pause {}",
        verdict.taken,
        verdict.taken_over,
        pauses.join(", ")
    ))
}

/// A's workers hold entries and are cut off: half of them are in a call meanwhile, half begin theirs when all is well.
/// First for less than the lease, then until b has taken all that they hold.
pub fn partition(field: &Field) -> Result<String> {
    let mut crew = begin(field, "partition")?;
    let from = now();
    cut_off(field, &mut crew, |_, _| {
        thread::sleep(field.options.cut);
        Ok(())
    })?;
    goes_on(&mut crew)?;
    let between = now();
    let late = cut_off(field, &mut crew, until_taken_over)?;
    goes_on(&mut crew)?;
    let to = now();
    let (verdict, calls) = field.end(
        &mut crew,
        "partition",
        field.options.lease,
        Failures::Replies,
    )?;
    must_hold(&verdict, &calls)?;
    let early = calls
        .iter()
        .filter(|call| call.answered(distributed::record::Answer::Lost));
    let early = early
        .filter(|call| call.end.as_ref().is_some_and(|end| end.at < between))
        .count();
    ensure!(
        early == 0,
        "{early} holders lost their entries to a cut shorter than the lease"
    );
    ensure!(
        verdict.told >= late / 2,
        "only {} of {late} late holders were told",
        verdict.told
    );
    Ok(format!(
        "{} takings, {} of them over again; {} late holders told, {} ends in flight; longest pause {:.1} s",
        verdict.taken,
        verdict.taken_over,
        verdict.told,
        verdict.in_flight,
        longest_pause(&calls, from, to)
    ))
}

/// Cuts a off while its workers hold entries, until it has been long enough. How many there were.
fn cut_off(
    field: &Field,
    crew: &mut Crew,
    until: impl FnOnce(&mut Crew, &HashSet<String>) -> Result<()>,
) -> Result<usize> {
    let hands = crew.workers_on(Side::A);
    crew.hold(&hands)?;
    let held = crew.until_held(&hands)?;
    field.ground.cut("a")?;
    let (in_call, later) = hands.split_at(hands.len() / 2);
    crew.let_go(in_call)?;
    until(crew, &held)?;
    field.ground.join("a")?;
    crew.let_go(later)?;
    Ok(hands.len())
}

/// Waits until each of the entries has been taken by b.
fn until_taken_over(crew: &mut Crew, held: &HashSet<String>) -> Result<()> {
    let hands = crew.workers_on(Side::B);
    crew.until("b has taken what a held", |calls| {
        let taken = calls
            .iter()
            .filter(|call| hands.contains(&call.hand) && held.contains(&call.name));
        let names: HashSet<&str> = taken.map(|call| call.name.as_str()).collect();
        Ok(names.len() == held.len())
    })
}

pub fn mount(field: &Field) -> Result<String> {
    let mut crew = begin(field, "mount")?;
    let hands = crew.workers_on(Side::A);
    crew.hold(&hands)?;
    let held = crew.until_held(&hands)?;
    let from = now();
    crew.mark_dead(Some(Side::A));
    field.ground.kill("a")?;
    crew.let_go(&hands)?;
    until_taken_over(&mut crew, &held)?;
    field.ground.start("a")?;
    crew.mark_dead(None);
    goes_on(&mut crew)?;
    let to = now();
    let (verdict, calls) = field.end(&mut crew, "mount", field.options.lease, Failures::Calls)?;
    must_hold(&verdict, &calls)?;
    ensure!(
        verdict.taken_over >= held.len(),
        "what a held was not taken over"
    );
    Ok(format!(
        "{} takings, {} of them over again; {} calls failed, {} hands replaced; longest pause {:.1} s",
        verdict.taken,
        verdict.taken_over,
        verdict.failed,
        crew.replaced(),
        longest_pause(&calls, from, to)
    ))
}
