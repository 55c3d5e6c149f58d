//! Steps about readers and stops.

use std::time::Duration;

use anyhow::{Context, Result};
use conformance::Line;
use multispool::{Dequeued, ErrorKind, ReaderOptions, Stop};

use crate::checkouts::taken;
use crate::entries::{HandlerFailed, outcome};
use crate::hands::{Hands, get, get_mut, keep, milliseconds, os};
use crate::ok;

pub fn reader(hands: &mut Hands, step: &Line) -> Result<Line> {
    let mut options = ReaderOptions::new();
    if let Some(first) = milliseconds(step, "retry_after_ms")? {
        options = options.retry_after(first, first * 2);
    }
    options = options.strict_order(step.get("strict_order") == Some(b"yes"));
    let reader = hands
        .spool(step)?
        .reader_with(os(step, "queue")?, &options)?;
    keep(&mut hands.readers, step, reader)?;
    Ok(ok())
}

pub fn dequeue(hands: &mut Hands, step: &Line) -> Result<Line> {
    let timeout = step
        .number("timeout_ms")?
        .filter(|number| *number >= 0)
        .map(|number| Ok::<_, anyhow::Error>(Duration::from_millis(u64::try_from(number)?)))
        .transpose()?;
    let stop = match step.get("stop") {
        Some(_) => Some(get(&hands.stops, step, "stop")?.clone()),
        None => None,
    };
    let reader = get_mut(&mut hands.readers, step, "reader")?;
    match reader.dequeue(stop.as_ref(), timeout)? {
        Dequeued::CheckedOut(checkout) => taken(hands, step, checkout),
        Dequeued::Stopped => Ok(Line::new("STOPPED")),
        Dequeued::TimedOut => Ok(Line::new("TIMED_OUT")),
    }
}

pub fn dequeue_available(hands: &mut Hands, step: &Line) -> Result<Line> {
    match get_mut(&mut hands.readers, step, "reader")?.dequeue_available()? {
        Some(checkout) => taken(hands, step, checkout),
        None => Ok(Line::new("EMPTY")),
    }
}

/// A handler for each entry: of those that are there, or of `count` in all, when a stop ends the wait for more.
pub fn each(hands: &mut Hands, step: &Line) -> Result<Line> {
    let decided = outcome(step)?;
    let mut answer = ok();
    let stop = match step.get("stop") {
        Some(_) => Some(get(&hands.stops, step, "stop")?.clone()),
        None => None,
    };
    let count = step.number("count")?.unwrap_or(0);
    let reader = get_mut(&mut hands.readers, step, "reader")?;
    let mut handled = 0;
    loop {
        let mut handle = |metadata: &[u8], _: &multispool::DataFile| -> Result<_> {
            answer.push("metadata", metadata);
            handled += 1;
            if let Some(stop) = &stop
                && handled == count
            {
                stop.trigger();
            }
            decided.clone().context(HandlerFailed)
        };
        let ended = match step.word.as_str() {
            "each" => reader.iter(stop.as_ref(), &mut handle),
            _ => reader.iter_available(&mut handle),
        };
        match ended {
            Ok(()) => return Ok(answer),
            Err(error) if error.is::<HandlerFailed>() => answer.push("failed", "yes"),
            Err(error) => match error.downcast_ref::<multispool::Error>() {
                Some(ours) if ours.kind() == ErrorKind::Corrupt => answer.push("corrupt", "yes"),
                _ => return Err(error),
            },
        }
    }
}

pub fn stop(hands: &mut Hands, step: &Line) -> Result<Line> {
    keep(&mut hands.stops, step, Stop::new()?)?;
    Ok(ok())
}

pub fn trigger(hands: &Hands, step: &Line) -> Result<Line> {
    get(&hands.stops, step, "stop")?.trigger();
    Ok(ok())
}
