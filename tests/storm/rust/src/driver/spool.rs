//! The spool as its files are, without the library: what lies where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use storm::record::sum;

/// The queues that workers empty, in the order of an entry's way.
pub const QUEUES: [&str; 3] = ["incoming", "middle", "outgoing"];
/// Where entries stay.
pub const DONE: &str = "done";

/// The names in a directory, but for those that begin with a dot.
pub fn names(dir: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.insert(name);
        }
    }
    Ok(names)
}

/// An entry that waits in `done`.
pub struct Entry {
    pub name: String,
    pub metadata: String,
    pub data_sum: u32,
}

/// What lies in `.tmp`, `.data` and `.registry` and belongs to no entry in `done`.
pub type Garbage = BTreeMap<&'static str, BTreeSet<String>>;

pub struct Spool(PathBuf);

impl Spool {
    pub fn new(dir: PathBuf) -> Spool {
        Spool(dir)
    }

    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// How many entries wait for workers.
    pub fn backlog(&self) -> Result<usize> {
        QUEUES
            .iter()
            .map(|queue| Ok(names(&self.0.join(queue))?.len()))
            .sum()
    }

    /// Where entries are that are on their way: waiting for workers, or in hand.
    pub fn under_way(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for queue in QUEUES {
            for place in [queue.to_owned(), format!("{queue}/.checkout")] {
                let there = names(&self.0.join(&place))?;
                found.extend(there.into_iter().map(|name| format!("{place}/{name}")));
            }
        }
        let taken = names(&self.0.join(DONE).join(".checkout"))?;
        found.extend(
            taken
                .into_iter()
                .map(|name| format!("{DONE}/.checkout/{name}")),
        );
        Ok(found)
    }

    pub fn garbage(&self) -> Result<Garbage> {
        let live = names(&self.0.join(DONE))?;
        [".tmp", ".data", ".registry"]
            .into_iter()
            .map(|dir| {
                let mut there = names(&self.0.join(dir))?;
                there.retain(|name| !live.contains(name));
                Ok((dir, there))
            })
            .collect()
    }

    /// The entries in `done`; a name for each that has no data.
    pub fn done(&self) -> Result<(Vec<Entry>, Vec<String>)> {
        let (mut entries, mut bare) = (Vec::new(), Vec::new());
        for name in names(&self.0.join(DONE))? {
            match fs::read(self.0.join(".data").join(&name)) {
                Ok(data) => entries.push(Entry {
                    metadata: fs::read_to_string(self.0.join(DONE).join(&name))?,
                    data_sum: sum(&data),
                    name,
                }),
                Err(error) if error.kind() == ErrorKind::NotFound => bare.push(name),
                Err(error) => return Err(error).context(name),
            }
        }
        Ok((entries, bare))
    }
}
