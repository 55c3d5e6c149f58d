//! The operations: what each needs, what it does, and what it promises of its failures.

mod checkout;
mod data;
mod direct;
mod enqueue;
mod look;
mod reader;
mod recovery;
mod spool;

use super::calls::{Call, Sort};
use super::room::Room;
use super::tracer::Made;
use super::tree::Change;
use super::worker::Attempt;

/// One operation, in one situation.
pub struct Operation {
    pub name: &'static str,
    /// What is on disk before the process begins.
    pub prepare: fn(&Room),
    /// In the process: all up to the operation itself.
    pub attempt: fn(&Room) -> Attempt,
    /// What its errors may call it.
    pub called: &'static [&'static str],
    /// What it syncs, in order, when it succeeds: what it promises is then on disk.
    pub syncs: &'static [&'static str],
    /// Whether it may succeed although this call of its failed.
    pub passes_over: fn(&Made) -> bool,
    /// The kind of an error, of an operation of this name, where this call failed and the errno does not say
    /// it all.
    pub kind: fn(&str, &Made) -> Option<&'static str>,
    /// Whether an error may leave this change, where these calls failed, though nothing was to be undone.
    pub leaves: fn(&Change, &[&Made]) -> bool,
    /// Whether this was an undo whose failure is told, since it leaves the entry elsewhere.
    pub undoes: fn(&str, &Made) -> bool,
    /// Whether what it answers may differ, since what failed is what it was to tell.
    pub tells_otherwise: fn(&Made) -> bool,
}

/// What most operations have.
const USUAL: Operation = Operation {
    name: "",
    prepare: |room| {
        room.furnish();
    },
    attempt: |_| unreachable!("each operation has its own"),
    called: &[],
    syncs: &[],
    passes_over: |_| false,
    kind: |_, _| None,
    leaves: |_, _| false,
    undoes: |_, _| false,
    tells_otherwise: |_| false,
};

/// What is synced before anything is taken from a name that no queue has: the removal of its entry, which may
/// not be on disk yet, must not be lost after that.
const QUEUES: [&str; 6] = [
    "spool/aside/.checkout",
    "spool/aside",
    "spool/done/.checkout",
    "spool/done",
    "spool/in/.checkout",
    "spool/in",
];

pub fn all() -> Vec<&'static Operation> {
    [
        spool::ALL,
        enqueue::ALL,
        checkout::ALL,
        data::ALL,
        direct::ALL,
        reader::ALL,
        look::ALL,
        recovery::ALL,
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Operation {
    /// Whether this operation may succeed although the call failed: by its own rules, or since it does no harm
    /// wherever it happens.
    pub fn may_pass_over(&self, made: &Made) -> bool {
        let call = &made.call;
        let is_harmless = match call.sort {
            // The descriptor is gone in any case, and what had to be synced was.
            Sort::Close => true,
            // The close that follows frees the lock.
            Sort::Unlock => true,
            // There are other sources of randomness.
            Sort::Random => true,
            // For forked children, which do without it.
            Sort::Open => call.paths == [std::path::Path::new("/dev/null")],
            _ => false,
        };
        is_harmless || self.asks_for_the_order(call) || (self.passes_over)(made)
    }

    /// Where it cannot be told whether the file system keeps the order of changes, it is taken not to.
    fn asks_for_the_order(&self, call: &Call) -> bool {
        let opens = ["create", "load", "discover", "format"];
        let is_asked = match call.name {
            "fstatfs" => call.paths[0].ends_with("spool"),
            "newfstatat" => [".registry", ".tmp", ".data"]
                .iter()
                .any(|dir| is_at(call, dir)),
            _ => false,
        };
        is_asked && !opens.iter().any(|name| self.name.starts_with(name))
    }
}

/// Whether the call moves from the one place to the other, or exchanges them.
fn moves(made: &Made, from: &str, to: &str) -> bool {
    made.call.sort == Sort::Move
        && made.call.paths[0].ends_with(format!("spool/{from}"))
        && made.call.paths[1].ends_with(format!("spool/{to}"))
}

/// With no descriptor left, what is in hand is touched by its name.
fn touches_by_name(made: &Made, path: &str) -> bool {
    made.call.name == "openat" && made.answer == -i64::from(libc::EMFILE) && is_at(&made.call, path)
}

/// The parent of a new directory may be searchable and not readable: then all of the file system is synced.
fn may_not_open_the_parent(made: &Made) -> bool {
    let is_outside = |path: &std::path::PathBuf| {
        let mut parts = path.components();
        parts.all(|part| !["spool", "away"].iter().any(|own| part.as_os_str() == *own))
    };
    made.call.name == "openat"
        && made.answer == -i64::from(libc::EACCES)
        && made.call.paths.iter().all(is_outside)
}

/// Whether a registry file may not be read: then nobody can tell whether it is owned, and it is taken to be.
fn cannot_be_asked(made: &Made) -> bool {
    made.call.name == "openat"
        && made.answer == -i64::from(libc::EACCES)
        && is_at(&made.call, ".registry/e")
}

/// Whether the call asked if an entry's file may be read, and was told that it may not: a problem of its own.
fn finds_unreadable(made: &Made) -> bool {
    let is_file = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(std::ffi::OsStr::to_str);
        name.is_some_and(|name| !["in", "done", "aside"].contains(&name) && !name.starts_with('.'))
    };
    made.call.name.starts_with("faccessat")
        && made.answer == -i64::from(libc::EACCES)
        && made.call.paths.iter().all(is_file)
}

/// A path below the spool.
fn is_at(call: &Call, path: &str) -> bool {
    call.paths
        .iter()
        .any(|own| own.ends_with(format!("spool/{path}")))
}

/// A call on a temporary file.
fn is_temporary(call: &Call) -> bool {
    call.paths
        .iter()
        .any(|path| path.parent().is_some_and(|dir| dir.ends_with("spool/.tmp")))
}
