//! The model beside the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use multispool::MAX_NAME_BYTES;

use super::{Data, File, Model, Temporary};
use crate::disk::Disk;
use crate::operation::Bytes;
use crate::verdict::{Verdict, Wrong, ensure};

impl Model {
    /// Compares all of the model with the disk, and takes note of what only the disk can tell: the inodes of new
    /// files, and the names of new temporary files.
    pub fn compare(&mut self, disk: &Disk) -> Verdict {
        self.note_temporaries(disk);
        self.compare_registry(disk)?;
        self.compare_data(disk)?;
        self.compare_temporaries(disk)?;
        self.compare_queues(disk)?;
        self.note_inodes(disk);
        Ok(())
    }

    fn compare_registry(&self, disk: &Disk) -> Verdict {
        let expected = |name: &Bytes| {
            let file = self.registry.get(name)?;
            let on_disk = || disk.registry.get(name).map(|found| found.inode);
            Some((file.inode.or_else(on_disk), self.locks.contains(&file.life)))
        };
        let found = |name: &Bytes| {
            let found = disk.registry.get(name)?;
            Some((Some(found.inode), found.is_locked))
        };
        let names = self.registry.keys().chain(disk.registry.keys());
        let what = ".registry (inode, whether it is locked)";
        alike(what, names, expected, found)
    }

    fn compare_data(&self, disk: &Disk) -> Verdict {
        let expected = |name: &Bytes| {
            let data = self.data.get(name)?;
            let on_disk = || disk.data.get(name).map(|found| found.inode);
            Some((data.file.inode.or_else(on_disk), &data.bytes))
        };
        let found = |name: &Bytes| {
            let found = disk.data.get(name)?;
            Some((Some(found.inode), &found.bytes))
        };
        let names = self.data.keys().chain(disk.data.keys());
        alike(".data (inode, contents)", names, expected, found)
    }

    fn compare_temporaries(&self, disk: &Disk) -> Verdict {
        let known: BTreeMap<&Bytes, &Bytes> = (self.tmp.values())
            .filter_map(|temporary| Some((temporary.name.as_ref()?, &temporary.bytes)))
            .collect();
        ensure(known.len() == self.tmp.len(), || {
            let expected = self.tmp.values();
            format!(".tmp lacks one of {expected:?}; it has {:?}", disk.tmp)
        })?;
        let names = known.keys().copied().chain(disk.tmp.keys());
        let expected = |name: &Bytes| known.get(name).copied();
        alike(".tmp", names, expected, |name| disk.tmp.get(name))
    }

    fn compare_queues(&self, disk: &Disk) -> Verdict {
        let queues = self.queues.keys().chain(disk.queues.keys());
        let expected = |queue: &Bytes| self.queues.contains_key(queue).then_some(());
        let found = |queue: &Bytes| disk.queues.contains_key(queue).then_some(());
        alike("queues", queues, expected, found)?;
        for (queue, contents) in &self.queues {
            let found = &disk.queues[queue];
            for (place, expected, found) in [
                ("", &contents.waiting, &found.waiting),
                (".checkout of ", &contents.checkout, &found.checkout),
            ] {
                let names = expected.keys().chain(found.keys());
                let what = format!("{place}{queue:?} (metadata)");
                let expected = |name: &Bytes| expected.get(name);
                alike(&what, names, expected, |name| found.get(name))?;
            }
        }
        Ok(())
    }

    fn note_temporaries(&mut self, disk: &Disk) {
        let known: BTreeSet<Bytes> = (self.tmp.values())
            .filter_map(|temporary| temporary.name.clone())
            .collect();
        let mut unknown = disk.tmp.keys().filter(|name| !known.contains(name));
        for temporary in self.tmp.values_mut() {
            if temporary.name.is_none() {
                temporary.name = unknown
                    .find(|name| is_temporary_of(name, &temporary.owner))
                    .cloned();
            }
        }
    }

    fn note_inodes(&mut self, disk: &Disk) {
        for (name, file) in &mut self.registry {
            file.inode = disk.registry.get(name).map(|found| found.inode);
        }
        for (name, data) in &mut self.data {
            data.file.inode = disk.data.get(name).map(|found| found.inode);
        }
    }

    /// Takes over what another process, which has compared it with its own model, has made of the disk.
    pub fn adopt(&mut self, disk: Disk) {
        let mut registry = BTreeMap::new();
        for (name, found) in disk.registry {
            let known = self.registry.remove(&name);
            registry.insert(name, self.file_of(known, found.inode));
        }
        self.registry = registry;
        let mut data = BTreeMap::new();
        for (name, found) in disk.data {
            let known = self.data.remove(&name).map(|data| data.file);
            let file = self.file_of(known, found.inode);
            let bytes = found.bytes;
            data.insert(name, Data { file, bytes });
        }
        self.data = data;
        let mut tmp = disk.tmp;
        self.tmp.retain(|_, temporary| {
            let name = temporary.name.as_ref();
            name.and_then(|name| tmp.remove(name)).is_some_and(|bytes| {
                temporary.bytes = bytes;
                true
            })
        });
        for (name, bytes) in tmp {
            let life = self.new_life();
            let temporary = Temporary {
                owner: name.clone(),
                name: Some(name),
                bytes,
            };
            self.tmp.insert(life, temporary);
        }
        self.queues = disk.queues;
    }

    fn file_of(&mut self, known: Option<File>, inode: u64) -> File {
        match known {
            Some(file) if file.inode == Some(inode) => file,
            _ => File {
                life: self.new_life(),
                inode: Some(inode),
            },
        }
    }
}

/// Whether a temporary file has the name of one that is made for this entry.
fn is_temporary_of(temporary: &Bytes, name: &Bytes) -> bool {
    let prefix = &name.0[..name.0.len().min(MAX_NAME_BYTES)];
    let random = temporary
        .0
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix(b".tmp."));
    random.is_some_and(|random| random.len() == 6)
}

/// Compares name by name, so that a failure names what differs alone.
fn alike<'a, T: PartialEq + Debug>(
    what: &str,
    names: impl Iterator<Item = &'a Bytes>,
    expected: impl Fn(&'a Bytes) -> Option<T>,
    found: impl Fn(&'a Bytes) -> Option<T>,
) -> Verdict {
    let names: BTreeSet<&Bytes> = names.collect();
    for name in names {
        let (expected, found) = (expected(name), found(name));
        if expected != found {
            return Err(Wrong(format!(
                "{what}: {name:?} is {found:?} on disk; the model says {expected:?}"
            )));
        }
    }
    Ok(())
}
