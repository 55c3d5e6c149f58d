//! Blindness: a library that leaves out a step must not pass. Needs a build that can leave steps out.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use super::forms::{Form, Suite, each_call_once, two_calls};
use super::named;

/// A step, where it must be missed, and by what.
struct Missed {
    step: &'static str,
    operation: &'static str,
    form: Form,
    words: &'static str,
}

const fn by_each_call(step: &'static str, operation: &'static str, words: &'static str) -> Missed {
    Missed {
        step,
        operation,
        form: each_call_once,
        words,
    }
}

/// A sync that is not made cannot fail: but what is told as done has been synced.
const fn by_what_is_synced(step: &'static str, operation: &'static str) -> Missed {
    by_each_call(step, operation, "undisturbed: it synced")
}

const STEPS: [Missed; 19] = [
    by_each_call(
        "whole-write",
        "enqueue bytes",
        "told as done, but spool/.data/e has other contents",
    ),
    by_each_call(
        "undo-enqueue",
        "enqueue bytes",
        "told as failed, but spool/.registry/e is left",
    ),
    Missed {
        step: "undo-checkout",
        operation: "checkout",
        form: two_calls,
        words: "told as failed, but spool/in/.checkout/e is left",
    },
    by_each_call(
        "undo-save",
        "save changed to another queue",
        "told as failed, but spool/in/.checkout/e has other contents",
    ),
    by_each_call(
        "exchange",
        "save changed to another queue",
        "told as failed, but spool/in/.checkout/e has other contents",
    ),
    by_each_call(
        "entry-first",
        "remove",
        "told as failed, but spool/.data/e is gone",
    ),
    by_what_is_synced("sync-data", "enqueue bytes"),
    by_what_is_synced("sync-scratch", "enqueue bytes"),
    by_what_is_synced("sync-data-name", "enqueue bytes"),
    by_what_is_synced("sync-registry-name", "enqueue bytes"),
    by_what_is_synced("sync-queue", "enqueue bytes"),
    by_what_is_synced("sync-source", "save unchanged to another queue"),
    by_what_is_synced("sync-removal", "remove"),
    by_what_is_synced("sync-repair", "repair data of nobody"),
    by_what_is_synced("sync-before-repair", "repair data of nobody"),
    by_what_is_synced(
        "sync-away",
        "repair a reservation with data, to a directory",
    ),
    by_what_is_synced(
        "sync-before-reuse",
        "enqueue over a dead attempt's leftovers",
    ),
    by_what_is_synced("sync-create", "create"),
    by_what_is_synced("sync-exchange", "data save by the holder"),
];

pub fn run(dir: &Path) -> ExitCode {
    let mut unnoticed = 0;
    for missed in STEPS {
        let suite = Suite::new(dir, Some(missed.step));
        (missed.form)(&suite, named(missed.operation));
        let cases = suite.count.cases.load(Ordering::Relaxed);
        let wrong = suite.wrong.lock().unwrap();
        let Missed { step, words, .. } = missed;
        match wrong.iter().find(|wrong| wrong.contains(words)) {
            Some(noticed) => println!("without {step}, case {cases} is wrong: {noticed}"),
            None => {
                unnoticed += 1;
                println!("FAILED to notice in {cases} cases that {step} is left out: {wrong:?}");
            }
        }
    }
    println!(
        "{} steps missed when left out, {unnoticed} not",
        STEPS.len() - unnoticed
    );
    if unnoticed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
