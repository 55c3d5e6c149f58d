//! Runs an operation under strace, and counts its system calls.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::counts::Counts;
use crate::operate::{BEGIN, END, Operation, VERB};

/// Whether memory is asked of the kernel depends on what was freed before: these belong to no operation.
const MEMORY: [&str; 6] = ["brk", "madvise", "mmap", "mprotect", "mremap", "munmap"];

/// What is run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub program: &'a Path,
    pub operation: Operation,
    pub durability: &'a str,
    /// Steps that are left out.
    pub omitted: &'a str,
    /// What is done besides, to be noticed.
    pub in_vain: u64,
}

impl Run<'_> {
    /// The command, under a tool with its options, in an empty directory: prepared for so many operations, of which it does
    /// so many.
    pub fn command(&self, tool: &[&str], dir: &Path, [prepared, times]: [u64; 2]) -> Command {
        let mut command = Command::new(tool[0]);
        command
            .args(&tool[1..])
            .arg(self.program)
            .args([VERB, self.operation.name(), self.durability])
            .arg(dir)
            .args([prepared, times, self.in_vain].map(|number| number.to_string()))
            .env("MULTISPOOL_OMIT", self.omitted);
        command
    }

    /// The system calls of one operation, in a spool in this directory.
    pub fn calls(&self, dir: &Path, times: u64) -> Result<Counts, String> {
        let room = tempfile::tempdir_in(dir).map_err(|error| error.to_string())?;
        let trace = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        let trace = trace.path();
        let to = trace
            .to_str()
            .ok_or("the temporary directory is not UTF-8")?;
        let tool = ["strace", "-f", "-qq", "-o", to, "--"];
        succeed(self.command(&tool, room.path(), [times, times]))?;
        let lines = fs::read_to_string(trace).map_err(|error| error.to_string())?;
        count(&lines).map(|counts| counts.of_each(times))
    }
}

/// What it printed.
pub fn succeed(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(told.into_owned()),
        false => Err(format!("{command:?} failed: {told}")),
    }
}

fn count(lines: &str) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let mut lines = lines.lines();
    lines
        .find(|line| line.contains(BEGIN))
        .ok_or("the operation did not begin")?;
    for line in lines {
        if line.contains(END) {
            return Ok(counts);
        }
        // The second half of a call that another thread came between was counted with its first.
        let (_, call) = line.split_once(' ').ok_or(line)?;
        let call = call.trim_start();
        if call.starts_with("<... ") {
            continue;
        }
        let (name, _) = call.split_once('(').ok_or(line)?;
        if !MEMORY.contains(&name) {
            counts.add(name);
        }
    }
    Err("the operation did not end".to_owned())
}
