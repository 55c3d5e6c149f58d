//! SIGTERM and SIGINT finish or undo what is in hand; SIGKILL leaves it to recover.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::binary::{Bench, names_in};

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for the end of a process; one that does not end is a failure, not a test that hangs.
fn ended(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("the process goes on after the signal");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A `run` whose command said that it has begun, and ends when something is written to the FIFO.
struct Working {
    run: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

fn working(bench: &Bench) -> Working {
    mknodat(CWD, bench.path("gate"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let script = "echo begun; cat gate > /dev/null; echo ended";
    let mut command = bench.command("run");
    command.current_dir(bench.room.path()).args([
        "incoming",
        "--save-to",
        "done",
        "--",
        "sh",
        "-c",
        script,
    ]);
    let mut run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let err = BufReader::new(run.stderr.take().unwrap());
    assert_eq!(line(&mut out), "begun\n");
    Working { run, out, err }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

fn open_gate(bench: &Bench) {
    std::fs::OpenOptions::new()
        .write(true)
        .open(bench.path("gate"))
        .unwrap()
        .write_all(b"go")
        .unwrap();
}

#[test]
fn the_first_signal_lets_the_command_in_hand_finish() {
    for first in [Signal::TERM, Signal::INT] {
        let bench = Bench::new();
        bench.put_all(&["a", "b"]);
        let mut working = working(&bench);
        signal(&working.run, first);
        assert!(line(&mut working.err).contains("second signal"));
        open_gate(&bench);
        assert_eq!(ended(&mut working.run).code(), Some(0));
        assert_eq!(line(&mut working.out), "ended\n");
        assert_eq!(bench.list("done"), ["a"]);
        assert_eq!(bench.list("incoming"), ["b"]);
    }
}

#[test]
fn the_second_signal_kills_the_command_and_gives_the_entry_back() {
    let bench = Bench::new();
    bench.put("a");
    let mut working = working(&bench);
    signal(&working.run, Signal::TERM);
    assert!(line(&mut working.err).contains("second signal"));
    signal(&working.run, Signal::TERM);
    assert_eq!(ended(&mut working.run).code(), Some(1));
    // The end of this pipe says that nobody of the command's lives.
    let mut rest = String::new();
    working.out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(bench.list("incoming"), ["a"]);
    assert!(bench.checkouts("incoming").is_empty());
}

#[test]
fn while_the_command_lives_its_entry_is_not_handed_out_though_run_was_killed() {
    let bench = Bench::new();
    bench.put("a");
    let mut working = working(&bench);
    signal(&working.run, Signal::KILL);
    ended(&mut working.run);
    assert_eq!(bench.run("recover", &[]).ended(0).text(), "");
    assert_eq!(bench.checkouts("incoming"), ["a"]);
    open_gate(&bench);
    let mut rest = String::new();
    working.out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ended\n");
    assert_eq!(bench.run("recover", &[]).ended(0).text(), "a\n");
}

#[test]
fn an_idle_run_ends_at_once_and_well() {
    let bench = Bench::new();
    let script = "echo begun";
    let mut command = bench.command("run");
    let mut run = command
        .args(["incoming", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap());
    bench.put("a");
    assert_eq!(line(&mut out), "begun\n");
    signal(&run, Signal::TERM);
    assert_eq!(ended(&mut run).code(), Some(0));
    assert!(bench.list("incoming").is_empty());
}

#[test]
fn a_waiting_dequeue_dies_by_the_signal_and_holds_nothing() {
    let bench = Bench::new();
    let mut command = bench.command("dequeue");
    let mut waiting = command
        .args(["incoming", "--wait", "--remove"])
        .spawn()
        .unwrap();
    signal(&waiting, Signal::INT);
    assert_eq!(ended(&mut waiting).signal(), Some(Signal::INT.as_raw()));
    bench.put("a");
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn an_enqueue_interrupted_while_it_reads_undoes_all_it_made() {
    let bench = Bench::new();
    let mut command = bench.command("enqueue");
    let mut reading = command
        .arg("incoming")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // More than a pipe holds: when this returns, the data is being read.
    reading
        .stdin
        .as_mut()
        .unwrap()
        .write_all(&vec![0; 1 << 20])
        .unwrap();
    signal(&reading, Signal::TERM);
    // Its input is still open: only the signal can have ended it.
    assert_eq!(ended(&mut reading).signal(), Some(Signal::TERM.as_raw()));
    let mut out = String::new();
    reading
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert_eq!(out, "");
    for directory in [".registry", ".data", ".tmp", "incoming/.checkout"] {
        assert!(
            names_in(&bench.spool.join(directory)).is_empty(),
            "{directory}"
        );
    }
}
