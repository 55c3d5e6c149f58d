//! When a problem became public, and when it ended.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use super::problem::Problem;

/// A problem came or went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// From this check on the problem is public: it has been seen in more checks in a row than the daemon
    /// waits for.
    Start(SystemTime, Problem),
    /// A public problem was not seen any more in this check.
    End(SystemTime, Problem),
}

impl Event {
    /// When the check was made that showed it.
    pub fn time(&self) -> SystemTime {
        match self {
            Event::Start(time, _) | Event::End(time, _) => *time,
        }
    }

    /// What it is about.
    pub fn problem(&self) -> &Problem {
        match self {
            Event::Start(_, problem) | Event::End(_, problem) => problem,
        }
    }

    /// In a word: `start`, `end`.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Start(..) => "start",
            Event::End(..) => "end",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.problem())
    }
}

/// How many checks in a row have seen each problem.
#[derive(Debug, Default)]
pub(super) struct Sightings(BTreeMap<Problem, u64>);

impl Sightings {
    /// Takes in what a check found: the events that follow from it, ends before starts, each in the order
    /// of the problems.
    pub(super) fn of_check(
        &mut self,
        time: SystemTime,
        found: Vec<Problem>,
        alert_after_cycles: u64,
    ) -> Vec<Event> {
        let mut before = std::mem::take(&mut self.0);
        let mut starts = Vec::new();
        for problem in found {
            let seen = before.remove(&problem).unwrap_or(0).saturating_add(1);
            // Exactly one more: it starts once.
            if seen == alert_after_cycles.saturating_add(1) {
                starts.push(Event::Start(time, problem.clone()));
            }
            self.0.insert(problem, seen);
        }
        before
            .into_iter()
            .filter(|(_, seen)| *seen > alert_after_cycles)
            .map(|(problem, _)| Event::End(time, problem))
            .chain(starts)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::monitor::problem::{Dir, FileWithMtime};

    fn problem(name: &str) -> Problem {
        let file = FileWithMtime {
            filename: name.into(),
            mtime: UNIX_EPOCH,
        };
        Problem::Orphaned(file, Dir::Data)
    }

    /// Runs checks that see these names, with an alert after so many; the events as `+name`, `-name`.
    fn events(alert_after_cycles: u64, checks: &[&str]) -> Vec<String> {
        let mut sightings = Sightings::default();
        let told = checks.iter().enumerate().map(|(number, names)| {
            let time = UNIX_EPOCH + Duration::from_secs(number as u64);
            let found = names.split_whitespace().map(problem).collect();
            let events = sightings.of_check(time, found, alert_after_cycles);
            assert!(events.iter().all(|event| event.time() == time));
            let words: Vec<String> = events
                .iter()
                .map(|event| {
                    let sign = if event.kind() == "start" { '+' } else { '-' };
                    format!("{sign}{}", event.problem().file().filename.display())
                })
                .collect();
            words.join(" ")
        });
        told.collect()
    }

    #[test]
    fn a_problem_starts_once_when_it_was_seen_more_often_than_the_daemon_waits() {
        assert_eq!(events(2, &["a", "a", "a", "a"]), ["", "", "+a", ""]);
        assert_eq!(events(0, &["a", "a"]), ["+a", ""]);
        assert_eq!(events(1, &["a b", "a", "b", "b"]), ["", "+a", "-a", "+b"]);
    }

    #[test]
    fn one_that_goes_before_it_is_public_is_never_told_of() {
        assert_eq!(
            events(2, &["a", "a", "", "a", "a", ""]),
            ["", "", "", "", "", ""]
        );
    }

    #[test]
    fn ends_come_before_starts_and_a_problem_can_come_again() {
        assert_eq!(
            events(0, &["b c", "a c", "b"]),
            ["+b +c", "-b +a", "-a -c +b"]
        );
    }
}
