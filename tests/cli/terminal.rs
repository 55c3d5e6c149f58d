//! On a terminal, many files show their progress.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Stdio;
use std::ptr;

use crate::binary::{Bench, Ran, run};

/// A new terminal: our end, and the end for a command.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let size = libc::winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: both numbers and the size are ours to be read and written; no name is asked for.
    let answer = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            ptr::null_mut(),
            ptr::null(),
            &raw const size,
        )
    };
    assert_eq!(answer, 0);
    // SAFETY: openpty gave two new descriptors that nobody else owns.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

#[test]
fn progress_is_drawn_on_a_terminal_and_names_are_whole() {
    let bench = Bench::new();
    let files: Vec<_> = (0..50)
        .map(|index| bench.file(&format!("{index}"), b"x"))
        .collect();
    let (mut ours, theirs) = terminal();
    let mut command = bench.command("enqueue");
    command
        .env("TERM", "xterm")
        .args(["incoming", "--files"])
        .args(files)
        .stdout(Stdio::piped())
        .stderr(theirs);
    let child = command.spawn().unwrap();
    // The command holds the terminal's other end too: with it gone, our reading ends (EIO).
    drop(command);
    let drawn = std::thread::spawn(move || {
        let mut drawn = Vec::new();
        let _ = ours.read_to_end(&mut drawn);
        String::from_utf8_lossy(&drawn).into_owned()
    });
    let ran = Ran::new(child.wait_with_output().unwrap()).ended(0);
    assert!(drawn.join().unwrap().contains("/50 files"));
    let mut names = ran.lines();
    names.sort();
    assert_eq!(names, bench.list("incoming"));
}

#[test]
fn without_a_terminal_nothing_is_drawn() {
    let bench = Bench::new();
    let file = bench.file("file", b"x");
    assert_eq!(
        run(bench
            .command("enqueue")
            .args(["incoming", "--files"])
            .arg(file))
        .ended(0)
        .err,
        ""
    );
}
