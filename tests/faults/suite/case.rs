//! One case: an operation in a room of its own, some calls of which fail, and all that can be seen of it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use multispool::{RecoverOptions, RepairOptions, Spool};

use super::judge::has_failed;
use super::operations::Operation;
use super::room::Room;
use super::tracer::{Made, Plan, Stop, Traced};
use super::tree::Tree;
use super::worker::{Limit, Told};

/// What is done to an operation.
#[derive(Clone, Debug)]
pub struct Trial {
    pub plan: Plan,
    pub limit: Option<Limit>,
    /// Whether the calls after the last that is to fail are to be seen in any case.
    pub sees_all: bool,
    /// A step that the library leaves out, where it was built so that it can.
    pub omit: Option<&'static str>,
}

/// All that was seen of it.
pub struct Seen {
    pub before: Tree,
    pub made: Vec<Made>,
    pub first: Told,
    pub after: Tree,
    /// What fsck names after the first try, of any age: kinds and names. `None` where there is no spool yet.
    pub problems: Option<Vec<(String, String)>>,
    /// The second try, where there was one.
    pub again: Option<Again>,
    /// What the process's descriptors were open on at its end that it had not had at its beginning.
    pub left_open: Vec<String>,
    /// What was wrong after the process had ended, and a recover and a repair had been made.
    pub unmended: Vec<String>,
    pub last: Tree,
}

pub struct Again {
    pub told: Told,
    pub made: Vec<Made>,
    pub after: Tree,
}

impl Trial {
    pub fn new(plan: Plan) -> Trial {
        Trial {
            plan,
            limit: None,
            sees_all: false,
            omit: None,
        }
    }

    /// Makes the operation in an empty directory, which is removed after that.
    pub fn run(&self, operation: &Operation, root: &Path) -> Result<Seen, String> {
        fs::create_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
        let seen = self.run_in(operation, &Room::new(root));
        fs::remove_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
        seen
    }

    fn run_in(&self, operation: &Operation, room: &Room) -> Result<Seen, String> {
        (operation.prepare)(room);
        let mut process = Traced::start(&mut self.command(operation, room))
            .map_err(|error| format!("the process cannot be traced: {error}"))?;
        let ask = |process: &mut Traced, stop: Stop| match stop {
            Stop::Marker => Ok(()),
            other => Err(format!("{other:?}: {}", process.errors().trim())),
        };
        let stop = process.go_on();
        ask(&mut process, stop)?;
        let before = Tree::of(room.root());
        // Of an operation that syncs, all its syncs must be seen.
        let syncs = !operation.syncs.is_empty();
        let all = self.sees_all || syncs || self.plan == Plan::Nothing;
        let (made, stop) = process.trace(&self.plan, all)?;
        ask(&mut process, stop)?;
        let stop = process.go_on();
        ask(&mut process, stop)?;
        let first = Told::parse(&process.report().unwrap_or_default());
        let after = Tree::of(room.root());
        // Only where something may be left is it asked what fsck says of it.
        let may_be_left = made.iter().any(has_failed) || before != after;
        let problems = may_be_left.then(|| room.problems().ok()).flatten();
        let again = match &first {
            Told::Failed(failure) if failure.kind != "NotDurable" => {
                let (made, stop) = process.trace(&Plan::Nothing, syncs)?;
                ask(&mut process, stop)?;
                Some(Again {
                    told: Told::parse(&process.report().unwrap_or_default()),
                    made,
                    after: Tree::of(room.root()),
                })
            }
            _ => None,
        };
        match process.go_on() {
            Stop::Exited(0) => {}
            other => return Err(format!("{other:?}: {}", process.errors().trim())),
        }
        let left_open = process.report().unwrap_or_default();
        let left_open = left_open.split('\t').filter(|open| !open.is_empty());
        Ok(Seen {
            before,
            made,
            first,
            after,
            problems,
            again,
            left_open: left_open.map(str::to_owned).collect(),
            unmended: mend(room),
            last: Tree::of(room.root()),
        })
    }

    fn command(&self, operation: &Operation, room: &Room) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.args(["--work", operation.name]).arg(room.root());
        command.args(self.limit.map(Limit::argument));
        if let Some(step) = self.omit {
            command.env("MULTISPOOL_OMIT", step);
        }
        command
    }
}

/// Recovers and repairs, as after a crash; answers what is wrong even then.
fn mend(room: &Room) -> Vec<String> {
    let mended = (|| {
        if room.problems()?.is_empty() {
            return Ok(Vec::new());
        }
        let spool = Spool::load(room.spool_dir(), Spool::discover(room.spool_dir())?)?;
        let recovered = spool.recover(&RecoverOptions::new().min_age(Duration::ZERO))?;
        let options = RepairOptions::new().min_age(Duration::ZERO);
        let repaired = spool.repair(&options)?.apply()?;
        let failures = recovered.failures.into_iter().chain(repaired.failures);
        let mut wrong: Vec<String> = failures.map(|error| error.to_string()).collect();
        let problems = room.problems()?.into_iter();
        wrong.extend(problems.map(|(kind, name)| format!("{kind} {name}")));
        Ok::<_, multispool::Error>(wrong)
    })();
    mended.unwrap_or_else(|error| vec![error.to_string()])
}
