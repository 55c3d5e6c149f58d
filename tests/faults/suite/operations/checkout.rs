//! Taking an entry, and ending that.

use multispool::{Checkout, Error, Outcome};

use super::{Operation, USUAL, is_at, is_temporary, moves, touches_by_name};
use crate::suite::calls::Sort;
use crate::suite::room::{METADATA, NAME, NEW_METADATA, Room, enqueue};
use crate::suite::tracer::Made;
use crate::suite::tree::Change;
use crate::suite::worker::Attempt;

/// `e` waits in `in`.
pub const WAITING: Operation = Operation {
    prepare: |room| enqueue(&room.furnish(), "in", NAME),
    ..USUAL
};

/// Taking it.
pub const TAKING: Operation = Operation {
    called: &["checkout"],
    // It is looked at to see that nobody changed it meanwhile: if that fails, it is read again.
    passes_over: looks_at_what_was_moved,
    kind: is_one_bad_entry,
    undoes: |operation, made| operation == "checkout" && moves_back(made),
    leaves: |change, failed| is_a_place(change) && failed.iter().any(|made| moves_back(made)),
    ..WAITING
};

fn moves_back(made: &Made) -> bool {
    moves(made, "in/.checkout/e", "in/e")
}

fn is_a_place(change: &Change) -> bool {
    ["spool/in/e", "spool/in/.checkout/e"].contains(&change.path.as_str())
}

pub fn looks_at_what_was_moved(made: &Made) -> bool {
    made.call.sort == Sort::Look && is_at(&made.call, "in/.checkout/e")
}

/// An entry that cannot be read or touched is damaged, whatever the reason, and stops nobody; but where no
/// descriptor, no room or no right to write is left, that is not the entry's fault.
pub fn is_one_bad_entry(operation: &str, made: &Made) -> Option<&'static str> {
    let is_touch = made.call.sort == Sort::Change && is_at(&made.call, ".registry/e");
    let places = ["in/e", "in/.checkout/e", ".data/e"];
    let is_its = is_touch || places.iter().any(|place| is_at(&made.call, place));
    let is_its = is_its && made.call.sort != Sort::Move;
    let takes = ["checkout", "list checkouts"].contains(&operation);
    (takes && is_its && is_the_entry_s_fault(made)).then_some("Corrupt")
}

fn is_the_entry_s_fault(made: &Made) -> bool {
    let others = [libc::EMFILE, libc::ENOSPC, libc::EDQUOT, libc::EROFS];
    !others.iter().any(|errno| made.answer == -i64::from(*errno))
}

/// A reader also takes a registry file that cannot be locked for one bad entry.
pub fn is_one_bad_entry_to_a_reader(operation: &str, made: &Made) -> Option<&'static str> {
    let is_lock = operation == "checkout" && is_at(&made.call, ".registry/e");
    match is_lock && is_the_entry_s_fault(made) {
        true => Some("Corrupt"),
        false => is_one_bad_entry(operation, made),
    }
}

/// Ending a checkout that is in hand when the operation begins.
const SAVE: Operation = Operation {
    called: &["save"],
    passes_over: |made| {
        // What was replaced is garbage, which fsck names.
        made.call.sort == Sort::Remove && is_temporary(&made.call)
            || touches_by_name(made, "in/.checkout/e")
    },
    // The entry is whole with either metadata, where the old cannot be put back.
    leaves: |change, failed| {
        let exchanges = |made: &&Made| made.call.sort == Sort::Move && is_temporary(&made.call);
        change.path == "spool/in/.checkout/e" && failed.len() > 1 && failed.iter().any(exchanges)
    },
    ..WAITING
};

const REMOVE: Operation = Operation {
    called: &["remove"],
    syncs: &["spool/in/.checkout", "spool/in"],
    // Once the entry is gone, the rest is garbage, which fsck names.
    leaves: |change, failed| {
        let removes = |path| {
            let mut failed = failed.iter().filter(|made| made.call.sort == Sort::Remove);
            failed.any(|made| is_at(&made.call, path))
        };
        match change.path.as_str() {
            "spool/in/.checkout/e" => removes(".data/e") || removes(".registry/e"),
            "spool/.data/e" => removes(".registry/e"),
            _ => false,
        }
    },
    ..WAITING
};

pub const ALL: &[Operation] = &[
    Operation {
        name: "checkout",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            let mut held = None;
            Attempt::new(move || Ok(seen(held.insert(entry.checkout()?))))
        },
        ..TAKING
    },
    Operation {
        name: "try_checkout",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            let mut held = Vec::new();
            Attempt::new(move || {
                held.extend(entry.try_checkout()?);
                Ok(held.last().map_or("nothing".to_owned(), seen))
            })
        },
        ..TAKING
    },
    Operation {
        name: "save unchanged to the same queue",
        attempt: |room| saving(room, None, "in"),
        syncs: &["spool/in", "spool/in/.checkout"],
        ..SAVE
    },
    Operation {
        name: "save unchanged to another queue",
        attempt: |room| saving(room, None, "done"),
        syncs: &["spool/done", "spool/in/.checkout", "spool/in"],
        ..SAVE
    },
    Operation {
        name: "save changed to the same queue",
        attempt: |room| saving(room, Some(NEW_METADATA), "in"),
        syncs: &["spool/.tmp/e.tmp.R", "spool/in", "spool/in/.checkout"],
        ..SAVE
    },
    Operation {
        name: "save changed to another queue",
        attempt: |room| saving(room, Some(NEW_METADATA), "done"),
        syncs: &[
            "spool/.tmp/e.tmp.R",
            "spool/done",
            "spool/in/.checkout",
            "spool/in",
        ],
        ..SAVE
    },
    Operation {
        name: "release",
        attempt: |room| releasing(room, None),
        called: &["release"],
        passes_over: |made| touches_by_name(made, "in/.checkout/e"),
        syncs: &["spool/in", "spool/in/.checkout"],
        ..WAITING
    },
    Operation {
        name: "update and release",
        attempt: |room| releasing(room, Some(NEW_METADATA)),
        called: &["release"],
        passes_over: |made| touches_by_name(made, "in/.checkout/e"),
        syncs: &["spool/in", "spool/in/.checkout"],
        ..WAITING
    },
    Operation {
        name: "remove",
        attempt: |room| {
            let mut checkout = take(room);
            Attempt::new(move || checkout.remove().map(|()| "removed".to_owned()))
        },
        ..REMOVE
    },
    Operation {
        name: "with_entry that saves",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            Attempt::new(move || {
                entry.with_entry(|metadata, data| {
                    let data = data.load()?;
                    let outcome = Outcome::save_with("done", NEW_METADATA)?;
                    Ok::<_, Error>((outcome, format!("{} {}", metadata.len(), data.len())))
                })
            })
        },
        called: &["checkout", "data load", "save"],
        passes_over: |made| (TAKING.passes_over)(made) || (SAVE.passes_over)(made),
        // Where it cannot even be given back, a recover returns it.
        leaves: |change, failed| {
            let gives_back = |made: &&Made| {
                is_at(&made.call, "in/.checkout/e") || is_at(&made.call, ".registry/e")
            };
            is_a_place(change) && failed.iter().skip(1).any(gives_back)
        },
        syncs: &[
            "spool/.tmp/e.tmp.R",
            "spool/done",
            "spool/in/.checkout",
            "spool/in",
        ],
        ..TAKING
    },
    Operation {
        name: "save through a handle that owns nothing",
        prepare: checked_out_by_the_dead,
        attempt: |room| {
            let mut checkout = unowned(room);
            Attempt::new(move || checkout.save("done").map(|()| "saved".to_owned()))
        },
        syncs: &["spool/done", "spool/in/.checkout", "spool/in"],
        ..SAVE
    },
    Operation {
        name: "remove through a handle that owns nothing",
        prepare: checked_out_by_the_dead,
        attempt: |room| {
            let mut checkout = unowned(room);
            Attempt::new(move || checkout.remove().map(|()| "removed".to_owned()))
        },
        ..REMOVE
    },
    Operation {
        name: "pass the ownership on",
        attempt: |room| {
            let checkout = take(room);
            Attempt::new(move || {
                let mut command = std::process::Command::new("true");
                checkout.pass_ownership(&mut command)?;
                Ok("passed".to_owned())
            })
        },
        called: &["pass ownership"],
        ..WAITING
    },
];

/// `e` is checked out of `in`, and nobody owns it.
pub fn checked_out_by_the_dead(room: &Room) {
    let spool = room.furnish();
    enqueue(&spool, "in", NAME);
    drop(spool.entry("in", NAME).unwrap().checkout().unwrap());
}

pub fn take(room: &Room) -> Checkout {
    room.open().entry("in", NAME).unwrap().checkout().unwrap()
}

fn unowned(room: &Room) -> Checkout {
    let mut checkouts = room.open().list_checkouts_unsafe("in").unwrap();
    checkouts.next().unwrap().unwrap()
}

pub fn seen(checkout: &Checkout) -> String {
    let metadata = checkout.metadata().escape_ascii();
    format!("{} of {}: {metadata}", checkout.name(), checkout.queue())
}

fn saving(room: &Room, metadata: Option<&'static str>, queue: &'static str) -> Attempt {
    let mut checkout = take(room);
    assert_eq!(checkout.metadata(), METADATA.as_bytes());
    Attempt::new(move || {
        if let Some(metadata) = metadata
            && !checkout.is_finished()
        {
            checkout.set_metadata(metadata)?;
        }
        checkout.save(queue).map(|()| "saved".to_owned())
    })
}

fn releasing(room: &Room, metadata: Option<&'static str>) -> Attempt {
    let mut checkout = take(room);
    if let Some(metadata) = metadata {
        checkout.set_metadata(metadata).unwrap();
    }
    Attempt::new(move || checkout.release().map(|()| "released".to_owned()))
}
