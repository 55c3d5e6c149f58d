//! The judge sees each broken promise, and nothing where all was kept.

use distributed::record::{Answer, Verb};

use super::{Left, Promise, Verdict, judge};
use crate::chronicle::{Call, End};

const SECOND: u64 = 1_000_000_000;

/// A call of a hand, from one second to another.
fn call(hand: usize, verb: Verb, from: u64, to: u64, answer: Answer) -> Call {
    Call {
        hand,
        verb,
        name: "e".to_owned(),
        begun: from * SECOND,
        end: Some(End {
            at: to * SECOND,
            answer,
            detail: String::new(),
        }),
    }
}

fn done(hand: usize, verb: Verb, from: u64, to: u64) -> Call {
    call(hand, verb, from, to, Answer::Done)
}

fn lost(hand: usize, verb: Verb, from: u64, to: u64) -> Call {
    call(hand, verb, from, to, Answer::Lost)
}

/// The verdict on what happened to an entry that was enqueued, with a lease of 8 s.
fn after(calls: &[Call], left: &Left, failures: bool) -> Verdict {
    let enqueue = [done(0, Verb::Enqueue, 0, 1)];
    let promise = Promise {
        lease: 8 * SECOND,
        failures,
    };
    judge(&[&enqueue, calls].concat(), left, promise)
}

fn removed() -> Left {
    Left::default()
}

fn saved() -> Left {
    Left {
        done: ["e".to_owned()].into(),
        wrong: Vec::new(),
    }
}

#[track_caller]
fn kept(calls: &[Call], left: &Left) -> Verdict {
    let verdict = after(calls, left, false);
    assert_eq!(verdict.violations, Vec::<String>::new());
    verdict
}

#[track_caller]
fn broken(calls: &[Call], left: &Left, why: &str) {
    let violations = after(calls, left, false).violations;
    assert!(
        violations.iter().any(|violation| violation.contains(why)),
        "{violations:?}"
    );
}

#[test]
fn one_holder_who_finishes_keeps_every_promise() {
    let verdict = kept(
        &[done(1, Verb::Dequeue, 2, 3), done(1, Verb::Remove, 4, 5)],
        &removed(),
    );
    assert_eq!((verdict.taken, verdict.taken_over), (1, 0));
    kept(
        &[done(1, Verb::Dequeue, 2, 3), done(1, Verb::Save, 4, 5)],
        &saved(),
    );
}

#[test]
fn an_entry_that_nobody_finishes_is_lost() {
    broken(&[], &removed(), "is lost");
    broken(&[done(1, Verb::Dequeue, 2, 3)], &removed(), "is lost");
    let lost = [done(1, Verb::Dequeue, 2, 3), done(1, Verb::Save, 4, 5)];
    broken(&lost, &removed(), "was saved, and is not there");
}

#[test]
fn an_end_that_nobody_was_told_of_may_have_been() {
    let failed = call(1, Verb::Remove, 4, 5, Answer::Failed);
    let calls = [done(1, Verb::Dequeue, 2, 3), failed];
    assert_eq!(after(&calls, &removed(), true).violations.len(), 0);
    broken(&calls, &removed(), "could not be done to");
}

#[test]
fn an_entry_that_was_not_saved_is_not_there() {
    broken(
        &[done(1, Verb::Dequeue, 2, 3), done(1, Verb::Remove, 4, 5)],
        &saved(),
        "nobody saved it",
    );
}

#[test]
fn a_second_taking_within_the_lease_is_seen() {
    let calls = [
        done(1, Verb::Dequeue, 2, 3),
        lost(1, Verb::Remove, 10, 11),
        done(2, Verb::Dequeue, 8, 9),
        done(2, Verb::Remove, 9, 10),
    ];
    broken(
        &calls,
        &removed(),
        "was taken by 2 only 7000 ms after 1 had renewed it",
    );
}

#[test]
fn a_renewal_puts_off_a_second_taking() {
    let calls = |renewed: Answer| {
        [
            done(1, Verb::Dequeue, 2, 3),
            call(1, Verb::Renew, 7, 8, renewed),
            lost(1, Verb::Remove, 20, 21),
            done(2, Verb::Dequeue, 11, 14),
            done(2, Verb::Remove, 15, 16),
        ]
    };
    broken(&calls(Answer::Done), &removed(), "only 7000 ms");
    kept(&calls(Answer::Lost), &removed());
}

#[test]
fn a_late_holder_must_be_told() {
    let late = |begun: u64, answer: Answer| {
        [
            done(1, Verb::Dequeue, 2, 3),
            call(1, Verb::Remove, begun, 30, answer),
            done(2, Verb::Dequeue, 11, 14),
            done(2, Verb::Remove, 15, 16),
        ]
    };
    assert_eq!(kept(&late(20, Answer::Lost), &removed()).told, 1);
    broken(
        &late(20, Answer::Done),
        &removed(),
        "after that 1's remove was acknowledged",
    );
    assert_eq!(kept(&late(13, Answer::Done), &removed()).in_flight, 1);
}

#[test]
fn a_taking_after_the_end_is_seen() {
    let calls = [
        done(1, Verb::Dequeue, 2, 3),
        done(1, Verb::Remove, 4, 5),
        done(2, Verb::Dequeue, 19, 20),
        done(2, Verb::Remove, 21, 22),
    ];
    broken(&calls, &removed(), "after its end was acknowledged");
}

#[test]
fn a_holder_from_whom_nobody_took_it_has_not_lost_it() {
    broken(
        &[
            done(1, Verb::Dequeue, 2, 3),
            lost(1, Verb::Renew, 4, 5),
            done(1, Verb::Remove, 6, 7),
        ],
        &removed(),
        "from whom nobody took it",
    );
}

#[test]
fn torn_data_and_leavings_are_seen() {
    let torn = call(1, Verb::Read, 3, 4, Answer::Torn);
    broken(
        &[
            done(1, Verb::Dequeue, 2, 3),
            torn,
            done(1, Verb::Remove, 4, 5),
        ],
        &removed(),
        "has other data",
    );
    let mut left = removed();
    left.wrong
        .push(("e".to_owned(), "is left in .tmp".to_owned()));
    broken(
        &[done(1, Verb::Dequeue, 2, 3), done(1, Verb::Remove, 4, 5)],
        &left,
        "is left in .tmp",
    );
}

#[test]
fn what_was_never_enqueued_cannot_be_taken() {
    let promise = Promise {
        lease: SECOND,
        failures: false,
    };
    let calls = [done(1, Verb::Dequeue, 2, 3), done(1, Verb::Remove, 4, 5)];
    let violations = judge(&calls, &removed(), promise).violations;
    assert_eq!(violations, ["e was taken, and never enqueued"]);
}

#[test]
fn an_enqueue_loses_its_name_after_a_lease_and_not_before() {
    let verdict = |to| {
        let promise = Promise {
            lease: 8 * SECOND,
            failures: false,
        };
        judge(&[lost(0, Verb::Enqueue, 1, to)], &removed(), promise).violations
    };
    assert_eq!(verdict(9), Vec::<String>::new());
    assert_eq!(verdict(8), ["e was lost to its enqueue after 7000 ms"]);
}
