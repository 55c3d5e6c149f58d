//! All that lies in a room, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::calls::below;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    File(Vec<u8>),
    Other,
}

/// By the path below the room, in which the name is left out that is another in each run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    kind: Kind,
    /// Mode and group.
    access: (u32, u32),
    path: PathBuf,
}

/// What became of one path.
#[derive(Clone, Debug)]
pub struct Change {
    pub path: String,
    /// Where it really is, or was.
    pub real: PathBuf,
    pub from: Option<Kind>,
    pub to: Option<Kind>,
}

impl Tree {
    pub fn of(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.read(root, root);
        tree
    }

    fn read(&mut self, root: &Path, dir: &Path) {
        for found in fs::read_dir(dir).unwrap() {
            let found = found.unwrap();
            let (path, status) = (found.path(), found.metadata().unwrap());
            let kind = if status.is_dir() {
                self.read(root, &path);
                Kind::Directory
            } else if status.is_file() {
                Kind::File(fs::read(&path).unwrap())
            } else {
                Kind::Other
            };
            let node = Node {
                kind,
                access: (status.mode(), status.gid()),
                path: path.clone(),
            };
            let key = below(root, &path, |part| part);
            if let Some(second) = self.0.insert(key, node) {
                // Two tries, and each has left something under its name by time.
                self.0.insert(path.display().to_string(), second);
            }
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The contents of the file at this path.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        match &self.0.get(path)?.kind {
            Kind::File(contents) => Some(contents),
            _ => None,
        }
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What must be changed in `self` to have `other`.
    pub fn changes(&self, other: &Tree) -> Vec<Change> {
        let mut paths: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        let states = paths.into_iter().map(|path| {
            let states = [self, other].map(|tree| tree.0.get(path));
            (path, states)
        });
        let state = |node: Option<&Node>| node.map(|node| (node.kind.clone(), node.access));
        let kind = |node: Option<&Node>| node.map(|node| node.kind.clone());
        states
            .filter(|(_, [from, to])| state(*from) != state(*to))
            .map(|(path, [from, to])| Change {
                path: path.clone(),
                real: to
                    .or(from)
                    .map(|node| node.path.clone())
                    .unwrap_or_default(),
                from: kind(from),
                to: kind(to),
            })
            .collect()
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match (&self.from, &self.to) {
            (None, _) => "is left",
            (_, None) => "is gone",
            _ if self.from == self.to => "has another mode or group",
            _ => "has other contents",
        };
        write!(f, "{} {what}", self.path)
    }
}
