//! A line of a hand's log: that it is about to make a call, or what the call answered.
//!
//! ```text
//! TIME ask VERB NAME
//! TIME ANSWER NAME DETAIL
//! ```
//!
//! TIME is CLOCK_BOOTTIME in nanoseconds. NAME is the entry's, or `-` while there is none. Each answer is to the ask
//! before it. The log lies on a local disk, whatever becomes of the file system that is tested.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result};
use rustix::time::{ClockId, clock_gettime};

/// What a hand asks the library for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Open,
    Reserve,
    Enqueue,
    Dequeue,
    /// The data, which must be the entry's own.
    Read,
    Renew,
    /// The lease is renewed by the library from now on.
    Keep,
    Save,
    Remove,
    Recover,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Done,
    /// A dequeue found nothing in its time.
    Nothing,
    /// The name is another's.
    Refused,
    /// LOST_OWNERSHIP.
    Lost,
    /// The data is not what was enqueued.
    Torn,
    /// Another error, which DETAIL tells: done or not done.
    Failed,
}

const VERBS: [(Verb, &str); 10] = [
    (Verb::Open, "open"),
    (Verb::Reserve, "reserve"),
    (Verb::Enqueue, "enqueue"),
    (Verb::Dequeue, "dequeue"),
    (Verb::Read, "read"),
    (Verb::Renew, "renew"),
    (Verb::Keep, "keep"),
    (Verb::Save, "save"),
    (Verb::Remove, "remove"),
    (Verb::Recover, "recover"),
];

const ANSWERS: [(Answer, &str); 6] = [
    (Answer::Done, "done"),
    (Answer::Nothing, "nothing"),
    (Answer::Refused, "refused"),
    (Answer::Lost, "lost"),
    (Answer::Torn, "torn"),
    (Answer::Failed, "failed"),
];

fn word_of<T: PartialEq>(words: &[(T, &'static str)], wanted: &T) -> &'static str {
    let found = words.iter().find(|(known, _)| known == wanted);
    found.map_or("unknown", |(_, word)| word)
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&VERBS, self))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&ANSWERS, self))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Ask(Verb),
    Answer(Answer),
}

#[derive(Clone, Debug)]
pub struct Record {
    pub time: u64,
    pub what: What,
    pub name: String,
    pub detail: String,
}

/// CLOCK_BOOTTIME, in nanoseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    // Neither is negative: it is the time since boot.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.detail.replace('\n', " ");
        match self.what {
            What::Ask(verb) => write!(f, "{} ask {verb} {}", self.time, self.name),
            What::Answer(answer) => write!(f, "{} {answer} {} {detail}", self.time, self.name),
        }
    }
}

impl FromStr for Record {
    type Err = Error;

    fn from_str(line: &str) -> Result<Record> {
        let not = || format!("not a record: {line:?}");
        let (time, rest) = line.split_once(' ').with_context(not)?;
        let (word, rest) = rest.split_once(' ').with_context(not)?;
        let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let (what, name, detail) = if word == "ask" {
            let known = VERBS.into_iter().find(|(_, word)| *word == first);
            (What::Ask(known.with_context(not)?.0), rest, "")
        } else {
            let known = ANSWERS.into_iter().find(|(_, known)| *known == word);
            (What::Answer(known.with_context(not)?.0), first, rest)
        };
        Ok(Record {
            time: time.parse()?,
            what,
            name: name.to_owned(),
            detail: detail.to_owned(),
        })
    }
}
