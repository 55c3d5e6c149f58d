use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::load;
use crate::names::Names;
use crate::report::{Json, Null, Object, Report, Status, written};

/// Print the metadata of entries, exactly
#[derive(Args)]
#[command(after_help = "Example:\n  multispool show /var/spool/thumbnails incoming \"$name\"")]
pub struct Show {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Show {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_read(&self.spool)?;
        let queue = load::queue(&spool, &self.queue)?;
        let mut report = Report::new(self.json, self.null);
        for name in self.names.each(self.null)? {
            let name = name?;
            match spool
                .entry(&queue, &name)
                .and_then(|entry| entry.direct().contents())
            {
                Ok(metadata) if report.is_json() => {
                    report
                        .json_only(|| Object::entry(&name, &queue).bytes("metadata", &metadata))?;
                }
                Ok(metadata) => written(report.raw().write_all(&metadata))?,
                Err(error) => report.miss(&name, Object::entry(&name, &queue), &error)?,
            }
        }
        report.finish()
    }
}
