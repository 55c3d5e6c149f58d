//! The logs, read: who tried to enqueue what, and who had which entry when.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use storm::record::{Event, LENGTH, Record};

use super::Violation;
use crate::tool::Sighting;

/// One try to enqueue an entry.
pub struct Attempt {
    pub begun: Record,
    /// [`Event::Enqueued`] or [`Event::Refused`]; none if the producer died.
    pub outcome: Option<Record>,
}

/// One checkout: the record of its taking, then all that was told of it.
pub struct Session {
    /// Never empty.
    pub records: Vec<Record>,
}

impl Session {
    pub fn taken(&self) -> &Record {
        &self.records[0]
    }
}

#[derive(Default)]
pub struct Story {
    /// By serial number.
    pub attempts: HashMap<String, Attempt>,
    pub sessions: Vec<Session>,
    /// What workers' recovers returned.
    pub returned: Vec<Sighting>,
}

impl Story {
    /// Reads all logs in a directory.
    pub fn read(dir: &Path) -> Result<Story> {
        let mut story = Story::default();
        for file in fs::read_dir(dir)? {
            let path = file?.path();
            let log = fs::read_to_string(&path)?;
            ensure!(log.len() % LENGTH == 0, "{path:?} ends within a record");
            story
                .add(&log)
                .with_context(|| path.display().to_string())?;
        }
        Ok(story)
    }

    /// Reads one log.
    pub fn add(&mut self, log: &str) -> Result<()> {
        let mut open = HashMap::new();
        let mut recovering = HashMap::new();
        for line in log.lines() {
            let record: Record = line.parse()?;
            let key = (record.process, record.session);
            match record.event {
                Event::Enqueuing => {
                    let attempt = Attempt {
                        begun: record.clone(),
                        outcome: None,
                    };
                    let before = self.attempts.insert(record.serial, attempt);
                    ensure!(before.is_none(), "a serial number twice: {line}");
                }
                Event::Enqueued | Event::Refused => {
                    let attempt = self.attempts.get_mut(&record.serial);
                    attempt.context("an end without a beginning")?.outcome = Some(record);
                }
                Event::Taken => {
                    let before = open.insert(key, self.sessions.len());
                    ensure!(before.is_none(), "a session twice: {line}");
                    self.sessions.push(Session {
                        records: vec![record],
                    });
                }
                Event::Recovering => {
                    recovering.insert(key, record.time);
                }
                Event::Recovered => self.returned.push(Sighting {
                    what: format!("a recover of {} returned", record.process),
                    name: record.name,
                    from: *recovering.get(&key).context("no recovering before")?,
                    to: record.time,
                }),
                _ => {
                    let session = *open.get(&key).context("a step of no session")?;
                    self.sessions[session].records.push(record);
                }
            }
        }
        Ok(())
    }

    /// Each entry that may have been, with its sessions in the order of time.
    pub fn journeys(&self) -> impl Iterator<Item = (&Attempt, Vec<&Session>)> {
        let mut sessions: HashMap<&str, Vec<&Session>> = HashMap::new();
        for session in &self.sessions {
            sessions
                .entry(&session.taken().serial)
                .or_default()
                .push(session);
        }
        for sessions in sessions.values_mut() {
            sessions.sort_by_key(|session| session.taken().time);
        }
        self.attempts
            .iter()
            .map(move |(serial, attempt)| (attempt, sessions.remove(&**serial).unwrap_or_default()))
    }

    /// Entries that were taken and that nobody has enqueued.
    pub fn invented(&self) -> Vec<Violation> {
        self.sessions
            .iter()
            .map(Session::taken)
            .filter(|taken| !self.attempts.contains_key(&taken.serial))
            .map(|taken| Violation::of(&taken.name, "taken, and never enqueued".to_owned()))
            .collect()
    }

    /// A violation that was told in words, which may name an entry.
    pub fn violation(&self, what: &str) -> Violation {
        let mut names = self.sessions.iter().map(|session| &session.taken().name);
        Violation {
            name: names.find(|name| what.contains(&***name)).cloned(),
            what: what.to_owned(),
        }
    }

    /// All that was told of a name, in the order of time.
    pub fn history(&self, name: &str) -> Vec<&Record> {
        let attempts = self.attempts.values();
        let tries = attempts.flat_map(|attempt| attempt.outcome.iter().chain([&attempt.begun]));
        let serials: Vec<&str> = self
            .sessions
            .iter()
            .map(Session::taken)
            .chain(tries.clone())
            .filter(|record| record.name == name)
            .map(|record| &*record.serial)
            .collect();
        let steps = self.sessions.iter().flat_map(|session| &session.records);
        let mut history: Vec<&Record> = tries
            .chain(steps)
            .filter(|record| record.name == name || serials.contains(&&*record.serial))
            .collect();
        history.sort_by_key(|record| record.time);
        history
    }
}
