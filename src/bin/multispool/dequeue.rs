use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use multispool::{Checkout, Dequeued, ErrorKind, QueueName, QueueReader, ReaderOptions};

use crate::deliver::{self, NewFile};
use crate::load::{self, Promise};
use crate::report::{Json, Null, Object, Report, Status, Usage, message, written};
use crate::signals::Watch;

/// Take the next entry of a queue; prints its name
///
/// Files are whole and synced before the entry leaves the queue. What goes to standard output
/// is written before that too; to keep it safe is the reader's part.
#[derive(Args)]
#[command(after_help = "\
Example:
  multispool dequeue /var/spool/thumbnails incoming --wait --timeout 5s --save-to done --data-to image.png")]
pub struct Dequeue {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    /// Wait for an entry
    #[arg(long)]
    wait: bool,
    /// How long to wait (500ms, 5s, 2m ...); for ever if not given
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Take the first entry by name even where others are quicker with those before it
    #[arg(long)]
    strict_order: bool,
    #[command(flatten)]
    end: End,
    /// Write the metadata to this file (- is standard output; no name is printed then)
    #[arg(long, value_name = "F")]
    metadata_to: Option<PathBuf>,
    /// Write the data to this file (- is standard output; no name is printed then)
    #[arg(long, value_name = "F")]
    data_to: Option<PathBuf>,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct End {
    /// Put the entry into this queue
    #[arg(long, value_name = "QUEUE")]
    save_to: Option<OsString>,
    /// Remove the entry
    #[arg(long)]
    remove: bool,
}

impl Dequeue {
    pub fn run(self) -> Result<Status> {
        self.check()?;
        let spool = load::to_write(&self.spool, self.promise)?;
        let queue = load::queue(&spool, &self.queue)?;
        let save_to = self
            .end
            .save_to
            .as_deref()
            .map(|name| load::queue(&spool, name))
            .transpose()?;
        let mut report = Report::new(self.json, self.null);
        let watch = Watch::start()?;
        let options = ReaderOptions::new().strict_order(self.strict_order);
        let mut reader = spool.reader_with(&queue, &options)?;
        let mut met_bad = false;
        let Some(checkout) = self.take(&mut reader, &watch, &mut met_bad)? else {
            if let Some(interrupted) = watch.caught() {
                return Err(interrupted.into());
            }
            message(&format!("nothing available in {:?}", queue.as_os_str()));
            report.raise(if met_bad {
                Status::Failure
            } else {
                Status::Negative
            });
            return report.finish();
        };
        self.hand_over(checkout, save_to.as_ref(), &mut report)?;
        report.finish()
    }

    fn check(&self) -> Result<()> {
        let stdout = |path: &Option<PathBuf>| path.as_deref().is_some_and(is_stdout);
        let refused = match (stdout(&self.metadata_to), stdout(&self.data_to)) {
            (true, true) => {
                "metadata and data cannot both go to standard output: give one of them a file"
            }
            (true, false) | (false, true) if self.json.json => {
                "--json and bytes cannot share standard output: give a file"
            }
            _ => return Ok(()),
        };
        Err(Usage(refused.to_owned()).into())
    }

    fn is_raw(&self) -> bool {
        [&self.metadata_to, &self.data_to]
            .into_iter()
            .flatten()
            .any(|path| is_stdout(path))
    }

    /// The next good entry. A bad one is told and stops nobody: status 0 means that an entry was taken.
    fn take(
        &self,
        reader: &mut QueueReader,
        watch: &Watch,
        met_bad: &mut bool,
    ) -> Result<Option<Checkout>> {
        let deadline = self
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let taken = if self.wait {
                let left =
                    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                reader
                    .dequeue(Some(watch.stop()), left)
                    .map(|dequeued| match dequeued {
                        Dequeued::CheckedOut(checkout) => Some(checkout),
                        Dequeued::Stopped | Dequeued::TimedOut => None,
                    })
            } else {
                reader.dequeue_available()
            };
            match taken {
                Ok(Some(checkout)) => return Ok(Some(checkout)),
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    message(&error.to_string());
                    *met_bad = true;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn hand_over(
        &self,
        mut checkout: Checkout,
        save_to: Option<&QueueName>,
        report: &mut Report,
    ) -> Result<()> {
        let ended = self.deliver(&checkout, report).and_then(|()| {
            let ended = match save_to {
                Some(queue) => checkout.save(queue),
                None => checkout.remove(),
            };
            Ok(ended?)
        });
        let mut outcome = if save_to.is_some() {
            "saved"
        } else {
            "removed"
        };
        match ended {
            Ok(()) => (),
            Err(error) if is_not_durable(&error) => {
                report.problem(&error);
                outcome = "not_durable";
            }
            Err(error) => {
                report.give_back(&mut checkout);
                return Err(error);
            }
        }
        if self.is_raw() {
            return Ok(());
        }
        let name = checkout.name();
        report.name(name, || {
            let object = Object::entry(name, checkout.queue()).with("outcome", outcome);
            match save_to {
                Some(queue) => object.bytes("to", queue.as_bytes()),
                None => object.with("to", serde_json::Value::Null),
            }
        })
    }

    /// Metadata and data where they were asked for; published together, when both are whole.
    fn deliver(&self, checkout: &Checkout, report: &mut Report) -> Result<()> {
        let mut files = Vec::new();
        if let Some(path) = &self.metadata_to {
            if is_stdout(path) {
                written(report.raw().write_all(checkout.metadata()))?;
            } else {
                let mut file = NewFile::create(path)?;
                file.fill(&mut checkout.metadata(), String::new)?;
                files.push(file);
            }
        }
        if let Some(path) = &self.data_to {
            let data_file = checkout.data_file();
            let mut data = data_file.open()?;
            let unread = || format!("cannot read {:?}", data_file.path());
            if is_stdout(path) {
                deliver::copy(&mut data, report.raw(), unread, written)?;
            } else {
                let mut file = NewFile::create(path)?;
                file.fill(&mut data, unread)?;
                files.push(file);
            }
        }
        report.flush()?;
        files.into_iter().try_for_each(NewFile::publish)
    }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn is_not_durable(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<multispool::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::NotDurable)
}
