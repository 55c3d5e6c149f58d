//! What is left when the spool is drained and nobody runs any more.

use anyhow::{Context, Result};

use crate::oracle::{Story, Violation, at_the_end};
use crate::spool::{Garbage, Spool};
use crate::tool::{Findings, Problem, Tool, problem};

pub fn judge(spool: &Spool, story: &Story) -> Result<Vec<Violation>> {
    let mut end = End {
        spool,
        violations: Vec::new(),
    };
    end.is_drained()?;
    end.garbage_is_named()?;
    end.repair_clears_it()?;
    let (entries, bare) = spool.done()?;
    for name in bare {
        let what = "an entry without data".to_owned();
        end.violations.push(Violation::of(&name, what));
    }
    end.violations.extend(at_the_end(story, &entries));
    Ok(end.violations)
}

struct End<'a> {
    spool: &'a Spool,
    violations: Vec<Violation>,
}

impl End<'_> {
    fn wrong(&mut self, what: String) {
        self.violations.push(Violation { name: None, what });
    }

    /// Runs a tool; what it printed.
    fn run(&mut self, tool: Tool, options: &[&str]) -> Result<(Findings, String)> {
        let output = tool
            .on(self.spool.dir())
            .args(["--min-age", "0s"])
            .args(options)
            .output()?;
        let text = String::from_utf8(output.stdout).context("output that is not UTF-8")?;
        let findings = tool.judge(output.status, &text).unwrap_or_else(|error| {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            self.wrong(format!("at the end: {error:#} {errors}"));
            Findings::default()
        });
        Ok((findings, text))
    }

    fn is_drained(&mut self) -> Result<()> {
        let (_, returned) = self.run(Tool::Recover, &[])?;
        let under_way = self.spool.under_way()?.join(" ");
        if !returned.is_empty() || !under_way.is_empty() {
            self.wrong(format!("not drained: {returned} {under_way}"));
        }
        Ok(())
    }

    /// Whatever belongs to no entry has a name that fsck tells.
    fn garbage_is_named(&mut self) -> Result<()> {
        let (_, text) = self.run(Tool::Fsck, &["--json"])?;
        let problems: Vec<Problem> = text.lines().map(problem).collect::<Result<_>>()?;
        for file in unnamed(&self.spool.garbage()?, &problems) {
            self.wrong(format!("fsck does not name {file}"));
        }
        Ok(())
    }

    fn repair_clears_it(&mut self) -> Result<()> {
        self.run(Tool::Repair, &["--apply"])?;
        let (_, problems) = self.run(Tool::Fsck, &["--json"])?;
        if !problems.is_empty() {
            self.wrong(format!("fsck after the repair: {problems}"));
        }
        for (dir, names) in self.spool.garbage()? {
            if !names.is_empty() {
                self.wrong(format!("after the repair there is in {dir}: {names:?}"));
            }
        }
        Ok(())
    }
}

/// The files that no problem is about.
fn unnamed(garbage: &Garbage, problems: &[Problem]) -> Vec<String> {
    let is_named = |dir: &str, name: &str| {
        problems.iter().any(|problem| {
            let mut places = problem.places.iter();
            // Data is cleared with its reservation, which has the same name.
            let is_there =
                places.any(|place| place == dir || dir == ".data" && place == ".registry");
            is_there && problem.name == name
        })
    };
    let mut unnamed = Vec::new();
    for (dir, names) in garbage {
        let those = names.iter().filter(|name| !is_named(dir, name));
        unnamed.extend(those.map(|name| format!("{dir}/{name}")));
    }
    unnamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_registry(name: &str) -> Problem {
        Problem {
            kind: "orphaned".to_owned(),
            name: name.to_owned(),
            places: vec![".registry".to_owned()],
        }
    }

    #[test]
    fn garbage_must_have_a_problem_in_its_place() {
        let garbage: Garbage = [".tmp", ".data", ".registry"]
            .map(|dir| (dir, ["a".to_owned(), "b".to_owned()].into()))
            .into();
        let missing = unnamed(&garbage, &[in_registry("a")]);
        assert_eq!(missing, [".data/b", ".registry/b", ".tmp/a", ".tmp/b"]);
    }
}
