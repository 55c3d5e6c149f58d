//! Recover, and each thing that a repair does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use multispool::{RepairOptions, Result, Spool};

use super::{
    Answer, Operation, Prospect, Try, add, changed, check_out, operation, recover, with_bystanders,
};
use crate::fate::{is_out, waits};

pub fn operations() -> Vec<Operation> {
    let returned = |queue, name| {
        let (out, back) = (is_out(queue, name, (0, 0)), waits(queue, name, (0, 0)));
        changed(name, vec![vec![out, back.clone()], vec![back]])
    };
    let all_returned = vec![
        returned("side", "held"),
        returned("in", "left"),
        returned("out", "stuck"),
    ];
    let clearing = |name, prepare, attempt, entries| Operation {
        clears: true,
        sweeps: true,
        // All directories are synced that a repair may have changed.
        needs_each_sync: false,
        ..operation(name, prepare, attempt, entries)
    };
    vec![
        Operation {
            sweeps: true,
            ..operation("recover", owners_dead, recover_all, all_returned)
        },
        clearing(
            "repair: remove temporary files",
            temporaries,
            repair,
            vec![],
        ),
        clearing("repair: remove data", data_alone, repair, vec![]),
        clearing("repair: remove reservations", reservations, repair, vec![]),
        clearing("repair: adopt", orphans, repair, adopted()),
        Operation {
            is_killed: false,
            ..clearing("repair: everything", everything, repair, adopted())
        },
        Operation {
            moves: MOVES,
            is_killed: false,
            ..clearing("repair: move away", to_move, repair_to, vec![])
        },
    ]
}

/// Where [`repair_to`] moves things, below the root of the tree.
const AWAY: &str = "away";

const MOVES: &[(&str, &str)] = &[
    ("spool/.tmp/gone.tmp.aaaaaa", "away/.tmp/gone.tmp.aaaaaa"),
    ("spool/.data/alone", "away/.data/alone"),
    ("spool/.data/half", "away/.data/half"),
    ("spool/.registry/half", "away/.registry/half"),
];

fn adopted() -> Vec<Prospect> {
    let waiting = waits("in", "orphan", (0, 0));
    let held = is_out("out", "foundling", (0, 0));
    let adopted = |name, fate: crate::fate::Fate| {
        changed(
            name,
            vec![vec![fate.clone().unregistered(), fate.clone()], vec![fate]],
        )
    };
    let held = Prospect {
        // Adopted by the repair, it is returned by the recover that comes before a second try.
        after_second_try: None,
        ..adopted("foundling", held)
    };
    vec![adopted("orphan", waiting), held]
}

fn owners_dead(root: &Path) {
    let spool = with_bystanders(root);
    for (queue, name) in [("in", "left"), ("out", "stuck")] {
        add(&spool, queue, name);
        check_out(&spool, queue, name);
    }
}

fn put(spool: &Spool, path: &str, contents: &str) {
    fs::write(spool.dir().join(path), contents).unwrap();
}

/// Of a name that nobody has reserved, and of one that somebody has.
fn add_temporaries(spool: &Spool) {
    put(spool, ".tmp/gone.tmp.aaaaaa", "gone");
    put(spool, ".tmp/torn.tmp.bbbbbb", "torn");
}

fn add_reservations(spool: &Spool) {
    put(spool, ".registry/name", "");
    put(spool, ".registry/half", "");
    put(spool, ".data/half", "half");
}

fn add_orphans(spool: &Spool) {
    add(spool, "in", "orphan");
    add(spool, "out", "foundling");
    check_out(spool, "out", "foundling");
    for name in ["orphan", "foundling"] {
        fs::remove_file(spool.dir().join(".registry").join(name)).unwrap();
    }
}

fn temporaries(root: &Path) {
    let spool = with_bystanders(root);
    add_temporaries(&spool);
    add(&spool, "in", "torn");
    fs::remove_file(spool.dir().join("in/torn")).unwrap();
}

fn data_alone(root: &Path) {
    put(&with_bystanders(root), ".data/alone", "alone");
}

fn reservations(root: &Path) {
    add_reservations(&with_bystanders(root));
}

fn orphans(root: &Path) {
    add_orphans(&with_bystanders(root));
}

fn everything(root: &Path) {
    let spool = with_bystanders(root);
    add_temporaries(&spool);
    put(&spool, ".data/alone", "alone");
    add_reservations(&spool);
    add_orphans(&spool);
}

fn to_move(root: &Path) {
    let spool = with_bystanders(root);
    put(&spool, ".tmp/gone.tmp.aaaaaa", "gone");
    put(&spool, ".data/alone", "alone");
    put(&spool, ".registry/half", "");
    put(&spool, ".data/half", "half");
}

fn recover_all(attempt: &Try<'_>) -> Result<Answer> {
    recover(&attempt.spool()?)?;
    attempt.done()
}

fn repair(attempt: &Try<'_>) -> Result<Answer> {
    apply(attempt, &all_ages())
}

fn repair_to(attempt: &Try<'_>) -> Result<Answer> {
    apply(attempt, &all_ages().to(attempt.root.join(AWAY)))
}

/// A repair of all that is left over, however young.
pub fn all_ages() -> RepairOptions {
    RepairOptions::new().min_age(Duration::ZERO)
}

fn apply(attempt: &Try<'_>, options: &RepairOptions) -> Result<Answer> {
    match attempt.spool()?.repair(options)?.apply()?.failures.pop() {
        Some(failure) => Err(failure),
        None => attempt.done(),
    }
}
