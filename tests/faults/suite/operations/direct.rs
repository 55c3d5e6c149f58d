//! Reading, replacing and removing what waits in a queue, with no ownership.

use super::checkout::WAITING;
use super::{Operation, is_at, touches_by_name};
use crate::suite::calls::Sort;
use crate::suite::room::{NAME, NEW_METADATA};
use crate::suite::worker::Attempt;

pub const ALL: &[Operation] = &[
    Operation {
        name: "direct contents",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            Attempt::new(move || {
                let contents = entry.direct().contents()?;
                Ok(contents.escape_ascii().to_string())
            })
        },
        called: &["direct contents"],
        ..WAITING
    },
    Operation {
        name: "direct save",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            Attempt::new(move || {
                entry.direct().save(NEW_METADATA)?;
                Ok("saved".to_owned())
            })
        },
        called: &["direct save"],
        syncs: &["spool/.tmp/e.tmp.R", "spool/in"],
        ..WAITING
    },
    Operation {
        name: "direct remove",
        attempt: |room| {
            let entry = room.open().entry("in", NAME).unwrap();
            Attempt::new(move || entry.direct().remove().map(|()| "removed".to_owned()))
        },
        called: &["direct remove"],
        syncs: &["spool/in"],
        // Once the entry is gone, the rest is garbage, which fsck names.
        leaves: |change, failed| {
            let removes = |path| {
                let mut failed = failed.iter().filter(|made| made.call.sort == Sort::Remove);
                failed.any(|made| is_at(&made.call, path))
            };
            match change.path.as_str() {
                "spool/in/e" => removes(".data/e") || removes(".registry/e"),
                "spool/.data/e" => removes(".registry/e"),
                _ => false,
            }
        },
        passes_over: |made| touches_by_name(made, ".registry/e"),
        ..WAITING
    },
];
