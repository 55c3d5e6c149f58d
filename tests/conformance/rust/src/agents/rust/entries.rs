//! Steps about entries in their queues.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use anyhow::{Result, bail};
use conformance::Line;
use multispool::{EnqueueOptions, Outcome, Source, TimeNames};

use crate::hands::{Hands, durability, keep, os};
use crate::ok;

pub fn reserve(hands: &Hands, step: &Line) -> Result<Line> {
    let spool = hands.spool(step)?;
    let name = match step.get("name") {
        Some(_) => spool.reserve_name(os(step, "name")?)?,
        None => spool.reserve(&TimeNames::new())?,
    };
    Ok(ok().with("name", name.as_bytes()))
}

fn options(step: &Line) -> Result<EnqueueOptions> {
    let mut options = EnqueueOptions::new();
    if step.get("name").is_some() {
        options = options.name(os(step, "name")?);
    }
    if let Some(durability) = durability(step)? {
        options = options.durability(durability);
    }
    Ok(options)
}

pub fn enqueue(hands: &Hands, step: &Line) -> Result<Line> {
    let spool = hands.spool(step)?;
    if step.yes("reserve") {
        spool.reserve_name(os(step, "name")?)?;
    }
    let (queue, options) = (os(step, "queue")?, options(step)?);
    let metadata = step.get("metadata").unwrap_or_default();
    let entry = match step.get("path") {
        Some(_) => {
            let mut file = File::open(os(step, "path")?)?;
            spool.enqueue_with(queue, metadata, Source::reader(&mut file), &options)?
        }
        None => spool.enqueue_with(
            queue,
            metadata,
            step.get("data").unwrap_or_default(),
            &options,
        )?,
    };
    Ok(place(&entry))
}

fn place(entry: &multispool::Entry) -> Line {
    ok().with("queue", entry.queue().as_bytes())
        .with("name", entry.name().as_bytes())
}

pub fn begin(hands: &mut Hands, step: &Line) -> Result<Line> {
    let writer = hands
        .spool(step)?
        .enqueue_writer(os(step, "queue")?, &options(step)?)?;
    let answer = ok().with("name", writer.name().as_bytes());
    keep(&mut hands.writers, step, writer)?;
    Ok(answer)
}

pub fn list(hands: &Hands, step: &Line) -> Result<Line> {
    let mut answer = ok();
    for entry in hands.spool(step)?.list(os(step, "queue")?)? {
        answer.push("entry", entry?.name().as_bytes());
    }
    Ok(answer)
}

pub fn entry(hands: &Hands, step: &Line) -> Result<Line> {
    Ok(place(&hands.entry(step)?))
}

pub fn stat(hands: &Hands, step: &Line) -> Result<Line> {
    let status = hands.entry(step)?.stat()?;
    Ok(times(&status))
}

/// A file's time and size.
pub fn times(status: &std::fs::Metadata) -> Line {
    let time = status.mtime() * 1_000_000_000 + status.mtime_nsec();
    ok().with("mtime_ns", time.to_string())
        .with("size", status.len().to_string())
}

pub fn direct_contents(hands: &Hands, step: &Line) -> Result<Line> {
    let metadata = hands.entry(step)?.direct().contents()?;
    Ok(ok().with("metadata", metadata))
}

pub fn direct_save(hands: &Hands, step: &Line) -> Result<Line> {
    hands.entry(step)?.direct().save(step.need("metadata")?)?;
    Ok(ok())
}

pub fn direct_remove(hands: &Hands, step: &Line) -> Result<Line> {
    hands.entry(step)?.direct().remove()?;
    Ok(ok())
}

/// What a handler decides, as a step says; none where it is to fail.
pub fn outcome(step: &Line) -> Result<Option<Outcome>> {
    Ok(Some(
        match (step.word_of("outcome")?, step.get("metadata")) {
            ("save", None) => Outcome::save(os(step, "to")?)?,
            ("save", Some(metadata)) => Outcome::save_with(os(step, "to")?, metadata)?,
            ("remove", _) => Outcome::Remove,
            ("release", _) => Outcome::Release,
            ("fail", _) => return Ok(None),
            (other, _) => bail!("outcome={other}"),
        },
    ))
}

/// A handler that failed of itself.
#[derive(Debug)]
pub struct HandlerFailed;

impl std::fmt::Display for HandlerFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the handler failed")
    }
}

impl std::error::Error for HandlerFailed {}

pub fn with_entry(hands: &Hands, step: &Line) -> Result<Line> {
    let entry = hands.entry(step)?;
    let handler = |metadata: &[u8], data: &multispool::DataFile| -> multispool::Result<_> {
        let given = ok().with("metadata", metadata).with("data", data.load()?);
        if let Some(new) = step.get("data") {
            data.save(new)?;
        }
        Ok(given)
    };
    let outcome = outcome(step)?;
    let handled = |metadata: &[u8], data: &multispool::DataFile| -> Result<_> {
        let given = handler(metadata, data)?;
        Ok((outcome.ok_or(HandlerFailed)?, given))
    };
    let answer = match step.word.as_str() {
        "with_entry" => entry.with_entry(handled).map(Some),
        _ => entry.try_with_entry(handled),
    };
    match answer {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Ok(Line::new("NOT_FOUND")),
        Err(error) if error.is::<HandlerFailed>() => Ok(Line::new("HANDLER_FAILED")),
        Err(error) => Err(error),
    }
}
