//! The command-line tools that run all the time next to the workers, and what they may say.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use serde_json::Value;

use crate::options::Options;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    Recover,
    Fsck,
    Repair,
}

/// What a tool, or a worker's recover, said of a name. No live owner may have had it all the while.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub what: String,
    pub name: String,
    pub from: u64,
    pub to: u64,
}

/// What one run came to.
#[derive(Default)]
pub struct Findings {
    /// How many entries came back, problems were found, or files were removed.
    pub count: usize,
    /// What each was, and the name that it is about.
    pub said: Vec<(String, String)>,
}

/// A problem as `fsck --json` tells it.
pub struct Problem {
    pub kind: String,
    pub name: String,
    pub places: Vec<String>,
}

impl Tool {
    pub fn word(self) -> &'static str {
        match self {
            Tool::Recover => "recover",
            Tool::Fsck => "fsck",
            Tool::Repair => "repair",
        }
    }

    /// The call, as it is made in the storm.
    pub fn command(self, options: &Options, luck: &mut Rng) -> Command {
        let age = format!("{}ms", options.repair_age.as_millis());
        let mut command = self.on(&options.spool());
        match self {
            Tool::Recover => {
                let level = if luck.u8(..8) == 0 { "full" } else { "none" };
                command.args(["--min-age", "0s", "--durability", level]);
            }
            Tool::Fsck if luck.bool() => {
                command.args(["--json", "--min-age", &age]);
            }
            Tool::Fsck => {
                command.arg("--json");
            }
            Tool::Repair => {
                command.args(["--apply", "--durability", "none", "--min-age", &age]);
            }
        }
        command
    }

    /// The call without options.
    pub fn on(self, spool: &Path) -> Command {
        let mut command = Command::new("multispool");
        command.arg(self.word()).arg(spool);
        command
    }

    /// How long it rests between two runs.
    pub fn pause(self, luck: &mut Rng) -> Duration {
        Duration::from_millis(match self {
            Tool::Recover => luck.u64(..60),
            Tool::Fsck => luck.u64(50..400),
            Tool::Repair => luck.u64(200..1500),
        })
    }

    /// What the run found; an error if it failed, or found what a healthy spool never has.
    pub fn judge(self, status: ExitStatus, output: &str) -> Result<Findings> {
        let may_find = self == Tool::Fsck && status.code() == Some(1);
        if !status.success() && !may_find {
            bail!("{} failed: {status}", self.word());
        }
        let mut findings = Findings::default();
        for line in output.lines() {
            findings.count += 1;
            match self {
                Tool::Recover => findings.tell("recover returned", line),
                Tool::Repair => repaired(line, &mut findings)?,
                Tool::Fsck => found(&problem(line)?, &mut findings)?,
            }
        }
        Ok(findings)
    }
}

impl Findings {
    fn tell(&mut self, what: &str, name: &str) {
        self.said.push((what.to_owned(), name.to_owned()));
    }
}

/// One line of a repair, such as `done remove_temporary .tmp/NAME.tmp.123456`.
fn repaired(line: &str, findings: &mut Findings) -> Result<()> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["done", action, place] = words[..] else {
        bail!("repair said {line:?}");
    };
    let (_, file) = place.rsplit_once('/').context("a place without a slash")?;
    match action {
        "remove_temporary" => {
            let name = file.rsplit_once(".tmp.").map_or(file, |(name, _)| name);
            findings.tell("repair removed a temporary file", name);
        }
        "remove_reservation" => findings.tell("repair removed a reservation", file),
        // No death leaves data without a reservation, or an entry without one.
        _ => bail!("repair found what no death leaves: {line}"),
    }
    Ok(())
}

/// One line of `fsck --json`.
pub fn problem(line: &str) -> Result<Problem> {
    let value: Value = serde_json::from_str(line).with_context(|| format!("fsck said {line:?}"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let places = value["places"].as_array().context("no places")?;
    Ok(Problem {
        kind: text(&value["kind"]).context("no kind")?,
        name: text(&value["name"]).context("no name")?,
        places: places.iter().filter_map(text).collect(),
    })
}

impl Problem {
    /// Whether deaths and stops leave such a thing, and nothing else does.
    pub fn is_of_the_dead(&self) -> bool {
        let place = self.places.first().map_or("", String::as_str);
        match self.kind.as_str() {
            "dead_owner" | "half_made" | "low_space" => true,
            "too_old" => place == ".tmp" || place.ends_with("/.checkout"),
            "orphaned" => matches!(place, ".tmp" | ".registry"),
            _ => false,
        }
    }
}

fn found(problem: &Problem, findings: &mut Findings) -> Result<()> {
    let Problem { kind, name, places } = problem;
    if !problem.is_of_the_dead() {
        bail!("fsck found {kind} of {name} in {}", places.join(", "));
    }
    if kind == "dead_owner" {
        findings.tell("fsck called the owner dead", name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn judge(tool: Tool, code: i32, output: &str) -> Result<Findings> {
        tool.judge(ExitStatus::from_raw(code << 8), output)
    }

    fn of(kind: &str, place: &str) -> String {
        format!("{{\"kind\":\"{kind}\",\"name\":\"n\",\"places\":[\"{place}\"]}}\n")
    }

    #[test]
    fn a_tool_that_fails_is_told() {
        for tool in [Tool::Recover, Tool::Fsck, Tool::Repair] {
            assert!(judge(tool, 0, "").is_ok());
            assert!(judge(tool, 3, "").is_err());
        }
        assert!(judge(Tool::Fsck, 1, &of("dead_owner", "middle/.checkout")).is_ok());
        assert!(judge(Tool::Repair, 1, "").is_err());
    }

    #[test]
    fn damage_is_told_and_what_the_dead_leave_is_not() {
        for left in [
            of("dead_owner", "done/.checkout"),
            of("too_old", ".tmp"),
            of("orphaned", ".registry"),
        ] {
            assert!(judge(Tool::Fsck, 1, &left).is_ok(), "{left}");
        }
        for damage in [
            of("data_missing", "middle"),
            of("duplicated", "middle"),
            of("damaged", ".data"),
            of("orphaned", "middle/.checkout"),
            of("orphaned", ".data"),
            of("too_old", "middle"),
        ] {
            assert!(judge(Tool::Fsck, 1, &damage).is_err(), "{damage}");
        }
        assert!(judge(Tool::Repair, 0, "done remove_data .data/n").is_err());
        assert!(judge(Tool::Repair, 0, "done adopt middle/n").is_err());
    }

    #[test]
    fn a_repair_is_held_to_the_name_of_what_it_removes() {
        let removed =
            "done remove_temporary .tmp/a.tmp.b.tmp.123456\ndone remove_reservation .registry/c\n";
        let said = judge(Tool::Repair, 0, removed).expect("a repair").said;
        let names: Vec<&str> = said.iter().map(|(_, name)| &**name).collect();
        assert_eq!(names, ["a.tmp.b", "c"]);
    }
}
