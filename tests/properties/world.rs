//! A spool and its model, side by side: each step is done to both, and they are compared.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use multispool::{
    Checkout, DataWriter, Durability, EnqueueWriter, Owners, QueueReader, RepairPlan, Spool,
};
use tempfile::TempDir;

use crate::disk::Disk;
use crate::model::checkout::{Holding, Writing};
use crate::model::enqueue::Draft;
use crate::model::repair::Step;
use crate::model::{Model, Scope};
use crate::operation::{Bytes, Op, Pick};
use crate::step;
use crate::verdict::{Figures, Verdict, Wrong};

mod care;
mod checkouts;
mod drafts;
mod entries;
pub mod fork;
mod handler;
mod readers;
mod spools;

/// More handles of a kind than this are not kept.
const MOST: usize = 6;

/// How long a reader that lets names rest lets them rest: longer than any sequence takes.
const LONG: Duration = Duration::from_secs(3600);

pub struct World {
    _dir: TempDir,
    root: PathBuf,
    /// Where files to be enqueued lie.
    inputs: PathBuf,
    model: Model,
    spools: Vec<Opened>,
    drafts: Vec<Drafted>,
    held: Vec<Held>,
    writers: Vec<Writer>,
    readers: Vec<Reader>,
    plans: Vec<Plan>,
    readers_made: u64,
    /// How many forks lead from the first process to this one.
    generation: u32,
    pub figures: Figures,
}

struct Opened {
    spool: Spool,
    scope: Rc<Scope>,
}

struct Drafted {
    writer: EnqueueWriter,
    draft: Draft,
    generation: u32,
}

struct Held {
    checkout: Checkout,
    holding: Holding,
    scope: Rc<Scope>,
    generation: u32,
}

struct Writer {
    writer: DataWriter,
    writing: Writing,
    generation: u32,
}

struct Reader {
    reader: QueueReader,
    id: u64,
    scope: Rc<Scope>,
    generation: u32,
}

struct Plan {
    plan: RepairPlan,
    steps: Vec<Step>,
    scope: Rc<Scope>,
}

impl World {
    /// A new spool.
    pub fn new(owners: Owners, queues: &[Bytes]) -> Result<World, Wrong> {
        let failed =
            |error: &dyn std::fmt::Display| Wrong(format!("no spool to begin with: {error}"));
        let dir = tempfile::tempdir().map_err(|error| failed(&error))?;
        let root = dir.path().join("spool");
        let inputs = dir.path().join("inputs");
        std::fs::create_dir(&inputs).map_err(|error| failed(&error))?;
        let spool = spools::options(Durability::None)
            .owners(owners)
            .create(&root, queues.iter().map(Bytes::os))
            .map_err(|error| failed(&error))?;
        let mut model = Model::new(owners == Owners::Locking);
        model
            .create(queues)
            .map_err(|kind| failed(&format!("{kind:?}")))?;
        let scope = Rc::new(Scope {
            queues: queues.iter().cloned().collect(),
            is_read_only: false,
        });
        Ok(World {
            _dir: dir,
            root,
            inputs,
            model,
            spools: vec![Opened { spool, scope }],
            drafts: Vec::new(),
            held: Vec::new(),
            writers: Vec::new(),
            readers: Vec::new(),
            plans: Vec::new(),
            readers_made: 0,
            generation: 0,
            figures: Figures::default(),
        })
    }

    /// Does one thing, and compares its answer and all that is on disk then.
    pub fn step(&mut self, op: &Op) -> Verdict {
        self.figures.count("operations", 1);
        self.act(op)
            .and_then(|()| self.check())
            .map_err(|Wrong(what)| Wrong(format!("{what}\n  after {op:?}")))
    }

    fn act(&mut self, op: &Op) -> Verdict {
        match op {
            Op::Create { queues, durability } => self.create(queues, *durability),
            Op::Load {
                queues,
                durability,
                access,
            } => self.load(queues, *durability, *access),
            Op::Discover => self.discover(),
            Op::CloseSpool(pick) => self.close_spool(*pick),
            Op::List { spool, queue } => self.list(*spool, queue),
            Op::Stats(spool) => self.stats(*spool),
            Op::Reserve { spool, naming } => self.reserve(*spool, naming),
            Op::Enqueue {
                spool,
                enqueue,
                source,
                metadata,
            } => self.enqueue(*spool, enqueue, source, metadata),
            Op::Begin { spool, enqueue } => self.begin(*spool, enqueue),
            Op::Draft(pick, op) => self.draft(*pick, op),
            Op::Entry { spool, target, op } => self.entry(*spool, target, op),
            Op::Held(pick, op) => self.hold(*pick, op),
            Op::ListCheckouts { spool, queue, keep } => self.list_checkouts(*spool, queue, *keep),
            Op::Writer(pick, op) => self.write(*pick, op),
            Op::OpenReader {
                spool,
                queue,
                rests,
            } => self.open_reader(*spool, queue, *rests),
            Op::Reader(pick, op) => self.read(*pick, op),
            Op::Recover { spool, min_age } => self.recover(*spool, *min_age),
            Op::Problems {
                spool,
                by_monitor,
                limits,
            } => self.problems(*spool, *by_monitor, limits),
            Op::Plan { spool, min_age } => self.plan(*spool, *min_age),
            Op::Apply(pick) => self.apply(*pick),
            Op::Lose(target, part) => self.lose(target, *part),
            Op::Fork(fork) => self.fork(fork),
        }
    }

    /// Every file and every lock is as the model says.
    fn check(&mut self) -> Verdict {
        self.model.note_doubts();
        let disk = Disk::read(&self.root)?;
        self.model.compare(&disk)
    }

    /// All handles go, the dead's entries come back, and what is left is cleared away.
    pub fn close(&mut self) -> Verdict {
        self.drop_handles(|_| true);
        self.check()?;
        self.clear_away()
            .and_then(|()| self.check())
            .map_err(|Wrong(what)| Wrong(format!("{what}\n  at the end, after all handles went")))
    }

    /// Drops every handle, but those of the spool, that was made in one of these generations.
    fn drop_handles(&mut self, of: impl Fn(u32) -> bool) {
        for index in (0..self.drafts.len()).rev() {
            if of(self.drafts[index].generation) {
                self.drop_draft(index);
            }
        }
        for index in (0..self.writers.len()).rev() {
            if of(self.writers[index].generation) {
                self.drop_writer(index);
            }
        }
        for index in (0..self.held.len()).rev() {
            if of(self.held[index].generation) {
                drop(self.drop_held(index));
            }
        }
        for index in (0..self.readers.len()).rev() {
            if of(self.readers[index].generation) {
                self.drop_reader(index);
            }
        }
    }

    /// Whether a handle was made before a fork that lies between its maker and this process.
    fn is_foreign(&self, generation: u32) -> bool {
        generation != self.generation
    }

    /// The first of the spool's queues.
    fn any_queue(&self) -> Bytes {
        self.model.queues.keys().next().cloned().unwrap_or_default()
    }

    fn opened(&self, pick: Pick) -> (Spool, Rc<Scope>) {
        self.opened_that(pick, |_| true)
    }

    /// Mostly one that may write to the queue.
    fn opened_for(&self, pick: Pick, queue: &Bytes) -> (Spool, Rc<Scope>) {
        self.opened_that(pick, |opened| {
            opened.scope.knows(queue).is_ok() && !opened.scope.is_read_only
        })
    }

    fn opened_that(&self, pick: Pick, fits: impl Fn(&Opened) -> bool) -> (Spool, Rc<Scope>) {
        let opened = pick.mostly(&self.spools, fits).unwrap_or(0);
        let Opened { spool, scope } = &self.spools[opened];
        (spool.clone(), Rc::clone(scope))
    }
}

/// A generator that gives these names again and again.
fn generator(names: &[Bytes]) -> Arc<dyn multispool::NameGenerator> {
    let names = names.to_vec();
    Arc::new(move |attempt: u32| {
        step::must_not_be_in_one("a generator");
        names[attempt as usize % names.len()].os().to_owned()
    })
}
