//! What a worker tells of its work, line by line, to who judges it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{Read, Write};

use multispool::{Error, ErrorKind};

use crate::yard::SECRET;

/// The worker's side.
pub struct Teller<'a>(&'a mut dyn Write);

impl<'a> Teller<'a> {
    pub fn new(to: &'a mut dyn Write) -> Teller<'a> {
        Teller(to)
    }

    fn line(&mut self, word: &str, about: impl Display) {
        let line = format!("{word} {}\n", escaped(about));
        self.0.write_all(line.as_bytes()).unwrap();
    }

    /// The entry was had, in the way of the operation.
    pub fn had(&mut self, name: impl Display) {
        self.line("had", name);
    }

    /// One entry or one file went wrong.
    pub fn bad(&mut self, error: &Error) {
        self.saw(error.to_string().as_bytes());
        let path = error.path().map(std::path::Path::to_owned);
        self.line("bad", path.unwrap_or_default().display());
        self.line("because", format!("{:?} {error}", error.kind()));
    }

    /// As `bad` for a failure, `had` for a success; an ordinary "not there" is neither.
    pub fn either<T>(&mut self, name: impl Display, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(had) => {
                self.had(name);
                Some(had)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.bad(&error);
                None
            }
        }
    }

    /// The operation as a whole failed.
    pub fn failed(&mut self, error: &Error) {
        self.saw(error.to_string().as_bytes());
        self.line("failed", error);
    }

    /// So many steps were made.
    pub fn counted(&mut self, steps: u64) {
        self.line("counted", steps);
    }

    /// These bytes came out of the spool.
    pub fn saw(&mut self, bytes: &[u8]) {
        if is_in(SECRET, bytes) {
            self.line("leaked", "");
        }
    }

    /// As much of it as a worker would look at.
    pub fn saw_all(&mut self, from: &mut dyn Read) {
        let mut bytes = Vec::new();
        if from.take(4096).read_to_end(&mut bytes).is_ok() {
            self.saw(&bytes);
        }
    }
}

/// The judge's side.
#[derive(Default)]
pub struct Told {
    pub had: BTreeSet<String>,
    pub bad: BTreeSet<String>,
    pub failed: Vec<String>,
    pub leaked: bool,
    pub steps: u64,
    reasons: Vec<String>,
}

impl Told {
    pub fn read(lines: &[u8]) -> Told {
        let mut told = Told::default();
        for line in String::from_utf8_lossy(lines).lines() {
            let (word, about) = line.split_once(' ').unwrap_or((line, ""));
            let about = about.to_owned();
            match word {
                "had" => drop(told.had.insert(about)),
                "bad" => drop(told.bad.insert(about)),
                "because" => told.reasons.push(about),
                "failed" => told.failed.push(about),
                "counted" => told.steps += about.parse::<u64>().unwrap(),
                "leaked" => told.leaked = true,
                word => panic!("a worker said {word:?}"),
            }
        }
        told
    }

    /// What was said of something, for whoever reads of a failure.
    pub fn about(&self, what: &str) -> Vec<&String> {
        let about = |reason: &&String| reason.contains(what);
        let reasons = self.reasons.iter().chain(&self.failed).chain(&self.bad);
        reasons.filter(about).collect()
    }
}

/// On one line, whatever is in it.
pub fn escaped(text: impl Display) -> String {
    text.to_string().escape_default().to_string()
}

pub fn is_in(word: &[u8], bytes: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
