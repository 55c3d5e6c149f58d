//! What a hand tells, and what it is told, by way of its local directory.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use distributed::record::{Answer, Record, Verb, What, now};
use multispool::{Error, ErrorKind};

/// How often it looks whether it may go on.
const LOOK: Duration = Duration::from_millis(10);

pub struct Log {
    control: PathBuf,
    number: String,
    file: File,
}

impl Log {
    pub fn create(control: &str, number: &str) -> Result<Log> {
        let control = PathBuf::from(control);
        let path = control.join(format!("{number}.log"));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        Ok(Log {
            control,
            number: number.to_owned(),
            file,
        })
    }

    fn note(&self, what: What, name: &str, detail: &str) -> Result<()> {
        let record = Record {
            time: now(),
            what,
            name: name.to_owned(),
            detail: detail.to_owned(),
        };
        Ok((&self.file).write_all(format!("{record}\n").as_bytes())?)
    }

    pub fn ask(&self, verb: Verb, name: &str) -> Result<()> {
        self.note(What::Ask(verb), name, "")
    }

    pub fn answer(&self, answer: Answer, name: &str, detail: &str) -> Result<()> {
        self.note(What::Answer(answer), name, detail)
    }

    /// Tells of a call that failed, and ends the process: nothing is finished or given back on the way out.
    pub fn fail(&self, name: &str, error: &Error) -> ! {
        let told = self.answer(Answer::Failed, name, &error.to_string());
        process::exit(if told.is_ok() { 75 } else { 1 });
    }

    /// A call that must work.
    pub fn call<T>(
        &self,
        verb: Verb,
        name: &str,
        f: impl FnOnce() -> multispool::Result<T>,
    ) -> Result<T> {
        self.ask(verb, name)?;
        match f() {
            Ok(value) => {
                self.answer(Answer::Done, name, "")?;
                Ok(value)
            }
            Err(error) => self.fail(name, &error),
        }
    }

    /// A call of an entry's holder. False: it is not the holder any more. What is done but not known to be durable is done.
    pub fn goes_on(
        &self,
        verb: Verb,
        name: &str,
        f: impl FnOnce() -> multispool::Result<()>,
    ) -> Result<bool> {
        self.ask(verb, name)?;
        let lost = match f().map_err(|error| (error.kind(), error)) {
            Ok(()) | Err((ErrorKind::NotDurable, _)) => false,
            Err((ErrorKind::LostOwnership, _)) => true,
            Err((_, error)) => self.fail(name, &error),
        };
        self.answer(if lost { Answer::Lost } else { Answer::Done }, name, "")?;
        Ok(!lost)
    }

    pub fn await_go(&self) {
        while !self.control.join("go").exists() {
            thread::sleep(LOOK);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.control.join("stop").exists()
    }

    pub fn await_let_go(&self) {
        let hold = self.control.join(format!("{}.hold", self.number));
        while hold.exists() {
            thread::sleep(LOOK);
        }
    }
}
