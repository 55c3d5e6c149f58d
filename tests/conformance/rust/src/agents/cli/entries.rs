//! Steps about entries in their queues.

use std::fs;

use anyhow::{Result, bail};
use conformance::Line;

use crate::Shell;
use crate::command::{bytes, durability, multispool, names, objects, option, os, run, status};

pub fn enqueue(shell: &Shell, step: &Line) -> Result<Line> {
    let metadata = shell.scratch.path().join("metadata");
    fs::write(&metadata, step.get("metadata").unwrap_or_default())?;
    let data = match step.get("path") {
        Some(path) => os(path).into(),
        None => {
            let data = shell.scratch.path().join("data");
            fs::write(&data, step.get("data").unwrap_or_default())?;
            data
        }
    };
    let mut command = multispool("enqueue");
    command
        .arg("--json")
        .arg("--metadata-file")
        .arg(metadata)
        .arg("--data")
        .arg(data);
    if let Some(name) = step.get("name") {
        command.arg(option("--name", name));
    }
    if step.yes("reserve") {
        command.arg("--reserve");
    }
    durability(&mut command, step)?;
    let output = run(command
        .arg(shell.spool(step)?)
        .arg("--")
        .arg(os(step.need("queue")?)))?;
    let mut answer = status(&output);
    for object in objects(&output)? {
        answer.push("queue", bytes(&object, "queue")?);
        answer.push("name", bytes(&object, "name")?);
    }
    Ok(answer)
}

pub fn list(shell: &Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("list");
    command.arg("-0");
    if step.word == "list_checkouts" {
        command.arg("--checkouts");
    }
    let output = run(command
        .arg(shell.spool(step)?)
        .arg("--")
        .arg(os(step.need("queue")?)))?;
    let mut answer = status(&output);
    for name in names(&output) {
        answer.push("entry", name);
    }
    Ok(answer)
}

/// Prints metadata or data, exactly.
pub fn read(shell: &Shell, step: &Line, verb: &str, key: &str) -> Result<Line> {
    let mut command = multispool(verb);
    command
        .arg(shell.spool(step)?)
        .arg("--")
        .arg(os(step.need("queue")?));
    let output = run(command.arg(os(step.need("name")?)))?;
    let mut answer = status(&output);
    if answer.word == "OK" {
        answer.push(key, &output.stdout);
    }
    Ok(answer)
}

/// Moves or removes an entry by its name.
pub fn with_entry(shell: &Shell, step: &Line) -> Result<Line> {
    let queue = os(step.need("queue")?);
    let mut command = match step.word_of("outcome")? {
        "save" => {
            let mut command = multispool("move");
            command
                .arg("--json")
                .arg(shell.spool(step)?)
                .arg("--")
                .arg(queue)
                .arg(os(step.need("to")?));
            command
        }
        "remove" => {
            let mut command = multispool("remove");
            command
                .arg("--json")
                .arg(shell.spool(step)?)
                .arg("--")
                .arg(queue);
            command
        }
        other => bail!("no verb ends with '{other}'"),
    };
    let output = run(command.arg(os(step.need("name")?)))?;
    let mut answer = status(&output);
    let is_gone = objects(&output)?
        .iter()
        .any(|object| object["outcome"] == "not_found");
    if is_gone {
        // The verb does not ask whether that was expected.
        let word = if step.word == "with_entry" {
            "MISSING"
        } else {
            "NOT_FOUND"
        };
        word.clone_into(&mut answer.word);
    }
    Ok(answer)
}
