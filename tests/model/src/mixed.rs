//! `mixed`: our workers, recover and repair beside workers and a producer of the original's, which take no
//! locks. Who does not hold the name's lock is told from the dead by age alone, and so has to be quick: files
//! grow old only while no such process is in the middle of anything. That goes for a worker of ours too, if the
//! original removed the entry and its name was used again between the worker's lock and its move.

use crate::check::Checks;
use crate::reached::Reached;
use crate::spool::disk::Disk;
use crate::spool::{
    Departure, End, Naming, Original, OriginalProducer, Process, Producer, Recover, Repair, Spool,
    Task, Worker,
};

fn model(others: &[Process], ends: &'static [End], takes: u8, crashes: u8) -> Spool {
    let mut processes = vec![Worker::taking(takes), Original::taking(2)];
    processes.extend(others);
    Spool {
        disks: vec![Disk::with_entry(0)],
        processes,
        ends,
        crashes,
        ages: 1,
        mixed: true,
        ..Spool::empty()
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let (takes, crashes) = if long { (2, 3) } else { (1, 2) };
    let workers = model(
        &[Recover::pass(), OriginalProducer::of(1)],
        &[End::Release, End::SaveChanged, End::Remove],
        takes,
        crashes,
    );
    checks.holds(
        "mixed: workers",
        workers.clone(),
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Recovered,
            Reached::Gone,
            Reached::ReadAgain,
        ],
    );
    let repair = model(
        &[Repair::of(Task::Any), OriginalProducer::of(1)],
        &[End::Release, End::Remove],
        takes,
        crashes,
    );
    checks.holds(
        "mixed: repair",
        repair.clone(),
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Cleared,
            Reached::NameCleared,
        ],
    );
    let (wrong, dataless) = ("nothing goes wrong", "no entry is without its data");
    for (model, departure, name, promise) in [
        (
            &workers,
            Departure::RecoverWithoutAge,
            "recover whatever the age",
            "an entry has one owner",
        ),
        (
            &workers,
            Departure::NoSecondRead,
            "what was moved is not compared",
            wrong,
        ),
        (
            &workers,
            Departure::ClosesWhatItRead,
            "what was read is closed early",
            wrong,
        ),
        (
            &repair,
            Departure::AgeOnlyFirst,
            "repair, age only before the look",
            dataless,
        ),
        (
            &repair,
            Departure::AgeOnlyLast,
            "repair, age only after the look",
            dataless,
        ),
    ] {
        checks.fails(
            &format!("mixed: {name}"),
            model.departing(departure),
            promise,
        );
    }
    // Who uses a name that an entry of the original's has, and looks twice while that is moved back twice.
    checks.is_limited(
        "mixed: Use of a name that is in use",
        model(&[Producer::of(2, Naming::Use)], &[End::Release], 1, 0),
        dataless,
    );
}
