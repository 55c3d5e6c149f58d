//! What a file system was told: what lay there durably at the start, and each change and sync since then.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A file or a directory, whatever its names. The root of the tree is [`ROOT`].
pub type NodeId = usize;

pub const ROOT: NodeId = 0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Directory(BTreeMap<OsString, NodeId>),
    File(Vec<u8>),
}

/// One name given to something else than before, or to nothing.
#[derive(Clone, Debug)]
pub struct Naming {
    pub directory: NodeId,
    pub name: OsString,
    pub node: Option<NodeId>,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// Names changed by one call: by a rename and an exchange two, by others one.
    Names(Vec<Naming>),
    Write {
        file: NodeId,
        at: usize,
        bytes: Vec<u8>,
    },
    SyncFile(NodeId),
    SyncDirectory(NodeId),
    SyncAll,
    /// The operation said to its caller that something is done.
    Acknowledged,
}

impl Event {
    pub fn is_sync(&self) -> bool {
        matches!(
            self,
            Event::SyncFile(_) | Event::SyncDirectory(_) | Event::SyncAll
        )
    }
}

#[derive(Clone, Debug)]
pub struct History {
    /// All nodes as they were, durably, at the start; those made later are empty here, and have no name.
    pub start: Vec<Node>,
    pub events: Vec<Event>,
}

impl History {
    /// Of a tree that is durable as it is.
    pub fn beginning_with(start: Vec<Node>) -> History {
        History {
            start,
            events: Vec::new(),
        }
    }

    /// The same with its first events only.
    pub fn until(&self, point: usize) -> History {
        History {
            start: self.start.clone(),
            events: self.events[..point].to_vec(),
        }
    }

    /// What every process sees after all events, synced or not.
    pub fn live(&self) -> Vec<Node> {
        let mut nodes = self.start.clone();
        for event in &self.events {
            apply(&mut nodes, event);
        }
        nodes
    }

    /// How many acknowledgements there were among the first events.
    pub fn acknowledged(&self, point: usize) -> usize {
        self.events[..point]
            .iter()
            .filter(|event| matches!(event, Event::Acknowledged))
            .count()
    }
}

/// Changes the nodes as a process sees them.
pub fn apply(nodes: &mut [Node], event: &Event) {
    match event {
        Event::Names(namings) => namings.iter().for_each(|naming| name(nodes, naming)),
        Event::Write { file, at, bytes } => write(&mut nodes[*file], *at, bytes),
        Event::SyncFile(_) | Event::SyncDirectory(_) | Event::SyncAll | Event::Acknowledged => {}
    }
}

pub fn name(nodes: &mut [Node], naming: &Naming) {
    let Node::Directory(names) = &mut nodes[naming.directory] else {
        unreachable!("names are changed in directories");
    };
    match naming.node {
        Some(node) => names.insert(naming.name.clone(), node),
        None => names.remove(&naming.name),
    };
}

fn write(node: &mut Node, at: usize, bytes: &[u8]) {
    let Node::File(contents) = node else {
        unreachable!("bytes are written to files");
    };
    let end = at + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[at..end].copy_from_slice(bytes);
}
