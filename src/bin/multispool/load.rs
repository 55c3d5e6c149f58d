//! The spool of a call: its queues are those found on disk.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use multispool::{Durability, QueueName, Spool};

use crate::report::Usage;

#[derive(Args, Clone, Copy)]
pub struct Promise {
    /// What must survive when the call is done: a dead process (none), also the
    /// metadata's bytes (original), the loss of power (full, the default)
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(["none", "original", "full"]).try_map(|word| word.parse::<Durability>()))]
    pub durability: Option<Durability>,
}

/// Needs no more than the right to read and search.
pub fn to_read(dir: &Path) -> Result<Spool> {
    let queues = Spool::discover(dir)?;
    Ok(Spool::options().read_only(true).load(dir, queues)?)
}

pub fn to_write(dir: &Path, promise: Promise) -> Result<Spool> {
    let queues = Spool::discover(dir)?;
    let mut options = Spool::options();
    if let Some(durability) = promise.durability {
        options = options.durability(durability);
    }
    Ok(options.load(dir, queues)?)
}

/// The queue of that name, told before anything is taken.
pub fn queue(spool: &Spool, name: &OsStr) -> Result<QueueName> {
    let queue = QueueName::new(name)?;
    let known = spool.queues();
    if known.contains(&queue) {
        return Ok(queue);
    }
    let known: Vec<String> = known
        .iter()
        .map(|queue| format!("{:?}", queue.as_os_str()))
        .collect();
    let there = if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    };
    let dir = spool.dir();
    Err(Usage(format!(
        "{dir:?} has no queue {name:?}: {there}; `multispool create {} {}` adds it",
        dir.display(),
        name.display()
    ))
    .into())
}
