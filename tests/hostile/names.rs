//! Names that a file may have and a person would not give it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};

use crate::commands::VERBS;
use crate::operations::{Kind, OPERATIONS, open};
use crate::suite::{Suite, judge, judge_command};
use crate::told::{Teller, Told, escaped};
use crate::yard::{Yard, contents_of};

fn names() -> Vec<OsString> {
    let longest = [b'n'; 255];
    let longest_temporary = [&[b't'; 244][..], b".tmp.abcdef"].concat();
    let names: [&[u8]; 19] = [
        b" ",
        b"-rf",
        b"--",
        b"%s%n",
        b"~",
        b"*",
        b"in",
        b"out",
        b"format",
        b"x.tmp.abcdef",
        b"two\nmultispool: lines",
        b"a\ttab\rand a return",
        b"\x1b[2J\x1b]0;a title\x07",
        "\u{9b}2J".as_bytes(),
        "\u{202e}gpj.exe".as_bytes(),
        "e\u{301}".as_bytes(),
        b"\xff\xfe",
        &longest,
        &longest_temporary,
    ];
    names
        .iter()
        .map(|name| OsString::from_vec(name.to_vec()))
        .collect()
}

/// A yard with an entry of each name, and a queue whose name is no better.
fn planted() -> Yard {
    let yard = Yard::new(&["in", "out", "q\u{1b}[2J\nq"]);
    let spool = yard.open();
    for name in names() {
        yard.enqueue(&spool, &name);
    }
    yard.share();
    yard
}

pub fn run(suite: &mut Suite) {
    for operation in OPERATIONS {
        let takes = matches!(operation.kind, Kind::Takes | Kind::Reads);
        suite.case(&format!("names/{}", operation.name), |suite| {
            let yard = planted();
            let ended = suite.run_worker(&yard, |told| {
                operation.begin(open(&yard.spool_dir()), &mut Teller::new(told));
            });
            let told = Told::read(&ended.out);
            let mut faults = judge(&ended, &told);
            for name in names() {
                if takes && !told.had.contains(&escaped(name.display())) {
                    faults.push(format!("the entry {name:?} was not had"));
                }
            }
            if operation.name == "dequeue-available" {
                faults.extend(not_as_enqueued(&yard));
            }
            faults
        });
    }
    for verb in VERBS {
        suite.case(&format!("names/command-{}", verb.name), |suite| {
            let yard = planted();
            damage(&yard);
            let ended = verb.once(suite, &yard, &[]);
            let mut faults = judge_command(&ended);
            let lines = String::from_utf8_lossy(&ended.out).into_owned();
            if verb.is_told_in_lines() && steers(&lines) {
                faults.push(format!("its output could steer a terminal: {lines:?}"));
            }
            faults
        });
    }
    for arguments in [
        &["list", "in"][..],
        &["recover"],
        &["queues"],
        &["stats"],
        &["fsck"],
    ] {
        suite.case(&format!("names/terminal-{}", arguments[0]), |suite| {
            on_a_terminal(suite, arguments)
        });
    }
}

/// Takes the data of every second entry away, so that there is something to be said of them.
fn damage(yard: &Yard) {
    for name in names().iter().step_by(2) {
        fs::remove_file(yard.inside(".data").join(name)).unwrap();
    }
}

fn not_as_enqueued(yard: &Yard) -> Vec<String> {
    let is_so = |name: &OsStr| {
        let (about, data) = contents_of(name);
        let read = |dir: &str| fs::read(yard.inside(dir).join(name)).ok();
        read("out") == Some(about) && read(".data") == Some(data)
    };
    let names = names().into_iter().filter(|name| !is_so(name));
    names
        .map(|name| format!("{name:?} is not in `out` as it was enqueued"))
        .collect()
}

/// Whether this could do more to a terminal than show letters on lines.
fn steers(text: &str) -> bool {
    text.chars().any(|letter| {
        letter.is_control() && letter != '\n' || ('\u{202a}'..='\u{202e}').contains(&letter)
    })
}

fn on_a_terminal(suite: &Suite, arguments: &[&str]) -> Vec<String> {
    let yard = planted();
    damage(&yard);
    let (mut ours, theirs) = terminal();
    let mut command = suite.command(&yard);
    let (verb, rest) = arguments.split_first().unwrap();
    command.arg(verb).arg(yard.spool_dir()).args(rest);
    let shown = show(command, theirs, &mut ours);
    let mut faults = Vec::new();
    if steers(&shown.replace("\r\n", "\n")) {
        faults.push(format!("what a terminal gets could steer it: {shown:?}"));
    }
    if *verb == "list" && shown.lines().count() != names().len() {
        faults.push(format!("not a name a line: {shown:?}"));
    }
    faults
}

fn show(mut command: Command, theirs: OwnedFd, ours: &mut File) -> String {
    command
        .stdin(Stdio::null())
        .stderr(theirs.try_clone().unwrap())
        .stdout(theirs);
    let mut child = command.spawn().unwrap();
    // The command holds the terminal's other end too: with it gone, our reading ends (EIO).
    drop(command);
    let mut shown = Vec::new();
    let _ = ours.read_to_end(&mut shown);
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

/// A new terminal: our end, and the end for a command.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    // SAFETY: both numbers are ours to be written; nothing else is asked for.
    let answer = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    assert_eq!(answer, 0);
    // SAFETY: openpty gave two new descriptors that nobody else owns.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}
