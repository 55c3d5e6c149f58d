//! Every verb of the command.

use std::fs;

use crate::child::Ended;
use crate::operations::Kind;
use crate::suite::{Suite, judge_command};
use crate::told::{Told, escaped};
use crate::yard::Yard;

pub struct Verb {
    pub name: &'static str,
    pub kind: Kind,
    /// The verb, and what follows the spool.
    arguments: &'static [&'static str],
    names: Names,
    had: Had,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    None,
    /// All of them follow the arguments.
    All,
    /// One call after the other, as long as there is a name on its output.
    OneByOne,
}

/// How it is seen what the verb had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Had {
    /// By its output, a name or a problem a line.
    Output,
    /// By what is in the queue `out`.
    Out,
    /// By what is not in the queue `in` any more.
    NotIn,
    Nothing,
}

/// A command that looks at the data, and keeps no more of it than it has to.
const LOOK: &str = "head -c 4096 > \"$MULTISPOOL_NEW_DATA\"";

#[rustfmt::skip]
pub const VERBS: &[Verb] = &[
    verb("queues", Kind::Works, &["queues"], Names::None, Had::Nothing),
    verb("list", Kind::Works, &["list", "in"], Names::None, Had::Nothing),
    verb("list-json", Kind::Works, &["list", "in", "--json"], Names::None, Had::Nothing),
    verb("list-checkouts", Kind::Works, &["list", "in", "--checkouts", "--json"], Names::None, Had::Nothing),
    verb("show", Kind::Works, &["show", "in"], Names::All, Had::Nothing),
    verb("show-json", Kind::Works, &["show", "in", "--json"], Names::All, Had::Nothing),
    verb("data-json", Kind::Works, &["data", "in", "--json"], Names::All, Had::Nothing),
    verb("dequeue", Kind::Takes, &["dequeue", "in", "--save-to", "out"], Names::OneByOne, Had::Out),
    verb("run", Kind::Runs, &["run", "in", "--all", "--save-to", "out", "--", "sh", "-c", LOOK], Names::None, Had::Out),
    verb("run-removing", Kind::Runs, &["run", "in", "--all", "--jobs", "3", "--json", "--", "sh", "-c", LOOK], Names::None, Had::NotIn),
    verb("move", Kind::Takes, &["move", "in", "out"], Names::All, Had::Out),
    verb("remove", Kind::Takes, &["remove", "in"], Names::All, Had::NotIn),
    verb("recover", Kind::Recovers, &["recover"], Names::None, Had::Output),
    verb("fsck", Kind::Names, &["fsck"], Names::None, Had::Output),
    verb("fsck-json", Kind::Works, &["fsck", "--json"], Names::None, Had::Nothing),
    verb("repair-planned", Kind::Works, &["repair", "--min-age", "0s"], Names::None, Had::Nothing),
    verb("repair", Kind::Works, &["repair", "--apply", "--min-age", "0s"], Names::None, Had::Nothing),
    verb("repair-json", Kind::Works, &["repair", "--apply", "--json", "--min-age", "0s"], Names::None, Had::Nothing),
    verb("stats", Kind::Works, &["stats", "--bytes"], Names::None, Had::Nothing),
    verb("stats-json", Kind::Works, &["stats", "--json"], Names::None, Had::Nothing),
    verb("enqueue", Kind::Works, &["enqueue", "in", "--metadata", "new"], Names::None, Had::Nothing),
    verb("create", Kind::Works, &["create", "in", "new"], Names::None, Had::Nothing),
];

const fn verb(
    name: &'static str,
    kind: Kind,
    arguments: &'static [&'static str],
    names: Names,
    had: Had,
) -> Verb {
    Verb {
        name,
        kind,
        arguments,
        names,
        had,
    }
}

impl Verb {
    /// Runs it; what it told, and what is wrong with how it ended.
    pub fn run(&self, suite: &Suite, yard: &Yard, names: &[String]) -> (Told, Vec<String>) {
        let mut told = Told::default();
        let mut faults = Vec::new();
        loop {
            let ended = self.once(suite, yard, names);
            faults.extend(judge_command(&ended));
            for line in String::from_utf8_lossy(&ended.err).lines() {
                told.bad.insert(line.to_owned());
            }
            if self.had == Had::Output {
                let lines = String::from_utf8_lossy(&ended.out).into_owned();
                told.had
                    .extend(lines.lines().map(|line| self.as_told(yard, line)));
            }
            let goes_on = self.names == Names::OneByOne && !ended.out.is_empty();
            if !goes_on || !faults.is_empty() {
                break;
            }
        }
        match self.had {
            Had::Out => told.had.extend(listed(yard, "out")),
            Had::NotIn => {
                let left = listed(yard, "in");
                let gone = names.iter().filter(|name| !left.contains(name));
                told.had.extend(gone.cloned());
            }
            Had::Output | Had::Nothing => {}
        }
        (told, faults)
    }

    /// Runs it once. Without any names it has one that is nowhere.
    pub fn once(&self, suite: &Suite, yard: &Yard, names: &[String]) -> Ended {
        let (verb, rest) = self.arguments.split_first().unwrap();
        let mut command = suite.command(yard);
        command.arg(verb).arg(yard.spool_dir()).args(rest);
        if self.names == Names::All {
            command.arg("nowhere").args(names);
        }
        suite.run_command(yard, &mut command)
    }

    /// Whether its output is lines for people and scripts, in which no name can hide.
    pub fn is_told_in_lines(&self) -> bool {
        self.name.ends_with("-json") || ["fsck", "repair", "stats"].contains(&self.name)
    }

    /// A line of its output, as an operation of the library would have told it.
    fn as_told(&self, yard: &Yard, line: &str) -> String {
        match line.split_once(": not a readable regular file of one name") {
            Some((place, _)) if self.kind == Kind::Names => {
                format!("damaged {}", escaped(yard.inside(place).display()))
            }
            _ => line.to_owned(),
        }
    }
}

fn listed(yard: &Yard, queue: &str) -> Vec<String> {
    fs::read_dir(yard.inside(queue))
        .unwrap()
        .map(|found| found.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}
