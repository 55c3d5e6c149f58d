//! Takes entries out of a queue, changes them and moves them on, for ever, and tells its log before and after each step:
//!
//! ```sh
//! worker SPOOL LOG PROCESS SEED DURABILITY QUEUE
//! ```
//!
//! Two threads work, and recover now and then. Exit status: 1 something happened that must not.

use std::io::Write;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use multispool::{Checkout, Dequeued, ReaderOptions, RecoverOptions};
use storm::record::{Event, Record, sum};
use storm::told::Told;

const THREADS: usize = 2;
const RECOVER_EVERY: u32 = 16;

static SESSIONS: AtomicU32 = AtomicU32::new(1);

fn main() -> Result<()> {
    let told = Told::begin()?;
    let [queue] = &told.rest[..] else {
        bail!("usage: worker SPOOL LOG PROCESS SEED DURABILITY QUEUE");
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                if let Err(error) = work(&told, queue) {
                    eprintln!("{}: {error:#}", told.process);
                    process::exit(1);
                }
            });
        }
    });
    Ok(())
}

fn work(told: &Told, queue: &str) -> Result<()> {
    let options =
        ReaderOptions::new().retry_after(Duration::from_millis(50), Duration::from_millis(500));
    let mut reader = told.spool.reader_with(queue, &options)?;
    recover(told)?;
    loop {
        match reader.dequeue(None, Some(Duration::from_millis(100)))? {
            Dequeued::CheckedOut(checkout) => {
                let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
                handle(told, checkout, session)?;
                if session.is_multiple_of(RECOVER_EVERY) {
                    recover(told)?;
                }
            }
            Dequeued::TimedOut | Dequeued::Stopped => recover(told)?,
        }
    }
}

fn recover(told: &Told) -> Result<()> {
    // Both threads recover: each its own way in the log.
    let mut record = told.record(SESSIONS.fetch_add(1, Ordering::Relaxed));
    told.note(&mut record, Event::Recovering)?;
    let recovered = told.spool.recover(&RecoverOptions::new())?;
    for entry in &recovered.entries {
        record.name = entry.name().to_string();
        record.queue = entry.queue().to_string();
        told.note(&mut record, Event::Recovered)?;
    }
    match recovered.failures.into_iter().next() {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

fn handle(told: &Told, checkout: Checkout, session: u32) -> Result<()> {
    let mut record = told.record(session);
    record.name = checkout.name().to_string();
    record.queue = checkout.queue().to_string();
    record.metadata = sum(checkout.metadata());
    let serial = checkout.metadata().split(|byte| *byte == b'\n').next();
    record.serial = String::from_utf8(serial.unwrap_or_default().to_vec())?;
    told.note(&mut record, Event::Taken)?;
    record.data = sum(&checkout.data_file().load()?);
    told.note(&mut record, Event::Read)?;
    told.linger(40);
    if told.below(4) == 0 {
        change_data(told, &checkout, &mut record)?;
    }
    told.linger(40);
    finish(told, checkout, record)
}

fn change_data(told: &Told, checkout: &Checkout, record: &mut Record) -> Result<()> {
    let maker = format!("{}.{}", told.process, record.session);
    let (data, data_sum) = told.data(&record.serial, &maker);
    record.data = data_sum;
    told.note(record, Event::Writing)?;
    if told.below(2) == 0 {
        checkout.data_file().save(&data)?;
    } else {
        let mut writer = checkout.data_file().writer()?;
        let (first, second) = data.split_at(data.len() / 2);
        writer.write_all(first)?;
        told.linger(40);
        writer.write_all(second)?;
        writer.commit()?;
    }
    told.note(record, Event::Written)
}

fn finish(told: &Told, mut checkout: Checkout, mut record: Record) -> Result<()> {
    let queue = checkout.queue().to_string();
    match told.below(100) {
        ..80 if queue == "outgoing" => {
            told.note(&mut record, Event::Removing)?;
            checkout.remove()?;
            told.note(&mut record, Event::Removed)
        }
        roll @ ..94 => {
            let to = if roll < 88 {
                next(told, &queue, &record.name)
            } else {
                &queue
            };
            add_hop(&mut checkout, &mut record, to)?;
            told.note(&mut record, Event::Saving)?;
            checkout.save(to)?;
            told.note(&mut record, Event::Saved)
        }
        ..97 => {
            // A release drops the change.
            add_hop(&mut checkout, &mut record, &queue)?;
            told.note(&mut record, Event::Releasing)?;
            checkout.release()?;
            told.note(&mut record, Event::Released)
        }
        // Let go unfinished: for a recover.
        _ => told.note(&mut record, Event::Dropping),
    }
}

/// Adds a hop's line to the metadata.
fn add_hop(checkout: &mut Checkout, record: &mut Record, to: &str) -> Result<()> {
    let (maker, from) = (
        format!("{}.{}", record.process, record.session),
        checkout.queue().to_string(),
    );
    checkout
        .update(|metadata| [metadata, format!("{maker} {from} {to}\n").as_bytes()].concat())
        .context("a checkout that cannot be changed")?;
    record.metadata = sum(checkout.metadata());
    record.queue = to.to_owned();
    Ok(())
}

/// A name that is used again and again is removed in the end.
fn next(told: &Told, queue: &str, name: &str) -> &'static str {
    match queue {
        "middle" if told.below(2) == 0 || name.starts_with("again-") => "outgoing",
        "middle" => "done",
        _ => "middle",
    }
}
