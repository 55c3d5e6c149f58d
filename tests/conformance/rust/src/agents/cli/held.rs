//! Steps about entries that are checked out, each for as long as a `multispool run` has its command going.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use conformance::Line;
use rustix::process::{Pid, Signal, kill_process};

use crate::Shell;
use crate::command::{multispool, names, os, run, status};

/// An entry in the hands of a command that `multispool run` started.
pub struct Held {
    run: Child,
    holder: UnixStream,
    /// How the step that took it said that it will end.
    ends: String,
    told: Line,
    metadata: Option<Vec<u8>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Ended or not: nothing is left of it, and the entry is a dead owner's.
        let _ = self.run.kill();
        let _ = self.run.wait();
        let _ = self.holder.shutdown(std::net::Shutdown::Both);
    }
}

/// What became of a `multispool run` that was to take one entry.
enum Took {
    Entry(Box<Held>),
    /// It ended without.
    Ended(Line),
    TimedOut,
}

/// `multispool run` with the ending that a step foretells, and a command to run.
fn run_with_end(dir: &Path, queue: &[u8], ends: &str, to: Option<&[u8]>) -> Command {
    let mut command = multispool("run");
    if ends == "save" {
        command.arg("--save-to").arg(os(to.unwrap_or(queue)));
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.arg(dir).arg(os(queue));
    command
}

/// Takes an entry: the first one that is there, or that comes in time; none at all ends it at once where it does not
/// wait.
fn take(
    shell: &Shell,
    step: &Line,
    dir: &Path,
    queue: &[u8],
    waits: bool,
    timeout: Option<Duration>,
) -> Result<Took> {
    let ends = step.word_of("ends")?.to_owned();
    let socket = shell.scratch.path().join("socket");
    if socket.exists() {
        fs::remove_file(&socket)?;
    }
    let listener = UnixListener::bind(&socket)?;
    listener.set_nonblocking(true)?;
    let mut command = run_with_end(dir, queue, &ends, step.get("ends_to"));
    command
        .arg(if waits { "--count=1" } else { "--all" })
        .env("TMPDIR", shell.scratch.path());
    command
        .arg("--")
        .arg(std::env::current_exe()?)
        .arg("hold")
        .arg(&socket);
    let mut run = command.spawn().context("multispool does not start")?;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut is_over = false;
    loop {
        match listener.accept() {
            Ok((holder, _)) => {
                // A run that was told so lets the command in hand finish, and takes no other entry.
                if !is_over {
                    terminate(&run)?;
                }
                return taken(run, holder, ends).map(|held| Took::Entry(Box::new(held)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if run.try_wait()?.is_some() {
            return Ok(match is_over {
                true => Took::TimedOut,
                false => Took::Ended(status(&run.wait_with_output()?)),
            });
        }
        if !is_over && deadline.is_some_and(|deadline| Instant::now() > deadline) {
            terminate(&run)?;
            is_over = true;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn taken(run: Child, holder: UnixStream, ends: String) -> Result<Held> {
    holder.set_nonblocking(false)?;
    let mut told = String::new();
    BufReader::new(&holder).read_line(&mut told)?;
    Ok(Held {
        run,
        holder,
        ends,
        told: Line::parse(told.trim_end())?,
        metadata: None,
    })
}

fn terminate(child: &Child) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process has a number")?;
    Ok(kill_process(pid, Signal::TERM)?)
}

fn keep(shell: &mut Shell, step: &Line, held: Held) -> Result<Line> {
    let mut answer = Line::new("OK");
    for key in ["queue", "name", "metadata"] {
        answer.push(key, held.told.need(key)?);
    }
    shell.checkouts.insert(step.word_of("as")?.to_owned(), held);
    Ok(answer)
}

/// By name: the first of a queue by `run`, which takes that one; any other by `move`, which says why it cannot.
pub fn checkout(shell: &mut Shell, step: &Line) -> Result<Line> {
    let dir = shell.spool(step)?.clone();
    let (queue, name) = (step.need("queue")?, step.need("name")?);
    let listed = run(multispool("list")
        .arg("-0")
        .arg(&dir)
        .arg("--")
        .arg(os(queue)))?;
    let is_first = names(&listed).first() == Some(&name);
    let gone = if step.word == "checkout" {
        "MISSING"
    } else {
        "NOT_FOUND"
    };
    if !is_first {
        let mut command = multispool("move");
        command.arg(&dir).arg("--").arg(os(queue)).arg(os(queue));
        let mut answer = status(&run(command.arg(os(name)))?);
        ensure!(
            answer.word != "OK",
            "only the first entry of a queue can be held"
        );
        if answer.word == "NEGATIVE" {
            gone.clone_into(&mut answer.word);
        }
        return Ok(answer);
    }
    match take(shell, step, &dir, queue, false, None)? {
        Took::Entry(held) => {
            ensure!(
                held.told.get("name") == Some(name),
                "run took another entry"
            );
            keep(shell, step, *held)
        }
        Took::Ended(answer) if answer.word == "OK" => Ok(Line::new(gone)),
        Took::Ended(answer) => Ok(answer),
        Took::TimedOut => bail!("it does not wait"),
    }
}

pub fn reader(shell: &mut Shell, step: &Line) -> Result<Line> {
    let dir = shell.spool(step)?.clone();
    let queue = step.need("queue")?.to_vec();
    let answer = status(&run(multispool("list")
        .arg(&dir)
        .arg("--")
        .arg(os(&queue)))?);
    if answer.word == "OK" {
        shell
            .readers
            .insert(step.word_of("as")?.to_owned(), (dir, queue));
    }
    Ok(answer)
}

pub fn dequeue(shell: &mut Shell, step: &Line) -> Result<Line> {
    let (dir, queue) = shell
        .readers
        .get(step.word_of("reader")?)
        .context("no such reader")?
        .clone();
    let timeout = step.number("timeout_ms")?.map(u64::try_from).transpose()?;
    let waits = step.word == "dequeue";
    match take(
        shell,
        step,
        &dir,
        &queue,
        waits,
        timeout.map(Duration::from_millis),
    )? {
        Took::Entry(held) => keep(shell, step, *held),
        Took::Ended(answer) if answer.word == "OK" => Ok(Line::new("EMPTY")),
        Took::Ended(answer) => Ok(answer),
        Took::TimedOut => Ok(Line::new("TIMED_OUT")),
    }
}

fn held<'a>(shell: &'a mut Shell, step: &Line) -> Result<&'a mut Held> {
    shell
        .checkouts
        .get_mut(step.word_of("checkout")?)
        .context("nothing of that name is held")
}

pub fn update(shell: &mut Shell, step: &Line) -> Result<Line> {
    held(shell, step)?.metadata = Some(step.need("metadata")?.to_vec());
    Ok(Line::new("OK"))
}

pub fn data(shell: &mut Shell, step: &Line) -> Result<Line> {
    let file = held(shell, step)?.told.need("data_file")?.to_vec();
    Ok(Line::new("OK").with("data", fs::read(os(&file))?))
}

pub fn finish(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut held = shell
        .checkouts
        .remove(step.word_of("checkout")?)
        .context("nothing of that name is held")?;
    ensure!(
        held.ends == step.word,
        "run was told that it ends with {}",
        held.ends
    );
    if let Some(metadata) = &held.metadata {
        fs::write(os(held.told.need("new_metadata")?), metadata)?;
    }
    // A command that fails gives its entry back.
    let is_release = step.word == "release";
    held.holder
        .write_all(if is_release { b"failed\n" } else { b"done\n" })?;
    let code = held.run.wait()?.code();
    if is_release && code == Some(1) {
        return Ok(Line::new("OK"));
    }
    let mut told = Vec::new();
    if let Some(mut errors) = held.run.stderr.take() {
        errors.read_to_end(&mut told)?;
    }
    match code {
        Some(0) => Ok(Line::new("OK")),
        Some(4) => Ok(Line::new("NOT_DURABLE")),
        _ => Ok(Line::new("FAILED").with("message", told)),
    }
}

/// Kills the run and its command, as a crash would.
pub fn drop_unfinished(shell: &mut Shell, step: &Line) -> Result<Line> {
    let mut held = shell
        .checkouts
        .remove(step.word_of("checkout")?)
        .context("nothing of that name is held")?;
    held.run.kill()?;
    held.run.wait()?;
    // The command has the lock, too, and ends when nobody is at the other end.
    held.holder.shutdown(std::net::Shutdown::Write)?;
    let process = format!("/proc/{}/stat", held.told.word_of("process")?);
    while is_running(Path::new(&process)) {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(Line::new("OK"))
}

/// Whether a process has files open still: one that nobody has waited for yet has none.
fn is_running(stat: &Path) -> bool {
    fs::read_to_string(stat).is_ok_and(|text| {
        text.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.starts_with(" Z"))
    })
}

/// Works through a queue: what is there, or as many entries as a step counts.
pub fn each(shell: &Shell, step: &Line) -> Result<Line> {
    let (dir, queue) = shell
        .readers
        .get(step.word_of("reader")?)
        .context("no such reader")?;
    let outcome = step.word_of("outcome")?;
    let mut command = run_with_end(dir, queue, outcome, step.get("to"));
    match step.number("count")? {
        Some(count) => command.arg(format!("--count={count}")),
        None => command.arg("--all"),
    };
    let log = shell.scratch.path().join("log");
    fs::write(&log, "")?;
    let fails = matches!(outcome, "release" | "fail");
    command.env("TMPDIR", shell.scratch.path());
    command
        .arg("--")
        .arg(std::env::current_exe()?)
        .arg("each")
        .arg(&log)
        .arg(if fails { "1" } else { "0" });
    if let Some(metadata) = step.get("metadata") {
        let file = shell.scratch.path().join("metadata");
        fs::write(&file, metadata)?;
        command.arg(file);
    }
    let output = run(&mut command)?;
    let mut answer = match output.status.code() {
        Some(0) => Line::new("OK"),
        Some(1) if fails => Line::new("OK").with("failed", "yes"),
        // Standard error tells of each.
        Some(3) => Line::new("OK").with("corrupt", "yes"),
        _ => status(&output),
    };
    for line in fs::read_to_string(&log)?.lines() {
        answer.push("metadata", Line::parse(line)?.need("metadata")?);
    }
    Ok(answer)
}
