//! enqueue: one entry, and many files at once.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::json;

use crate::binary::{Bench, run, run_with};

#[test]
fn the_name_that_is_printed_is_the_entry_s() {
    let bench = Bench::new();
    let name = run_with(
        bench
            .command("enqueue")
            .args(["incoming", "--metadata", "m"]),
        b"d",
    )
    .ended(0)
    .line();
    assert_eq!(bench.list("incoming"), [name.as_str()]);
    assert_eq!(bench.run("show", &["incoming", &name]).text(), "m");
    assert_eq!(bench.run("data", &["incoming", &name]).text(), "d");
}

#[test]
fn each_durability_enqueues() {
    let bench = Bench::new();
    for level in ["none", "original", "full"] {
        bench
            .run("enqueue", &["incoming", "--durability", level])
            .ended(0);
    }
    assert_eq!(bench.list("incoming").len(), 3);
}

#[test]
fn a_file_that_cannot_be_read_leaves_nothing_in_the_spool() {
    let bench = Bench::new();
    bench
        .run("enqueue", &["incoming", "--data", "/nonexistent/file"])
        .ended(3)
        .saying("/nonexistent/file");
    bench
        .run("enqueue", &["incoming", "--data", "/"])
        .ended(3)
        .saying("directory");
    bench
        .run(
            "enqueue",
            &[
                "incoming",
                "--metadata-file",
                "/nonexistent/file",
                "--data",
                "/dev/null",
            ],
        )
        .ended(3);
    assert!(bench.list("incoming").is_empty());
    assert!(crate::binary::names_in(&bench.spool.join(".registry")).is_empty());
}

#[test]
fn many_files_become_an_entry_each_with_the_path_as_metadata() {
    let bench = Bench::new();
    let paths: Vec<_> = (0..20)
        .map(|index| bench.file(&format!("file {index}"), format!("{index}").as_bytes()))
        .collect();
    let names = run(bench
        .command("enqueue")
        .args(["incoming", "--files"])
        .args(&paths))
    .ended(0)
    .lines();
    assert_eq!(names.len(), 20);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(
            bench.run("show", &["incoming", name]).out,
            paths[index].as_os_str().as_bytes()
        );
        assert_eq!(
            bench.run("data", &["incoming", name]).text(),
            index.to_string()
        );
    }
}

#[test]
fn a_file_that_fails_is_told_and_the_others_are_enqueued() {
    let bench = Bench::new();
    let good = bench.file("good", b"x");
    let mut command = bench.command("enqueue");
    command
        .args(["incoming", "--json", "--files"])
        .arg(bench.path("missing"))
        .arg(bench.room.path())
        .arg(&good);
    let ran = run(&mut command)
        .ended(3)
        .saying("missing")
        .saying("directory");
    let lines = ran.json();
    assert_eq!(
        lines
            .iter()
            .map(|line| &line["outcome"])
            .collect::<Vec<_>>(),
        ["failed", "failed", "enqueued"]
    );
    assert_eq!(lines[2]["path"], good.to_str().unwrap());
    assert_eq!(bench.list("incoming"), [lines[2]["name"].as_str().unwrap()]);
}

#[test]
fn files_come_from_a_list_and_any_path_with_null_ends() {
    let bench = Bench::new();
    let odd = OsStr::from_bytes(b"-odd\n\xff");
    std::fs::write(bench.room.path().join(odd), b"odd").unwrap();
    std::fs::write(bench.path("-"), b"dash").unwrap();
    let mut command = bench.command("enqueue");
    command
        .current_dir(bench.room.path())
        .args(["incoming", "-0", "--files-from", "-"]);
    let out = run_with(&mut command, b"-odd\n\xff\0-\0").ended(0).out;
    let names: Vec<_> = out
        .strip_suffix(b"\0")
        .unwrap()
        .split(|&byte| byte == 0)
        .map(OsStr::from_bytes)
        .collect();
    assert_eq!(
        run(bench.command("show").arg("incoming").arg(names[0])).out,
        b"-odd\n\xff"
    );
    assert_eq!(
        run(bench.command("data").arg("incoming").arg(names[1])).out,
        b"dash"
    );

    let list = bench.file("list", b"-\n");
    let mut command = bench.command("enqueue");
    command
        .current_dir(bench.room.path())
        .args(["done", "--files-from"])
        .arg(list);
    run(&mut command).ended(0);
    let empty = bench.file("empty", b"");
    assert!(
        run(bench
            .command("enqueue")
            .args(["done", "--files-from"])
            .arg(empty))
        .ended(0)
        .out
        .is_empty()
    );
    assert_eq!(bench.list("done").len(), 1);
}

#[test]
fn a_path_after_two_dashes_may_look_like_an_option() {
    let bench = Bench::new();
    std::fs::write(bench.path("--json"), b"x").unwrap();
    let mut command = bench.command("enqueue");
    command
        .current_dir(bench.room.path())
        .args(["incoming", "--files", "--", "--json"]);
    let name = run(&mut command).ended(0).line();
    assert_eq!(bench.run("show", &["incoming", &name]).text(), "--json");
}

#[test]
fn json_tells_name_and_queue() {
    let bench = Bench::new();
    bench.library().reserve_name("a").unwrap();
    let lines = bench
        .run("enqueue", &["incoming", "--name", "a", "--json"])
        .ended(0)
        .json();
    assert_eq!(
        lines,
        [json!({"name": "a", "queue": "incoming", "outcome": "enqueued"})]
    );
}
