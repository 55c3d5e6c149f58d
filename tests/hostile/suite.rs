//! The suite: which cases are run, what they run in, and what came of them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::child::{self, Ended, Running};
use crate::told::{Told, is_in};
use crate::yard::{SECRET, Yard};

pub struct Suite {
    /// Only cases whose names begin with one of these, if there are any.
    pub only: Vec<String>,
    /// In seconds: who takes longer hangs.
    pub patience: u32,
    /// In milliseconds, for each race.
    pub race: u64,
    pub seed: u64,
    /// The command, the library and the program in C, where every user may run them.
    bin: TempDir,
    pub passed: usize,
    pub failed: usize,
    /// Entries with something planted in them, over all cases.
    pub weeds: usize,
    /// How often a racing planter put something in the place of something else, and how many steps the
    /// workers made meanwhile.
    pub swaps: u64,
    pub steps: u64,
    /// How often a planter struck between two system calls.
    pub strikes: u64,
    /// Of the moments for a strike, every so-manieth is tried.
    pub stride: usize,
    /// A second strike follows the first at most this many system calls later.
    pub span: usize,
}

impl Suite {
    pub fn new() -> Suite {
        let bin = tempfile::tempdir().unwrap();
        open_to_run(bin.path());
        let copy = |from: PathBuf, name: &str| {
            let to = bin.path().join(name);
            fs::copy(from, &to).unwrap();
            open_to_run(&to);
        };
        copy(env!("CARGO_BIN_EXE_multispool").into(), "multispool");
        // The library of this build is beside this program.
        let here = std::env::current_exe().unwrap();
        copy(
            here.with_file_name("libmultispool.so"),
            "libmultispool.so.0",
        );
        Suite {
            only: listed("HOSTILE_ONLY"),
            patience: number("HOSTILE_PATIENCE", 30),
            race: number("HOSTILE_RACE_MS", 300),
            seed: number("HOSTILE_SEED", std::process::id().into()),
            stride: number("HOSTILE_STRIDE", 1),
            span: number("HOSTILE_SPAN", 2),
            bin,
            passed: 0,
            failed: 0,
            weeds: 0,
            swaps: 0,
            steps: 0,
            strikes: 0,
        }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only.as_str()))
    }

    /// Runs a case, which answers with all that is wrong.
    pub fn case(&mut self, name: &str, body: impl FnOnce(&mut Suite) -> Vec<String>) {
        if !self.wants(name) {
            return;
        }
        let faults = body(self);
        if faults.is_empty() {
            self.passed += 1;
            return;
        }
        self.failed += 1;
        println!("FAILED {name}");
        for fault in faults.iter().take(20) {
            println!("    {fault}");
        }
        if faults.len() > 20 {
            println!("    and {} more", faults.len() - 20);
        }
    }

    pub fn run_worker(&self, yard: &Yard, body: impl FnOnce(&mut dyn Write)) -> Ended {
        child::run(&yard.path("told"), self.patience, body)
    }

    pub fn start_worker(&self, told: &Path, body: impl FnOnce(&mut dyn Write)) -> Running {
        child::start(told, self.patience, body)
    }

    /// The command, to which arguments are to be added.
    pub fn command(&self, yard: &Yard) -> Command {
        let mut command = Command::new(self.bin.path().join("multispool"));
        command.env("TMPDIR", yard.path("tmp"));
        command
    }

    pub fn run_command(&self, yard: &Yard, command: &mut Command) -> Ended {
        child::run_command(command, &yard.path("staging"), self.patience)
    }

    /// Runs the program in C on the yard's spool.
    pub fn run_program(&self, yard: &Yard) -> Ended {
        let program = self.program();
        self.run_command(yard, Command::new(program).arg(yard.spool_dir()))
    }

    /// The program in C, built if this is the first use of it.
    fn program(&self) -> PathBuf {
        let program = self.bin.path().join("program");
        if !program.exists() {
            let top = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut cc = Command::new("cc");
            cc.args([
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-o",
            ])
            .arg(&program)
            .arg(top.join("tests/hostile/program.c"))
            .arg("-I")
            .arg(top.join("include"))
            .arg(self.bin.path().join("libmultispool.so.0"))
            .arg(format!("-Wl,-rpath,{}", self.bin.path().display()));
            let built = cc.output().expect("cc");
            let said = String::from_utf8_lossy(&built.stderr);
            assert!(built.status.success(), "{said}");
            open_to_run(&program);
        }
        program
    }
}

/// For every user: the workers are others than who builds.
fn open_to_run(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What is wrong with how a worker did an operation that must succeed.
pub fn judge(ended: &Ended, told: &Told) -> Vec<String> {
    let mut faults = judge_conduct(ended, told);
    for failed in &told.failed {
        faults.push(format!("the operation failed: {failed}"));
    }
    faults
}

/// What is wrong with how a worker ended and what it saw, whether or not the operation failed.
pub fn judge_conduct(ended: &Ended, told: &Told) -> Vec<String> {
    let mut faults = ended.faults.clone();
    if ended.status.is_some_and(|status| status != 0) {
        let said = String::from_utf8_lossy(&ended.err);
        faults.push(format!("it ended with {:?}: {said}", ended.status));
    }
    if told.leaked {
        faults.push("it read what is outside".to_owned());
    }
    faults
}

/// What is wrong with how a command ended.
pub fn judge_command(ended: &Ended) -> Vec<String> {
    let mut faults = ended.faults.clone();
    let said = String::from_utf8_lossy(&ended.err);
    if is_in(SECRET, &ended.out) || is_in(SECRET, &ended.err) {
        faults.push("it printed what is outside".to_owned());
    }
    // Done, "not all was done", or a failure that was told; never a panic.
    if !matches!(ended.status, Some(0 | 1 | 3)) || said.contains("panicked") {
        faults.push(format!("it ended with {:?}: {said}", ended.status));
    }
    let controls = |text: &str| {
        text.chars()
            .any(|letter| letter.is_control() && letter != '\n')
    };
    if controls(&said) {
        faults.push(format!("its messages could steer a terminal: {said:?}"));
    }
    faults
}

fn listed(variable: &str) -> Vec<String> {
    let words = std::env::var(variable).unwrap_or_default();
    let words = words.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn number<T: std::str::FromStr>(variable: &str, usual: T) -> T
where
    T::Err: std::fmt::Debug,
{
    std::env::var(variable).map_or(usual, |number| number.parse().unwrap())
}
