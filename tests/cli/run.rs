//! run: the command, its environment, and where its entry goes.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::binary::{Bench, names_in, run};

const LOG_NAME: &str = "echo \"$MULTISPOOL_NAME\" >> log";

/// `run` in the bench's room, where commands leave their traces.
fn run_in_room(bench: &Bench, arguments: &[&str]) -> crate::binary::Ran {
    run(bench
        .command("run")
        .current_dir(bench.room.path())
        .args(arguments))
}

fn log(bench: &Bench) -> Vec<String> {
    fs::read_to_string(bench.path("log"))
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_command_has_the_data_on_its_input_and_the_entry_in_its_environment() {
    let bench = Bench::new();
    bench.put("a");
    let script = "cat; echo; echo $MULTISPOOL_NAME $MULTISPOOL_QUEUE; echo $MULTISPOOL_SPOOL; \
                  cat $MULTISPOOL_METADATA_FILE; echo; cd /; cat $MULTISPOOL_DATA_FILE";
    let ran = run_in_room(
        &bench,
        &[
            "incoming",
            "--all",
            "--save-to",
            "done",
            "--",
            "sh",
            "-c",
            script,
        ],
    )
    .ended(0);
    let spool = bench.spool.to_str().unwrap();
    assert_eq!(
        ran.text(),
        format!("data of a\na incoming\n{spool}\nabout a\ndata of a")
    );
    assert_eq!(bench.list("done"), ["a"]);
}

#[test]
fn a_relative_spool_is_told_absolute() {
    let bench = Bench::new();
    bench.put("a");
    let mut command = crate::binary::multispool();
    command
        .current_dir(bench.room.path())
        .args(["run", "spool", "incoming", "--all", "--", "sh", "-c"]);
    let ran = run(command.arg("echo $MULTISPOOL_SPOOL; cd /; cat $MULTISPOOL_DATA_FILE")).ended(0);
    assert_eq!(
        ran.text(),
        format!("{}\ndata of a", bench.spool.to_str().unwrap())
    );
}

#[test]
fn success_removes_the_entry_unless_it_is_to_be_saved() {
    let bench = Bench::new();
    bench.put("a");
    run_in_room(&bench, &["incoming", "--all", "--", "true"]).ended(0);
    assert!(names_in(&bench.spool.join(".registry")).is_empty());
    bench.put("b");
    run_in_room(&bench, &["incoming", "--all", "--remove", "--", "true"]).ended(0);
    assert!(names_in(&bench.spool.join(".registry")).is_empty());
}

#[test]
fn nothing_to_do_is_success() {
    let bench = Bench::new();
    run_in_room(&bench, &["incoming", "--all", "--", "false"]).ended(0);
}

#[test]
fn what_the_command_made_replaces_the_old_when_it_succeeds() {
    let bench = Bench::new();
    bench.put("a");
    let script = "tr a-z A-Z > $MULTISPOOL_NEW_DATA; printf new > $MULTISPOOL_NEW_METADATA";
    run_in_room(
        &bench,
        &[
            "incoming",
            "--all",
            "--save-to",
            "done",
            "--",
            "sh",
            "-c",
            script,
        ],
    )
    .ended(0);
    assert_eq!(bench.run("show", &["done", "a"]).text(), "new");
    assert_eq!(bench.run("data", &["done", "a"]).text(), "DATA OF A");
    assert!(names_in(&bench.spool.join(".tmp")).is_empty());
}

#[test]
fn what_the_command_made_is_dropped_when_it_fails() {
    let bench = Bench::new();
    bench.put("a");
    let script = "echo x > $MULTISPOOL_NEW_DATA; echo x > $MULTISPOOL_NEW_METADATA; exit 3";
    let ran = run_in_room(
        &bench,
        &[
            "incoming",
            "--all",
            "--save-to",
            "done",
            "--failed",
            "failed",
            "--",
            "sh",
            "-c",
            script,
        ],
    );
    ran.ended(1).saying("exit status: 3");
    assert_eq!(bench.run("show", &["failed", "a"]).text(), "about a");
    assert_eq!(bench.run("data", &["failed", "a"]).text(), "data of a");
}

#[test]
fn the_command_s_directory_is_private_and_goes_with_it() {
    let bench = Bench::new();
    bench.put("a");
    let temporary = bench.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let script = "stat -c %a \"${MULTISPOOL_NEW_DATA%/*}\"; ls \"${MULTISPOOL_NEW_DATA%/*}\"; mkdir -p \"${MULTISPOOL_NEW_DATA%/*}/more/and\"";
    let mut command = bench.command("run");
    command
        .env("TMPDIR", &temporary)
        .args(["incoming", "--all", "--", "sh", "-c", script]);
    assert_eq!(run(&mut command).ended(0).text(), "700\nmetadata\n");
    assert!(names_in(&temporary).is_empty());
}

#[test]
fn a_new_data_that_is_no_file_fails_and_the_entry_goes_back() {
    let bench = Bench::new();
    bench.put("a");
    let script = "mkdir $MULTISPOOL_NEW_DATA";
    run_in_room(
        &bench,
        &[
            "incoming",
            "--all",
            "--save-to",
            "done",
            "--",
            "sh",
            "-c",
            script,
        ],
    )
    .ended(3)
    .saying("regular file");
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn all_tries_each_name_once_even_where_it_comes_back() {
    for end in [&["--save-to", "done"][..], &["--save-to", "incoming"]] {
        for exit in ["0", "1"] {
            let bench = Bench::new();
            bench.put_all(&["a", "b", "c"]);
            let script = format!("{LOG_NAME}; exit {exit}");
            let mut arguments = vec!["incoming", "--all", "--retry-after", "0s"];
            arguments.extend(end);
            arguments.extend(["--", "sh", "-c", &script]);
            run_in_room(&bench, &arguments).ended(exit.parse().unwrap());
            assert_eq!(log(&bench), ["a", "b", "c"], "{end:?}, exit {exit}");
        }
    }
}

#[test]
fn what_a_worker_held_that_died_meanwhile_is_taken_when_the_queue_runs_empty() {
    // The command of `a` has another run take `b` and die, and waits until that is so.
    let script = r#"echo "$MULTISPOOL_NAME" >> log
        test "$MULTISPOOL_NAME" = a || exit 0
        "$BINARY" run "$MULTISPOOL_SPOOL" incoming -- sh -c 'kill -9 $PPID'
        until "$BINARY" stats "$MULTISPOOL_SPOOL" --json | grep -q '"checked_out_dead":1'; do :; done"#;
    for limit in [&["--all"][..], &["--count", "2"]] {
        let bench = Bench::new();
        bench.put_all(&["a", "b"]);
        let begun = Instant::now();
        let mut command = bench.command("run");
        command
            .current_dir(bench.room.path())
            .env("BINARY", env!("CARGO_BIN_EXE_multispool"));
        run(command
            .arg("incoming")
            .args(limit)
            .args(["--", "sh", "-c", script]))
        .ended(0);
        assert_eq!(log(&bench), ["a", "b"]);
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "it was left to the regular recover"
        );
    }
}

#[test]
fn count_ends_after_that_many_and_waits_for_them() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c"]);
    run_in_room(
        &bench,
        &["incoming", "--count", "2", "--", "sh", "-c", LOG_NAME],
    )
    .ended(0);
    assert_eq!(log(&bench), ["a", "b"]);
    let mut command = bench.command("run");
    command
        .current_dir(bench.room.path())
        .args(["incoming", "--count", "2", "--", "sh", "-c", LOG_NAME]);
    let mut waiting = command.spawn().unwrap();
    bench.put("d");
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    assert_eq!(log(&bench), ["a", "b", "c", "d"]);
}

#[test]
fn what_a_dead_worker_held_is_taken() {
    let bench = Bench::new();
    bench.put("a");
    drop(bench.take("incoming", "a"));
    run_in_room(
        &bench,
        &["incoming", "--count", "1", "--", "sh", "-c", LOG_NAME],
    )
    .ended(0);
    assert_eq!(log(&bench), ["a"]);
}

#[test]
fn what_failed_waits_longer_each_time_while_others_go_first() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c"]);
    let script = format!("{LOG_NAME}; test $MULTISPOOL_NAME != a");
    let begun = Instant::now();
    run_in_room(
        &bench,
        &[
            "incoming",
            "--count",
            "5",
            "--retry-after",
            "200ms",
            "--",
            "sh",
            "-c",
            &script,
        ],
    )
    .ended(1);
    assert_eq!(log(&bench), ["a", "b", "c", "a", "a"]);
    assert!(
        begun.elapsed() >= Duration::from_millis(600),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_one_job_gave_back_another_does_not_take_at_once() {
    let bench = Bench::new();
    let names: Vec<String> = (0..12).map(|index| format!("n{index:02}")).collect();
    names.iter().for_each(|name| bench.put(name));
    let arguments = [
        "incoming",
        "--jobs",
        "4",
        "--count",
        "12",
        "--retry-after",
        "1h",
        "--",
        "sh",
        "-c",
    ];
    let script = format!("{LOG_NAME}; case $MULTISPOOL_NAME in n0[0-3]) exit 1;; esac");
    let mut command = bench.command("run");
    run(command
        .current_dir(bench.room.path())
        .args(arguments)
        .arg(script))
    .ended(1);
    let tried = log(&bench);
    assert_eq!(tried.len(), 12);
    assert_eq!(tried.iter().collect::<HashSet<_>>().len(), 12, "{tried:?}");
    assert_eq!(bench.list("incoming"), ["n00", "n01", "n02", "n03"]);
}

#[test]
fn jobs_run_at_the_same_time() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c"]);
    // Each waits until all three are there: one after the other, none would end.
    let script =
        "touch here.$MULTISPOOL_NAME; while [ $(ls here.* | wc -l) -lt 3 ]; do sleep 0.01; done";
    run_in_room(
        &bench,
        &["incoming", "--jobs", "3", "--all", "--", "sh", "-c", script],
    )
    .ended(0);
}

#[test]
fn a_command_that_is_not_there_ends_with_127_and_takes_nothing() {
    let bench = Bench::new();
    bench.put("a");
    for command in ["multispool-no-such-command", "/nonexistent/command", ""] {
        run_in_room(&bench, &["incoming", "--all", "--", command]).ended(127);
    }
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn a_command_that_cannot_be_executed_ends_with_126_and_takes_nothing() {
    let bench = Bench::new();
    bench.put("a");
    let plain = bench.file("plain", b"echo");
    for command in [plain.to_str().unwrap(), "/"] {
        run_in_room(&bench, &["incoming", "--all", "--", command]).ended(126);
    }
    let mut command = bench.command("run");
    run(command
        .env("PATH", bench.room.path())
        .args(["incoming", "--all", "--", "plain"]))
    .ended(126);
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn a_command_that_cannot_be_started_after_all_gives_its_entry_back() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.put("a");
    let script = bench.file("script", b"#!/nonexistent/interpreter\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    run_in_room(
        &bench,
        &[
            "incoming",
            "--failed",
            "failed",
            "--",
            script.to_str().unwrap(),
        ],
    )
    .ended(127);
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn a_damaged_entry_stops_nobody() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    fs::remove_file(bench.spool.join(".data/a")).unwrap();
    run_in_room(&bench, &["incoming", "--all", "--", "sh", "-c", LOG_NAME])
        .ended(3)
        .saying("a");
    assert_eq!(log(&bench), ["b"]);
}

#[test]
fn json_has_a_line_for_each_entry_and_the_command_s_output_goes_elsewhere() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    let script = "echo noise; test $MULTISPOOL_NAME = a || kill -9 $$";
    let arguments = [
        "incoming",
        "--all",
        "--json",
        "--save-to",
        "done",
        "--failed",
        "failed",
        "--",
        "sh",
        "-c",
        script,
    ];
    let ran = run_in_room(&bench, &arguments).ended(1).saying("noise");
    let lines = ran.json();
    assert_eq!(
        (&lines[0]["name"], &lines[0]["outcome"], &lines[0]["to"]),
        (&"a".into(), &"saved".into(), &"done".into())
    );
    assert_eq!(
        (&lines[1]["name"], &lines[1]["outcome"], &lines[1]["to"]),
        (&"b".into(), &"failed".into(), &"failed".into())
    );
    assert_eq!(
        (&lines[0]["exit_status"], &lines[1]["signal"]),
        (&0.into(), &9.into())
    );
}
