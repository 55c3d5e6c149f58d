//! Steps about what is wrong with a spool.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use conformance::Line;
use serde_json::Value;

use crate::Shell;
use crate::command::{bytes, multispool, objects, os, run, status, time};

pub fn problems(shell: &Shell, step: &Line) -> Result<Line> {
    fsck(shell.spool(step)?)
}

pub fn monitor(shell: &mut Shell, step: &Line) -> Result<Line> {
    let dir = step.need("dir")?;
    let looked = fsck(os(dir).as_ref())?;
    if looked.word != "OK" {
        return Ok(looked);
    }
    shell
        .monitors
        .insert(step.word_of("as")?.to_owned(), os(dir).into());
    Ok(Line::new("OK"))
}

pub fn run_once(shell: &Shell, step: &Line) -> Result<Line> {
    fsck(monitored(shell, step)?)
}

fn monitored<'a>(shell: &'a Shell, step: &Line) -> Result<&'a Path> {
    let dir = shell
        .monitors
        .get(step.word_of("monitor")?)
        .context("no such monitor")?;
    Ok(dir)
}

fn fsck(dir: &Path) -> Result<Line> {
    let output = run(multispool("fsck").arg("--json").arg(dir))?;
    let mut answer = status(&output);
    if answer.word == "NEGATIVE" {
        // There are problems.
        answer = Line::new("OK");
    }
    for object in objects(&output)? {
        answer.push("problem", tell(&object)?);
    }
    Ok(answer)
}

/// `KIND SEVERITY MEND PLACE/NAME...`.
fn tell(problem: &Value) -> Result<Vec<u8>> {
    let mut words = Vec::new();
    for key in ["kind", "severity", "action"] {
        words.push(bytes(problem, key)?);
    }
    let name = bytes(problem, "name")?;
    for place in problem["places"].as_array().context("places")? {
        let place = place.as_str().context("a place is a text")?.as_bytes();
        words.push(match problem["kind"].as_str() {
            Some("directory_missing") => place.to_vec(),
            _ => [place, &name].join(&b'/'),
        });
    }
    Ok(words.join(&b' '))
}

/// A `multispool monitor` that goes on, and the lines that it prints.
pub struct Watcher {
    child: Child,
    lines: Receiver<std::io::Result<String>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn daemon(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut command = multispool("monitor");
    command.arg("--json").stdout(Stdio::piped());
    time(&mut command, "--check-every", step, "check_every_ms")?;
    if let Some(cycles) = step.number("alert_after_cycles")? {
        command.arg(format!("--alert-after-cycles={cycles}"));
    }
    let mut child = command
        .arg(monitored(shell, step)?)
        .spawn()
        .context("multispool does not start")?;
    let output = child.stdout.take().context("it has an output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    shell
        .daemons
        .insert(step.word_of("as")?.to_owned(), Watcher { child, lines });
    Ok(Line::new("OK"))
}

pub fn next(shell: &Shell, step: &Line) -> Result<Line> {
    let watcher = shell
        .daemons
        .get(step.word_of("daemon")?)
        .context("no such daemon")?;
    let timeout = step.number("timeout_ms")?.context("no timeout")?;
    match watcher
        .lines
        .recv_timeout(Duration::from_millis(u64::try_from(timeout)?))
    {
        Ok(line) => {
            let event: Value = serde_json::from_str(&line?)?;
            Ok(Line::new("OK")
                .with("event", bytes(&event, "event")?)
                .with("problem", tell(&event)?))
        }
        Err(RecvTimeoutError::Timeout) => Ok(Line::new("TIMED_OUT")),
        Err(RecvTimeoutError::Disconnected) => bail!("multispool monitor has ended"),
    }
}
