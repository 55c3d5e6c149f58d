//! Creating a spool, adding a queue to one, and finishing what an earlier create began.

use std::fs;
use std::path::Path;

use multispool::{Result, Spool};

use super::{Answer, Operation, QUEUES, SPOOL, Try, only_bystanders, operation};

const MORE: &[&str] = &["in", "later", "out", "side"];

pub fn operations() -> Vec<Operation> {
    // Each directory is synced as it is made, so that they become durable in the order that others rely on.
    let new = |name, prepare| Operation {
        entries: Vec::new(),
        queues: [&[], QUEUES],
        needs_each_sync: false,
        ..operation(name, prepare, create, Vec::new())
    };
    let of_more = Operation {
        queues: [QUEUES, MORE],
        needs_each_sync: false,
        ..operation(
            "create of more queues",
            only_bystanders,
            create_more,
            Vec::new(),
        )
    };
    vec![
        new("create", |_| {}),
        new("create in an empty directory", empty_directory),
        new("create over a create cut short", cut_short),
        of_more,
    ]
}

fn empty_directory(root: &Path) {
    fs::create_dir(root.join(SPOOL)).unwrap();
}

fn cut_short(root: &Path) {
    empty_directory(root);
    for name in [".multispool", ".data", ".registry"] {
        fs::create_dir(root.join(SPOOL).join(name)).unwrap();
    }
    fs::write(root.join(SPOOL).join(".multispool/format.tmp.aaaaaa"), "").unwrap();
}

fn create(attempt: &Try<'_>) -> Result<Answer> {
    Spool::create(attempt.path(), QUEUES)?;
    attempt.done()
}

fn create_more(attempt: &Try<'_>) -> Result<Answer> {
    Spool::create(attempt.path(), MORE)?;
    attempt.done()
}
