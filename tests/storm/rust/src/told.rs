//! What the producer and the worker share: their arguments, their log, and their luck.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use multispool::{Durability, Spool};

use crate::record::{Event, LENGTH, Record, now, sum};

/// SPOOL LOG PROCESS SEED DURABILITY, and what comes after them.
pub struct Told {
    pub spool: Spool,
    pub process: u32,
    pub rest: Vec<String>,
    log: File,
    luck: Mutex<Rng>,
}

impl Told {
    /// Takes the arguments, and opens the log and the spool.
    pub fn begin() -> Result<Told> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        ensure!(arguments.len() > 5, "too few arguments");
        let durability: Durability = arguments[4].parse()?;
        let queues = ["incoming", "middle", "outgoing", "done"];
        let log = PathBuf::from(&arguments[1]);
        Ok(Told {
            spool: Spool::options()
                .durability(durability)
                .load(&arguments[0], queues)?,
            process: arguments[2].parse()?,
            rest: arguments[5..].to_vec(),
            log: OpenOptions::new().append(true).create(true).open(log)?,
            luck: Mutex::new(Rng::with_seed(arguments[3].parse()?)),
        })
    }

    /// The record of a new session.
    pub fn record(&self, session: u32) -> Record {
        Record {
            time: 0,
            event: Event::Recovering,
            process: self.process,
            session,
            serial: String::new(),
            name: String::new(),
            queue: String::new(),
            metadata: 0,
            data: 0,
        }
    }

    /// Adds a line to the log, by one write; the time is that of the call.
    pub fn note(&self, record: &mut Record, event: Event) -> Result<()> {
        record.time = now();
        record.event = event;
        let line = record.to_string();
        ensure!(line.len() < LENGTH, "a record is too long: {line}");
        (&self.log).write_all(format!("{line:width$}\n", width = LENGTH - 1).as_bytes())?;
        Ok(())
    }

    /// A random number below the limit.
    pub fn below(&self, limit: usize) -> usize {
        let mut luck = self.luck.lock().unwrap_or_else(PoisonError::into_inner);
        luck.usize(..limit)
    }

    /// Half of the time nothing, else up to so many milliseconds.
    pub fn linger(&self, most: usize) {
        if self.below(2) == 0 {
            thread::sleep(Duration::from_micros(self.below(most * 1000) as u64));
        }
    }

    /// Data that tells which entry it is of, and who made it; and its sum.
    pub fn data(&self, serial: &str, maker: &str) -> (Vec<u8>, u32) {
        let most = if self.below(16) == 0 {
            256 * 1024
        } else {
            4096
        };
        let line = format!("{serial} by {maker}\n");
        let data: Vec<u8> = line.bytes().cycle().take(self.below(most)).collect();
        let sum = sum(&data);
        (data, sum)
    }
}
