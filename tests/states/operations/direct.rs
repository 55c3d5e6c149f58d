//! Saves and removes with no ownership.

use multispool::{ErrorKind, Result, Spool};

use super::{Answer, Operation, Prospect, SUBJECT, Try, changed, operation, with_subject};
use crate::fate::{Fate, metadata, waits};

pub fn operations() -> Vec<Operation> {
    let becomes = |after: Fate| {
        let before = vec![waits("in", SUBJECT, (0, 0)), after.clone()];
        changed(SUBJECT, vec![before, vec![after]])
    };
    let saved = || becomes(waits("in", SUBJECT, (1, 0)));
    let saved_without_syncs = Prospect {
        allowed: vec![vec![
            waits("in", SUBJECT, (0, 0)),
            waits("in", SUBJECT, (1, 0)),
        ]],
        ..saved()
    };
    let about = |name, attempt, prospect| operation(name, with_subject, attempt, vec![prospect]);
    vec![
        about("direct save", save, saved()),
        about(
            "direct save without syncs",
            save_without_syncs,
            saved_without_syncs,
        ),
        about("direct remove", remove, becomes(Fate::Nowhere)),
    ]
}

fn save(attempt: &Try<'_>) -> Result<Answer> {
    replace_metadata(&attempt.spool()?)?;
    attempt.done()
}

fn save_without_syncs(attempt: &Try<'_>) -> Result<Answer> {
    replace_metadata(&attempt.spool_without_syncs()?)?;
    Ok(Answer::Done)
}

fn replace_metadata(spool: &Spool) -> Result<()> {
    spool
        .entry("in", SUBJECT)?
        .direct()
        .save(metadata(SUBJECT, 1))
}

fn remove(attempt: &Try<'_>) -> Result<Answer> {
    let entry = attempt.spool()?.entry("in", SUBJECT)?;
    match entry.direct().remove() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answer::WasDone),
        removed => {
            removed?;
            attempt.done()
        }
    }
}
