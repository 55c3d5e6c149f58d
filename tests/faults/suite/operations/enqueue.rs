//! Reserving names, and adding entries.

use std::io::{self, Write};

use multispool::{EnqueueOptions, Error, Source, Spool};

use super::spool::group;
use super::{Operation, QUEUES, USUAL};
use crate::suite::room::{DATA, METADATA, NAME, Room, names};
use crate::suite::worker::Attempt;

const ENQUEUE: Operation = Operation {
    called: &["enqueue"],
    syncs: &[
        "spool/.data/e",
        "spool/.tmp/e.tmp.R",
        "spool/.data",
        "spool/.registry",
        "spool/in",
    ],
    ..USUAL
};

pub const ALL: &[Operation] = &[
    Operation {
        name: "reserve",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || spool.reserve(&*names()).map(|name| name.to_string()))
        },
        called: &["reserve"],
        ..USUAL
    },
    Operation {
        name: "reserve one name, for a group",
        attempt: |room| {
            let spool = for_a_group(room);
            Attempt::new(move || spool.reserve_name(NAME).map(|name| name.to_string()))
        },
        called: &["reserve"],
        ..USUAL
    },
    Operation {
        name: "enqueue bytes",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || enqueue(&spool, DATA, &by_generator()))
        },
        ..ENQUEUE
    },
    Operation {
        name: "enqueue bytes, for a group",
        attempt: |room| {
            let spool = for_a_group(room);
            Attempt::new(move || enqueue(&spool, DATA, &by_generator()))
        },
        syncs: &["spool/.data/e", "spool/.tmp/e.tmp.R"],
        ..ENQUEUE
    },
    Operation {
        name: "enqueue under a name by time",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let entry = spool.enqueue("in", METADATA, DATA)?;
                Ok(format!(
                    "enqueued a name of {} bytes",
                    entry.name().as_bytes().len()
                ))
            })
        },
        syncs: &[
            "spool/.data/BY-TIME",
            "spool/.tmp/BY-TIME.tmp.R",
            "spool/.data",
            "spool/.registry",
            "spool/in",
        ],
        ..ENQUEUE
    },
    Operation {
        name: "enqueue a file",
        attempt: |room| {
            let (spool, source) = (room.open(), room.source());
            Attempt::new(move || enqueue(&spool, source.as_path(), &by_generator()))
        },
        ..ENQUEUE
    },
    Operation {
        name: "enqueue from a reader",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                // More than is read at once.
                let mut reader = io::Cursor::new([7; 200 * 1024]);
                enqueue(&spool, Source::reader(&mut reader), &by_generator())
            })
        },
        ..ENQUEUE
    },
    Operation {
        name: "enqueue by a writer",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let mut writer = spool.enqueue_writer("in", &by_generator())?;
                let (first, second) = DATA.as_bytes().split_at(10);
                writer.write_all(first).map_err(inner)?;
                writer.write_all(second).map_err(inner)?;
                let entry = writer.commit(METADATA.as_bytes())?;
                Ok(entry.name().to_string())
            })
        },
        ..ENQUEUE
    },
    Operation {
        name: "begin an enqueue and give it up",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let mut writer = spool.enqueue_writer("in", &by_generator())?;
                writer.write_all(DATA.as_bytes()).map_err(inner)?;
                drop(writer);
                Ok("given up".to_owned())
            })
        },
        // What could not be undone is named by fsck, and nothing was promised.
        passes_over: |made| made.call.name == "unlinkat",
        syncs: &[],
        ..ENQUEUE
    },
    Operation {
        name: "enqueue under a reserved name",
        prepare: |room| {
            room.furnish().reserve_name(NAME).unwrap();
        },
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || enqueue(&spool, DATA, &EnqueueOptions::new().name(NAME)))
        },
        ..ENQUEUE
    },
    Operation {
        name: "enqueue over a dead attempt's leftovers",
        prepare: |room| {
            room.furnish().reserve_name(NAME).unwrap();
            std::fs::write(room.in_spool(".data/e"), "half of the da").unwrap();
            std::fs::write(room.in_spool(".tmp/e.tmp.abcdef"), "").unwrap();
        },
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || enqueue(&spool, DATA, &EnqueueOptions::new().name(NAME)))
        },
        syncs: &[
            QUEUES[0],
            QUEUES[1],
            QUEUES[2],
            QUEUES[3],
            QUEUES[4],
            QUEUES[5],
            "spool/.data/e",
            "spool/.tmp/e.tmp.R",
            "spool/.data",
            "spool/.registry",
            "spool/in",
        ],
        // The dead attempt's data is gone before this one's is there.
        leaves: |change, _| change.path == "spool/.data/e" && change.to.is_none(),
        ..ENQUEUE
    },
];

fn by_generator() -> EnqueueOptions {
    EnqueueOptions::new().generator(names())
}

fn enqueue<'a>(
    spool: &Spool,
    data: impl Into<Source<'a>>,
    options: &EnqueueOptions,
) -> Result<String, Error> {
    let entry = spool.enqueue_with("in", METADATA, data, options)?;
    Ok(entry.name().to_string())
}

fn for_a_group(room: &Room) -> Spool {
    let options = Spool::options().durability(multispool::Durability::Original);
    let options = options.file_mode(0o660).group(group());
    options.load_unsafe(room.spool_dir(), ["in"]).unwrap()
}

/// The library's own error, out of what the traits of the standard library make of it.
pub fn inner(error: io::Error) -> Error {
    error.downcast().expect("an error of the library's")
}
