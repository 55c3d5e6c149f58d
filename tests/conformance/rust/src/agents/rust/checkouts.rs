//! Steps about checkouts, their data, and what is written piece by piece.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result, bail};
use conformance::Line;
use multispool::Checkout;

use crate::entries::times;
use crate::hands::{Hands, durability, get, get_mut, keep, os};
use crate::ok;

pub fn take(hands: &mut Hands, step: &Line) -> Result<Line> {
    let entry = hands.entry(step)?;
    let checkout = match step.word.as_str() {
        "checkout" => Some(entry.checkout()?),
        _ => entry.try_checkout()?,
    };
    let Some(mut checkout) = checkout else {
        return Ok(Line::new("NOT_FOUND"));
    };
    if let Some(durability) = durability(step)? {
        checkout.set_durability(durability);
    }
    taken(hands, step, checkout)
}

/// Keeps a checkout, and tells what it is.
pub fn taken(hands: &mut Hands, step: &Line, checkout: Checkout) -> Result<Line> {
    let answer = tell(&checkout);
    keep(&mut hands.checkouts, step, checkout)?;
    Ok(answer)
}

fn tell(checkout: &Checkout) -> Line {
    ok().with("queue", checkout.queue().as_bytes())
        .with("name", checkout.name().as_bytes())
        .with("metadata", checkout.metadata())
}

pub fn list(hands: &mut Hands, step: &Line) -> Result<Line> {
    let mut answer = ok();
    let mut kept = None;
    for checkout in hands
        .spool(step)?
        .list_checkouts_unsafe(os(step, "queue")?)?
    {
        match checkout {
            Ok(checkout) => {
                answer.push("entry", checkout.name().as_bytes());
                if step.get("take") == Some(checkout.name().as_bytes()) {
                    kept = Some(checkout);
                }
            }
            Err(error) if error.kind() == multispool::ErrorKind::Corrupt => {
                answer.push("corrupt", "yes")
            }
            Err(error) => return Err(error.into()),
        }
    }
    if step.get("take").is_some() {
        keep(
            &mut hands.checkouts,
            step,
            kept.context("it is not among them")?,
        )?;
    }
    Ok(answer)
}

pub fn show(hands: &Hands, step: &Line) -> Result<Line> {
    let checkout = get(&hands.checkouts, step, "checkout")?;
    Ok(tell(checkout).with(
        "finished",
        if checkout.is_finished() { "yes" } else { "no" },
    ))
}

pub fn update(hands: &mut Hands, step: &Line) -> Result<Line> {
    let checkout = get_mut(&mut hands.checkouts, step, "checkout")?;
    checkout.update(|_| step.get("metadata").unwrap_or_default().to_vec())?;
    Ok(ok())
}

pub fn finish(hands: &mut Hands, step: &Line) -> Result<Line> {
    let checkout = get_mut(&mut hands.checkouts, step, "checkout")?;
    let durability = durability(step)?;
    match (step.word.as_str(), durability) {
        ("save", None) => checkout.save(os(step, "queue")?)?,
        ("save", Some(durability)) => checkout.save_with(os(step, "queue")?, durability)?,
        ("remove", None) => checkout.remove()?,
        ("remove", Some(durability)) => checkout.remove_with(durability)?,
        _ => checkout.release()?,
    }
    Ok(ok())
}

pub fn data(hands: &Hands, step: &Line) -> Result<Line> {
    let file = hands.data_file(step)?;
    Ok(match step.word.as_str() {
        "data_path" => ok().with("path", file.path().as_os_str().as_bytes()),
        "data_load" => ok().with("data", file.load()?),
        "data_stat" => times(&file.stat()?),
        _ => {
            file.save(step.need("data")?)?;
            ok()
        }
    })
}

pub fn begin_data(hands: &mut Hands, step: &Line) -> Result<Line> {
    let writer = hands.data_file(step)?.writer()?;
    keep(&mut hands.data_writers, step, writer)?;
    Ok(ok())
}

pub fn write(hands: &mut Hands, step: &Line) -> Result<Line> {
    let data = step.need("data")?;
    let written = match step.get("writer") {
        Some(_) => get_mut(&mut hands.writers, step, "writer")?.write_all(data),
        None => get_mut(&mut hands.data_writers, step, "data_writer")?.write_all(data),
    };
    match written {
        Ok(()) => Ok(ok()),
        // A writer's own errors come wrapped, as io::Write will have it.
        Err(error) => match error.downcast::<multispool::Error>() {
            Ok(ours) => Err(ours.into()),
            Err(other) => bail!("write: {other}"),
        },
    }
}

pub fn commit(hands: &mut Hands, step: &Line) -> Result<Line> {
    match step.get("writer") {
        Some(_) => {
            let writer = get_mut(&mut hands.writers, step, "writer")?;
            let entry = writer.commit(step.get("metadata").unwrap_or_default())?;
            Ok(ok()
                .with("queue", entry.queue().as_bytes())
                .with("name", entry.name().as_bytes()))
        }
        None => {
            get_mut(&mut hands.data_writers, step, "data_writer")?.commit()?;
            Ok(ok())
        }
    }
}
