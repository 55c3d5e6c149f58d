//! A worker's doings: it takes an entry, changes it, and gives it on, gives it back, or removes it.

use std::ffi::OsString;
use std::sync::Arc;

use multispool::{Checkout, EnqueueOptions, Result, Spool};

use super::{
    Answer, Operation, Prospect, SUBJECT, Try, changed, only_bystanders, operation, with_subject,
};
use crate::fate::{Fate, data, is_out, metadata, waits};

const SECOND: &str = "second";

pub fn operations() -> Vec<Operation> {
    let taken = || vec![waits("in", SUBJECT, (0, 0)), is_out("in", SUBJECT, (0, 0))];
    let ends = |before: Vec<Fate>, after: Fate| {
        let before = [taken(), before, vec![after.clone()]].concat();
        changed(SUBJECT, vec![before, vec![after]])
    };
    let out_changed = || vec![is_out("in", SUBJECT, (1, 0))];
    let about = |name, attempt, prospect| operation(name, with_subject, attempt, vec![prospect]);
    vec![
        about(
            "save to the same queue",
            save_same,
            ends(vec![], waits("in", SUBJECT, (0, 0))),
        ),
        about(
            "save of new metadata to the same queue",
            save_new_same,
            ends(out_changed(), waits("in", SUBJECT, (1, 0))),
        ),
        about(
            "save to another queue",
            save_other,
            ends(vec![], waits("out", SUBJECT, (0, 0))),
        ),
        about(
            "save of new metadata to another queue",
            save_new_other,
            ends(out_changed(), waits("out", SUBJECT, (1, 0))),
        ),
        about(
            "save of new metadata without syncs",
            save_without_syncs,
            never_synced(out_changed(), waits("out", SUBJECT, (1, 0))),
        ),
        about(
            "release",
            release,
            ends(vec![], waits("in", SUBJECT, (0, 0))),
        ),
        about("remove", remove, ends(vec![], Fate::Nowhere)),
        about("save of data", save_data, new_data()),
        Operation {
            is_killed: false,
            needs_each_sync: false,
            ..operation("a whole life", only_bystanders, live, lives())
        },
    ]
}

/// A save that promises no durability: it may be lost, but nothing that was durable is.
fn never_synced(between: Vec<Fate>, after: Fate) -> Prospect {
    let before = vec![waits("in", SUBJECT, (0, 0)), is_out("in", SUBJECT, (0, 0))];
    Prospect {
        name: SUBJECT,
        allowed: vec![[before, between, vec![after.clone()]].concat()],
        after_second_try: Some(after),
    }
}

/// First the data is saved, then the entry: until that, new data may be seen with the old metadata.
pub(super) fn new_data() -> Prospect {
    let anywhere = |versions| {
        vec![
            waits("in", SUBJECT, versions),
            is_out("in", SUBJECT, versions),
        ]
    };
    let finished = waits("out", SUBJECT, (1, 1));
    let saving = [
        anywhere((0, 1)),
        vec![is_out("in", SUBJECT, (1, 1)), finished.clone()],
    ]
    .concat();
    changed(
        SUBJECT,
        vec![
            [anywhere((0, 0)), saving.clone()].concat(),
            saving,
            vec![finished],
        ],
    )
}

/// Enqueued, then saved with new metadata to another queue, then removed. A second try lives under a name of
/// its own.
fn lives() -> Vec<Prospect> {
    let enqueued = |name| vec![waits("in", name, (0, 0))];
    let saving = |name| {
        let in_hand = vec![is_out("in", name, (0, 0)), is_out("in", name, (1, 0))];
        [enqueued(name), in_hand, vec![waits("out", name, (1, 0))]].concat()
    };
    let removing = |name| {
        let saved = vec![waits("out", name, (1, 0)), is_out("out", name, (1, 0))];
        [saved, vec![Fate::Nowhere]].concat()
    };
    let first = Prospect {
        name: SUBJECT,
        allowed: vec![
            [vec![Fate::Nowhere], enqueued(SUBJECT)].concat(),
            saving(SUBJECT),
            removing(SUBJECT),
            vec![Fate::Nowhere],
        ],
        after_second_try: None,
    };
    let second = Prospect {
        name: SECOND,
        allowed: vec![[saving(SECOND), removing(SECOND)].concat()],
        after_second_try: Some(Fate::Nowhere),
    };
    vec![first, second]
}

/// The entry in hand; `None` if it is not in its queue any more.
fn take(spool: &Spool, queue: &str, name: &str) -> Result<Option<Checkout>> {
    spool.entry(queue, name)?.try_checkout()
}

/// Takes the subject and ends that by `end`.
fn work(attempt: &Try<'_>, end: impl FnOnce(&mut Checkout) -> Result<()>) -> Result<Answer> {
    match take(&attempt.spool()?, "in", SUBJECT)? {
        Some(mut checkout) => {
            end(&mut checkout)?;
            attempt.done()
        }
        None => Ok(Answer::WasDone),
    }
}

fn save_same(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, |checkout| checkout.save("in"))
}

fn save_new_same(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, |checkout| {
        checkout.set_metadata(metadata(SUBJECT, 1))?;
        checkout.save("in")
    })
}

fn save_other(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, |checkout| checkout.save("out"))
}

fn save_new_other(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, |checkout| {
        checkout.set_metadata(metadata(SUBJECT, 1))?;
        checkout.save("out")
    })
}

fn save_without_syncs(attempt: &Try<'_>) -> Result<Answer> {
    let spool = attempt.spool_without_syncs()?;
    let Some(mut checkout) = take(&spool, "in", SUBJECT)? else {
        return Ok(Answer::WasDone);
    };
    checkout.set_metadata(metadata(SUBJECT, 1))?;
    checkout.save("out")?;
    Ok(Answer::Done)
}

fn release(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, Checkout::release)
}

fn remove(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, Checkout::remove)
}

fn save_data(attempt: &Try<'_>) -> Result<Answer> {
    work(attempt, |checkout| {
        checkout.data_file().save(data(SUBJECT, 1))?;
        (attempt.acknowledge)();
        checkout.set_metadata(metadata(SUBJECT, 1))?;
        checkout.save("out")
    })
}

fn live(attempt: &Try<'_>) -> Result<Answer> {
    let name = if attempt.is_second { SECOND } else { SUBJECT };
    let spool = attempt.spool()?;
    let generator = move |_| OsString::from(name);
    let options = EnqueueOptions::new().generator(Arc::new(generator));
    let data = data(name, 0);
    let entry = spool.enqueue_with("in", metadata(name, 0), &data, &options)?;
    (attempt.acknowledge)();
    let mut checkout = entry.checkout()?;
    checkout.set_metadata(metadata(name, 1))?;
    checkout.save("out")?;
    (attempt.acknowledge)();
    spool.entry("out", name)?.checkout()?.remove()?;
    attempt.done()
}
