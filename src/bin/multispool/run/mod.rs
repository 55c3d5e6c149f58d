//! `run`: one reader hands entries to the workers, each of which runs the command.

mod command;
mod control;
mod dispatcher;
mod scratch;
mod worker;

use std::ffi::OsString;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use multispool::{QueueName, ReaderOptions, Spool};

pub use command::NotRunnable;
use command::Program;
use control::Control;
use dispatcher::{Dispatcher, Limit};
use worker::Worker;

use crate::load::{self, Promise};
use crate::report::{Json, Null, Report, Status, Usage, message};
use crate::signals::Watch;

/// The longest wait before an entry that came back is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Run a command for each entry of a queue
///
/// The command has the entry's data on its standard input. Where it exits 0 the entry is removed,
/// or saved to the queue of --save-to; else it goes to the queue of --failed, or back into its own.
///
/// The first SIGTERM or SIGINT lets the command in hand finish; a second one kills it and gives the
/// entry back.
#[derive(Args)]
#[command(after_help = "\
The command's environment:
  MULTISPOOL_NAME, MULTISPOOL_QUEUE     the entry and its queue
  MULTISPOOL_SPOOL                      the spool's directory
  MULTISPOOL_METADATA_FILE, _DATA_FILE  files to read
  MULTISPOOL_NEW_METADATA, _NEW_DATA    files that the command may make: if it
                                        exits 0 and the entry is saved, they
                                        replace the old

Example:
  multispool run /var/spool/thumbnails incoming --save-to done --failed failed --jobs 4 -- \\
    sh -c 'convert - -resize 100x100 \"png:$MULTISPOOL_NEW_DATA\"'")]
pub struct Run {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    #[command(flatten)]
    end: End,
    /// The queue for entries whose command failed; by default they go back into their own
    #[arg(long, value_name = "QUEUE")]
    failed: Option<OsString>,
    /// End after this many entries
    #[arg(long, value_name = "N", conflicts_with = "all")]
    count: Option<NonZeroU64>,
    /// Try each entry that is there once, then end
    #[arg(long)]
    all: bool,
    /// How many commands may run at once
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// How long an entry that came back is left alone, others first; doubles each time, up to 60s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    retry_after: Duration,
    /// Take entries in the order of their names even where other workers are quicker with them
    #[arg(long)]
    strict_order: bool,
    #[command(flatten)]
    promise: Promise,
    /// Print one JSON object a line for each entry; the command's output goes to standard error
    #[arg(long)]
    json: bool,
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    command: Vec<OsString>,
}

#[derive(Args)]
#[group(multiple = false)]
struct End {
    /// Put the entries whose command exits 0 into this queue
    #[arg(long, value_name = "QUEUE")]
    save_to: Option<OsString>,
    /// Remove the entries whose command exits 0 (the default)
    #[arg(long)]
    remove: bool,
}

impl Run {
    pub fn run(self) -> Result<Status> {
        let program = Program::look_up(&self.command)?;
        let spool = load::to_write(&self.spool, self.promise)?;
        let queue = load::queue(&spool, &self.queue)?;
        let save_to = self
            .end
            .save_to
            .as_deref()
            .map(|name| load::queue(&spool, name))
            .transpose()?;
        let failed = self
            .failed
            .as_deref()
            .map(|name| load::queue(&spool, name))
            .transpose()?;
        if failed.as_ref() == Some(&queue) {
            let refused = format!(
                "--failed names the queue itself, {:?}: leave it out, and what failed goes back",
                queue.as_os_str()
            );
            return Err(Usage(refused).into());
        }
        self.work(&spool, &queue, &program, save_to.as_ref(), failed.as_ref())
    }

    fn work(
        &self,
        spool: &Spool,
        queue: &QueueName,
        program: &Program,
        save_to: Option<&QueueName>,
        failed: Option<&QueueName>,
    ) -> Result<Status> {
        let control = Arc::new(Control::new());
        let killer = Arc::clone(&control);
        let watch = Watch::with(
            |_| message("ending after the entry in hand; a second signal gives it back"),
            move |_| killer.kill(),
        )?;
        let options = ReaderOptions::new()
            .retry_after(self.retry_after, LONGEST_RETRY.max(self.retry_after))
            .strict_order(self.strict_order);
        let reader = spool.reader_with(queue, &options)?;
        let report = Mutex::new(Report::new(Json { json: self.json }, Null { null: false }));
        let worker = Worker {
            program,
            spool: std::path::absolute(spool.dir())
                .context("cannot tell the spool's absolute path")?,
            save_to,
            failed,
            control: &control,
            stop: watch.stop(),
            report: &report,
            json: self.json,
        };
        let limit = match (self.all, self.count) {
            (true, _) => Limit::All,
            (false, Some(count)) => Limit::Count(count.get()),
            (false, None) => Limit::None,
        };
        let (entries, taken) = mpsc::channel();
        let (done, finished) = mpsc::channel();
        let taken = Mutex::new(taken);
        let dispatched = std::thread::scope(|scope| {
            // However this ends, the channel of entries is dropped then, which ends the workers.
            let entries = entries;
            for _ in 0..self.jobs.get() {
                let (worker, taken, done) = (&worker, &taken, done.clone());
                let thread = std::thread::Builder::new().name("worker".to_owned());
                thread
                    .spawn_scoped(scope, move || worker.serve(taken, &done))
                    .context("cannot start a worker's thread")?;
            }
            Dispatcher::new(spool, reader, limit, self.jobs.get(), &watch, &report)
                .dispatch(entries, &finished)
        });
        if let Some(error) = control.take_fatal() {
            return Err(error);
        }
        dispatched?;
        report
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .finish()
    }
}
