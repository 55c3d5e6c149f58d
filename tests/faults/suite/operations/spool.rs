//! Creating and opening.

use multispool::{Durability, Spool};

use super::{Operation, USUAL, may_not_open_the_parent};
use crate::suite::calls::Sort;
use crate::suite::room::Room;
use crate::suite::worker::Attempt;

const NEW: Operation = Operation {
    prepare: |_| {},
    called: &["create"],
    // A creation that was cut short stays so; the next one finishes it.
    leaves: |change, failed| {
        let is_format = change.path.starts_with("spool/.multispool/format.tmp.")
            // No fsck looks there, but the error names it, and the next creation removes it.
            && failed.iter().any(|made| made.call.sort == Sort::Remove);
        change.from.is_none() && (is_made_by_create(&change.path) || is_format)
    },
    ..USUAL
};

const LOAD: Operation = Operation {
    called: &["load"],
    ..USUAL
};

pub const ALL: &[Operation] = &[
    Operation {
        name: "create",
        attempt: |room| create(room, &["in", "done"]),
        passes_over: may_not_open_the_parent,
        syncs: &[
            "",
            "spool/.multispool",
            "spool",
            "spool/.multispool/format.tmp.R",
            "spool/.multispool",
            "spool/.data",
            "spool",
            "spool/.registry",
            "spool",
            "spool/.tmp",
            "spool",
            "spool/done",
            "spool",
            "spool/done/.checkout",
            "spool/done",
            "spool/in",
            "spool",
            "spool/in/.checkout",
            "spool/in",
        ],
        ..NEW
    },
    Operation {
        name: "create, for a group",
        attempt: |room| {
            let dir = room.spool_dir();
            Attempt::new(move || {
                let options = Spool::options().durability(Durability::None);
                let options = options.file_mode(0o660).dir_mode(0o2770).group(group());
                options.create(&dir, ["in"]).map(|spool| queues(&spool))
            })
        },
        ..NEW
    },
    Operation {
        name: "create again, with one queue more",
        prepare: |room| {
            room.furnish();
        },
        attempt: |room| create(room, &["done", "more"]),
        syncs: &[
            "spool/.data",
            "spool",
            "spool/.registry",
            "spool",
            "spool/.tmp",
            "spool",
            "spool/done",
            "spool",
            "spool/done/.checkout",
            "spool/done",
            "spool/more",
            "spool",
            "spool/more/.checkout",
            "spool/more",
        ],
        ..NEW
    },
    Operation {
        name: "load",
        attempt: |room| {
            let dir = room.spool_dir();
            Attempt::new(move || Spool::load(&dir, ["in", "done"]).map(|spool| queues(&spool)))
        },
        ..LOAD
    },
    Operation {
        name: "load a spool without a format file",
        prepare: |room| {
            room.furnish();
            std::fs::remove_dir_all(room.in_spool(".multispool")).unwrap();
        },
        attempt: |room| {
            let dir = room.spool_dir();
            Attempt::new(move || {
                let spool = Spool::options().read_only(true).load(&dir, ["in"])?;
                Ok(queues(&spool))
            })
        },
        ..LOAD
    },
    Operation {
        name: "load_unsafe",
        attempt: |room| {
            let dir = room.spool_dir();
            Attempt::new(move || Spool::load_unsafe(&dir, ["in"]).map(|spool| queues(&spool)))
        },
        // What is wrong shows at first use.
        passes_over: |_| true,
        ..LOAD
    },
    Operation {
        name: "discover",
        attempt: |room| {
            let dir = room.spool_dir();
            Attempt::new(move || Spool::discover(&dir).map(|queues| format!("{queues:?}")))
        },
        called: &["discover"],
        ..USUAL
    },
    Operation {
        name: "format",
        attempt: |room| {
            let spool = room.open();
            Attempt::new(move || {
                let format = spool.format()?;
                Ok(format!("{:?} {:?}", format.mode(), format.owners()))
            })
        },
        called: &["format"],
        passes_over: |made| made.call.sort == Sort::Close,
        ..USUAL
    },
];

fn create(room: &Room, queues_asked: &'static [&'static str]) -> Attempt {
    let dir = room.spool_dir();
    Attempt::new(move || Spool::create(&dir, queues_asked).map(|spool| queues(&spool)))
}

fn queues(spool: &Spool) -> String {
    format!("{:?}", spool.queues())
}

/// This process's own group, which it may give to files.
pub fn group() -> u32 {
    // SAFETY: it cannot fail and touches nothing.
    unsafe { libc::getegid() }
}

fn is_made_by_create(path: &str) -> bool {
    [
        "spool",
        "spool/.multispool",
        "spool/.multispool/format",
        "spool/.data",
        "spool/.registry",
        "spool/.tmp",
        "spool/in",
        "spool/in/.checkout",
        "spool/done",
        "spool/done/.checkout",
        "spool/more",
        "spool/more/.checkout",
    ]
    .contains(&path)
}
