//! What is not a spool, or not a whole one, is refused with its path and reason, and left as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::binary::{Bench, multispool, names_in, run, run_with, unprivileged};

/// One call of each verb that opens a spool.
const CALLS: [&[&str]; 12] = [
    &["queues"],
    &["enqueue", "incoming"],
    &["list", "incoming"],
    &["show", "incoming", "a"],
    &["data", "incoming", "a"],
    &["dequeue", "incoming", "--remove"],
    &["run", "incoming", "--all", "--", "true"],
    &["move", "incoming", "done", "a"],
    &["remove", "incoming", "a"],
    &["recover"],
    &["fsck"],
    &["repair"],
];

fn every_verb_fails(bench: &Bench, reason: &str) {
    for call in CALLS {
        let ran = bench.run(call[0], &call[1..]);
        assert_eq!(ran.status, Some(3), "{call:?}: {}", ran.err);
        assert!(
            ran.err.contains("spool"),
            "{call:?} tells no path: {}",
            ran.err
        );
        assert!(
            ran.err.contains(reason),
            "{call:?} tells no reason {reason:?}: {}",
            ran.err
        );
        assert!(ran.out.is_empty());
    }
    bench.run("stats", &[]).ended(3).saying(reason);
}

#[test]
fn a_missing_spool_is_a_failure_and_is_not_made() {
    let bench = Bench::without_spool();
    every_verb_fails(&bench, "No such file or directory");
    assert!(!bench.spool.exists());
}

#[test]
fn a_file_in_the_place_of_the_spool_is_a_failure() {
    let bench = Bench::without_spool();
    bench.file("spool", b"not a directory");
    every_verb_fails(&bench, "irectory");
    bench.run("create", &["incoming"]).ended(3);
    assert_eq!(fs::read(&bench.spool).unwrap(), b"not a directory");
}

#[test]
fn a_directory_that_is_no_spool_is_refused_and_left_alone() {
    let bench = Bench::without_spool();
    fs::create_dir_all(bench.spool.join("incoming/.checkout")).unwrap();
    every_verb_fails(&bench, "does not look like a spool");
    bench.run("create", &["incoming"]).ended(3).saying("empty");
    assert_eq!(names_in(&bench.spool), ["incoming"]);
}

#[test]
fn a_half_made_spool_is_a_failure_until_create_finishes_it() {
    let bench = Bench::without_spool();
    fs::create_dir_all(bench.spool.join(".multispool")).unwrap();
    fs::create_dir(bench.spool.join(".registry")).unwrap();
    every_verb_fails(&bench, "its creation was cut short");
    bench.run("create", &["incoming"]).ended(0);
    bench.run("list", &["incoming"]).ended(0);
}

#[test]
fn a_spool_without_its_data_directory_is_a_failure() {
    let bench = Bench::new();
    fs::remove_dir(bench.spool.join(".data")).unwrap();
    bench.run("list", &["incoming"]).ended(3).saying(".data");
    bench.run("enqueue", &["incoming"]).ended(3).saying(".data");
}

#[test]
fn a_queue_whose_directory_is_missing_is_unknown() {
    let bench = Bench::new();
    fs::remove_dir_all(bench.spool.join("done")).unwrap();
    fs::remove_dir(bench.spool.join("failed/.checkout")).unwrap();
    for queue in ["done", "failed"] {
        bench.run("list", &[queue]).ended(2).saying(queue);
    }
    assert!(!bench.spool.join("done").exists());
    bench.run("create", &["done", "failed"]).ended(0);
    bench.run("list", &["failed"]).ended(0);
}

#[test]
fn an_unknown_needs_word_is_named_and_refused_by_every_verb() {
    let bench = Bench::new();
    let format = bench.spool.join(".multispool/format");
    let mut text = fs::read_to_string(&format).unwrap();
    text.push_str("needs teleport\n");
    fs::remove_file(&format).unwrap();
    fs::write(&format, text).unwrap();
    for call in CALLS.iter().filter(|call| call[0] != "queues") {
        bench.run(call[0], &call[1..]).ended(3).saying("teleport");
    }
    bench
        .run("create", &["incoming"])
        .ended(3)
        .saying("teleport");
}

#[test]
fn without_permission_each_verb_fails_and_says_so() {
    let bench = Bench::new();
    bench.put("a");
    fs::set_permissions(&bench.spool, fs::Permissions::from_mode(0o000)).unwrap();
    for call in CALLS {
        let mut command = unprivileged(&bench);
        run(command.arg(call[0]).arg(&bench.spool).args(&call[1..]))
            .ended(3)
            .saying("ermission");
    }
    fs::set_permissions(&bench.spool, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn to_read_needs_no_right_to_write() {
    let bench = Bench::new();
    bench.put("a");
    let entries: Vec<_> = [
        "",
        "incoming",
        "incoming/.checkout",
        "done",
        "done/.checkout",
        "failed",
        "failed/.checkout",
    ]
    .into_iter()
    .chain([".data", ".registry", ".tmp", ".multispool"])
    .map(|part| bench.spool.join(part))
    .collect();
    let set = |mode| {
        entries
            .iter()
            .for_each(|path| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap())
    };
    set(0o555);
    let call = |arguments: &[&str]| {
        let mut command = unprivileged(&bench);
        run_with(
            command
                .arg(arguments[0])
                .arg(&bench.spool)
                .args(&arguments[1..]),
            b"data",
        )
    };
    assert_eq!(call(&["list", "incoming"]).ended(0).text(), "a\n");
    assert_eq!(call(&["show", "incoming", "a"]).ended(0).text(), "about a");
    assert_eq!(
        call(&["data", "incoming", "a"]).ended(0).text(),
        "data of a"
    );
    call(&["stats"]).ended(0);
    call(&["enqueue", "incoming"]).ended(3).saying("ermission");
    call(&["remove", "incoming", "a"])
        .ended(3)
        .saying("ermission");
    set(0o755);
}

#[test]
fn an_unknown_queue_is_wrong_usage_and_makes_no_directory() {
    let bench = Bench::new();
    bench.put("a");
    let calls: [&[&str]; 11] = [
        &["enqueue", "other"],
        &["list", "other"],
        &["show", "other", "a"],
        &["data", "other", "a"],
        &["dequeue", "other", "--remove"],
        &["dequeue", "incoming", "--save-to", "other"],
        &[
            "run",
            "incoming",
            "--all",
            "--save-to",
            "other",
            "--",
            "true",
        ],
        &[
            "run", "incoming", "--all", "--failed", "other", "--", "true",
        ],
        &["move", "other", "done", "a"],
        &["move", "incoming", "other", "a"],
        &["remove", "other", "a"],
    ];
    for call in calls {
        bench.run(call[0], &call[1..]).ended(2).saying("other");
    }
    assert!(!bench.spool.join("other").exists());
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    let bench = Bench::new();
    let calls: [&[&str]; 14] = [
        &["dequeue", "incoming"],
        &["dequeue", "incoming", "--remove", "--save-to", "done"],
        &["dequeue", "incoming", "--remove", "--timeout", "1s"],
        &[
            "dequeue",
            "incoming",
            "--remove",
            "--wait",
            "--timeout",
            "soon",
        ],
        &[
            "dequeue",
            "incoming",
            "--remove",
            "--metadata-to",
            "-",
            "--data-to",
            "-",
        ],
        &[
            "dequeue",
            "incoming",
            "--remove",
            "--json",
            "--data-to",
            "-",
        ],
        &["enqueue", "incoming", "stray"],
        &["enqueue", "incoming", "--files"],
        &["enqueue", "incoming", "--files", "--metadata", "m", "f"],
        &["enqueue", "incoming", "--metadata-file", "-"],
        &["enqueue", "incoming", "--durability", "some"],
        &["run", "incoming", "--count", "0", "--", "true"],
        &["run", "incoming", "--failed", "incoming", "--", "true"],
        &["show", "incoming"],
    ];
    for call in calls {
        let ran = bench.run(call[0], &call[1..]);
        assert_eq!(ran.status, Some(2), "{call:?}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{call:?}");
    }
    run(multispool().arg("steal")).ended(2);
    run(&mut multispool()).ended(2);
}
