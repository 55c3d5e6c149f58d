//! What this program is as the command of a `multispool run`.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use conformance::Line;

fn variable(name: &str) -> Result<std::ffi::OsString> {
    std::env::var_os(name).with_context(|| format!("no {name} is set"))
}

/// Holds one entry: tells the agent what it is, and ends as the agent says.
pub fn one(socket: &Path) -> Result<ExitCode> {
    let mut agent = UnixStream::connect(socket)?;
    let metadata = fs::read(variable("MULTISPOOL_METADATA_FILE")?)?;
    let mut told = Line::new("OK")
        .with("queue", variable("MULTISPOOL_QUEUE")?.as_bytes())
        .with("name", variable("MULTISPOOL_NAME")?.as_bytes())
        .with("metadata", metadata)
        .with("process", std::process::id().to_string());
    for (key, name) in [
        ("data_file", "MULTISPOOL_DATA_FILE"),
        ("new_metadata", "MULTISPOOL_NEW_METADATA"),
    ] {
        told.push(key, variable(name)?.as_bytes());
    }
    writeln!(agent, "{told}")?;
    let mut word = String::new();
    BufReader::new(agent).read_line(&mut word)?;
    // Without a word the agent is gone, or wants the work to fail.
    Ok(if word.trim() == "done" {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Handles one entry of many: notes its metadata, makes the new one, and ends with the status.
pub fn each(log: &Path, status: &str, metadata: Option<&Path>) -> Result<ExitCode> {
    let line = Line::new("OK").with("metadata", fs::read(variable("MULTISPOOL_METADATA_FILE")?)?);
    writeln!(
        OpenOptions::new().create(true).append(true).open(log)?,
        "{line}"
    )?;
    if let Some(metadata) = metadata {
        fs::copy(metadata, variable("MULTISPOOL_NEW_METADATA")?)?;
    }
    Ok(ExitCode::from(status.parse::<u8>()?))
}
