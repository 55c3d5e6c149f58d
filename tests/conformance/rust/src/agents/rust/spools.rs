//! Steps about a whole spool.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result, bail};
use conformance::Line;
use multispool::{
    Durability, Mode, Owners, RecoverOptions, RepairOptions, RepairStep, Spool, SpoolOptions,
    StatsOptions,
};

use crate::hands::{Hands, durability, get, keep, milliseconds, os};
use crate::{ok, status};

pub fn open(hands: &mut Hands, step: &Line) -> Result<Line> {
    let options = options(step)?;
    let dir = os(step, "dir")?;
    let queues = step.all("queue").map(OsStr::from_bytes);
    let spool = match step.word.as_str() {
        "create" => options.create(dir, queues)?,
        "load" => options.load(dir, queues)?,
        _ => options.load_unsafe(dir, queues)?,
    };
    keep(&mut hands.spools, step, spool)?;
    Ok(ok())
}

fn options(step: &Line) -> Result<SpoolOptions> {
    let mut options = Spool::options()
        .read_only(step.yes("read_only"))
        .allow_world_writable(step.yes("allow_world_writable"));
    if let Some(durability) = durability(step)? {
        options = options.durability(durability);
    }
    options = match step.text("owners")? {
        None => options,
        Some("locking") => options.owners(Owners::Locking),
        Some("mixed") => options.owners(Owners::Mixed),
        Some(other) => bail!("owners={other}"),
    };
    options = match step.text("mode")? {
        None => options,
        Some("local") => options.mode(Mode::Local),
        Some("network") => options.mode(Mode::Network),
        Some(other) => bail!("mode={other}"),
    };
    let octal = |key| {
        step.text(key)
            .map(|text| text.map(|text| u32::from_str_radix(text, 8)))
    };
    if let Some(mode) = octal("file_mode")? {
        options = options.file_mode(mode?);
    }
    if let Some(mode) = octal("dir_mode")? {
        options = options.dir_mode(mode?);
    }
    if let Some(limit) = step.number("max_concurrent")? {
        options = options.max_concurrent(usize::try_from(limit)?);
    }
    Ok(options)
}

pub fn discover(step: &Line) -> Result<Line> {
    let mut answer = ok();
    for queue in Spool::discover(os(step, "dir")?)? {
        answer.push("queue", queue.as_bytes());
    }
    Ok(answer)
}

pub fn describe(hands: &Hands, step: &Line) -> Result<Line> {
    let spool = hands.spool(step)?;
    let durability = match spool.durability() {
        Durability::None => "none",
        Durability::Original => "original",
        Durability::Full => "full",
    };
    let mut answer = ok()
        .with("dir", spool.dir().as_os_str().as_bytes())
        .with("durability", durability)
        .with("read_only", if spool.is_read_only() { "yes" } else { "no" });
    for queue in spool.queues() {
        answer.push("queue", queue.as_bytes());
    }
    Ok(answer)
}

pub fn recover(hands: &Hands, step: &Line) -> Result<Line> {
    let mut options = RecoverOptions::new();
    if let Some(age) = milliseconds(step, "min_age_ms")? {
        options = options.min_age(age);
    }
    if let Some(durability) = durability(step)? {
        options = options.durability(durability);
    }
    let recovered = hands.spool(step)?.recover(&options)?;
    let mut answer = first_failure(&recovered.failures);
    for entry in recovered.entries {
        answer.push(
            "entry",
            path(entry.queue().as_bytes(), entry.name().as_bytes()),
        );
    }
    Ok(answer)
}

pub fn plan(hands: &mut Hands, step: &Line) -> Result<Line> {
    let mut options = RepairOptions::new();
    if let Some(age) = milliseconds(step, "min_age_ms")? {
        options = options.min_age(age);
    }
    if step.get("to").is_some() {
        options = options.to(os(step, "to")?);
    }
    let plan = hands.spool(step)?.repair(&options)?;
    let answer = steps(ok(), plan.steps());
    keep(&mut hands.plans, step, plan)?;
    Ok(answer)
}

pub fn apply(hands: &Hands, step: &Line) -> Result<Line> {
    let repaired = get(&hands.plans, step, "plan")?.apply()?;
    Ok(steps(first_failure(&repaired.failures), &repaired.steps))
}

pub fn stats(hands: &Hands, step: &Line) -> Result<Line> {
    let stats = hands
        .spool(step)?
        .stats(&StatsOptions::new().bytes(step.yes("bytes")))?;
    let queue = step.need("queue")?;
    let counted = stats
        .queues
        .iter()
        .find(|its| its.queue.as_bytes() == queue);
    let counted = counted.context("it is not counted")?;
    let mut answer = ok()
        .with("entries", counted.entries.to_string())
        .with("alive", counted.checked_out_alive.to_string())
        .with("dead", counted.checked_out_dead.to_string())
        .with(
            "oldest",
            if counted.oldest_age.is_some() {
                "yes"
            } else {
                "no"
            },
        );
    if let (Some(metadata), Some(data)) = (counted.metadata_bytes, counted.data_bytes) {
        answer.push("metadata_bytes", metadata.to_string());
        answer.push("data_bytes", data.to_string());
    }
    Ok(answer)
}

/// What is done in all, or the first thing that was not.
fn first_failure(failures: &[multispool::Error]) -> Line {
    failures.first().map_or_else(ok, |error| {
        Line::new(status(error)).with("message", error.to_string())
    })
}

fn steps(mut answer: Line, steps: &[RepairStep]) -> Line {
    for step in steps {
        let place = path(step.dir.name_on_disk().as_bytes(), step.filename.as_bytes());
        answer.push(
            "step",
            [step.action.as_str().as_bytes(), b" ", &place].concat(),
        );
    }
    answer
}

/// `DIRECTORY/NAME`.
pub fn path(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, b"/", name].concat()
}
