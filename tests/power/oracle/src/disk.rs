//! What lies in a spool's directory, read without the library that is to be judged.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::content::Version;

/// An entry that is visible, in a queue or checked out.
#[derive(Debug)]
pub struct Found {
    pub name: String,
    pub queue: String,
    pub is_checked_out: bool,
    pub metadata: Version,
    pub data: Version,
    pub is_reserved: bool,
}

impl Found {
    /// The directory that it lies in.
    pub fn place(&self) -> String {
        match self.is_checked_out {
            true => format!("{}/.checkout", self.queue),
            false => self.queue.clone(),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place(), self.name)
    }
}

/// All that a spool's directory holds.
#[derive(Debug)]
pub struct Disk {
    pub entries: Vec<Found>,
    /// The names in `.registry`, `.data` and `.tmp`.
    pub registry: BTreeSet<String>,
    pub data: BTreeSet<String>,
    pub tmp: BTreeSet<String>,
}

impl Disk {
    pub fn read(spool: &Path) -> Result<Disk, String> {
        let registry = names(&spool.join(".registry"))?;
        let mut entries = Vec::new();
        for queue in names(spool)? {
            if queue.starts_with('.') {
                continue;
            }
            let waiting = spool.join(&queue);
            for (dir, is_checked_out) in [(waiting.join(".checkout"), true), (waiting, false)] {
                for name in names(&dir)? {
                    if name == ".checkout" {
                        continue;
                    }
                    entries.push(Found {
                        queue: queue.clone(),
                        is_checked_out,
                        metadata: version(&dir.join(&name))?,
                        data: version(&spool.join(".data").join(&name))?,
                        is_reserved: registry.contains(&name),
                        name,
                    });
                }
            }
        }
        Ok(Disk {
            entries,
            registry,
            data: names(&spool.join(".data"))?,
            tmp: names(&spool.join(".tmp"))?,
        })
    }

    /// The entries, one a line, sorted: what each is, and the queue that it is in or goes back to.
    pub fn entries_as_lines(&self) -> String {
        let lines: BTreeSet<String> = self
            .entries
            .iter()
            .map(|entry| {
                let Found {
                    name,
                    queue,
                    metadata,
                    data,
                    ..
                } = entry;
                format!("{name} {queue} {metadata} {data}")
            })
            .collect();
        lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        })
    }

    /// What belongs to no entry that is visible.
    pub fn leftovers(&self) -> Vec<Leftover<'_>> {
        let visible: BTreeSet<&str> = self.entries.iter().map(|e| e.name.as_str()).collect();
        let places = [
            (".tmp", &self.tmp),
            (".data", &self.data),
            (".registry", &self.registry),
        ];
        places
            .into_iter()
            .flat_map(|(place, names)| names.iter().map(move |name| Leftover { place, name }))
            .filter(|leftover| !visible.contains(leftover.name))
            .collect()
    }
}

/// A file that belongs to no visible entry.
#[derive(Debug)]
pub struct Leftover<'a> {
    pub place: &'static str,
    pub name: &'a str,
}

impl fmt::Display for Leftover<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.name)
    }
}

fn names(dir: &Path) -> Result<BTreeSet<String>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", dir.display());
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).map_err(told)? {
        let name = entry.map_err(told)?.file_name();
        let name = name
            .into_string()
            .map_err(|name| format!("{}: a name of nobody's: {name:?}", dir.display()))?;
        names.insert(name);
    }
    Ok(names)
}

fn version(path: &Path) -> Result<Version, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Version::of(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Version::Missing),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
