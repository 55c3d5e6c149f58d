//! Does one operation several times, in a process of its own that is traced.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use multispool::{Checkout, Dequeued, Durability, EnqueueOptions, Entry, QueueReader, Spool};
use rustix::fs::Access;
use rustix::io::Errno;

use crate::through_c;

pub const VERB: &str = "operate";

/// Paths that do not exist: looking for them shows in a trace where the operation begins and where it has ended.
pub const BEGIN: &str = "/the operation begins";
pub const END: &str = "/the operation has ended";

const METADATA: [u8; 100] = [b'm'; 100];
const DATA: [u8; 1024] = [b'd'; 1024];
/// Entries of a batch, and of a queue that is listed.
pub const MANY: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Enqueue,
    EnqueueMany,
    Dequeue,
    Checkout,
    Save,
    SaveNewMetadata,
    Release,
    Remove,
    RemoveMany,
    DequeueAndRemove,
    EnqueueThroughC,
    DequeueAndRemoveThroughC,
    DataLoad,
    DataSave,
    List,
}

impl Operation {
    pub const ALL: [Operation; 15] = [
        Operation::Enqueue,
        Operation::EnqueueMany,
        Operation::Dequeue,
        Operation::Checkout,
        Operation::DataLoad,
        Operation::DataSave,
        Operation::Save,
        Operation::SaveNewMetadata,
        Operation::Release,
        Operation::Remove,
        Operation::RemoveMany,
        Operation::DequeueAndRemove,
        Operation::EnqueueThroughC,
        Operation::DequeueAndRemoveThroughC,
        Operation::List,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Operation::Enqueue => "enqueue",
            Operation::EnqueueMany => "enqueue 64 in a batch",
            Operation::Dequeue => "dequeue",
            Operation::Checkout => "checkout",
            Operation::Save => "save",
            Operation::SaveNewMetadata => "save with new metadata",
            Operation::Release => "release",
            Operation::Remove => "remove",
            Operation::RemoveMany => "remove 64 in a batch",
            Operation::DequeueAndRemove => "dequeue and remove",
            Operation::EnqueueThroughC => "enqueue through C",
            Operation::DequeueAndRemoveThroughC => "dequeue and remove through C",
            Operation::DataLoad => "data load",
            Operation::DataSave => "data save",
            Operation::List => "list 64",
        }
    }

    pub fn named(name: &str) -> Option<Operation> {
        Operation::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }
}

/// `OPERATION DURABILITY DIR PREPARED TIMES IN_VAIN`: makes a spool in DIR, and in it what so many operations need; then
/// does some of them. IN_VAIN is what each does besides, to be noticed: a system call, and so many turns of a loop.
pub fn run(arguments: &[String]) -> ExitCode {
    let [operation, durability, dir, prepared, times, in_vain] = arguments else {
        eprintln!("calls: {VERB} has six arguments");
        return ExitCode::from(2);
    };
    let operation = Operation::named(operation).expect("an operation");
    let durability: Durability = durability.parse().unwrap();
    let work = Work {
        prepared: prepared.parse().unwrap(),
        times: times.parse().unwrap(),
        in_vain: in_vain.parse().unwrap(),
    };
    let spool = Spool::options()
        .durability(durability)
        .create(Path::new(dir).join("spool"), ["in", "out"])
        .unwrap();
    use_once(&spool);
    work.perform(operation, &spool);
    ExitCode::SUCCESS
}

struct Work {
    prepared: usize,
    times: usize,
    in_vain: u64,
}

impl Work {
    /// Does it so often, with marks around.
    fn between(&self, mut operate: impl FnMut(usize)) {
        mark(BEGIN);
        for at in 0..self.times {
            operate(at);
            if self.in_vain > 0 {
                black_box(rustix::process::getppid());
            }
            for turn in 0..self.in_vain {
                black_box(turn);
            }
        }
        mark(END);
    }

    fn perform(&self, operation: Operation, spool: &Spool) {
        let n = self.prepared;
        match operation {
            Operation::Enqueue => self.between(|_| drop(enqueue(spool))),
            Operation::EnqueueMany => self.between(|_| enqueue_many(spool)),
            Operation::Dequeue => {
                let (mut reader, mut taken) = (begun_reader(spool, n), Vec::with_capacity(n));
                self.between(|_| taken.push(dequeue(&mut reader)));
            }
            Operation::DequeueAndRemove => {
                let mut reader = begun_reader(spool, n);
                self.between(|_| dequeue(&mut reader).remove().unwrap());
            }
            Operation::EnqueueThroughC => {
                let c = through_c::Spool::load(spool);
                c.enqueue(c"in", &METADATA, &DATA);
                self.between(|_| c.enqueue(c"in", &METADATA, &DATA));
            }
            Operation::DequeueAndRemoveThroughC => {
                drop(begun_reader(spool, n + 1));
                let c = through_c::Spool::load(spool);
                let reader = c.reader(c"in");
                reader.dequeue_and_remove(&METADATA);
                self.between(|_| reader.dequeue_and_remove(&METADATA));
            }
            Operation::Checkout => {
                let entries: Vec<Entry> = (0..n).map(|_| enqueue(spool)).collect();
                let mut taken = Vec::with_capacity(n);
                self.between(|at| {
                    taken.push(entries[at].checkout().unwrap());
                });
            }
            Operation::Save => {
                let mut taken = checkouts(spool, n);
                self.between(|at| taken[at].save("out").unwrap());
            }
            Operation::SaveNewMetadata => {
                let mut taken = checkouts(spool, n);
                for checkout in &mut taken {
                    checkout.set_metadata(METADATA).unwrap();
                }
                self.between(|at| taken[at].save("out").unwrap());
            }
            Operation::Release => {
                let mut taken = checkouts(spool, n);
                self.between(|at| taken[at].release().unwrap());
            }
            Operation::Remove => {
                let mut taken = checkouts(spool, n);
                self.between(|at| taken[at].remove().unwrap());
            }
            Operation::RemoveMany => {
                let mut taken = checkouts(spool, n * MANY);
                self.between(|at| {
                    let some = &mut taken[at * MANY..][..MANY];
                    for answer in Checkout::remove_many(some) {
                        answer.unwrap();
                    }
                });
            }
            Operation::DataLoad => {
                let taken = checkouts(spool, n);
                self.between(|at| {
                    assert_eq!(taken[at].data_file().load().unwrap(), DATA);
                });
            }
            Operation::DataSave => {
                let taken = checkouts(spool, n);
                self.between(|at| {
                    taken[at].data_file().save(DATA).unwrap();
                });
            }
            Operation::List => {
                enqueue_many(spool);
                self.between(|_| {
                    assert_eq!(spool.list("in").unwrap().count(), MANY);
                });
            }
        }
    }
}

/// What is done once in a spool's life, such as opening its directories, is done here.
fn use_once(spool: &Spool) {
    enqueue(spool);
    let mut reader = spool.reader("in").unwrap();
    let mut checkout = dequeue(&mut reader);
    checkout.set_metadata(METADATA).unwrap();
    checkout.data_file().save(DATA).unwrap();
    let name = checkout.name().clone();
    checkout.save("out").unwrap();
    let mut checkout = spool.entry("out", &name).unwrap().checkout().unwrap();
    checkout.remove().unwrap();
}

fn mark(path: &str) {
    let found = rustix::fs::access(path, Access::EXISTS);
    assert_eq!(found, Err(Errno::NOENT), "{path}");
}

fn enqueue(spool: &Spool) -> Entry {
    spool.enqueue("in", METADATA, &DATA).unwrap()
}

fn enqueue_many(spool: &Spool) {
    let mut batch = spool.batch("in", &EnqueueOptions::new()).unwrap();
    for _ in 0..MANY {
        batch.add(METADATA, &DATA).unwrap();
    }
    for answer in batch.commit() {
        answer.unwrap();
    }
}

fn checkouts(spool: &Spool, times: usize) -> Vec<Checkout> {
    (0..times)
        .map(|_| enqueue(spool).checkout().unwrap())
        .collect()
}

/// A reader that has listed its queue, of which so many entries are left.
fn begun_reader(spool: &Spool, times: usize) -> QueueReader {
    for _ in 0..=times {
        enqueue(spool);
    }
    let mut reader = spool.reader("in").unwrap();
    dequeue(&mut reader).remove().unwrap();
    reader
}

fn dequeue(reader: &mut QueueReader) -> Checkout {
    match reader.dequeue(None, None).unwrap() {
        Dequeued::CheckedOut(checkout) => checkout,
        other => panic!("{other:?}"),
    }
}
