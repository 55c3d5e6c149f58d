//! `repair`: steps of repairs, planned with reason or without, beside producers, a worker, a recover and
//! deaths, while files grow old at any moment.

use crate::check::Checks;
use crate::reached::Reached;
use crate::spool::disk::Disk;
use crate::spool::{Departure, End, Naming, Producer, Recover, Repair, Spool, Task, Worker};

fn model(crashes: u8, ages: u8) -> Spool {
    Spool {
        disks: vec![Disk::reserved(), leftovers()],
        processes: vec![
            Producer::of(1, Naming::Reserve),
            Producer::of(2, Naming::Use),
            Worker::taking(1),
            Recover::pass(),
            Repair::of(Task::Any),
        ],
        ends: &[End::SaveChanged, End::Remove],
        crashes,
        ages,
        ..Spool::empty()
    }
}

/// Two repairs at once.
fn repairs() -> Spool {
    let mut model = model(2, 2);
    model.processes[3] = Repair::of(Task::Any);
    model
}

/// An entry whose registry file has gone.
fn orphans(crashes: u8, ages: u8) -> Spool {
    Spool {
        disks: vec![Disk::with_entry(0).orphaned()],
        orphans: true,
        ..model(crashes, ages)
    }
}

/// Data and a temporary file that nobody has reserved the name of.
fn leftovers() -> Disk {
    let mut disk = Disk::with_entry(0).orphaned();
    // Of a process that makes none itself here, the recover.
    disk.temporary[3] = disk.waiting[0].take();
    disk.grow_old();
    disk
}

/// A repair of one kind, whose plan comes from a scan.
fn scanning(task: Task) -> Spool {
    Spool {
        processes: vec![
            Producer::of(1, Naming::Reserve),
            Producer::of(2, Naming::Use),
            Worker::taking(1),
            Repair::of(task),
        ],
        ends: &[End::Remove],
        scans: true,
        ..model(1, 1)
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let bound = if long { 3 } else { 2 };
    checks.holds(
        "repair",
        model(bound, bound),
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Recovered,
            Reached::Busy,
            Reached::Ghost,
            Reached::LeftoverGone,
            Reached::Cleared,
            Reached::NameCleared,
        ],
    );
    if long {
        checks.holds("repair: two at once", repairs(), &[Reached::NameCleared]);
    }
    checks.holds(
        "repair: orphans",
        orphans(bound, bound),
        &[Reached::Adopted, Reached::Taken, Reached::NameTaken],
    );
    let (lost, dataless) = ("no entry is lost", "no entry is without its data");
    for (model, departure, name, promise) in [
        (
            scanning(Task::RemoveReservation),
            Departure::RepairWithoutLock,
            "reservation, without lock",
            dataless,
        ),
        (
            scanning(Task::RemoveData),
            Departure::RepairWithoutLock,
            "data, without lock",
            dataless,
        ),
        (
            scanning(Task::RemoveData),
            Departure::RepairWithoutReserving,
            "data, name not reserved first",
            dataless,
        ),
        (
            scanning(Task::RemoveReservation),
            Departure::RepairWithoutLook,
            "reservation, no second look",
            dataless,
        ),
        (
            orphans(1, 1),
            Departure::RepairWithoutLook,
            "data of an orphan, no second look",
            dataless,
        ),
        (
            model(1, 1),
            Departure::TakeBackWithoutLook,
            "takes back what was used",
            lost,
        ),
        (
            model(1, 1),
            Departure::ReservesForTemporary,
            "reserves for a temporary file",
            lost,
        ),
    ] {
        checks.fails(
            &format!("repair: {name}"),
            model.departing(departure),
            promise,
        );
    }
}
