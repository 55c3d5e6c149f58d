//! The cases, and what they have in common.

pub mod blind;
pub mod faults;
pub mod keep;
pub mod measure;
pub mod reserve;
pub mod take;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::chronicle::Call;
use crate::crew::{Crew, PATIENCE};
use crate::ground::{Ground, Side, names_in, run, spool_on};
use crate::judge::{Promise, Verdict, judge, left};
use crate::options::Options;

/// How many processes there are at most, half of them on each side.
pub const HANDS: usize = 16;

/// Where the cases are played.
pub struct Field<'a> {
    pub ground: &'a Ground,
    pub options: &'a Options,
}

/// What a fault may do to those who work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failures {
    None,
    /// A request is carried out and its reply lost: what it made may be left for a repair.
    Replies,
    /// Calls fail, too.
    Calls,
}

impl Field<'_> {
    /// A new spool with this lease, and nobody on it yet.
    pub fn crew(&self, spool: &str, lease: Duration) -> Result<Crew<'_>> {
        let dir = spool_on(self.ground, Side::A, spool);
        let lease = format!("{}s", lease.as_secs());
        let mut create = Command::new("multispool");
        create
            .arg("create")
            .args(["--mode", "network", "--lease", &lease]);
        run(create.arg(dir).args(["incoming", "done"]))?;
        Crew::new(self.ground, &self.options.hands, &self.options.work, spool)
    }

    /// So many entries or a few more, by up to eight hands.
    pub fn fill(&self, crew: &mut Crew, count: usize) -> Result<()> {
        let hands = count.min(8);
        let each = count.div_ceil(hands).to_string();
        let producers = crew.add(hands, &Side::BOTH, &["enqueue", &each, "0"])?;
        crew.go()?;
        crew.join(Some(&producers))
    }

    /// Waits until nothing is left to do, stops all, and judges.
    pub fn end(
        &self,
        crew: &mut Crew,
        spool: &str,
        lease: Duration,
        may: Failures,
    ) -> Result<(Verdict, Vec<Call>)> {
        let dir = spool_on(self.ground, Side::B, spool);
        crew.join_all_but_workers()?;
        let mut empty = 0;
        // An entry that goes back to its queue meanwhile may be in neither listing: once is not enough.
        crew.until("the queue is empty", |_| {
            let there = !names_in(&dir.join("incoming"))?.is_empty()
                || !names_in(&dir.join("incoming/.checkout"))?.is_empty();
            empty = if there { 0 } else { empty + 1 };
            Ok(empty == 3)
        })?;
        crew.stop()?;
        crew.join(None)?;
        if may != Failures::None {
            self.clear(spool)?;
        }
        let calls = crew.calls()?;
        let promise = Promise {
            lease: u64::try_from(lease.as_nanos())?,
            failures: may == Failures::Calls,
        };
        let verdict = judge(&calls, &left(&dir)?, promise);
        Ok((verdict, calls))
    }

    /// Clears what the dead have left, when the last claim of theirs has run out.
    fn clear(&self, spool: &str) -> Result<()> {
        let dir = spool_on(self.ground, Side::B, spool);
        let deadline = Instant::now() + PATIENCE;
        while !names_in(&dir.join(".multispool/claims"))?.is_empty() {
            ensure!(Instant::now() < deadline, "claims of the dead stay");
            run(Command::new("multispool").arg("recover").arg(&dir))?;
        }
        run(Command::new("multispool")
            .args(["repair", "--apply", "--min-age", "0s"])
            .arg(&dir))
    }
}

/// What must be true of every verdict.
pub fn must_hold(verdict: &Verdict, calls: &[Call]) -> Result<()> {
    if verdict.violations.is_empty() {
        return Ok(());
    }
    for violation in verdict.violations.iter().take(20) {
        println!("violation: {violation}");
        let name = violation.split(' ').next().unwrap_or_default();
        for call in calls.iter().filter(|call| call.name == name) {
            println!("    {call:?}");
        }
    }
    bail!("{} promises were broken", verdict.violations.len());
}
