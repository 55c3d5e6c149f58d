use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::load::{self, Promise};
use crate::names::Names;
use crate::report::{Json, Null, Object, Report, Status};

/// Move entries from one queue to another
///
/// Each is checked out first: an entry that somebody works on is a miss, not a theft.
#[derive(Args)]
#[command(after_help = "\
Example:
  multispool list -0 /var/spool/thumbnails failed | multispool move -0 /var/spool/thumbnails failed incoming --names-from -")]
pub struct Move {
    /// The spool's directory
    spool: PathBuf,
    /// The queue where the entries are
    from: OsString,
    /// The queue where they go
    to: OsString,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Move {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_write(&self.spool, self.promise)?;
        let from = load::queue(&spool, &self.from)?;
        let to = load::queue(&spool, &self.to)?;
        let mut report = Report::new(self.json, self.null);
        for name in self.names.each(self.null)? {
            let name = name?;
            let subject = || Object::entry(&name, &from).bytes("to", to.as_bytes());
            match spool
                .entry(&from, &name)
                .and_then(|entry| entry.try_checkout())
            {
                Ok(None) => report.not_found(&name, &from, subject())?,
                Ok(Some(mut checkout)) => match checkout.save(&to) {
                    Ok(()) => report.json_only(|| subject().with("outcome", "moved"))?,
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
