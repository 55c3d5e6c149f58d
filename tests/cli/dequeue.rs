//! dequeue: bytes are safe before the entry goes.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Stdio;

use serde_json::json;

use crate::binary::{Bench, Ran, names_in, run};

#[test]
fn the_first_by_name_is_saved_or_removed_and_its_name_printed() {
    let bench = Bench::new();
    bench.put_all(&["b", "a"]);
    assert_eq!(
        bench
            .run("dequeue", &["incoming", "--save-to", "done"])
            .ended(0)
            .line(),
        "a"
    );
    assert_eq!(
        bench
            .run("dequeue", &["incoming", "--remove"])
            .ended(0)
            .line(),
        "b"
    );
    assert_eq!(bench.list("done"), ["a"]);
    assert_eq!(names_in(&bench.spool.join(".data")), ["a"]);
}

#[test]
fn nothing_available_ends_with_1_at_once_or_at_the_timeout() {
    let bench = Bench::new();
    let ran = bench
        .run("dequeue", &["incoming", "--remove"])
        .ended(1)
        .saying("incoming");
    assert!(ran.out.is_empty());
    let begun = std::time::Instant::now();
    bench
        .run(
            "dequeue",
            &["incoming", "--remove", "--wait", "--timeout", "300ms"],
        )
        .ended(1);
    assert!(begun.elapsed().as_millis() >= 300);
}

#[test]
fn a_wait_ends_with_the_entry_that_comes() {
    let bench = Bench::new();
    let mut command = bench.command("dequeue");
    command
        .args(["incoming", "--wait", "--remove", "--data-to", "-"])
        .stdout(Stdio::piped());
    let waiting = command.spawn().unwrap();
    bench.put("a");
    let ran = Ran::new(waiting.wait_with_output().unwrap()).ended(0);
    assert_eq!(ran.text(), "data of a");
}

#[test]
fn standard_output_has_the_bytes_and_no_name() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    assert_eq!(
        bench
            .run("dequeue", &["incoming", "--remove", "--data-to", "-"])
            .ended(0)
            .text(),
        "data of a"
    );
    let to = bench.path("data");
    let mut command = bench.command("dequeue");
    let ran = run(command
        .args(["incoming", "--remove", "--metadata-to", "-", "--data-to"])
        .arg(&to))
    .ended(0);
    assert_eq!(ran.text(), "about b");
    assert_eq!(fs::read(to).unwrap(), b"data of b");
}

#[test]
fn files_are_replaced_whole_and_no_temporary_file_stays() {
    let bench = Bench::new();
    bench.put("a");
    let out = bench.path("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("data"), b"what was there before, and longer").unwrap();
    let mut command = bench.command("dequeue");
    command
        .args(["incoming", "--remove", "--metadata-to"])
        .arg(out.join("metadata"))
        .arg("--data-to")
        .arg(out.join("data"));
    assert_eq!(run(&mut command).ended(0).line(), "a");
    assert_eq!(fs::read(out.join("data")).unwrap(), b"data of a");
    assert_eq!(fs::read(out.join("metadata")).unwrap(), b"about a");
    assert_eq!(names_in(&out), ["data", "metadata"]);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_entry_in_its_queue() {
    let bench = Bench::new();
    bench.put("a");
    for target in ["/nonexistent/file", "/", "/dev/full"] {
        bench
            .run("dequeue", &["incoming", "--remove", "--data-to", target])
            .ended(3)
            .saying(target);
        assert_eq!(bench.list("incoming"), ["a"]);
        assert!(bench.checkouts("incoming").is_empty());
    }
}

#[test]
fn a_device_is_written_to_and_a_link_followed_neither_replaced() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    bench
        .run(
            "dequeue",
            &["incoming", "--remove", "--data-to", "/dev/null"],
        )
        .ended(0);
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    let (target, link) = (bench.file("target", b"old"), bench.path("link"));
    symlink(&target, &link).unwrap();
    run(bench
        .command("dequeue")
        .args(["incoming", "--remove", "--data-to"])
        .arg(&link))
    .ended(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(target).unwrap(), b"data of b");
}

#[test]
fn a_damaged_entry_is_told_and_the_next_good_one_taken() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    fs::remove_file(bench.spool.join(".data/a")).unwrap();
    let ran = bench
        .run("dequeue", &["incoming", "--remove"])
        .ended(0)
        .saying("a");
    assert_eq!(ran.line(), "b");
    bench.run("dequeue", &["incoming", "--remove"]).ended(3);
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn what_is_held_is_not_taken() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    let _held = bench.take("incoming", "a");
    assert_eq!(
        bench
            .run("dequeue", &["incoming", "--remove"])
            .ended(0)
            .line(),
        "b"
    );
    bench.run("dequeue", &["incoming", "--remove"]).ended(1);
}

#[test]
fn json_tells_where_the_entry_went() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    let saved = bench
        .run("dequeue", &["incoming", "--json", "--save-to", "done"])
        .ended(0)
        .json();
    assert_eq!(
        saved,
        [json!({"name": "a", "queue": "incoming", "outcome": "saved", "to": "done"})]
    );
    let removed = bench
        .run("dequeue", &["incoming", "--json", "--remove"])
        .ended(0)
        .json();
    assert_eq!(
        removed,
        [json!({"name": "b", "queue": "incoming", "outcome": "removed", "to": null})]
    );
}
