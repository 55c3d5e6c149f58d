//! Data that its own code saves by path, as it makes all its files: by a rename, and without a sync.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use multispool::spoolable::{Data, Entry, Naming, expert};
use multispool::{Multispool, NameGenerator, Result, Spoolable, Unlimited};
use rustix::fs::{CWD, renameat};

use super::checkout::new_data;
use super::enqueue::{SECOND, arrivals};
use super::{Answer, Operation, SUBJECT, Try, only_bystanders, operation, with_subject};
use crate::fate::{data, metadata};

pub fn operations() -> Vec<Operation> {
    vec![
        operation(
            "enqueue of data saved by path",
            only_bystanders,
            enqueue,
            arrivals(),
        ),
        operation(
            "save of data by path",
            with_subject,
            save_data,
            vec![new_data()],
        ),
    ]
}

struct ByPath;

multispool::queues! {
    enum Queue {
        In => "in",
        Out => "out",
        Side => "side",
    }
}

impl Spoolable for ByPath {
    type Metadata = Vec<u8>;
    type Data = Renamed;
    type Queue = Queue;
    type NameGenerator = Named;
    type Throttle = Unlimited;
}

struct Named(&'static str);

impl NameGenerator for Named {
    fn next(&self, _attempt: u32) -> OsString {
        self.0.into()
    }
}

struct Renamed(Vec<u8>);

impl Data for Renamed {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<Renamed> {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        Ok(Renamed(bytes))
    }

    fn save(&self, path: &Path, temp_file: Option<&Path>) -> io::Result<()> {
        let first = temp_file.unwrap_or(path);
        File::create_new(first)?.write_all(&self.0)?;
        Ok(renameat(CWD, first, CWD, path)?)
    }
}

fn spool(attempt: &Try<'_>) -> Result<Multispool<ByPath>> {
    Multispool::load(attempt.path())
}

fn enqueue(attempt: &Try<'_>) -> Result<Answer> {
    let name = if attempt.is_second { SECOND } else { SUBJECT };
    let naming = Naming::Reserve(&Named(name));
    let data = Renamed(data(name, 0));
    spool(attempt)?.enqueue(Queue::In, &metadata(name, 0), &data, naming)?;
    attempt.done()
}

fn save_data(attempt: &Try<'_>) -> Result<Answer> {
    let entry = Entry::create(&spool(attempt)?, Queue::In, SUBJECT)?;
    let Some(mut checkout) = expert::try_checkout(&entry)? else {
        return Ok(Answer::WasDone);
    };
    checkout.data_file().save(&Renamed(data(SUBJECT, 1)))?;
    (attempt.acknowledge)();
    checkout.update(|_| metadata(SUBJECT, 1))?;
    checkout.save(Queue::Out)?;
    attempt.done()
}
