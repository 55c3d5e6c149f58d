use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::load::{self, Promise};
use crate::names::Names;
use crate::report::{Json, Null, Object, Report, Status};

/// Remove entries from a queue, with their data
///
/// Each is checked out first: an entry that somebody works on is a miss, not a theft.
#[derive(Args)]
#[command(after_help = "\
Example:
  multispool list -0 /var/spool/thumbnails done | multispool remove -0 /var/spool/thumbnails done --names-from -")]
pub struct Remove {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Remove {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_write(&self.spool, self.promise)?;
        let queue = load::queue(&spool, &self.queue)?;
        let mut report = Report::new(self.json, self.null);
        for name in self.names.each(self.null)? {
            let name = name?;
            let subject = || Object::entry(&name, &queue);
            match spool
                .entry(&queue, &name)
                .and_then(|entry| entry.try_checkout())
            {
                Ok(None) => report.not_found(&name, &queue, subject())?,
                Ok(Some(mut checkout)) => match checkout.remove() {
                    Ok(()) => report.json_only(|| subject().with("outcome", "removed"))?,
                    Err(error) => {
                        report.give_back(&mut checkout);
                        report.miss(&name, subject(), &error)?;
                    }
                },
                Err(error) => report.miss(&name, subject(), &error)?,
            }
        }
        report.finish()
    }
}
