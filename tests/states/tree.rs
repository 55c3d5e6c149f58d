//! Trees of files: what one looks like after the power came back, made on a real file system, and read from it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::history::{Node, NodeId, ROOT};

/// A tree, by the paths of all that is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tree(pub BTreeMap<PathBuf, Lies>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lies {
    Directory,
    File(Vec<u8>),
    /// A further name of the file at this path.
    Link(PathBuf),
}

impl Tree {
    /// What has a name that can be reached from the root.
    pub fn of(nodes: &[Node]) -> Tree {
        let mut tree = Tree(BTreeMap::new());
        let mut first_names = HashMap::new();
        tree.add(nodes, ROOT, Path::new(""), &mut first_names);
        tree
    }

    fn add(
        &mut self,
        nodes: &[Node],
        directory: NodeId,
        path: &Path,
        first_names: &mut HashMap<NodeId, PathBuf>,
    ) {
        let Node::Directory(names) = &nodes[directory] else {
            unreachable!("it is called with directories only");
        };
        for (name, node) in names {
            let path = path.join(name);
            let lies = match &nodes[*node] {
                Node::Directory(_) => Lies::Directory,
                Node::File(contents) => match first_names.get(node) {
                    Some(first) => Lies::Link(first.clone()),
                    None => {
                        first_names.insert(*node, path.clone());
                        Lies::File(contents.clone())
                    }
                },
            };
            let is_directory = lies == Lies::Directory;
            self.0.insert(path.clone(), lies);
            if is_directory {
                self.add(nodes, *node, &path, first_names);
            }
        }
    }

    /// What lies in it, as nodes.
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes = vec![Node::Directory(BTreeMap::new())];
        let mut known = HashMap::from([(PathBuf::new(), ROOT)]);
        for (path, lies) in &self.0 {
            let node = match lies {
                Lies::Link(first) => known[first],
                Lies::Directory => {
                    nodes.push(Node::Directory(BTreeMap::new()));
                    nodes.len() - 1
                }
                Lies::File(contents) => {
                    nodes.push(Node::File(contents.clone()));
                    nodes.len() - 1
                }
            };
            known.insert(path.clone(), node);
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name())
                && let Node::Directory(names) = &mut nodes[known[parent]]
            {
                names.insert(name.to_owned(), node);
            }
        }
        nodes
    }

    /// Makes the tree in an empty directory. Every file is a minute old, as after a restart.
    pub fn make(&self, root: &Path) -> io::Result<()> {
        let a_minute_ago = SystemTime::now() - Duration::from_secs(60);
        for (path, lies) in &self.0 {
            let path = root.join(path);
            match lies {
                Lies::Directory => fs::create_dir(path)?,
                Lies::Link(first) => fs::hard_link(root.join(first), path)?,
                Lies::File(contents) => {
                    let mut file = File::create_new(path)?;
                    file.write_all(contents)?;
                    file.set_times(FileTimes::new().set_modified(a_minute_ago))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, lies) in &self.0 {
            let path = path.display();
            match lies {
                Lies::Directory => writeln!(f, "    {path}/")?,
                Lies::File(contents) => {
                    let line = contents.split(|byte| *byte == b'\n').next().unwrap_or(b"");
                    let line = line[..line.len().min(40)].escape_ascii();
                    writeln!(f, "    {path}  {} bytes: {line}", contents.len())?;
                }
                Lies::Link(first) => writeln!(f, "    {path}  = {}", first.display())?,
            }
        }
        Ok(())
    }
}

/// Reads the tree at `root`.
pub fn read(root: &Path) -> io::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    read_node(root, &mut nodes, &mut HashMap::new())?;
    Ok(nodes)
}

fn read_node(
    path: &Path,
    nodes: &mut Vec<Node>,
    met: &mut HashMap<u64, NodeId>,
) -> io::Result<NodeId> {
    let status = fs::symlink_metadata(path)?;
    if let Some(node) = met.get(&status.ino()) {
        return Ok(*node);
    }
    let node = nodes.len();
    met.insert(status.ino(), node);
    if status.is_dir() {
        nodes.push(Node::Directory(BTreeMap::new()));
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name());
        }
        names.sort();
        let mut children = BTreeMap::new();
        for name in names {
            let child = read_node(&path.join(&name), nodes, met)?;
            children.insert(name, child);
        }
        nodes[node] = Node::Directory(children);
    } else {
        nodes.push(Node::File(fs::read(path)?));
    }
    Ok(node)
}
