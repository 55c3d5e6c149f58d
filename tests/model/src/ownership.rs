//! `ownership`: workers that take, save, release, remove, drop and die, perhaps leaving a command behind; a
//! producer that uses the name again once it is free; recovers that run all the time. Owners all hold locks.

use crate::check::Checks;
use crate::reached::Reached;
use crate::spool::disk::Disk;
use crate::spool::{Departure, End, Naming, Producer, Recover, Spool, Worker};

const ALL: &[End] = &[
    End::Release,
    End::Save,
    End::SaveChanged,
    End::Remove,
    End::Drop,
];

fn model(takes: [u8; 2], crashes: u8) -> Spool {
    Spool {
        queues: 2,
        disks: vec![Disk::with_entry(0)],
        processes: vec![
            Worker::taking(takes[0]),
            Worker::taking(takes[1]),
            Producer::of(1, Naming::Reserve),
            Recover::pass(),
            Recover::pass(),
        ],
        ends: ALL,
        crashes,
        commands: true,
        ..Spool::empty()
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let real = model([1, 1], 1);
    checks.holds(
        "ownership",
        match long {
            true => model([2, 2], 3),
            false => model([2, 1], 2),
        },
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Recovered,
            Reached::Busy,
            Reached::Ghost,
            Reached::Gone,
            Reached::CommandAlone,
        ],
    );
    let one_owner = "an entry has one owner";
    for (departure, name, promise) in [
        (Departure::LockAfterMove, "lock after the move", one_owner),
        (Departure::NoCompare, "a ghost's lock is good", one_owner),
        (
            Departure::RecoverWithoutLock,
            "recover without lock",
            one_owner,
        ),
        (
            Departure::DataFirst,
            "data removed first",
            "no entry is without its data",
        ),
    ] {
        checks.fails(
            &format!("ownership: {name}"),
            real.departing(departure),
            promise,
        );
    }
}
