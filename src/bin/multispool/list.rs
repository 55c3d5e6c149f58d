use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use multispool::{EntryName, ErrorKind, QueueName, Spool};
use serde_json::Value;

use crate::load;
use crate::report::{Json, Null, Object, Report, Status, time};

/// Print the names of the entries in a queue, sorted
#[derive(Args)]
#[command(after_help = "Example:\n  multispool list /var/spool/thumbnails incoming | head")]
pub struct List {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    /// The entries that are checked out of the queue, in the place of those in it
    #[arg(long)]
    checkouts: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl List {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_read(&self.spool)?;
        let queue = load::queue(&spool, &self.queue)?;
        let mut report = Report::new(self.json, self.null);
        if self.checkouts {
            for name in spool.list_checkout_names(&queue)? {
                self.line(&mut report, &spool, &queue, &name?)?;
            }
        } else {
            for entry in spool.list(&queue)? {
                self.line(&mut report, &spool, &queue, entry?.name())?;
            }
        }
        report.finish()
    }

    fn line(
        &self,
        report: &mut Report,
        spool: &Spool,
        queue: &QueueName,
        name: &EntryName,
    ) -> Result<()> {
        let touched = if report.is_json() {
            touched(spool, queue, name)?
        } else {
            Value::Null
        };
        report.name(name, || {
            Object::entry(name, queue)
                .with("checked_out", self.checkouts)
                .with("touched_at", touched)
        })
    }
}

/// When the entry last moved; null if it has left the spool since it was listed.
fn touched(spool: &Spool, queue: &QueueName, name: &EntryName) -> Result<Value> {
    match spool.entry(queue, name)?.stat() {
        Ok(about) => Ok(time(about.modified()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}
