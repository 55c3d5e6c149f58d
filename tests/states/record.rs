//! Runs one operation in a process of its own, and writes down what it told the kernel to change.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::call::Call;
use crate::history::{Event, History, Naming, Node, NodeId, ROOT, apply};
use crate::tree::{self, Tree};

/// What the process writes to its standard error when the operation has acknowledged something.
pub const ACKNOWLEDGED: &[u8] = b"acknowledged\n";

/// Calls that change neither bytes nor names. Times are not part of a state: all checks are made with no
/// minimum age.
const CHANGES_NOTHING: &[&str] = &[
    "access",
    "execve",
    "faccessat",
    "faccessat2",
    "fcntl",
    "fstat",
    "fstatfs",
    "futimens",
    "getcwd",
    "getdents64",
    "ioctl",
    "mmap",
    "newfstatat",
    "poll",
    "pread64",
    "readlink",
    "readlinkat",
    "statfs",
    "statx",
    "utimensat",
];

/// The history goes on in the tree at `root`, which is as it left it, with what `command` does there.
pub fn record(history: &mut History, root: &Path, mut command: Command) -> Result<(), String> {
    let trace = root.with_extension("trace");
    let mut strace = Command::new("strace");
    strace
        .args([
            "-f",
            "-xx",
            "-s",
            "1000000",
            "-e",
            "trace=%file,%desc",
            "-o",
        ])
        .arg(&trace)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    command = strace;
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the operation failed: {told}"));
    }
    let lines = fs::read_to_string(&trace).map_err(|error| error.to_string())?;
    fs::remove_file(&trace).map_err(|error| error.to_string())?;
    let mut recorder = Recorder {
        live: history.live(),
        history,
        root,
        opened: Vec::new(),
        descriptors: HashMap::new(),
        process: None,
    };
    for line in lines.lines() {
        recorder
            .take(line)
            .map_err(|error| format!("{error}\n  in {line}"))?;
    }
    let lies = tree::read(root).map_err(|error| error.to_string())?;
    if Tree::of(&recorder.live) != Tree::of(&lies) {
        return Err("what was recorded is not what was done".to_owned());
    }
    Ok(())
}

struct Recorder<'a> {
    history: &'a mut History,
    live: Vec<Node>,
    root: &'a Path,
    opened: Vec<Opened>,
    /// Descriptors that were duplicated share what was opened.
    descriptors: HashMap<i64, usize>,
    process: Option<String>,
}

struct Opened {
    /// `None` for what lies outside the tree.
    node: Option<NodeId>,
    position: usize,
}

impl Recorder<'_> {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let process = line.split(' ').next().unwrap_or_default();
        if *self.process.get_or_insert_with(|| process.to_owned()) != process {
            return Err("a second process or thread".to_owned());
        }
        let Some(call) = Call::parse(line)? else {
            return Ok(());
        };
        let Some(result) = call.result else {
            return Ok(());
        };
        match call.name.as_str() {
            "openat" => self.open(&call, result)?,
            "close" => drop(self.descriptors.remove(&call.number(0)?)),
            "dup" | "dup2" | "dup3" => self.duplicate(&call, result)?,
            "fcntl" if call.argument(1)?.starts_with("F_DUPFD") => self.duplicate(&call, result)?,
            "lseek" => self.opened_by(&call, 0)?.position = to_size(result)?,
            "read" => self.opened_by(&call, 0)?.position += to_size(result)?,
            "write" => self.write(&call, to_size(result)?)?,
            "mkdirat" => {
                let node = self.make(Node::Directory(BTreeMap::new()));
                self.name(&call, 0, Some(node))?;
            }
            "unlinkat" => self.name(&call, 0, None)?,
            "linkat" => {
                let node = self.node_at(&call, 0)?;
                self.name(&call, 2, Some(node))?;
            }
            "renameat" | "renameat2" => self.rename(&call)?,
            "fsync" | "fdatasync" => {
                let node = self.node_of(&call, 0)?;
                self.happen(match self.live[node] {
                    Node::Directory(_) => Event::SyncDirectory(node),
                    Node::File(_) => Event::SyncFile(node),
                });
            }
            "syncfs" => self.happen(Event::SyncAll),
            name if CHANGES_NOTHING.contains(&name) => {}
            name => return Err(format!("what {name} changes is not known here")),
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) {
        apply(&mut self.live, &event);
        self.history.events.push(event);
    }

    /// Something that has no name yet.
    fn make(&mut self, node: Node) -> NodeId {
        self.history.start.push(node.clone());
        self.live.push(node);
        self.live.len() - 1
    }

    fn open(&mut self, call: &Call, descriptor: i64) -> Result<(), String> {
        let mut node = match self.place(call, 0)? {
            None => None,
            Some((directory, None)) => Some(directory),
            Some((directory, Some(name))) => self.names(directory)?.get(&name).copied(),
        };
        let is_inside = self.place(call, 0)?.is_some();
        if is_inside && node.is_none() {
            if !call.has_flag(2, "O_CREAT") {
                return Err("it opened what is not there".to_owned());
            }
            let made = self.make(Node::File(Vec::new()));
            self.name(call, 0, Some(made))?;
            node = Some(made);
        }
        let writes = ["O_CREAT", "O_TRUNC"]
            .iter()
            .any(|flag| call.has_flag(2, flag));
        if (!is_inside && writes) || call.has_flag(2, "O_TRUNC") || call.has_flag(2, "O_APPEND") {
            return Err("this way of opening is not known here".to_owned());
        }
        self.descriptors.insert(descriptor, self.opened.len());
        self.opened.push(Opened { node, position: 0 });
        Ok(())
    }

    fn duplicate(&mut self, call: &Call, second: i64) -> Result<(), String> {
        match self.descriptors.get(&call.number(0)?) {
            Some(opened) => self.descriptors.insert(second, *opened),
            // One that was inherited.
            None => self.descriptors.remove(&second),
        };
        Ok(())
    }

    fn write(&mut self, call: &Call, written: usize) -> Result<(), String> {
        let mut bytes = call.bytes(1)?;
        bytes.truncate(written);
        if !self.descriptors.contains_key(&call.number(0)?) {
            // To the standard output or error.
            if bytes == ACKNOWLEDGED {
                self.happen(Event::Acknowledged);
            }
            return Ok(());
        }
        let file = self.node_of(call, 0)?;
        let opened = self.opened_by(call, 0)?;
        let at = opened.position;
        opened.position += written;
        self.happen(Event::Write { file, at, bytes });
        Ok(())
    }

    fn rename(&mut self, call: &Call) -> Result<(), String> {
        let moved = self.node_at(call, 0)?;
        let left = match call.has_flag(4, "RENAME_EXCHANGE") {
            true => Some(self.node_at(call, 2)?),
            false => None,
        };
        let (from, to) = (
            self.naming(call, 0, left)?,
            self.naming(call, 2, Some(moved))?,
        );
        self.happen(Event::Names(vec![from, to]));
        Ok(())
    }

    fn name(&mut self, call: &Call, index: usize, node: Option<NodeId>) -> Result<(), String> {
        let naming = self.naming(call, index, node)?;
        self.happen(Event::Names(vec![naming]));
        Ok(())
    }

    fn naming(&self, call: &Call, index: usize, node: Option<NodeId>) -> Result<Naming, String> {
        match self.place(call, index)? {
            Some((directory, Some(name))) => Ok(Naming {
                directory,
                name,
                node,
            }),
            Some((_, None)) => Err("the root of the tree itself is changed".to_owned()),
            None => Err("something outside the tree is changed".to_owned()),
        }
    }

    /// What has the name that a directory's descriptor and a path give.
    fn node_at(&self, call: &Call, index: usize) -> Result<NodeId, String> {
        let place = self.place(call, index)?;
        let (directory, name) = place.ok_or("it lies outside the tree")?;
        match name {
            None => Ok(directory),
            Some(name) => self
                .names(directory)?
                .get(&name)
                .copied()
                .ok_or_else(|| format!("{} is not there", name.display())),
        }
    }

    fn names(&self, directory: NodeId) -> Result<&BTreeMap<OsString, NodeId>, String> {
        match &self.live[directory] {
            Node::Directory(names) => Ok(names),
            Node::File(_) => Err("a file in the place of a directory".to_owned()),
        }
    }

    /// The directory and the name that two arguments give, no name being the directory itself; `None` for
    /// what lies outside the tree.
    fn place(
        &self,
        call: &Call,
        index: usize,
    ) -> Result<Option<(NodeId, Option<OsString>)>, String> {
        let path = PathBuf::from(OsString::from_vec(call.bytes(index + 1)?));
        let (mut directory, below) = if path.is_absolute() {
            match path.strip_prefix(self.root) {
                Ok(below) => (ROOT, below),
                Err(_) => return Ok(None),
            }
        } else {
            let opened = self.descriptors.get(&call.number(index)?);
            match opened.and_then(|opened| self.opened[*opened].node) {
                Some(directory) => (directory, path.as_path()),
                None => return Ok(None),
            }
        };
        let mut names: Vec<&OsStr> = below.iter().filter(|name| *name != ".").collect();
        let last = names.pop();
        for name in names {
            let next = self.names(directory)?.get(name);
            directory = *next.ok_or_else(|| format!("{} is not there", name.display()))?;
        }
        if last.is_some_and(|last| last.as_bytes() == b"..") {
            return Err("paths that go up are not known here".to_owned());
        }
        Ok(Some((directory, last.map(OsStr::to_owned))))
    }

    fn node_of(&self, call: &Call, index: usize) -> Result<NodeId, String> {
        let opened = self.descriptors.get(&call.number(index)?);
        opened
            .and_then(|opened| self.opened[*opened].node)
            .ok_or_else(|| "its descriptor is of nothing in the tree".to_owned())
    }

    fn opened_by(&mut self, call: &Call, index: usize) -> Result<&mut Opened, String> {
        let opened = self.descriptors.get(&call.number(index)?);
        let opened = opened.ok_or("its descriptor was never opened")?;
        Ok(&mut self.opened[*opened])
    }
}

fn to_size(result: i64) -> Result<usize, String> {
    usize::try_from(result).map_err(|error| error.to_string())
}
