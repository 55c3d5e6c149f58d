//! Standard output that goes away or fills up.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::binary::{Bench, Ran, multispool};

/// A pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn run_to(bench: &Bench, out: Stdio, verb: &str, arguments: &[&str]) -> Ran {
    let mut command = bench.command(verb);
    Ran::new(
        command
            .args(arguments)
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap(),
    )
}

#[test]
fn a_closed_pipe_ends_each_verb_quietly() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    let calls: [&[&str]; 8] = [
        &["queues"],
        &["list", "incoming"],
        &["list", "incoming", "--json"],
        &["show", "incoming", "a"],
        &["data", "incoming", "a"],
        &["stats"],
        &["enqueue", "done"],
        &["dequeue", "incoming", "--save-to", "done"],
    ];
    for call in calls {
        let ran = run_to(&bench, closed_pipe(), call[0], &call[1..]).ended(141);
        assert_eq!(ran.err, "", "{call:?}");
    }
}

#[test]
fn a_closed_pipe_ends_a_run_quietly_with_its_entries_in_place() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    let ran = run_to(
        &bench,
        closed_pipe(),
        "run",
        &["incoming", "--json", "--save-to", "done", "--", "true"],
    )
    .ended(141);
    assert_eq!(ran.err, "");
    let (waiting, done) = (bench.list("incoming"), bench.list("done"));
    assert_eq!(
        (waiting, done),
        (vec!["b".to_owned()], vec!["a".to_owned()])
    );
}

#[test]
fn an_entry_whose_bytes_nobody_read_stays() {
    let bench = Bench::new();
    bench.put("a");
    for option in ["--data-to", "--metadata-to"] {
        run_to(
            &bench,
            closed_pipe(),
            "dequeue",
            &["incoming", "--remove", option, "-"],
        )
        .ended(141);
        run_to(
            &bench,
            full(),
            "dequeue",
            &["incoming", "--remove", option, "-"],
        )
        .ended(3)
        .saying("standard output");
        assert_eq!(bench.list("incoming"), ["a"]);
        assert!(bench.checkouts("incoming").is_empty());
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let bench = Bench::new();
    bench.put("a");
    for call in [
        &["list", "incoming"][..],
        &["show", "incoming", "a"],
        &["data", "incoming", "a"],
        &["stats"],
    ] {
        run_to(&bench, full(), call[0], &call[1..])
            .ended(3)
            .saying("standard output");
    }
}

#[test]
fn an_enqueue_that_cannot_print_its_name_says_that_it_is_done() {
    let bench = Bench::new();
    let ran = run_to(&bench, full(), "enqueue", &["incoming"])
        .ended(3)
        .saying("is enqueued");
    assert!(ran.err.contains(&bench.list("incoming")[0]));
}

#[test]
fn help_into_a_closed_pipe_is_quiet() {
    let mut command = multispool();
    command
        .arg("--help")
        .stdout(closed_pipe())
        .stderr(Stdio::piped());
    let ran = Ran::new(command.spawn().unwrap().wait_with_output().unwrap()).ended(0);
    assert_eq!(ran.err, "");
}
