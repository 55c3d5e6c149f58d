//! The conformance suite's agent for the command line: does each step as a user of the shell would, by the
//! `multispool` that PATH finds. It knows nothing of the library.
//!
//! An entry is checked out for as long as a `multispool run` has a command going, so that command is this program
//! again (`hold`): it tells the agent what it was given, waits for the word how to end, and ends so.

mod command;
mod entries;
mod held;
mod hold;
mod spools;
mod watch;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use conformance::Line;

use held::Held;
use watch::Watcher;

/// What the shell has no way to do, in the words of the cases.
const LACKS: &[&str] = &[
    "a checkout by name",
    "a daemon's spec",
    "a plan in hand",
    "a save decided late",
    "a set of queues",
    "checkouts of others",
    "data in place",
    "data writers",
    "descriptors",
    "direct writes",
    "entry writers",
    "failures by their kind",
    "handlers that read",
    "handles",
    "json",
    "limits",
    "load without a look",
    "one call for each entry",
    "options",
    "reserve",
    "stops",
];

/// What the agent remembers: a shell has no handles.
pub struct Shell {
    /// Its own files, and the private directories of `run`.
    pub scratch: tempfile::TempDir,
    /// Directories.
    pub spools: HashMap<String, PathBuf>,
    /// Directories and queues.
    pub readers: HashMap<String, (PathBuf, Vec<u8>)>,
    pub checkouts: HashMap<String, Held>,
    /// Directories.
    pub monitors: HashMap<String, PathBuf>,
    pub daemons: HashMap<String, Watcher>,
    /// The arguments of `repair`.
    pub plans: HashMap<String, Vec<Vec<u8>>>,
}

impl Shell {
    fn new() -> Result<Shell> {
        Ok(Shell {
            scratch: tempfile::tempdir()?,
            spools: HashMap::new(),
            readers: HashMap::new(),
            checkouts: HashMap::new(),
            monitors: HashMap::new(),
            daemons: HashMap::new(),
            plans: HashMap::new(),
        })
    }

    /// The directory of the spool that a step names.
    pub fn spool(&self, step: &Line) -> Result<&PathBuf> {
        let name = step.word_of("spool")?;
        self.spools
            .get(name)
            .with_context(|| format!("no spool '{name}'"))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve().map(|()| ExitCode::SUCCESS),
        ["hold", socket] => hold::one(socket.as_ref()),
        ["each", log, status] => hold::each(log.as_ref(), status, None),
        ["each", log, status, metadata] => {
            hold::each(log.as_ref(), status, Some(metadata.as_ref()))
        }
        _ => Err(anyhow::anyhow!("unknown arguments")),
    };
    done.unwrap_or_else(|error| {
        eprintln!("conformance-cli: {error:#}");
        ExitCode::FAILURE
    })
}

fn serve() -> Result<()> {
    let mut shell = Shell::new()?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let step = Line::parse(&line?)?;
        let answer = act(&mut shell, &step)
            .unwrap_or_else(|error| Line::new("ERROR").with("message", format!("{error:#}")));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn act(shell: &mut Shell, step: &Line) -> Result<Line> {
    match step.word.as_str() {
        "agent" => {
            let mut answer = Line::new("OK")
                .with("language", "command line")
                .with("coarse", "yes");
            for word in LACKS {
                answer.push("lacks", word);
            }
            Ok(answer)
        }
        "reset" => {
            *shell = Shell::new()?;
            Ok(Line::new("OK"))
        }
        "create" => spools::create(shell, step),
        "load" => spools::load(shell, step),
        "discover" => spools::discover(step),
        "recover" => spools::recover(shell, step),
        "plan" => spools::plan(shell, step),
        "apply" => spools::apply(shell, step),
        "stats" => spools::stats(shell, step),
        "enqueue" => entries::enqueue(shell, step),
        "list" | "list_checkouts" => entries::list(shell, step),
        "direct_contents" => entries::read(shell, step, "show", "metadata"),
        "with_entry" | "try_with_entry" => entries::with_entry(shell, step),
        "data_load" if step.get("queue").is_some() => entries::read(shell, step, "data", "data"),
        "data_load" => held::data(shell, step),
        "checkout" | "try_checkout" => held::checkout(shell, step),
        "update" => held::update(shell, step),
        "save" | "remove" | "release" => held::finish(shell, step),
        "drop" => held::drop_unfinished(shell, step),
        "reader" => held::reader(shell, step),
        "dequeue" | "dequeue_available" => held::dequeue(shell, step),
        "each" | "each_available" => held::each(shell, step),
        // What `each` counts is what stops it.
        "stop" => Ok(Line::new("OK")),
        "problems" => watch::problems(shell, step),
        "monitor" => watch::monitor(shell, step),
        "run_once" => watch::run_once(shell, step),
        "daemon" => watch::daemon(shell, step),
        "next" => watch::next(shell, step),
        other => bail!("the command line has no '{other}'"),
    }
}
