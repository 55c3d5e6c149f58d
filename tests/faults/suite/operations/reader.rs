//! Readers: taking what is next, and waiting for it.

use std::time::Duration;

use multispool::{Dequeued, ReaderOptions};

use super::Operation;
use super::USUAL;
use super::checkout::{TAKING, is_one_bad_entry_to_a_reader, looks_at_what_was_moved, seen};
use crate::suite::calls::Sort;
use crate::suite::tracer::Made;
use crate::suite::worker::{Attempt, Time};

const READING: Operation = Operation {
    called: &["create a reader", "dequeue", "checkout"],
    passes_over: does_without,
    kind: is_one_bad_entry_to_a_reader,
    ..TAKING
};

/// Without the kernel's word of arrivals a reader looks now and then; and a bell that is not silenced wakes it
/// once too often.
fn does_without(made: &Made) -> bool {
    let is_a_bell = made
        .call
        .paths
        .iter()
        .any(|path| path.to_string_lossy().contains("eventfd"));
    looks_at_what_was_moved(made) || made.call.sort == Sort::Watch || is_a_bell
}

pub const ALL: &[Operation] = &[
    Operation {
        name: "create a reader",
        attempt: |room| {
            let spool = room.open();
            let mut reader = None;
            Attempt::new(move || {
                let reader = reader.insert(spool.reader("in")?);
                Ok(reader.queue().to_string())
            })
        },
        ..READING
    },
    Operation {
        name: "dequeue_available",
        attempt: |room| {
            let mut reader = room.open().reader("in").unwrap();
            let mut held = Vec::new();
            Attempt::by_time(move |time| {
                held.extend(reader.dequeue_available()?);
                if time == Time::Again && held.is_empty() {
                    // What was found bad is not taken again before the next pass.
                    held.extend(reader.dequeue_available()?);
                }
                Ok(held.last().map_or("nothing".to_owned(), seen))
            })
        },
        ..READING
    },
    Operation {
        name: "dequeue",
        attempt: |room| {
            let millisecond = Duration::from_millis(1);
            let options = ReaderOptions::new().retry_after(millisecond, millisecond);
            let mut reader = room.open().reader_with("in", &options).unwrap();
            let mut held = None;
            Attempt::new(move || {
                let dequeued = reader.dequeue(None, Some(Duration::from_secs(20)))?;
                Ok(match dequeued {
                    Dequeued::CheckedOut(checkout) => seen(held.insert(checkout)),
                    other => format!("{other:?}"),
                })
            })
        },
        ..READING
    },
    Operation {
        name: "dequeue, and wait in vain",
        prepare: |room| {
            room.furnish();
        },
        attempt: |room| {
            let mut reader = room.open().reader("in").unwrap();
            Attempt::new(move || {
                let dequeued = reader.dequeue(None, Some(Duration::from_millis(20)))?;
                Ok(format!("{dequeued:?}"))
            })
        },
        ..READING
    },
    Operation {
        name: "the descriptor of a reader",
        attempt: |room| {
            let mut reader = room.open().reader("in").unwrap();
            Attempt::new(move || {
                reader.fd()?;
                Ok("had".to_owned())
            })
        },
        called: &["reader fd", "dequeue"],
        passes_over: does_without,
        ..USUAL
    },
];
