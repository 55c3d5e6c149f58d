//! The process that is recorded: it does one operation, and writes to its standard error when it has acknowledged
//! something.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use multispool::{EnqueueOptions, ErrorKind, Result, Spool};

use crate::history::History;
use crate::operations::recovery::all_ages;
use crate::operations::{self, Answer, Operation, Try, recover};
use crate::record::{ACKNOWLEDGED, record};
use crate::tree::Tree;

pub const VERB: &str = "operate";

/// What is recorded of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    First,
    /// By a worker that returned dead workers' entries at its start.
    Second,
    /// No try, but a recover and a repair.
    Tidy,
    /// No try, but a worker that enqueues an entry, and saves all entries with new metadata.
    Work,
    /// No try, but an enqueue under the name of the entry that the operation is about.
    Reuse,
}

impl Act {
    const ALL: [Act; 5] = [Act::First, Act::Second, Act::Tidy, Act::Work, Act::Reuse];

    fn as_str(self) -> &'static str {
        match self {
            Act::First => "first",
            Act::Second => "second",
            Act::Tidy => "tidy",
            Act::Work => "work",
            Act::Reuse => "reuse",
        }
    }
}

/// Who is recorded: this program, or one that leaves out a step of the operations.
pub struct Operator {
    pub executable: PathBuf,
    pub omitted: Option<&'static str>,
}

impl Operator {
    /// The history goes on with the act, from what every process saw at its end.
    pub fn record(
        &self,
        operation: &Operation,
        act: Act,
        mut history: History,
        scratch: &Path,
    ) -> std::result::Result<History, String> {
        let place = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
        let root = place.path().join("tree");
        let made = std::fs::create_dir(&root);
        made.and_then(|()| Tree::of(&history.live()).make(&root))
            .map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.executable);
        command
            .args([VERB, operation.name, act.as_str()])
            .arg(&root)
            .env("MULTISPOOL_OMIT", self.omitted.unwrap_or_default());
        record(&mut history, &root, command)?;
        Ok(history)
    }
}

pub fn run(arguments: &[OsString]) -> ExitCode {
    let [name, act, root] = arguments else {
        panic!("it is told an operation, an act and a directory");
    };
    let is = |text: &str, argument: &OsStr| argument == text;
    let operation = operations::all()
        .into_iter()
        .find(|operation| is(operation.name, name))
        .expect("an operation's name");
    let act = Act::ALL
        .into_iter()
        .find(|known| is(known.as_str(), act))
        .expect("an act's name");
    match play(&operation, act, Path::new(root)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(operation: &Operation, act: Act, root: &Path) -> Result<()> {
    let attempt = Try {
        root,
        is_second: act == Act::Second,
        acknowledge: &acknowledge,
    };
    if act == Act::First {
        let answer = (operation.attempt)(&attempt)?;
        assert_eq!(answer, Answer::Done, "nobody did it before");
        return Ok(());
    }
    // Every worker begins so; but a spool whose creation was cut short has no workers yet.
    let spool = Spool::load(attempt.path(), operations::QUEUES).ok();
    if let Some(spool) = &spool {
        recover(spool)?;
    }
    match (act, spool) {
        (Act::Second, _) => (operation.attempt)(&attempt).map(drop),
        (Act::Tidy, Some(spool)) => tidy(&spool),
        (Act::Work, Some(spool)) => work(&spool),
        (Act::Reuse, Some(spool)) => reuse(&spool),
        _ => Ok(()),
    }
}

fn tidy(spool: &Spool) -> Result<()> {
    let failure = spool.repair(&all_ages())?.apply()?.failures.pop();
    failure.map_or(Ok(()), Err)?;
    acknowledge();
    Ok(())
}

fn work(spool: &Spool) -> Result<()> {
    let new = EnqueueOptions::new().generator(Arc::new(|_| OsString::from("new")));
    spool.enqueue_with("in", "new metadata", "new data", &new)?;
    for queue in operations::QUEUES {
        for entry in spool.list(queue)? {
            match entry?.try_checkout() {
                Ok(Some(mut checkout)) => {
                    checkout.set_metadata("worked on")?;
                    checkout.save(queue)?;
                }
                Ok(None) => {}
                // Without its registry file it is nobody's before it is repaired.
                Err(error) if error.kind() == ErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
    }
    acknowledge();
    Ok(())
}

fn reuse(spool: &Spool) -> Result<()> {
    let used = EnqueueOptions::new().name(operations::SUBJECT);
    match spool.enqueue_with("out", "another metadata", "another data", &used) {
        Ok(_) => acknowledge(),
        Err(error) if matches!(error.kind(), ErrorKind::NameTaken | ErrorKind::NotFound) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// One call, so that it stands in the recording as it is.
fn acknowledge() {
    std::io::stderr().write_all(ACKNOWLEDGED).unwrap();
}
