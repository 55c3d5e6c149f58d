//! The command: found before anything is taken, as env(1) finds it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use rustix::fs::{Access, access};

/// Where execvp(3) looks when PATH is not set.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The command cannot be run: 127 not found, 126 found but not executable.
#[derive(Debug)]
pub struct NotRunnable {
    pub status: u8,
    program: OsString,
    reason: String,
}

impl fmt::Display for NotRunnable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot run {:?}: {}", self.program, self.reason)
    }
}

impl std::error::Error for NotRunnable {}

pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    name: OsString,
}

impl Program {
    pub fn look_up(command: &[OsString]) -> Result<Self> {
        let (name, arguments) = match command.split_first() {
            Some((name, arguments)) => (name.clone(), arguments.to_vec()),
            None => (OsString::new(), Vec::new()),
        };
        let path = find(&name)?;
        Ok(Self {
            path,
            arguments,
            name,
        })
    }

    pub fn command(&self) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&self.path);
        command.arg0(&self.name).args(&self.arguments);
        command
    }

    /// What a failed start says about the command itself; None where the system is to blame
    /// and a later try may do better.
    pub fn refusal(&self, error: &io::Error) -> Option<NotRunnable> {
        let status = match error.kind() {
            io::ErrorKind::NotFound => 127,
            io::ErrorKind::PermissionDenied => 126,
            _ if error.raw_os_error() == Some(libc::ENOEXEC) => 126,
            _ => return None,
        };
        Some(NotRunnable {
            status,
            program: self.name.clone(),
            reason: error.to_string(),
        })
    }
}

fn find(name: &OsStr) -> Result<PathBuf> {
    let refused = |status, reason: &str| {
        Err(NotRunnable {
            status,
            program: name.to_owned(),
            reason: reason.to_owned(),
        }
        .into())
    };
    if name.as_bytes().contains(&b'/') {
        let path = Path::new(name);
        return match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                refused(126, "permission denied")
            }
            Err(error) => refused(127, &error.to_string()),
            Ok(about) if about.is_dir() => refused(126, "it is a directory"),
            Ok(_) if !is_executable(path) => refused(126, "it is not executable; chmod +x it"),
            Ok(_) => Ok(std::path::absolute(path)?),
        };
    }
    if name.is_empty() {
        return refused(127, "the name is empty");
    }
    let searched = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let mut forbidden = None;
    for directory in env::split_paths(&searched) {
        // An empty part of PATH is the current directory.
        let candidate = std::path::absolute(Path::new(".").join(directory).join(name))?;
        if !fs::metadata(&candidate).is_ok_and(|about| about.is_file()) {
            continue;
        }
        if is_executable(&candidate) {
            return Ok(candidate);
        }
        forbidden.get_or_insert(candidate);
    }
    match forbidden {
        Some(path) => refused(126, &format!("{path:?} is not executable; chmod +x it")),
        None => refused(127, "it is not in any directory of PATH"),
    }
}

fn is_executable(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}
