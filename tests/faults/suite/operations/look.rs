//! Looking, and changing nothing.

use std::time::Duration;

use multispool::{Monitor, MonitorSpec, RepairOptions, StatsOptions};

use super::checkout::{WAITING, checked_out_by_the_dead, is_one_bad_entry, seen};
use super::{Operation, cannot_be_asked, finds_unreadable};
use crate::suite::room::{NAME, enqueue};
use crate::suite::worker::Attempt;

/// Several entries wait, one is checked out, and some garbage lies about.
const BUSY: Operation = Operation {
    prepare: |room| {
        checked_out_by_the_dead(room);
        let spool = room.open();
        enqueue(&spool, "in", "f");
        std::fs::write(room.in_spool(".tmp/g.tmp.abcdef"), "").unwrap();
        std::fs::write(room.in_spool(".data/h"), "").unwrap();
    },
    ..WAITING
};

pub const ALL: &[Operation] = &[
    Operation {
        name: "list",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let entries = spool.list("in")?;
                let names: Result<Vec<_>, _> =
                    entries.map(|entry| Ok(entry?.name().to_string())).collect();
                names.map(|names| names.join(" "))
            })
        },
        called: &["list"],
        ..BUSY
    },
    Operation {
        name: "stat",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            Attempt::new(move || entry.stat().map(|stat| stat.len().to_string()))
        },
        called: &["stat"],
        ..WAITING
    },
    Operation {
        name: "list_checkouts_unsafe",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let checkouts = spool.list_checkouts_unsafe("in")?;
                let seen: Result<Vec<_>, _> = checkouts
                    .map(|checkout| checkout.map(|checkout| seen(&checkout)))
                    .collect();
                seen.map(|seen| seen.join(" "))
            })
        },
        called: &["list checkouts"],
        kind: is_one_bad_entry,
        ..BUSY
    },
    Operation {
        name: "stats",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let stats = spool.stats(&StatsOptions::new().bytes(true))?;
                let queues = stats.queues.iter().map(|queue| {
                    format!(
                        "{}: {} {} {} {:?} {:?}",
                        queue.queue,
                        queue.entries,
                        queue.checked_out_alive,
                        queue.checked_out_dead,
                        queue.metadata_bytes,
                        queue.data_bytes
                    )
                });
                Ok(queues.collect::<Vec<_>>().join(", "))
            })
        },
        called: &["stats"],
        passes_over: cannot_be_asked,
        tells_otherwise: cannot_be_asked,
        ..BUSY
    },
    Operation {
        name: "problems",
        attempt: |room| {
            let room = room.clone();
            Attempt::new(move || room.problems().map(|problems| format!("{problems:?}")))
        },
        called: &["discover", "load", "scan"],
        passes_over: |made| finds_unreadable(made) || cannot_be_asked(made),
        tells_otherwise: |made| finds_unreadable(made) || cannot_be_asked(made),
        ..BUSY
    },
    Operation {
        name: "plan a repair",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let options = RepairOptions::new().min_age(Duration::ZERO);
                let plan = spool.repair(&options)?;
                let steps = plan.steps().iter().map(|step| step.action.as_str());
                Ok(steps.collect::<Vec<_>>().join(" "))
            })
        },
        called: &["repair", "scan"],
        passes_over: |made| finds_unreadable(made) || cannot_be_asked(made),
        ..BUSY
    },
    Operation {
        name: "create a monitor",
        attempt: |room| {
            let spec = MonitorSpec::new(room.spool_dir(), multispool::Limits::new());
            Attempt::new(move || Monitor::create(&spec).map(|_| "created".to_owned()))
        },
        called: &["discover", "load"],
        ..WAITING
    },
];
