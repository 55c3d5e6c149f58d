//! What all hands tell: their calls, each with its answer.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use distributed::record::{Answer, Record, Verb, What};

/// A call of the library. Times are CLOCK_BOOTTIME in nanoseconds.
#[derive(Clone, Debug)]
pub struct Call {
    pub hand: usize,
    pub verb: Verb,
    pub name: String,
    pub begun: u64,
    /// None: it has not returned, or its process died in it.
    pub end: Option<End>,
}

#[derive(Clone, Debug)]
pub struct End {
    pub at: u64,
    pub answer: Answer,
    pub detail: String,
}

impl Call {
    pub fn answered(&self, answer: Answer) -> bool {
        self.end.as_ref().is_some_and(|end| end.answer == answer)
    }

    /// When it was acknowledged, if it was.
    pub fn done(&self) -> Option<u64> {
        let end = self.end.as_ref()?;
        (end.answer == Answer::Done).then_some(end.at)
    }

    /// Whether nobody was told if it was carried out.
    pub fn is_unsure(&self) -> bool {
        self.end.is_none() || self.answered(Answer::Failed)
    }

    /// Whether it takes the entry out of its queue for good.
    pub fn finishes(&self) -> bool {
        matches!(self.verb, Verb::Save | Verb::Remove)
    }
}

/// All calls so far, by hand, and in the order in which each made them.
pub fn read(control: &Path) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for entry in control.read_dir()? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let hand = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        let hand = hand.with_context(|| format!("not a hand's log: {}", path.display()))?;
        read_log(&fs::read_to_string(&path)?, hand, &mut calls)
            .with_context(|| format!("{}", path.display()))?;
    }
    Ok(calls)
}

fn read_log(text: &str, hand: usize, calls: &mut Vec<Call>) -> Result<()> {
    let before = calls.len();
    // What follows the last line's end is a line that is being written.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    for line in whole.lines() {
        let record: Record = line.parse()?;
        match record.what {
            What::Ask(verb) => calls.push(Call {
                hand,
                verb,
                name: record.name,
                begun: record.time,
                end: None,
            }),
            What::Answer(answer) => {
                let Some(call) = calls[before..].last_mut().filter(|call| call.end.is_none())
                else {
                    bail!("an answer to nothing: {line:?}");
                };
                // Which entry it is, a dequeue's answer tells.
                call.name = record.name;
                call.end = Some(End {
                    at: record.time,
                    answer,
                    detail: record.detail,
                });
            }
        }
    }
    Ok(())
}
