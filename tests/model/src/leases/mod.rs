//! `leases`: a spool that several hosts share, as far as one name sees it. Each step is one request to the file
//! system; a process may be cut off for any time before any of them, a reply may be lost and the request made again, and a host
//! may answer a rename from memory, without asking anybody. Time is in ticks.

mod claim;
mod enqueue;
mod model;
mod moves;
mod promises;
mod recover;
mod worker;

use crate::check::Checks;
use crate::reached::Reached;
use model::{Departure, Disk, Kind, Shared};

const ONE_OWNER: &str = "an entry has one owner whose lease lasts";
const NOT_LOST: &str = "no entry is lost";
const HAS_IT: &str = "a holder whose lease lasts has the entry";
const TOLD: &str = "a late holder is told";
const ONCE: &str = "nobody is handed what another has";

fn workers(long: bool) -> Shared {
    Shared {
        kinds: vec![Kind::Worker, Kind::Worker, Kind::Recover],
        begin: Disk::with_entry(),
        crashes: if long { 2 } else { 1 },
        ticks: 1,
        lost_replies: 1,
        stale: 1,
        ..Shared::empty()
    }
}

fn producers(long: bool) -> Shared {
    Shared {
        kinds: vec![Kind::Producer, Kind::Producer, Kind::Recover],
        begin: Disk::EMPTY,
        crashes: u8::from(long),
        ticks: 1,
        lost_replies: 1,
        ..Shared::empty()
    }
}

/// With the bounds of the short form, or the long.
pub fn check(checks: &mut Checks, long: bool) {
    let (work, publish) = (workers(long), producers(long));
    let (short_work, short_publish) = (workers(false), producers(false));
    checks.holds(
        "leases",
        work,
        &[
            Reached::Taken,
            Reached::Removed,
            Reached::Recovered,
            Reached::TakenOver,
            Reached::ToldLost,
            Reached::LinkedBack,
            Reached::LinkedAgain,
            Reached::ReplyLost,
            Reached::CarriedOutLate,
            Reached::NotAsked,
        ],
    );
    checks.holds(
        "leases: a name used twice",
        publish,
        &[Reached::TakenOver, Reached::NameTaken],
    );
    checks.is_limited(
        "leases: a move in flight",
        Shared {
            is_limit: true,
            ..short_work.clone()
        },
        HAS_IT,
    );
    for (departure, name, promise) in [
        (Departure::RenameIsClaim, "a rename is the claim", ONE_OWNER),
        (Departure::TakeWithoutHold, "no hold after the move", ONCE),
        (Departure::EndWithoutHold, "no hold before the end", TOLD),
        (Departure::PlainRemove, "removed by unlink", NOT_LOST),
        (
            Departure::PutBackByLink,
            "put back by link",
            "an entry is in one place",
        ),
    ] {
        let wrong = short_work.departing(departure);
        checks.fails(&format!("leases: {name}"), wrong, promise);
    }
    checks.fails(
        "leases: published by rename",
        short_publish.departing(Departure::PublishByRename),
        NOT_LOST,
    );
}
