//! The oracle is told stories, true ones and false ones.

use storm::record::sum;

use super::*;
use crate::chronicle::Death;
use crate::spool::Entry;
use crate::tool::Sighting;

/// An entry `1.1` that is enqueued, taken by 2, moved to `middle`, taken by 3, changed, and moved to `done`.
const TRUE: &str = "
    10 enqueuing 1 1 1.1 - incoming a 1
    11 enqueued 1 1 1.1 name incoming a 1
    20 taken 2 1 1.1 name incoming a 0
    21 read 2 1 1.1 name incoming a 1
    22 saving 2 1 1.1 name middle b 1
    23 saved 2 1 1.1 name middle b 1
    30 taken 3 1 1.1 name middle b 0
    31 read 3 1 1.1 name middle b 1
    32 writing 3 1 1.1 name middle b 2
    33 written 3 1 1.1 name middle b 2
    34 saving 3 1 1.1 name done c 2
    35 saved 3 1 1.1 name done c 2
";
/// What lies in `done` then; its sum is put in the place of `c`.
const METADATA: &str = "1.1\n2.1 incoming middle\n3.1 middle done\n";

fn story(log: &str) -> Story {
    let mut story = Story::default();
    story.add(ending_with(METADATA, log).trim()).expect("a log");
    story
}

fn ending_with(metadata: &str, log: &str) -> String {
    log.replace("done c", &format!("done {:x}", sum(metadata.as_bytes())))
}

/// Without the lines that hold one of the texts.
fn without(texts: &[&str]) -> String {
    let is_in = |line: &&str| texts.iter().any(|text| line.contains(text));
    let lines = TRUE.trim().lines().filter(|line| !is_in(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn killed(process: u32, before: u64) -> Chronicle {
    Chronicle {
        deaths: vec![Death {
            process,
            before,
            after: before + 1,
        }],
        ..Chronicle::default()
    }
}

fn done(metadata: &str, data_sum: u32) -> Vec<Entry> {
    vec![Entry {
        name: "name".to_owned(),
        metadata: metadata.to_owned(),
        data_sum,
    }]
}

/// All that the oracle has to say.
fn said(log: &str, chronicle: &Chronicle, entries: &[Entry]) -> String {
    let story = story(log);
    let mut violations = ownership(&story, chronicle);
    violations.extend(steps(&story));
    violations.extend(at_the_end(&story, entries));
    let words: Vec<String> = violations.into_iter().map(|wrong| wrong.what).collect();
    words.join("; ")
}

#[track_caller]
fn is_told(log: &str, entries: &[Entry], what: &str) {
    let said = said(log, &Chronicle::default(), entries);
    assert!(said.contains(what), "{said:?}");
}

#[test]
fn a_true_story_is_believed() {
    assert_eq!(said(TRUE, &Chronicle::default(), &done(METADATA, 2)), "");
}

#[test]
fn what_is_acknowledged_and_not_there_is_lost() {
    is_told(TRUE, &[], "1.1 is lost");
}

#[test]
#[should_panic = "a step of no session"]
fn a_step_without_a_beginning_is_no_story() {
    story(&without(&["20 taken"]));
}

#[test]
fn what_nobody_enqueued_is_invented() {
    is_told(&without(&[" 1 1 1.1 "]), &[], "taken, and never enqueued");
    is_told(TRUE, &done("9.9\n", 2), "there, and never enqueued");
}

#[test]
fn what_was_refused_must_not_be_there() {
    let refused = TRUE.replace("enqueued", "refused");
    is_told(&refused, &[], "1.1 by 2.1: found as");
}

#[test]
fn an_entry_is_there_once() {
    let mut twice = done(METADATA, 2);
    twice.extend(done(METADATA, 2));
    is_told(TRUE, &twice, "there twice");
}

#[test]
fn an_entry_is_found_as_it_was_left() {
    let other = |old: &str, new: &str| TRUE.replace(old, new);
    let end = done(METADATA, 2);
    is_told(
        &other(
            "30 taken 3 1 1.1 name middle b",
            "30 taken 3 1 1.1 name middle a",
        ),
        &end,
        "found as",
    );
    is_told(
        &other(
            "30 taken 3 1 1.1 name middle b",
            "30 taken 3 1 1.1 name incoming b",
        ),
        &end,
        "found as",
    );
    is_told(
        &other(
            "31 read 3 1 1.1 name middle b 1",
            "31 read 3 1 1.1 name middle b 7",
        ),
        &end,
        "found with data",
    );
    is_told(
        &other("30 taken 3 1 1.1 name", "30 taken 3 1 1.1 another"),
        &end,
        "it was enqueued as name",
    );
    is_told(TRUE, &done("1.1\n", 2), "ends as");
    is_told(TRUE, &done(METADATA, 1), "ends with data");
}

#[test]
fn a_removed_entry_does_not_come_back() {
    let removed = without(&[" 3 1 "])
        + "\n30 taken 3 1 1.1 name middle b 0\n31 removing 3 1 1.1 name middle b 1";
    assert_eq!(said(&removed, &killed(3, 40), &[]), "");
    let acknowledged = removed + "\n32 removed 3 1 1.1 name middle b 1";
    is_told(&acknowledged, &done(METADATA, 2), "ends as");
}

#[test]
fn a_save_that_a_kill_cut_short_has_happened_or_not() {
    let cut = without(&["saved 2 1"]);
    assert_eq!(said(&cut, &killed(2, 23), &done(METADATA, 2)), "");
    let metadata = "1.1\n2.1 incoming middle\n3.1 incoming done\n";
    let stayed = without(&["saved 2 1", " 3 1 "])
        + "\n30 taken 3 1 1.1 name incoming b 0\n31 saving 3 1 1.1 name done c 1";
    let stayed = ending_with(metadata, &stayed);
    assert_eq!(said(&stayed, &killed(2, 23), &done(metadata, 1)), "");
}

#[test]
fn hops_are_those_of_the_sessions() {
    let lacks = "1.1\n3.1 middle done\n";
    is_told(
        &ending_with(lacks, TRUE),
        &done(lacks, 2),
        "the hop \"2.1 incoming middle\" is missing",
    );
    let extra = "1.1\n2.1 incoming middle\n3.1 middle done\n4.1 done done\n";
    is_told(&ending_with(extra, TRUE), &done(extra, 2), "was nobody's");
}

#[test]
fn two_living_owners_are_one_too_many() {
    let early = TRUE.replace("30 taken", "21 taken");
    is_told(&early, &done(METADATA, 2), "two owners");
    // Until the kill, an owner that says nothing more is one.
    let silent = without(&[" 2 1 "]) + "\n20 taken 2 1 1.1 name incoming a 0";
    let both = |kill| said(&silent, &killed(2, kill), &[]);
    assert!(both(40).contains("two owners"));
    assert!(!both(29).contains("two owners"));
}

#[test]
fn a_living_owner_is_not_taken_for_dead() {
    let seen = |from, to| Chronicle {
        sightings: vec![Sighting {
            what: "recover returned".to_owned(),
            name: "name".to_owned(),
            from,
            to,
        }],
        ..Chronicle::default()
    };
    let said = |chronicle| said(TRUE, &chronicle, &done(METADATA, 2));
    assert!(said(seen(31, 33)).contains("while 3 had it"));
    // Before it was taken, or after it was given back, for all we know.
    assert_eq!(said(seen(25, 33)), "");
    assert_eq!(said(seen(31, 36)), "");
}

#[test]
fn the_dead_tell_nothing() {
    let said = said(TRUE, &killed(3, 31), &done(METADATA, 2));
    assert!(said.contains("told by the dead"));
}
