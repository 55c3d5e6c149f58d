//! Enqueues, under a name of a generator's and under one that was reserved before.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use multispool::{EnqueueOptions, ErrorKind, Result, Spool};

use super::{
    Answer, Operation, Prospect, SUBJECT, Try, changed, only_bystanders, operation, with_bystanders,
};
use crate::fate::{Fate, data, metadata, waits};

pub(super) const SECOND: &str = "second";

pub fn operations() -> Vec<Operation> {
    vec![
        operation("enqueue", only_bystanders, enqueue, arrivals()),
        operation(
            "enqueue of a reserved name",
            only_bystanders,
            reserve_and_enqueue,
            vec![arrives()],
        ),
        Operation {
            // The reservation is durable already, and so is that the name is in no queue.
            needs_each_sync: false,
            ..operation(
                "enqueue over leftovers",
                leftovers,
                enqueue_reserved,
                vec![arrives()],
            )
        },
    ]
}

fn arrives() -> Prospect {
    let there = || waits("in", SUBJECT, (0, 0));
    changed(SUBJECT, vec![vec![Fate::Nowhere, there()], vec![there()]])
}

/// A second try makes an entry of its own.
pub(super) fn arrivals() -> Vec<Prospect> {
    let first = Prospect {
        after_second_try: None,
        ..arrives()
    };
    let second = Prospect {
        name: SECOND,
        allowed: vec![vec![Fate::Nowhere, waits("in", SECOND, (0, 0))]],
        after_second_try: Some(waits("in", SECOND, (0, 0))),
    };
    vec![first, second]
}

/// What an enqueue left that died while it wrote.
fn leftovers(root: &Path) {
    let spool = with_bystanders(root);
    spool.reserve_name(SUBJECT).unwrap();
    for path in [".data/subject", ".tmp/subject.tmp.aaaaaa"] {
        fs::write(spool.dir().join(path), "torn").unwrap();
    }
}

fn enqueue(attempt: &Try<'_>) -> Result<Answer> {
    let name = if attempt.is_second { SECOND } else { SUBJECT };
    let generator = move |_| OsString::from(name);
    let options = EnqueueOptions::new().generator(Arc::new(generator));
    let data = data(name, 0);
    attempt
        .spool()?
        .enqueue_with("in", metadata(name, 0), &data, &options)?;
    attempt.done()
}

/// The reservation itself is not synced.
fn reserve_and_enqueue(attempt: &Try<'_>) -> Result<Answer> {
    match attempt.spool()?.reserve_name(SUBJECT) {
        Err(error) if error.kind() != ErrorKind::NameTaken => Err(error),
        _ => enqueue_reserved(attempt),
    }
}

fn enqueue_reserved(attempt: &Try<'_>) -> Result<Answer> {
    let spool = attempt.spool()?;
    match use_reserved(&spool) {
        Err(error) if error.kind() == ErrorKind::NameTaken => return Ok(Answer::WasDone),
        // A repair has cleared the reservation.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            spool.reserve_name(SUBJECT)?;
            use_reserved(&spool)?;
        }
        enqueued => enqueued?,
    }
    attempt.done()
}

fn use_reserved(spool: &Spool) -> Result<()> {
    let options = EnqueueOptions::new().name(SUBJECT);
    let data = data(SUBJECT, 0);
    spool.enqueue_with("in", metadata(SUBJECT, 0), &data, &options)?;
    Ok(())
}
