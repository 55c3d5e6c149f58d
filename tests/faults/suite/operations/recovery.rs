//! Returning what the dead hold, and clearing what they left.

use std::path::PathBuf;
use std::time::Duration;

use multispool::{Error, RecoverOptions, RepairOptions};

use super::checkout::checked_out_by_the_dead;
use super::{Operation, QUEUES, USUAL, is_at, may_not_open_the_parent, touches_by_name};
use crate::suite::calls::Sort;
use crate::suite::room::{NAME, Room, enqueue};
use crate::suite::tracer::Made;
use crate::suite::tree::Change;
use crate::suite::worker::Attempt;

const REPAIR: Operation = Operation {
    called: &["repair"],
    attempt: |room| repair(room, false),
    syncs: &["spool/.tmp", "spool/.data", "spool/.registry"],
    leaves: garbage_is_gone,
    ..USUAL
};

const TAKING_DATA: &[&str] = &[
    QUEUES[0],
    QUEUES[1],
    QUEUES[2],
    QUEUES[3],
    QUEUES[4],
    QUEUES[5],
    "spool/.tmp",
    "spool/.data",
    "spool/.registry",
];

pub const ALL: &[Operation] = &[
    Operation {
        name: "recover",
        prepare: checked_out_by_the_dead,
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let recovered = spool.recover(&RecoverOptions::new())?;
                told(recovered.entries.len(), recovered.failures)
            })
        },
        called: &["recover"],
        passes_over: |made| touches_by_name(made, "in/.checkout/e"),
        syncs: &["spool/in", "spool/in/.checkout"],
        ..USUAL
    },
    Operation {
        name: "repair a temporary file of nobody",
        prepare: |room| {
            room.furnish();
            garbage(room, ".tmp/e.tmp.abcdef");
        },
        ..REPAIR
    },
    Operation {
        name: "repair a temporary file of an entry",
        prepare: |room| {
            enqueue(&room.furnish(), "in", NAME);
            garbage(room, ".tmp/e.tmp.abcdef");
        },
        ..REPAIR
    },
    Operation {
        name: "repair data of nobody",
        prepare: |room| {
            room.furnish();
            garbage(room, ".data/e");
        },
        syncs: TAKING_DATA,
        ..REPAIR
    },
    Operation {
        name: "repair an entry without its registry file",
        prepare: |room| {
            enqueue(&room.furnish(), "in", NAME);
            std::fs::remove_file(room.in_spool(".registry/e")).unwrap();
        },
        // A reservation that cannot be taken back makes the entry whole.
        leaves: |change, failed| {
            let takes_back = |made: &&Made| made.call.sort == Sort::Remove;
            change.path == "spool/.registry/e" && failed.iter().any(takes_back)
        },
        ..REPAIR
    },
    Operation {
        name: "repair a reservation with data",
        prepare: reserved_with_data,
        syncs: TAKING_DATA,
        ..REPAIR
    },
    Operation {
        name: "repair a temporary file of nobody, to a directory",
        prepare: |room| {
            room.furnish();
            garbage(room, ".tmp/e.tmp.abcdef");
        },
        attempt: |room| repair(room, true),
        passes_over: may_not_open_the_parent,
        syncs: &[
            "",
            "away",
            "away/.tmp",
            "spool/.tmp",
            "spool/.data",
            "spool/.registry",
        ],
        ..REPAIR
    },
    Operation {
        name: "repair a reservation with data, to a directory",
        prepare: reserved_with_data,
        attempt: |room| repair(room, true),
        passes_over: may_not_open_the_parent,
        syncs: &[
            "",
            QUEUES[0],
            QUEUES[1],
            QUEUES[2],
            QUEUES[3],
            QUEUES[4],
            QUEUES[5],
            "away",
            "away",
            "away/.data",
            "away/.registry",
            "spool/.tmp",
            "spool/.data",
            "spool/.registry",
        ],
        ..REPAIR
    },
];

fn garbage(room: &Room, path: &str) {
    std::fs::write(room.in_spool(path), "garbage").unwrap();
}

fn reserved_with_data(room: &Room) {
    room.furnish().reserve_name(NAME).unwrap();
    garbage(room, ".data/e");
}

/// Directories to move to stay; and garbage is gone where only its reservation, which comes last, could not be
/// removed.
fn garbage_is_gone(change: &Change, failed: &[&Made]) -> bool {
    let is_reservation = |made: &&Made| {
        let is_its_place =
            |path: &PathBuf| path.ends_with("away") || path.ends_with("away/.registry");
        is_at(&made.call, ".registry/e") || made.call.paths.iter().any(is_its_place)
    };
    match change.path.as_str() {
        "away" | "away/.tmp" | "away/.data" | "away/.registry" => true,
        "spool/.tmp/e.tmp.abcdef" | "spool/.data/e" => {
            change.to.is_none() && failed.iter().any(is_reservation)
        }
        "away/.tmp/e.tmp.abcdef" | "away/.data/e" => failed.iter().any(is_reservation),
        _ => false,
    }
}

fn repair(room: &Room, to_a_directory: bool) -> Attempt {
    let mut options = RepairOptions::new().min_age(Duration::ZERO);
    if to_a_directory {
        options = options.to(room.away());
    }
    let plan = room.open().repair(&options).unwrap();
    Attempt::new(move || {
        let repaired = plan.apply()?;
        told(repaired.steps.len(), repaired.failures)
    })
}

/// The first failure is what it came to.
fn told(done: usize, failures: Vec<Error>) -> Result<String, Error> {
    match failures.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(done.to_string()),
    }
}
