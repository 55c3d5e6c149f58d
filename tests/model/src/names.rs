//! `names`: two `Use`s of one reserved name, two enqueues that reserve it once it is free, a worker that
//! removes or releases what comes, steps of an enqueue that fail, and deaths.

use crate::check::Checks;
use crate::reached::Reached;
use crate::spool::disk::Disk;
use crate::spool::{Departure, End, Naming, Producer, Spool, Worker};

fn model(takes: u8, crashes: u8, failures: u8) -> Spool {
    Spool {
        disks: vec![Disk::reserved(), Disk::EMPTY],
        processes: vec![
            Producer::of(0, Naming::Use),
            Producer::of(1, Naming::Use),
            Producer::of(2, Naming::Reserve),
            Producer::of(3, Naming::Reserve),
            Worker::taking(takes),
        ],
        ends: &[End::Remove, End::Release],
        crashes,
        failures,
        ..Spool::empty()
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let real = model(2, 1, 1);
    checks.holds(
        "names",
        match long {
            true => model(4, 3, 3),
            false => model(3, 2, 2),
        },
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Busy,
            Reached::Ghost,
            Reached::Undone,
            Reached::LeftoverGone,
            Reached::NameTaken,
        ],
    );
    let (lost, dataless) = ("no entry is lost", "no entry is without its data");
    for (departure, name, promise) in [
        (Departure::NoCompare, "a ghost's lock is good", lost),
        (Departure::UseWithoutLook, "Use without a look", dataless),
        (
            Departure::ReservationFirst,
            "reservation undone first",
            dataless,
        ),
        (
            Departure::UnreserveTaken,
            "what others used is given up",
            lost,
        ),
        (
            Departure::ReopenReservation,
            "reservation opened anew",
            "nothing goes wrong",
        ),
    ] {
        checks.fails(
            &format!("names: {name}"),
            real.departing(departure),
            promise,
        );
    }
    // The lock call itself has to fail, in the moment in which another process uses the very name.
    checks.is_limited(
        "names: given up without its lock",
        real.departing(Departure::UnreserveUnlocked),
        lost,
    );
}
