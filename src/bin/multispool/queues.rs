use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use multispool::Spool;

use crate::report::{Json, Null, Object, Report, Status};

/// Print the names of a spool's queues
#[derive(Args)]
#[command(after_help = "Example:\n  multispool queues /var/spool/thumbnails")]
pub struct Queues {
    /// The spool's directory
    spool: PathBuf,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Queues {
    pub fn run(self) -> Result<Status> {
        let mut report = Report::new(self.json, self.null);
        for queue in Spool::discover(&self.spool)? {
            report.name(&queue, || Object::new().bytes("queue", queue.as_bytes()))?;
        }
        report.finish()
    }
}
