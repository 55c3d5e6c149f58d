//! Steps about a whole spool.

use anyhow::{Context, Result};
use conformance::Line;
use serde_json::Value;

use crate::Shell;
use crate::command::{
    bytes, durability, multispool, names, objects, option, os, run, status, time,
};

pub fn create(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("create");
    if step.get("owners") == Some(b"mixed") {
        command.arg("--mixed");
    }
    if let Some(mode) = step.text("mode")? {
        command.arg(format!("--mode={mode}"));
    }
    let dir = os(step.need("dir")?);
    command.arg("--").arg(dir).args(step.all("queue").map(os));
    keep(shell, step, status(&run(&mut command)?))
}

/// No verb loads alone: one that only looks does it, too.
pub fn load(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("stats");
    command.arg(os(step.need("dir")?));
    keep(shell, step, status(&run(&mut command)?))
}

fn keep(shell: &mut Shell, step: &Line, answer: Line) -> Result<Line> {
    if answer.word == "OK" {
        let name = step.word_of("as")?.to_owned();
        shell.spools.insert(name, os(step.need("dir")?).into());
    }
    Ok(answer)
}

pub fn discover(step: &Line) -> Result<Line> {
    let output = run(multispool("queues").arg("-0").arg(os(step.need("dir")?)))?;
    let mut answer = status(&output);
    for queue in names(&output) {
        answer.push("queue", queue);
    }
    Ok(answer)
}

pub fn recover(shell: &Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("recover");
    command.arg("--json");
    time(&mut command, "--min-age", step, "min_age_ms")?;
    durability(&mut command, step)?;
    let output = run(command.arg(shell.spool(step)?))?;
    let mut answer = status(&output);
    for object in objects(&output)? {
        let place = [bytes(&object, "queue")?, bytes(&object, "name")?].join(&b'/');
        answer.push("entry", place);
    }
    Ok(answer)
}

pub fn plan(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut arguments = Vec::new();
    if let Some(age) = step.number("min_age_ms")? {
        arguments.push(format!("--min-age={age}ms").into_bytes());
    }
    if let Some(to) = step.get("to") {
        arguments.push(option("--to", to).into_encoded_bytes());
    }
    arguments.push(shell.spool(step)?.as_os_str().as_encoded_bytes().to_vec());
    let answer = repair(&arguments, &[])?;
    shell
        .plans
        .insert(step.word_of("as")?.to_owned(), arguments);
    Ok(answer)
}

pub fn apply(shell: &Shell, step: &Line) -> Result<Line> {
    let plan = shell
        .plans
        .get(step.word_of("plan")?)
        .context("no such plan")?;
    repair(plan, &["--apply"])
}

fn repair(arguments: &[Vec<u8>], more: &[&str]) -> Result<Line> {
    let mut command = multispool("repair");
    command.arg("--json").args(more);
    let output = run(command.args(arguments.iter().map(|argument| os(argument))))?;
    let mut answer = status(&output);
    for object in objects(&output)? {
        let place = [bytes(&object, "place")?, bytes(&object, "name")?].join(&b'/');
        answer.push("step", [bytes(&object, "action")?, place].join(&b' '));
    }
    Ok(answer)
}

pub fn stats(shell: &Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("stats");
    command.arg("--json");
    if step.yes("bytes") {
        command.arg("--bytes");
    }
    let output = run(command.arg(shell.spool(step)?))?;
    let mut answer = status(&output);
    let queue = step.need("queue")?;
    for object in objects(&output)? {
        if object.get("spool").is_some() || bytes(&object, "queue")? != queue {
            continue;
        }
        for (key, its) in [
            ("entries", "entries"),
            ("alive", "checked_out_alive"),
            ("dead", "checked_out_dead"),
            ("metadata_bytes", "metadata_bytes"),
            ("data_bytes", "data_bytes"),
        ] {
            if let Some(number) = object.get(its).and_then(Value::as_u64) {
                answer.push(key, number.to_string());
            }
        }
        answer.push(
            "oldest",
            if object["oldest_age_seconds"].is_null() {
                "no"
            } else {
                "yes"
            },
        );
    }
    Ok(answer)
}
