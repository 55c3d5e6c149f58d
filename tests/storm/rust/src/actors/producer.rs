//! Enqueues entries into `incoming` and tells its log before and after each:
//!
//! ```sh
//! producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES
//! ```
//!
//! Some are enqueued whole, some piece by piece, some under one of NAMES names that are used again and again.
//! Exit status: 0 done, 1 something happened that must not.

use std::io::Write;

use anyhow::{Result, bail};
use multispool::{EnqueueOptions, Entry, ErrorKind};
use storm::record::{Event, Record, sum};
use storm::told::Told;

const QUEUE: &str = "incoming";

fn main() -> Result<()> {
    let told = Told::begin()?;
    let [count, names] = &told.rest[..] else {
        bail!("usage: producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES");
    };
    let names = names.parse()?;
    for number in 1..=count.parse()? {
        produce(&told, number, names)?;
        told.linger(10);
    }
    Ok(())
}

fn produce(told: &Told, number: u32, names: usize) -> Result<()> {
    let mut record = told.record(number);
    record.serial = format!("{}.{number}", told.process);
    record.queue = QUEUE.to_owned();
    let metadata = format!("{}\n", record.serial);
    let (data, data_sum) = told.data(&record.serial, &record.serial);
    record.metadata = sum(metadata.as_bytes());
    record.data = data_sum;
    let entry = match told.below(4) {
        0 => {
            told.note(&mut record, Event::Enqueuing)?;
            in_pieces(told, &metadata, &data)?
        }
        1 if reserve(told, &mut record, names)? => {
            told.linger(100);
            told.note(&mut record, Event::Enqueuing)?;
            let options = EnqueueOptions::new().name(&record.name);
            match told.spool.enqueue_with(QUEUE, &metadata, &data, &options) {
                // A repair took the reservation for old, and perhaps another has made it anew.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NameTaken) =>
                {
                    return told.note(&mut record, Event::Refused);
                }
                enqueued => enqueued?,
            }
        }
        _ => {
            told.note(&mut record, Event::Enqueuing)?;
            told.spool.enqueue(QUEUE, &metadata, &data)?
        }
    };
    record.name = entry.name().to_string();
    told.note(&mut record, Event::Enqueued)
}

fn in_pieces(told: &Told, metadata: &str, data: &[u8]) -> Result<Entry> {
    let mut writer = told.spool.enqueue_writer(QUEUE, &EnqueueOptions::new())?;
    let (first, second) = data.split_at(data.len() / 2);
    writer.write_all(first)?;
    told.linger(10);
    writer.write_all(second)?;
    Ok(writer.commit(metadata.as_bytes())?)
}

/// False where the name is in use.
fn reserve(told: &Told, record: &mut Record, names: usize) -> Result<bool> {
    let name = format!("again-{}", told.below(names));
    match told.spool.reserve_name(&name) {
        Err(error) if error.kind() == ErrorKind::NameTaken => Ok(false),
        reserved => {
            record.name = reserved?.to_string();
            Ok(true)
        }
    }
}
