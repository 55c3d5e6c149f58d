//! What the agent has in hand, by the names that the judge gave.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use conformance::Line;
use multispool::{
    Checkout, Daemon, DataFile, DataWriter, Durability, EnqueueWriter, Entry, Monitor, QueueReader,
    RepairPlan, Spool, Stop,
};

use crate::ok;

/// All handles, each by its name.
#[derive(Default)]
pub struct Hands {
    pub spools: HashMap<String, Spool>,
    pub writers: HashMap<String, EnqueueWriter>,
    pub data_writers: HashMap<String, DataWriter>,
    pub checkouts: HashMap<String, Checkout>,
    pub readers: HashMap<String, QueueReader>,
    pub stops: HashMap<String, Stop>,
    pub plans: HashMap<String, RepairPlan>,
    pub monitors: HashMap<String, Monitor>,
    pub daemons: HashMap<String, Daemon>,
}

/// The handle that a step names.
pub fn get<'a, T>(handles: &'a HashMap<String, T>, step: &Line, key: &str) -> Result<&'a T> {
    let name = step.word_of(key)?;
    handles
        .get(name)
        .with_context(|| format!("no {key} '{name}'"))
}

/// The same, to be changed.
pub fn get_mut<'a, T>(
    handles: &'a mut HashMap<String, T>,
    step: &Line,
    key: &str,
) -> Result<&'a mut T> {
    let name = step.word_of(key)?;
    handles
        .get_mut(name)
        .with_context(|| format!("no {key} '{name}'"))
}

/// Keeps a handle under the name that a step gives it.
pub fn keep<T>(handles: &mut HashMap<String, T>, step: &Line, handle: T) -> Result<()> {
    handles.insert(step.word_of("as")?.to_owned(), handle);
    Ok(())
}

/// A value that is a name or a path.
pub fn os<'a>(step: &'a Line, key: &str) -> Result<&'a OsStr> {
    step.need(key).map(OsStr::from_bytes)
}

/// The durability that a step asks for.
pub fn durability(step: &Line) -> Result<Option<Durability>> {
    step.text("durability")?
        .map(|word| match word {
            "none" => Ok(Durability::None),
            "original" => Ok(Durability::Original),
            "full" => Ok(Durability::Full),
            other => bail!("durability={other}"),
        })
        .transpose()
}

/// A time in milliseconds.
pub fn milliseconds(step: &Line, key: &str) -> Result<Option<Duration>> {
    step.number(key)?
        .map(|number| Ok(Duration::from_millis(u64::try_from(number)?)))
        .transpose()
}

impl Hands {
    pub fn spool(&self, step: &Line) -> Result<&Spool> {
        get(&self.spools, step, "spool")
    }

    /// The entry that a step is about.
    pub fn entry(&self, step: &Line) -> Result<Entry> {
        Ok(self
            .spool(step)?
            .entry(os(step, "queue")?, os(step, "name")?)?)
    }

    /// The data file of the checkout or the entry that a step is about.
    pub fn data_file(&self, step: &Line) -> Result<DataFile> {
        match step.get("checkout") {
            Some(_) => Ok(get(&self.checkouts, step, "checkout")?.data_file()),
            None => Ok(self.entry(step)?.direct().data_file()),
        }
    }

    /// Forgets a handle.
    pub fn close(&mut self, step: &Line) -> Result<Line> {
        let (kind, name) = step.values.first().context("close what?")?;
        let name = std::str::from_utf8(name)?;
        let was_there = match kind.as_str() {
            "spool" => self.spools.remove(name).is_some(),
            "writer" => self.writers.remove(name).is_some(),
            "data_writer" => self.data_writers.remove(name).is_some(),
            "reader" => self.readers.remove(name).is_some(),
            "plan" => self.plans.remove(name).is_some(),
            "monitor" => self.monitors.remove(name).is_some(),
            "daemon" => self.daemons.remove(name).is_some(),
            other => bail!("unknown kind '{other}'"),
        };
        if !was_there {
            bail!("no {kind} '{name}'");
        }
        Ok(ok())
    }

    /// Forgets a checkout, unfinished as it may be.
    pub fn drop_checkout(&mut self, step: &Line) -> Result<Line> {
        let name = step.word_of("checkout")?;
        self.checkouts
            .remove(name)
            .with_context(|| format!("no checkout '{name}'"))?;
        Ok(ok())
    }
}
