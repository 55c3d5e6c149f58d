//! An agent: a program that does the steps it is told on standard input, a line each, and answers each with a
//! line on standard output.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use conformance::Line;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A running agent; it is killed when dropped.
pub struct Agent {
    child: Child,
    input: ChildStdin,
    answers: Receiver<std::io::Result<String>>,
    patience: Duration,
    descriptors: Option<Rlimit>,
    /// What it says that its interface does not have.
    pub lacks: Vec<String>,
    /// Whether it tells failures only as its exit statuses do.
    pub coarse: bool,
}

impl Agent {
    /// Starts a shell's command line as an agent.
    ///
    /// # Errors
    /// It does not start, or does not say what it is.
    pub fn start(command: &str, patience: Duration) -> Result<Agent> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start '{command}'"))?;
        let input = child.stdin.take().context("it has an input")?;
        let output = child.stdout.take().context("it has an output")?;
        let (sender, answers) = mpsc::channel();
        // It ends with the output, that is with the agent.
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut agent = Agent {
            child,
            input,
            answers,
            patience,
            descriptors: None,
            lacks: Vec::new(),
            coarse: false,
        };
        let hello = agent.ask(&Line::new("agent"))?;
        if hello.word != "OK" {
            bail!("'{command}' answers '{hello}' to 'agent'");
        }
        agent.lacks = hello
            .all("lacks")
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        agent.coarse = hello.yes("coarse");
        Ok(agent)
    }

    /// Has a step done.
    ///
    /// # Errors
    /// It has ended, takes too long, or answers with no line of the protocol.
    pub fn ask(&mut self, step: &Line) -> Result<Line> {
        writeln!(self.input, "{step}").context("the agent has ended")?;
        match self.answers.recv_timeout(self.patience) {
            Ok(answer) => Line::parse(&answer?),
            Err(RecvTimeoutError::Timeout) => {
                bail!("no answer within {} s", self.patience.as_secs())
            }
            Err(RecvTimeoutError::Disconnected) => bail!("the agent has ended"),
        }
    }

    /// Lets the process open no further file.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn take_descriptors(&mut self) -> Result<()> {
        let none = Rlimit {
            current: Some(3),
            maximum: self.limit()?.maximum,
        };
        self.descriptors = Some(prlimit(Some(self.pid()?), Resource::Nofile, none)?);
        Ok(())
    }

    /// Gives back what `take_descriptors` took.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn give_descriptors(&mut self) -> Result<()> {
        if let Some(old) = self.descriptors.take() {
            prlimit(Some(self.pid()?), Resource::Nofile, old)?;
        }
        Ok(())
    }

    fn limit(&self) -> Result<Rlimit> {
        // Those of the judge, whose child it is.
        Ok(rustix::process::getrlimit(Resource::Nofile))
    }

    fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id())?;
        Pid::from_raw(pid).context("a process has a number")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
