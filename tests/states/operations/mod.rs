//! The operations that are cut short: the spool that each begins with, the operation itself, and what it promises.

mod checkout;
mod create;
mod direct;
mod enqueue;
pub mod recovery;
mod typed;

use std::path::{Path, PathBuf};

use multispool::{Durability, EnqueueOptions, RecoverOptions, Result, Spool};

use crate::fate::{Fate, data, is_out, metadata, waits};

/// The queues of every spool but those that are created meanwhile.
pub const QUEUES: &[&str] = &["in", "out", "side"];

/// The name of the spool below the root of the tree.
pub const SPOOL: &str = "spool";

/// The name of the entry that most operations are about.
pub const SUBJECT: &str = "subject";

pub struct Operation {
    pub name: &'static str,
    /// Makes what is there, durably, before the operation.
    pub prepare: fn(&Path),
    pub attempt: fn(&Try<'_>) -> Result<Answer>,
    /// What may become of the entries, those of [`bystanders`] included.
    pub entries: Vec<Prospect>,
    /// The queues that a spool can be loaded with before the last acknowledgement, and after it. None before it:
    /// a create, which may have to be done again before there is any spool.
    pub queues: [&'static [&'static str]; 2],
    /// Whether nothing is left over after the last acknowledgement.
    pub clears: bool,
    /// Files that are moved out of the spool, and not lost: from where, to where, below the root of the tree.
    pub moves: &'static [(&'static str, &'static str)],
    /// Whether it does what it finds to do, for all entries.
    pub sweeps: bool,
    /// Whether others go on after it was killed. Not where its parts are operations of their own.
    pub is_killed: bool,
    /// Whether a cut shows what each of its syncs is for. Not where one is for what others left unsynced, or for file
    /// systems that keep less in order than is promised.
    pub needs_each_sync: bool,
}

/// What may become of one entry.
pub struct Prospect {
    pub name: &'static str,
    /// By how many acknowledgements there were: what is allowed.
    pub allowed: Vec<Vec<Fate>>,
    /// What the entry is after a second try has succeeded; `None`: what it was before that, and registered.
    pub after_second_try: Option<Fate>,
}

/// One call of an operation.
pub struct Try<'a> {
    /// The root of the tree.
    pub root: &'a Path,
    pub is_second: bool,
    pub acknowledge: &'a dyn Fn(),
}

/// Whether a try had anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// It finds that an earlier try was enough.
    WasDone,
}

impl Try<'_> {
    pub fn path(&self) -> PathBuf {
        self.root.join(SPOOL)
    }

    fn spool(&self) -> Result<Spool> {
        Spool::load(self.path(), QUEUES)
    }

    fn spool_without_syncs(&self) -> Result<Spool> {
        let options = Spool::options().durability(Durability::None);
        options.load(self.path(), QUEUES)
    }

    fn done(&self) -> Result<Answer> {
        (self.acknowledge)();
        Ok(Answer::Done)
    }
}

pub fn all() -> Vec<Operation> {
    let mut operations = create::operations();
    operations.extend(enqueue::operations());
    operations.extend(checkout::operations());
    operations.extend(direct::operations());
    operations.extend(recovery::operations());
    operations.extend(typed::operations());
    operations
}

/// One operation about these entries, on a spool that was there before.
fn operation(
    name: &'static str,
    prepare: fn(&Path),
    attempt: fn(&Try<'_>) -> Result<Answer>,
    entries: Vec<Prospect>,
) -> Operation {
    let bystanders = bystanders()
        .into_iter()
        .filter(|(bystander, _)| entries.iter().all(|entry| entry.name != *bystander))
        .map(|(name, fate)| Prospect {
            name,
            allowed: vec![vec![fate]],
            after_second_try: None,
        })
        .collect::<Vec<_>>();
    Operation {
        name,
        prepare,
        attempt,
        entries: entries.into_iter().chain(bystanders).collect(),
        queues: [QUEUES, QUEUES],
        clears: false,
        moves: &[],
        sweeps: false,
        is_killed: true,
        needs_each_sync: true,
    }
}

/// The entry that the operation changes: what it may be before and after each acknowledgement, the last of
/// which leaves one fate.
fn changed(name: &'static str, allowed: Vec<Vec<Fate>>) -> Prospect {
    let last = allowed.last().and_then(|fates| fates.first()).cloned();
    Prospect {
        name,
        allowed,
        after_second_try: last,
    }
}

/// Entries that no operation may do anything to.
fn bystanders() -> Vec<(&'static str, Fate)> {
    vec![
        ("waiting", waits("in", "waiting", (0, 0))),
        ("parked", waits("out", "parked", (0, 0))),
        ("held", is_out("side", "held", (0, 0))),
    ]
}

/// A spool with the bystanders: the last of them checked out, by a process that died. Its queue is its own, so that
/// who recovers it syncs none of the directories that the operations are about.
fn with_bystanders(root: &Path) -> Spool {
    let spool = Spool::options()
        .durability(Durability::None)
        .create(root.join(SPOOL), QUEUES)
        .unwrap();
    add(&spool, "in", "waiting");
    add(&spool, "out", "parked");
    add(&spool, "side", "held");
    check_out(&spool, "side", "held");
    spool
}

fn only_bystanders(root: &Path) {
    with_bystanders(root);
}

fn with_subject(root: &Path) {
    add(&with_bystanders(root), "in", SUBJECT);
}

fn add(spool: &Spool, queue: &str, name: &str) {
    let reserved = spool.reserve_name(name).unwrap();
    let options = EnqueueOptions::new().name(reserved);
    let (metadata, data) = (metadata(name, 0), data(name, 0));
    spool
        .enqueue_with(queue, metadata, &data, &options)
        .unwrap();
}

/// Its owner is dead.
fn check_out(spool: &Spool, queue: &str, name: &str) {
    drop(spool.entry(queue, name).unwrap().checkout().unwrap());
}

/// Returns what dead workers hold, as each worker does at its start.
pub fn recover(spool: &Spool) -> Result<()> {
    match spool.recover(&RecoverOptions::new())?.failures.pop() {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}
