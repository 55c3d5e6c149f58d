use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use multispool::RecoverOptions;

use crate::load::{self, Promise};
use crate::report::{Json, Null, Object, Report, Status};

/// Put the entries of dead workers back into their queues; prints their names
///
/// An entry whose worker lives is left alone, however slow it is. To find none is no failure.
#[derive(Args)]
#[command(after_help = "Example:\n  multispool recover /var/spool/thumbnails --min-age 10s")]
pub struct Recover {
    /// The spool's directory
    spool: PathBuf,
    /// Leave alone what was touched less than this ago; by default 0s, and 10m where the
    /// spool is shared with processes that take no locks
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    min_age: Option<Duration>,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Recover {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_write(&self.spool, self.promise)?;
        let mut options = RecoverOptions::new();
        if let Some(age) = self.min_age {
            options = options.min_age(age);
        }
        let mut report = Report::new(self.json, self.null);
        let recovered = spool.recover(&options)?;
        for entry in &recovered.entries {
            let (name, queue) = (entry.name(), entry.queue());
            report.name(name, || {
                Object::entry(name, queue).with("outcome", "returned")
            })?;
        }
        for failure in recovered.failures {
            report.problem(&failure.into());
        }
        report.finish()
    }
}
