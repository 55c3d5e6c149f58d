//! What the oracle says in the end.

use std::collections::BTreeMap;
use std::process::ExitCode;

/// How many failures of one kind are told in full.
const TOLD: usize = 20;

/// Promises that were broken, whatever else is wrong, and figures.
#[derive(Debug, Default)]
pub struct Verdict {
    broken: Vec<String>,
    wrong: Vec<String>,
    figures: BTreeMap<String, usize>,
}

impl Verdict {
    /// A promise of the spool was broken.
    pub fn broken(&mut self, how: String) {
        self.broken.push(how);
    }

    /// The run proves nothing.
    pub fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// Counts one more of something.
    pub fn count(&mut self, what: &str) {
        *self.figures.entry(what.to_owned()).or_default() += 1;
    }

    pub fn has_counted(&self, what: &str) -> bool {
        self.figures.contains_key(what)
    }

    pub fn tell(&self) -> ExitCode {
        for (what, number) in &self.figures {
            println!("{number} {what}");
        }
        for (kind, list) in [("BROKEN", &self.broken), ("wrong", &self.wrong)] {
            for text in list.iter().take(TOLD) {
                eprintln!("{kind}: {text}");
            }
            if list.len() > TOLD {
                eprintln!("{kind}: and {} more", list.len() - TOLD);
            }
        }
        if !self.wrong.is_empty() {
            ExitCode::FAILURE
        } else if !self.broken.is_empty() {
            ExitCode::from(10)
        } else {
            ExitCode::SUCCESS
        }
    }
}
