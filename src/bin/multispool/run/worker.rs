//! One entry in a worker's hand: the command is run, and the entry goes where its end says.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use multispool::{Checkout, ErrorKind, QueueName, Stop};
use serde_json::Value;

use super::command::Program;
use super::control::{Control, Started, lock};
use super::scratch::{Scratch, is_made};
use crate::report::{Object, Report, Status, message};

pub struct Worker<'a> {
    pub program: &'a Program,
    /// Absolute, since the command may change its directory.
    pub spool: PathBuf,
    pub save_to: Option<&'a QueueName>,
    pub failed: Option<&'a QueueName>,
    pub control: &'a Control,
    pub stop: &'a Stop,
    pub report: &'a Mutex<Report>,
    pub json: bool,
}

/// The end of a command.
struct Ended {
    status: ExitStatus,
    elapsed: Duration,
}

impl Worker<'_> {
    /// Works on what is taken until there will be no more.
    pub fn serve(&self, taken: &Mutex<Receiver<Checkout>>, done: &Sender<()>) {
        loop {
            let next = lock(taken).recv();
            let Ok(checkout) = next else { return };
            if let Err(error) = self.work(checkout) {
                self.control.set_fatal(error);
                self.stop.trigger();
            }
            if done.send(()).is_err() {
                // The dispatcher has ended; what it handed over before is still worked on.
                continue;
            }
        }
    }

    /// An error is one that ends the whole run.
    fn work(&self, mut checkout: Checkout) -> Result<()> {
        let scratch = match Scratch::new(checkout.metadata()) {
            Ok(scratch) => scratch,
            Err(error) => return self.give_back(&mut checkout, &error),
        };
        // For as long as the command takes.
        if let Err(error) = checkout.keep() {
            return self.give_back(&mut checkout, &error.into());
        }
        match self.run(&checkout, &scratch) {
            Ok(Some(ended)) if ended.status.success() => {
                match self.replace(&mut checkout, &scratch) {
                    Ok(()) => self.succeeded(&mut checkout, &ended),
                    Err(error) => self.give_back(&mut checkout, &error),
                }
            }
            Ok(Some(ended)) => self.command_failed(&mut checkout, &ended),
            Ok(None) => {
                lock(self.report).give_back(&mut checkout);
                Ok(())
            }
            Err(error) if error.is::<super::NotRunnable>() => {
                lock(self.report).give_back(&mut checkout);
                Err(error)
            }
            Err(error) => self.give_back(&mut checkout, &error),
        }
    }

    /// Runs the command; None where the second signal forbade it to start.
    fn run(&self, checkout: &Checkout, scratch: &Scratch) -> Result<Option<Ended>> {
        let data_file = checkout.data_file();
        let mut command = self.program.command();
        command
            .env("MULTISPOOL_NAME", checkout.name().as_os_str())
            .env("MULTISPOOL_QUEUE", checkout.queue().as_os_str())
            .env("MULTISPOOL_SPOOL", &self.spool)
            .env("MULTISPOOL_METADATA_FILE", scratch.metadata())
            .env(
                "MULTISPOOL_DATA_FILE",
                std::path::absolute(data_file.path())?,
            )
            .env("MULTISPOOL_NEW_METADATA", scratch.new_metadata())
            .env("MULTISPOOL_NEW_DATA", scratch.new_data())
            .stdin(Stdio::from(data_file.open()?));
        if self.json {
            command.stdout(std::io::stderr());
        }
        // Killing us alone must not hand out work whose command still runs.
        checkout.pass_ownership(&mut command)?;
        let begun = Instant::now();
        let child = match self.control.start(&mut command) {
            Ok(Started::Running(child)) => child,
            Ok(Started::Killed) => return Ok(None),
            Err(error) => {
                return Err(match self.program.refusal(&error) {
                    Some(refusal) => refusal.into(),
                    None => anyhow::Error::new(error).context("cannot start the command"),
                });
            }
        };
        let status = self
            .control
            .wait(child)
            .context("cannot wait for the command")?;
        Ok(Some(Ended {
            status,
            elapsed: begun.elapsed(),
        }))
    }

    /// What the command made takes the place of the old, where the entry lives on.
    fn replace(&self, checkout: &mut Checkout, scratch: &Scratch) -> Result<()> {
        if self.save_to.is_none() {
            return Ok(());
        }
        let path = scratch.new_metadata();
        let metadata = match is_made(&path)? {
            true => Some(fs::read(&path).with_context(|| format!("cannot read {path:?}"))?),
            false => None,
        };
        let path = scratch.new_data();
        if is_made(&path)? {
            let mut made = File::open(&path).with_context(|| format!("cannot open {path:?}"))?;
            let mut writer = checkout.data_file().writer()?;
            std::io::copy(&mut made, &mut writer).with_context(|| {
                format!(
                    "cannot copy {path:?} to the data of {:?}",
                    checkout.name().as_os_str()
                )
            })?;
            writer.commit()?;
        }
        if let Some(metadata) = metadata {
            checkout.set_metadata(metadata)?;
        }
        Ok(())
    }

    fn succeeded(&self, checkout: &mut Checkout, ended: &Ended) -> Result<()> {
        let (moved, outcome) = match self.save_to {
            Some(queue) => (checkout.save(queue), "saved"),
            None => (checkout.remove(), "removed"),
        };
        self.settle(checkout, moved, outcome, self.save_to, ended)
    }

    fn command_failed(&self, checkout: &mut Checkout, ended: &Ended) -> Result<()> {
        let name = checkout.name().as_os_str().to_owned();
        let status = ended.status;
        // What we killed did not fail: it goes back, so that another worker tries it.
        let to = if self.control.is_killed() {
            None
        } else {
            self.failed
        };
        let (moved, outcome, place) = match to {
            Some(queue) => (checkout.save(queue), "failed", queue.clone()),
            None => (checkout.release(), "released", checkout.queue().clone()),
        };
        if moved.is_ok() {
            message(&format!(
                "{name:?}: the command ended with {status}; the entry is in {:?}",
                place.as_os_str()
            ));
        }
        lock(self.report).raise(Status::Negative);
        self.settle(checkout, moved, outcome, Some(&place), ended)
    }

    /// The entry has moved, or has not: tells which.
    fn settle(
        &self,
        checkout: &mut Checkout,
        moved: multispool::Result<()>,
        outcome: &str,
        to: Option<&QueueName>,
        ended: &Ended,
    ) -> Result<()> {
        let mut report = lock(self.report);
        let outcome = match moved {
            Ok(()) => outcome,
            Err(error) if error.kind() == ErrorKind::NotDurable => {
                report.problem(&error.into());
                "not_durable"
            }
            Err(error) => {
                report.problem(&error.into());
                report.give_back(checkout);
                return Ok(());
            }
        };
        report.json_only(|| {
            let object = Object::entry(checkout.name(), checkout.queue()).with("outcome", outcome);
            let object = match to {
                Some(queue) => object.bytes("to", queue.as_bytes()),
                None => object.with("to", Value::Null),
            };
            object
                .with("exit_status", ended.status.code())
                .with("signal", ended.status.signal())
                .with("elapsed_seconds", ended.elapsed.as_secs_f64())
        })?;
        report.flush()
    }

    /// Something other than the command failed: the entry goes back, the run goes on.
    fn give_back(&self, checkout: &mut Checkout, error: &anyhow::Error) -> Result<()> {
        let mut report = lock(self.report);
        let about = format!(
            "{:?} goes back into {:?}",
            checkout.name().as_os_str(),
            checkout.queue().as_os_str()
        );
        report.problem(error);
        message(&about);
        report.give_back(checkout);
        Ok(())
    }
}
