//! A line of a log: what a producer or worker is about to do, or has done.
//!
//! ```text
//! TIME EVENT PROCESS SESSION SERIAL NAME QUEUE METADATA DATA
//! ```
//!
//! TIME is CLOCK_MONOTONIC in nanoseconds, PROCESS the number that the driver gave, SESSION a number of the process's own
//! for one enqueue or checkout. SERIAL is `PROCESS.SESSION` of the enqueue that made the entry. METADATA and DATA are
//! CRC-32 sums in hex. `-` stands for nothing. Each line is filled up with spaces to [`LENGTH`] bytes.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail};
use rustix::time::{ClockId, clock_gettime};

/// A power of two: no line crosses a page, where a kill could cut its write short.
pub const LENGTH: usize = 256;

/// What a process tells of. A word in `-ing` comes right before the call, the other right after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Enqueuing,
    Enqueued,
    /// The reserved name was not there any more, or used by another.
    Refused,
    /// A dequeue has returned the entry.
    Taken,
    /// The data was read.
    Read,
    Writing,
    Written,
    /// METADATA is what the entry will have.
    Saving,
    Saved,
    Releasing,
    Released,
    Removing,
    Removed,
    /// The handle is let go unfinished.
    Dropping,
    Recovering,
    Recovered,
}

impl Event {
    const ALL: [Event; 16] = [
        Event::Enqueuing,
        Event::Enqueued,
        Event::Refused,
        Event::Taken,
        Event::Read,
        Event::Writing,
        Event::Written,
        Event::Saving,
        Event::Saved,
        Event::Releasing,
        Event::Released,
        Event::Removing,
        Event::Removed,
        Event::Dropping,
        Event::Recovering,
        Event::Recovered,
    ];

    fn word(self) -> &'static str {
        match self {
            Event::Enqueuing => "enqueuing",
            Event::Enqueued => "enqueued",
            Event::Refused => "refused",
            Event::Taken => "taken",
            Event::Read => "read",
            Event::Writing => "writing",
            Event::Written => "written",
            Event::Saving => "saving",
            Event::Saved => "saved",
            Event::Releasing => "releasing",
            Event::Released => "released",
            Event::Removing => "removing",
            Event::Removed => "removed",
            Event::Dropping => "dropping",
            Event::Recovering => "recovering",
            Event::Recovered => "recovered",
        }
    }
}

/// One line. Words that are not told are empty.
#[derive(Clone, Debug)]
pub struct Record {
    pub time: u64,
    pub event: Event,
    pub process: u32,
    pub session: u32,
    pub serial: String,
    pub name: String,
    pub queue: String,
    pub metadata: u32,
    pub data: u32,
}

/// CLOCK_MONOTONIC, in nanoseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is negative: it is the time since boot.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// CRC-32 as in zlib.
pub fn sum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let mut crc = i as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (if crc & 1 == 1 { 0xedb8_8320 } else { 0 });
                bit += 1;
            }
            table[i] = crc;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}

fn or_dash(word: &str) -> &str {
    if word.is_empty() { "-" } else { word }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {} {} {:08x} {:08x}",
            self.time,
            self.event,
            self.process,
            self.session,
            or_dash(&self.serial),
            or_dash(&self.name),
            or_dash(&self.queue),
            self.metadata,
            self.data
        )
    }
}

impl FromStr for Record {
    type Err = Error;

    fn from_str(line: &str) -> Result<Record> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [
            time,
            event,
            process,
            session,
            serial,
            name,
            queue,
            metadata,
            data,
        ] = words[..]
        else {
            bail!("not a record: {line:?}");
        };
        let word = |word: &str| if word == "-" { "" } else { word }.to_owned();
        let known = Event::ALL.into_iter().find(|known| known.word() == event);
        Ok(Record {
            time: time.parse()?,
            event: known.with_context(|| format!("no event: {event:?}"))?,
            process: process.parse()?,
            session: session.parse()?,
            serial: word(serial),
            name: word(name),
            queue: word(queue),
            metadata: u32::from_str_radix(metadata, 16)?,
            data: u32::from_str_radix(data, 16)?,
        })
    }
}
