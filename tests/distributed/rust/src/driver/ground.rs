//! The distributed file system, and what befalls its hosts (tests/distributed/moosefs).

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A client, and its mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    A,
    B,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::A, Side::B];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::A => "a",
            Side::B => "b",
        })
    }
}

pub struct Ground {
    script: PathBuf,
    dir: PathBuf,
}

impl Ground {
    pub fn up(script: PathBuf, dir: PathBuf) -> Result<Ground> {
        let ground = Ground { script, dir };
        ground.tell("up", "")?;
        Ok(ground)
    }

    pub fn mount(&self, side: Side) -> PathBuf {
        self.dir.join(side.to_string())
    }

    /// SIGKILL to all of a host's processes.
    pub fn kill(&self, host: &str) -> Result<()> {
        self.tell("kill", host)
    }

    pub fn start(&self, host: &str) -> Result<()> {
        self.tell("start", host)
    }

    /// Cuts a host off from all others.
    pub fn cut(&self, host: &str) -> Result<()> {
        self.tell("cut", host)
    }

    pub fn join(&self, host: &str) -> Result<()> {
        self.tell("join", host)
    }

    fn tell(&self, verb: &str, host: &str) -> Result<()> {
        let mut command = Command::new(&self.script);
        command.arg(verb).arg(&self.dir);
        if !host.is_empty() {
            command.arg(host);
        }
        run(&mut command)
    }
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?}: {}: {said}",
        output.status
    );
    Ok(())
}

/// A spool's directory by way of a side's mount.
pub fn spool_on(ground: &Ground, side: Side, name: &str) -> PathBuf {
    ground.mount(side).join(name)
}

/// The names in a directory, without those that begin with a dot.
pub fn names_in(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in dir
        .read_dir()
        .with_context(|| format!("{}", dir.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
