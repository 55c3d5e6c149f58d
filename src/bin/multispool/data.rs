use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use multispool::{DataFile, QueueName, Spool};

use crate::deliver;
use crate::load;
use crate::names::Names;
use crate::report::{Json, Null, Object, Report, Status, written};

/// Print the data of entries, exactly
#[derive(Args)]
#[command(
    after_help = "Example:\n  multispool data /var/spool/thumbnails incoming \"$name\" > image.png"
)]
pub struct Data {
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

impl Data {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_read(&self.spool)?;
        let queue = load::queue(&spool, &self.queue)?;
        let mut report = Report::new(self.json, self.null);
        for name in self.names.each(self.null)? {
            let name = name?;
            match open(&spool, &queue, &name) {
                Ok((data_file, file)) => print(&mut report, &name, &queue, &data_file, file)?,
                Err(error) => report.miss(&name, Object::entry(&name, &queue), &error)?,
            }
        }
        report.finish()
    }
}

/// Data has no queue of its own: that the entry is in this one is seen first.
fn open(spool: &Spool, queue: &QueueName, name: &OsStr) -> multispool::Result<(DataFile, File)> {
    let entry = spool.entry(queue, name)?;
    let direct = entry.direct();
    direct.contents()?;
    let data_file = direct.data_file();
    let file = data_file.open()?;
    Ok((data_file, file))
}

fn print(
    report: &mut Report,
    name: &OsStr,
    queue: &QueueName,
    data_file: &DataFile,
    mut file: File,
) -> Result<()> {
    let unread = || format!("cannot read {:?}", data_file.path());
    if report.is_json() {
        let mut data = Vec::new();
        std::io::copy(&mut file, &mut data).with_context(unread)?;
        return report.json_only(|| Object::entry(name, queue).bytes("data", &data));
    }
    deliver::copy(&mut file, report.raw(), unread, written)
}
