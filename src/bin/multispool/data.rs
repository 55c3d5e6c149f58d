use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::Result;
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
            let done = match find(&spool, &queue, &name) {
                Ok(data_file) if report.is_json() => whole(&mut report, &name, &queue, &data_file)?,
                Ok(data_file) => stream(&mut report, &data_file)?,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                report.miss(&name, Object::entry(&name, &queue), &error)?;
            }
        }
        report.finish()
    }
}

/// Data has no queue of its own: that the entry is in this one is seen first.
fn find(spool: &Spool, queue: &QueueName, name: &OsStr) -> multispool::Result<DataFile> {
    let entry = spool.entry(queue, name)?;
    let direct = entry.direct();
    direct.contents()?;
    Ok(direct.data_file())
}

/// The inner result is the spool's, the outer one standard output's.
type Printed = Result<multispool::Result<()>>;

fn whole(report: &mut Report, name: &OsStr, queue: &QueueName, data_file: &DataFile) -> Printed {
    match data_file.load() {
        Ok(data) => report
            .json_only(|| Object::entry(name, queue).bytes("data", &data))
            .map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn stream(report: &mut Report, data_file: &DataFile) -> Printed {
    let unread = || format!("cannot read {:?}", data_file.path());
    match data_file.open() {
        Ok(mut file) => deliver::copy(&mut file, report.raw(), unread, written).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}
