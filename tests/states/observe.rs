//! What lies in a spool, read without the library that is tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::fate::{Fate, Where};

/// All that has a name in a spool.
#[derive(Debug, PartialEq, Eq)]
pub struct Observed {
    /// Each name that is in a queue or checked out, with all its places.
    pub entries: BTreeMap<String, Vec<Where>>,
    /// What belongs to no entry: the directory and the name of each.
    pub leftovers: BTreeSet<(String, String)>,
}

impl Observed {
    pub fn of(spool: &Path) -> io::Result<Observed> {
        let registry = names(&spool.join(".registry"))?;
        let mut entries: BTreeMap<String, Vec<Where>> = BTreeMap::new();
        for queue in names(spool)?.iter().filter(|name| !name.starts_with('.')) {
            let waiting = spool.join(queue);
            let checkout = waiting.join(".checkout");
            for (directory, is_checked_out) in [(&waiting, false), (&checkout, true)] {
                for name in names(directory)?.iter().filter(|name| *name != ".checkout") {
                    let path = directory.join(name);
                    entries.entry(name.clone()).or_default().push(Where {
                        queue: queue.clone(),
                        is_checked_out,
                        links: fs::metadata(&path)?.nlink(),
                        metadata: fs::read(path)?,
                        data: read_if_there(&spool.join(".data").join(name))?,
                        is_registered: registry.contains(name),
                    });
                }
            }
        }
        let mut leftovers = BTreeSet::new();
        for directory in [".tmp", ".data", ".registry", ".multispool"] {
            for name in names(&spool.join(directory))? {
                let is_wanted = match directory {
                    ".multispool" => name == "format",
                    ".tmp" => false,
                    _ => entries.contains_key(&name),
                };
                if !is_wanted {
                    leftovers.insert((directory.to_owned(), name));
                }
            }
        }
        Ok(Observed { entries, leftovers })
    }

    /// What has become of each entry that is there in one place.
    pub fn fates(&self) -> Vec<(String, Fate)> {
        self.entries
            .iter()
            .filter(|(_, places)| places.len() == 1)
            .map(|(name, places)| (name.clone(), Fate::Somewhere(places[0].clone())))
            .collect()
    }

    /// What has become of an entry; an error if it is in several places.
    pub fn fate(&self, name: &str) -> Result<Fate, String> {
        match self.entries.get(name).map(Vec::as_slice) {
            None => Ok(Fate::Nowhere),
            Some([place]) => Ok(Fate::Somewhere(place.clone())),
            Some(places) => Err(format!("{name} is in several places: {places:?}")),
        }
    }
}

/// None where the directory is not there.
fn names(directory: &Path) -> io::Result<BTreeSet<String>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        read => read?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect(),
    }
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
