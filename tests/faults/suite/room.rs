//! A directory of its own for each case: a spool with bystanders in it, and files beside it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use multispool::{Durability, EnqueueOptions, Limits, Monitor, MonitorSpec, NameGenerator, Spool};

/// The entry that the operations are about.
pub const NAME: &str = "e";
pub const METADATA: &str = "metadata of e";
pub const DATA: &str = "the data of e, as it was";
pub const NEW_METADATA: &str = "metadata as the worker changed it";
pub const NEW_DATA: &str = "data that the worker made of it";

/// In queues and names of their own: no operation may touch them.
const BYSTANDERS: [(&str, &str); 2] = [("aside", "bystander-1"), ("done", "bystander-2")];

const QUEUES: [&str; 3] = ["in", "done", "aside"];

#[derive(Clone)]
pub struct Room(PathBuf);

impl Room {
    /// In this directory, which exists and is empty.
    pub fn new(root: impl Into<PathBuf>) -> Room {
        Room(root.into())
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn spool_dir(&self) -> PathBuf {
        self.0.join("spool")
    }

    pub fn in_spool(&self, path: &str) -> PathBuf {
        self.spool_dir().join(path)
    }

    /// A file that is enqueued.
    pub fn source(&self) -> PathBuf {
        self.0.join("source")
    }

    /// Where a repair may move things.
    pub fn away(&self) -> PathBuf {
        self.0.join("away")
    }

    /// Makes the spool, with bystanders.
    pub fn furnish(&self) -> Spool {
        std::fs::write(self.source(), DATA).unwrap();
        let spool = Spool::options()
            .durability(Durability::None)
            .create(self.spool_dir(), QUEUES)
            .unwrap();
        for (queue, name) in BYSTANDERS {
            enqueue(&spool, queue, name);
        }
        spool
    }

    /// Opens the spool and nothing in it: each directory is opened by the operation that needs it first.
    pub fn open(&self) -> Spool {
        Spool::load_unsafe(self.spool_dir(), QUEUES).unwrap()
    }

    /// The names of all that is wrong with the spool, were nothing ever too young.
    pub fn problems(&self) -> Result<Vec<(String, String)>, multispool::Error> {
        let monitor = Monitor::create(&MonitorSpec::new(self.spool_dir(), no_age()))?;
        let problems = monitor.run_once()?;
        let named = problems.iter().map(|problem| {
            let name = problem.file().filename.to_string_lossy().into_owned();
            (problem.kind().to_owned(), name)
        });
        Ok(named.collect())
    }
}

fn no_age() -> Limits {
    use std::time::Duration;
    Limits::new()
        .max_checked_out_age(Duration::ZERO)
        .max_tmp_file_age(Duration::ZERO)
        .max_reservation_age(Duration::ZERO)
}

pub fn enqueue(spool: &Spool, queue: &str, name: &str) {
    let name = spool.reserve_name(name).unwrap();
    spool
        .enqueue_with(queue, METADATA, DATA, &EnqueueOptions::new().name(name))
        .unwrap();
}

/// Names that are the same in every run.
pub fn names() -> Arc<dyn NameGenerator> {
    Arc::new(|attempt: u32| match attempt {
        0 => NAME.into(),
        other => format!("{NAME}-{other}").into(),
    })
}

pub fn is_a_bystander(path: &str) -> bool {
    let name = Path::new(path).file_name().and_then(OsStr::to_str);
    BYSTANDERS.iter().any(|(_, own)| name == Some(own))
}
