//! Makes a storm over a spool and judges what is left: producers, workers and tools are killed, stopped and started at
//! random for a while; then the spool is drained, and the logs of all who took part must tell one story.
//!
//! Exit status: 0 all is well, 1 a promise was broken, 2 the storm could not be made, 3 it was too weak to prove
//! anything.

mod actor;
mod cast;
mod chronicle;
mod end;
mod figures;
mod options;
mod oracle;
mod spool;
mod tool;

use std::fs;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;

use cast::Cast;
use chronicle::Chronicle;
use figures::Figures;
use options::Options;
use oracle::{Story, Violation};
use spool::{DONE, QUEUES, Spool};

/// How long the driver rests between two looks at its processes.
const TICK: Duration = Duration::from_millis(3);
/// The mean time between two kills.
const KILLS: Duration = Duration::from_millis(90);
/// The mean time between two stops.
const STOPS: Duration = Duration::from_millis(250);
/// How often in a row the spool must be seen to be empty: an entry on its way may hide from one look.
const LOOKS: u32 = 20;
/// Violations that are told in full.
const TOLD: usize = 5;

fn main() -> ExitCode {
    match Options::of(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("storm: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<u8> {
    println!("seed {}", options.seed);
    let spool = Spool::new(options.spool());
    fs::create_dir(options.logs())?;
    let created = Command::new("multispool")
        .arg("create")
        .arg(spool.dir())
        .args(QUEUES)
        .arg(DONE)
        .status()?;
    ensure!(created.success(), "the spool cannot be created");

    let mut luck = Rng::with_seed(options.seed);
    let mut cast = Cast::new(options, &spool, luck.fork());
    storm(&mut cast, options.length, &mut luck)?;
    let kills = cast.chronicle.deaths.len();
    drain(&mut cast, &spool, options.patience)?;
    cast.end()?;

    let chronicle = cast.chronicle;
    let story = Story::read(&options.logs())?;
    let violations = judge(&chronicle, &story, &spool)?;
    if !violations.is_empty() {
        tell(&story, &chronicle, &violations);
        return Ok(1);
    }
    let figures = Figures::of(&story, &chronicle, kills);
    println!("{figures}");
    let weak = figures.too_weak(options);
    for weakness in &weak {
        eprintln!("storm: too weak to prove anything: {weakness}");
    }
    Ok(if weak.is_empty() { 0 } else { 3 })
}

/// Until the time is up, or something is wrong.
fn storm(cast: &mut Cast, length: Duration, luck: &mut Rng) -> Result<()> {
    // Exponential, as the times between independent strokes are.
    let mut after = |mean: Duration| Instant::now() + mean.mul_f64(-luck.f64().max(1e-6).ln());
    let end = Instant::now() + length;
    let (mut kill, mut stop) = (after(KILLS), after(STOPS));
    while Instant::now() < end && cast.chronicle.wrongs.is_empty() {
        cast.tend(false)?;
        if kill <= Instant::now() {
            cast.kill_one()?;
            kill = after(KILLS);
        }
        if stop <= Instant::now() {
            cast.stop_one()?;
            stop = after(STOPS);
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// Lets the producers end and the workers finish what there is.
fn drain(cast: &mut Cast, spool: &Spool, patience: Duration) -> Result<()> {
    cast.all_go_on()?;
    let begun = Instant::now();
    let mut looks = 0;
    while looks < LOOKS && cast.chronicle.wrongs.is_empty() {
        cast.tend(true)?;
        let under_way = spool.under_way()?;
        looks = match cast.has_producers() || !under_way.is_empty() {
            true => 0,
            false => looks + 1,
        };
        if begun.elapsed() > patience {
            let there = under_way.join("\n  ");
            let what = format!("still there {patience:?} after the storm:\n  {there}");
            cast.chronicle.wrongs.push(what);
        }
        thread::sleep(TICK);
    }
    Ok(())
}

fn judge(chronicle: &Chronicle, story: &Story, spool: &Spool) -> Result<Vec<Violation>> {
    let wrongs = chronicle.wrongs.iter();
    let mut violations: Vec<Violation> = wrongs.map(|what| story.violation(what)).collect();
    violations.extend(oracle::ownership(story, chronicle));
    violations.extend(oracle::steps(story));
    // Else it was not drained.
    if chronicle.wrongs.is_empty() {
        violations.extend(end::judge(spool, story)?);
    }
    Ok(violations)
}

fn tell(story: &Story, chronicle: &Chronicle, violations: &[Violation]) {
    eprintln!("storm: {} violations", violations.len());
    for Violation { name, what } in violations.iter().take(TOLD) {
        eprintln!("storm: violation: {what}");
        let Some(name) = name else { continue };
        eprintln!("  all that was told of {name}:");
        let history = story.history(name);
        let told = history
            .iter()
            .map(|record| (record.time, record.to_string()));
        let deaths = chronicle.deaths.iter();
        let theirs =
            deaths.filter(|death| history.iter().any(|told| told.process == death.process));
        let mut lines: Vec<(u64, String)> = theirs
            .map(|death| {
                let line = format!("{} killed {}", death.before, death.process);
                (death.before, line)
            })
            .chain(told)
            .collect();
        lines.sort();
        for (_, line) in lines {
            eprintln!("  {line}");
        }
    }
}
