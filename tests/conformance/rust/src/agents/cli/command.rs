//! Runs of `multispool`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use conformance::Line;
use serde_json::Value;

/// `multispool VERB`, to which arguments are added.
pub fn multispool(verb: &str) -> Command {
    let mut command = Command::new("multispool");
    command.arg(verb).stdin(Stdio::null());
    command
}

/// Bytes as an argument.
pub fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// An option and its value in one word, whatever the value begins with.
pub fn option(name: &str, value: &[u8]) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(name);
    word.push("=");
    word.push(os(value));
    word
}

/// The option for a time in milliseconds, if the step gives one.
pub fn time(command: &mut Command, option: &str, step: &Line, key: &str) -> Result<()> {
    if let Some(number) = step.number(key)? {
        command.arg(format!("{option}={number}ms"));
    }
    Ok(())
}

/// The option for a durability, if the step gives one.
pub fn durability(command: &mut Command, step: &Line) -> Result<()> {
    if let Some(word) = step.text("durability")? {
        command.arg(format!("--durability={word}"));
    }
    Ok(())
}

/// Runs it to its end.
pub fn run(command: &mut Command) -> Result<Output> {
    command.output().context("multispool does not start")
}

/// What an exit status says, with what was told on standard error.
pub fn status(output: &Output) -> Line {
    let word = match output.status.code() {
        Some(0) => "OK",
        Some(1) => "NEGATIVE",
        Some(2) => "WRONG_USAGE",
        Some(3) => "FAILED",
        Some(4) => "NOT_DURABLE",
        _ => "ERROR",
    };
    let mut answer = Line::new(word);
    if word != "OK" {
        answer.push("message", output.stderr.trim_ascii());
    }
    answer
}

/// The objects that were printed, a line each.
pub fn objects(output: &Output) -> Result<Vec<Value>> {
    std::str::from_utf8(&output.stdout)?
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// A value of an object: text, or base64 where it is not UTF-8.
pub fn bytes(object: &Value, key: &str) -> Result<Vec<u8>> {
    if let Some(text) = object.get(key).and_then(Value::as_str) {
        return Ok(text.as_bytes().to_vec());
    }
    let encoded = object.get(format!("{key}_base64"));
    let encoded = encoded
        .and_then(Value::as_str)
        .with_context(|| format!("no {key} in {object}"))?;
    Ok(STANDARD.decode(encoded)?)
}

/// The names that were printed with a NUL after each.
pub fn names(output: &Output) -> Vec<&[u8]> {
    let mut names: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    // After the last one.
    names.pop();
    names
}
