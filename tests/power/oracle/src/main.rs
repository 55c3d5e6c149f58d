//! Judges what a cut of the power left of a spool, by the log that the workers wrote outside of it.
//!
//! ```text
//! power-oracle cut SPOOL LOG FSCK FOUND    after the cut: LOG as in log.h; FSCK is the output of `fsck --json`;
//!                                          FOUND is written: the entries that are there, NAME QUEUE METADATA DATA
//! power-oracle mended SPOOL FOUND          after recover and repair: the entries of FOUND, and nothing else
//! ```
//!
//! Prints figures, a number and what it counts on each line. Exit status: 0 all promises were kept, 10 one was
//! broken, 1 something else is wrong, 2 wrong usage. What is wrong is told on standard error.

mod content;
mod disk;
mod fsck;
mod log;
mod model;
mod verdict;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use disk::Disk;
use model::Model;
use verdict::Verdict;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let judged = match arguments[..] {
        ["cut", spool, log, fsck, found] => judge_cut(spool, log, fsck, found),
        ["mended", spool, found] => judge_mended(spool, found),
        _ => {
            eprintln!("usage: power-oracle cut SPOOL LOG FSCK FOUND | mended SPOOL FOUND");
            return ExitCode::from(2);
        }
    };
    match judged {
        Ok(verdict) => verdict.tell(),
        Err(error) => {
            eprintln!("oracle: {error}");
            ExitCode::FAILURE
        }
    }
}

fn judge_cut(spool: &str, log: &str, fsck: &str, found: &str) -> Result<Verdict, String> {
    let mut model = Model::default();
    let mut verdict = Verdict::default();
    for (number, line) in read(log)?.lines().enumerate() {
        log::parse(line)
            .and_then(|record| model.follow(record, &mut verdict))
            .map_err(|error| format!("{log}:{}: {error}: {line}", number + 1))?;
    }
    let disk = Disk::read(Path::new(spool))?;
    let problems = fsck::parse(&read(fsck)?)?;
    model.judge(&disk, &mut verdict);
    fsck::judge(&problems, &disk, &mut verdict);
    fs::write(found, disk.entries_as_lines()).map_err(|error| format!("{found}: {error}"))?;
    Ok(verdict)
}

fn judge_mended(spool: &str, found: &str) -> Result<Verdict, String> {
    let disk = Disk::read(Path::new(spool))?;
    let mut verdict = Verdict::default();
    let expected = read(found)?;
    let actual = disk.entries_as_lines();
    for line in expected.lines() {
        if !actual.lines().any(|other| other == line) {
            verdict.broken(format!(
                "after recover and repair there is no longer: {line}"
            ));
        }
    }
    for line in actual.lines() {
        if !expected.lines().any(|other| other == line) {
            verdict.broken(format!("after recover and repair there is: {line}"));
        }
    }
    for entry in disk.entries.iter().filter(|entry| entry.is_checked_out) {
        verdict.broken(format!("{entry} was not recovered"));
    }
    for leftover in disk.leftovers() {
        verdict.broken(format!("{leftover} was not repaired"));
    }
    Ok(verdict)
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
