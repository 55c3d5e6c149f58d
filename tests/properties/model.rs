//! The model: what the directory of a spool holds and who owns what, in memory. Each operation is a short
//! function on it that answers what the library must answer.

use std::collections::{BTreeMap, BTreeSet};

use multispool::{Dir, ErrorKind, MAX_NAME_BYTES, QueueName};

use crate::disk::Queue;
use crate::operation::Bytes;

pub mod checkout;
mod compare;
pub mod enqueue;
pub mod problems;
pub mod reader;
pub mod repair;

/// The longest name that a directory can hold.
const MAX_FOUND_BYTES: usize = 255;

/// Tells a file from others that had its name before or will have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life(u64);

/// A file, and its inode once it has been seen on disk: from then on it must stay the same.
#[derive(Clone, Copy, Debug)]
pub struct File {
    pub life: Life,
    pub inode: Option<u64>,
}

#[derive(Debug)]
pub struct Data {
    pub file: File,
    pub bytes: Bytes,
}

#[derive(Debug)]
pub struct Temporary {
    owner: Bytes,
    /// Once it has been seen on disk.
    name: Option<Bytes>,
    pub bytes: Bytes,
}

/// What one handle of a spool may do and see.
#[derive(Debug)]
pub struct Scope {
    pub queues: BTreeSet<Bytes>,
    pub is_read_only: bool,
}

#[derive(Debug)]
pub struct Model {
    /// Whether the spool says that every owner holds a lock.
    pub is_locking: bool,
    pub registry: BTreeMap<Bytes, File>,
    pub data: BTreeMap<Bytes, Data>,
    pub tmp: BTreeMap<Life, Temporary>,
    pub queues: BTreeMap<Bytes, Queue>,
    /// The registry files whose lock a live process holds.
    pub locks: BTreeSet<Life>,
    /// What each reader of this process remembers.
    pub readers: BTreeMap<u64, reader::Notes>,
    lives: u64,
}

/// What asking for the ownership of a name comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    Free(Life),
    Busy,
    Unreserved,
}

impl Scope {
    /// The queue must be one of the handle's.
    pub fn knows(&self, queue: &Bytes) -> Result<(), ErrorKind> {
        must_be_valid(queue, MAX_NAME_BYTES)?;
        match self.queues.contains(queue) {
            true => Ok(()),
            false => Err(ErrorKind::UnknownQueue),
        }
    }

    pub fn may_write(&self) -> Result<(), ErrorKind> {
        match self.is_read_only {
            true => Err(ErrorKind::Permission),
            false => Ok(()),
        }
    }

    /// A queue of the handle's, and a name that may be on disk.
    pub fn entry(&self, queue: &Bytes, name: &Bytes) -> Result<(), ErrorKind> {
        must_be_valid(name, MAX_FOUND_BYTES)?;
        self.knows(queue)
    }
}

fn must_be_valid(name: &Bytes, longest: usize) -> Result<(), ErrorKind> {
    let bytes = &name.0[..];
    let is_valid = (1..=longest).contains(&bytes.len())
        && !bytes.starts_with(b".")
        && !bytes.contains(&b'/')
        && !bytes.contains(&0);
    match is_valid {
        true => Ok(()),
        false => Err(ErrorKind::InvalidName),
    }
}

/// A directory as the library names it.
pub fn dir(queue: &Bytes, checked_out: bool) -> Dir {
    let name = QueueName::new(queue.os()).expect("a queue on disk has a valid name");
    match checked_out {
        true => Dir::QueueCheckout(name),
        false => Dir::Queue(name),
    }
}

impl Model {
    pub fn new(is_locking: bool) -> Model {
        Model {
            is_locking,
            registry: BTreeMap::new(),
            data: BTreeMap::new(),
            tmp: BTreeMap::new(),
            queues: BTreeMap::new(),
            locks: BTreeSet::new(),
            readers: BTreeMap::new(),
            lives: 0,
        }
    }

    fn new_life(&mut self) -> Life {
        self.lives += 1;
        Life(self.lives)
    }

    fn new_file(&mut self) -> File {
        File {
            life: self.new_life(),
            inode: None,
        }
    }

    /// Creates a spool, or opens it with more queues.
    pub fn create(&mut self, queues: &[Bytes]) -> Result<(), ErrorKind> {
        valid_queues(queues)?;
        for queue in queues {
            self.queues.entry(queue.clone()).or_default();
        }
        Ok(())
    }

    pub fn load(&self, queues: &[Bytes]) -> Result<(), ErrorKind> {
        valid_queues(queues)?;
        match queues.iter().all(|queue| self.queues.contains_key(queue)) {
            true => Ok(()),
            false => Err(ErrorKind::Missing),
        }
    }

    /// Reserves the first of these names that is free.
    pub fn reserve(&mut self, scope: &Scope, names: &[Bytes]) -> Result<Bytes, ErrorKind> {
        scope.may_write()?;
        for name in names {
            must_be_valid(name, MAX_NAME_BYTES)?;
            if !self.registry.contains_key(name) {
                self.reserve_free(name);
                return Ok(name.clone());
            }
        }
        Err(ErrorKind::NamesExhausted)
    }

    fn reserve_free(&mut self, name: &Bytes) -> Life {
        let file = self.new_file();
        self.registry.insert(name.clone(), file);
        file.life
    }

    /// Asks for the ownership of a name; nothing is taken yet.
    fn claim(&self, name: &Bytes) -> Claim {
        match self.registry.get(name) {
            None => Claim::Unreserved,
            Some(file) if self.locks.contains(&file.life) => Claim::Busy,
            Some(file) => Claim::Free(file.life),
        }
    }

    fn is_owned(&self, name: &Bytes) -> bool {
        self.claim(name) == Claim::Busy
    }

    fn waiting(&self, queue: &Bytes) -> &BTreeMap<Bytes, Bytes> {
        &self.queues[queue].waiting
    }

    fn queue_mut(&mut self, queue: &Bytes) -> &mut Queue {
        self.queues
            .get_mut(queue)
            .expect("a handle's queues are on disk")
    }

    /// Where an entry of this name is: the queue, and whether it is checked out.
    fn places(&self, name: &Bytes) -> Vec<(&Bytes, bool)> {
        let mut places = Vec::new();
        for (queue, contents) in &self.queues {
            for (checked_out, names) in [(false, &contents.waiting), (true, &contents.checkout)] {
                if names.contains_key(name) {
                    places.push((queue, checked_out));
                }
            }
        }
        places
    }

    /// Removes data and reservation, by name, as the end of an entry does.
    fn remove_rest(&mut self, name: &Bytes) {
        self.data.remove(name);
        self.registry.remove(name);
    }
}

fn valid_queues(queues: &[Bytes]) -> Result<(), ErrorKind> {
    queues
        .iter()
        .try_for_each(|queue| must_be_valid(queue, MAX_NAME_BYTES))
}
