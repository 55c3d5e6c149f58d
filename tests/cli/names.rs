//! Names of entries: refused before the disk is touched, or carried through unharmed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::binary::{Bench, names_in, run, run_with};

fn bad_names() -> Vec<String> {
    vec![
        String::new(),
        ".".into(),
        "..".into(),
        "a/b".into(),
        "../a".into(),
        ".hidden".into(),
        "x".repeat(245),
    ]
}

#[test]
fn a_bad_name_ends_with_2_and_touches_nothing() {
    let bench = Bench::new();
    for name in bad_names() {
        bench
            .run("enqueue", &["incoming", "--name", &name])
            .ended(2);
        bench
            .run("enqueue", &["incoming", "--reserve", "--name", &name])
            .ended(2);
    }
    for directory in [".registry", ".data", ".tmp"] {
        assert!(
            names_in(&bench.spool.join(directory)).is_empty(),
            "{directory}"
        );
    }
    // On disk a name may have up to 255 bytes: 245 of them are only a name that is not there.
    for name in bad_names().iter().filter(|name| name.len() < 245) {
        for verb in ["show", "data", "remove"] {
            bench.run(verb, &["incoming", name]).ended(2);
        }
        bench.run("move", &["incoming", "done", name]).ended(2);
    }
}

#[test]
fn a_bad_queue_name_ends_with_2() {
    let bench = Bench::new();
    for name in bad_names() {
        bench.run("create", &[&name]).ended(2);
        bench.run("list", &[&name]).ended(2);
    }
    assert_eq!(
        bench.run("queues", &[]).ended(0).text(),
        "done\nfailed\nincoming\n"
    );
}

#[test]
fn the_longest_name_is_accepted() {
    let bench = Bench::new();
    let name = "x".repeat(244);
    bench.put(&name);
    assert_eq!(bench.list("incoming"), [name]);
}

#[test]
fn a_name_that_was_never_reserved_is_not_found() {
    let bench = Bench::new();
    bench
        .run("enqueue", &["incoming", "--name", "mine"])
        .ended(1)
        .saying("mine");
    assert!(bench.list("incoming").is_empty());
    bench.library().reserve_name("mine").unwrap();
    assert_eq!(
        bench
            .run("enqueue", &["incoming", "--name", "mine"])
            .ended(0)
            .line(),
        "mine"
    );
}

#[test]
fn a_name_in_use_is_taken_and_its_entry_untouched() {
    let bench = Bench::new();
    bench.put("a");
    for arguments in [
        &["incoming", "--name", "a"][..],
        &["done", "--name", "a"],
        &["done", "--reserve", "--name", "a"],
    ] {
        run_with(bench.command("enqueue").args(arguments), b"other")
            .ended(1)
            .saying("a");
    }
    assert_eq!(bench.run("data", &["incoming", "a"]).text(), "data of a");
    assert!(bench.list("done").is_empty());
}

#[test]
fn an_entry_that_is_gone_is_a_miss_and_the_others_are_done() {
    let bench = Bench::new();
    bench.put_all(&["a", "c", "d"]);
    let ran = bench
        .run("show", &["incoming", "a", "gone", "c"])
        .ended(1)
        .saying("gone");
    assert_eq!(ran.text(), "about aabout c");
    assert_eq!(ran.err.lines().count(), 1);
    let ran = bench
        .run("data", &["incoming", "gone", "c"])
        .ended(1)
        .saying("gone");
    assert_eq!(ran.text(), "data of c");
    let ran = bench
        .run("move", &["incoming", "done", "a", "gone", "lost", "c"])
        .ended(1)
        .saying("gone")
        .saying("lost");
    assert_eq!(ran.err.lines().count(), 2);
    assert_eq!(bench.list("done"), ["a", "c"]);
    bench
        .run("remove", &["incoming", "gone", "d"])
        .ended(1)
        .saying("gone");
    assert!(bench.list("incoming").is_empty());
    // In another queue, it is not in this one.
    bench.run("show", &["incoming", "a"]).ended(1);
    bench.run("data", &["incoming", "a"]).ended(1);
}

#[test]
fn a_miss_among_several_has_its_json_line() {
    let bench = Bench::new();
    bench.put("a");
    let told = bench
        .run("remove", &["incoming", "--json", "gone", "a", "a/b"])
        .ended(2)
        .json();
    let outcomes: Vec<_> = told
        .iter()
        .map(|line| line["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["not_found", "removed", "invalid_name"]);
    assert_eq!(told[0]["name"], "gone");
    assert!(told[0]["message"].as_str().unwrap().contains("gone"));
}

#[test]
fn names_from_a_file_or_standard_input_follow_those_of_the_arguments() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c"]);
    let file = bench.file("names", b"b\nc");
    let ran = run(bench
        .command("show")
        .args(["incoming", "a", "--names-from"])
        .arg(file))
    .ended(0);
    assert_eq!(ran.text(), "about aabout babout c");
    let mut command = bench.command("move");
    run_with(
        command.args(["incoming", "done", "--names-from", "-"]),
        b"a\nc\n",
    )
    .ended(0);
    assert_eq!(bench.list("done"), ["a", "c"]);
    run(bench
        .command("show")
        .args(["incoming", "--names-from"])
        .arg(bench.path("none")))
    .ended(3)
    .saying("none");
}

#[test]
fn with_null_ends_any_name_survives_a_round_trip() {
    let bench = Bench::new();
    let names: [&[u8]; 3] = [b"-dash", b"new\nline", b"not\xffutf-8"];
    for name in names {
        bench.put_os(OsStr::from_bytes(name));
    }
    let listed = bench.run("list", &["incoming", "-0"]).ended(0).out;
    assert_eq!(listed, b"-dash\0new\nline\0not\xffutf-8\0");
    run_with(
        bench
            .command("move")
            .args(["incoming", "done", "-0", "--names-from", "-"]),
        &listed,
    )
    .ended(0);
    assert_eq!(bench.run("list", &["done", "--null"]).out, listed);
    assert_eq!(
        bench.run("queues", &["-0"]).out,
        b"done\0failed\0incoming\0"
    );
    let dequeued = bench
        .run("dequeue", &["done", "-0", "--save-to", "failed"])
        .ended(0)
        .out;
    assert_eq!(dequeued, b"-dash\0");
    // A library handle dropped unfinished is a dead owner's.
    drop(bench.take("failed", "-dash"));
    assert_eq!(bench.run("recover", &["-0"]).ended(0).out, b"-dash\0");
}

#[test]
fn two_dashes_end_the_options() {
    let bench = Bench::new();
    bench.put_os(OsStr::new("--json"));
    assert_eq!(
        bench
            .run("show", &["incoming", "--", "--json"])
            .ended(0)
            .text(),
        "about --json"
    );
    bench.run("remove", &["incoming", "--", "--json"]).ended(0);
    assert!(bench.list("incoming").is_empty());
}

#[test]
fn json_names_a_name_that_is_not_utf_8_in_base64() {
    let bench = Bench::new();
    let name = b"not\xffutf-8";
    bench.put_os(OsStr::from_bytes(name));
    let lines = bench.run("list", &["incoming", "--json"]).ended(0).json();
    assert_eq!(lines[0]["name_base64"], STANDARD.encode(name));
    assert!(lines[0].get("name").is_none());
}
