//! A directory of the spool is replaced, whole, before the workers come or when they have it open already.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use multispool::{Error, Spool};

use crate::commands::VERBS;
use crate::operations::{OPERATIONS, Operation, open};
use crate::suite::{Suite, judge_command, judge_conduct};
use crate::things::{Held, fifo, link};
use crate::told::{Teller, Told, is_in};
use crate::yard::{SECRET, Yard, options};

const DIRECTORIES: [&str; 6] = [
    ".multispool",
    ".registry",
    ".tmp",
    ".data",
    "in",
    "in/.checkout",
];

/// What comes into a directory's place; the directory itself is moved to the second path.
struct Replacement {
    name: &'static str,
    /// The ways in which every operation is tried on it.
    ways: &'static [Way],
    plant: fn(&Yard, &Path, &Path) -> Held,
}

/// How a worker comes to its handle on the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By a load, which must refuse the spool.
    Load,
    /// Without a look: what is wrong shows at first use.
    LoadUnsafe,
    /// By a load of the whole spool; the directory is replaced afterwards.
    LoadBefore,
    /// As the command.
    Command,
}
use Way::{Command, Load, LoadBefore, LoadUnsafe};

#[rustfmt::skip]
const REPLACEMENTS: &[Replacement] = &[
    Replacement { name: "a-link-to-a-full-directory", ways: &[Load, LoadUnsafe, LoadBefore, Command],
        plant: |yard, at, _| link(full(yard), at) },
    Replacement { name: "a-link-to-itself-elsewhere", ways: &[Load, LoadUnsafe, LoadBefore],
        plant: |_, at, taken| link(taken, at) },
    Replacement { name: "a-link-to-an-empty-directory", ways: &[Load], plant: |yard, at, _| {
        let empty = yard.outer_directory();
        fs::remove_file(empty.join("inner")).unwrap();
        link(empty, at)
    } },
    Replacement { name: "a-link-to-nothing", ways: &[Load, LoadUnsafe],
        plant: |yard, at, _| link(yard.path("outside/nothing"), at) },
    Replacement { name: "a-link-to-a-file", ways: &[Load], plant: |yard, at, _| link(yard.victim(), at) },
    Replacement { name: "a-file", ways: &[Load], plant: |_, at, _| { fs::write(at, "no directory").unwrap(); None } },
    Replacement { name: "a-fifo", ways: &[Load, LoadUnsafe, Command], plant: |_, at, _| { fifo(at).unwrap(); None } },
];

/// A directory outside with all that a directory of the spool would have of the entries.
fn full(yard: &Yard) -> std::path::PathBuf {
    let outer = yard.outer_directory();
    for name in ["good", "held", "format", "good.tmp.abcdef", ".checkout"] {
        let path = outer.join(name);
        match name {
            ".checkout" => fs::create_dir(&path).unwrap(),
            _ => fs::write(&path, SECRET).unwrap(),
        }
        yard.open_to_all(&path);
    }
    outer
}

/// A yard with an entry that waits, and one that a dead owner holds.
fn yard_with_two() -> Yard {
    let yard = Yard::new(&["in", "out"]);
    let spool = yard.open();
    yard.enqueue(&spool, OsStr::new("good"));
    yard.enqueue(&spool, OsStr::new("held"));
    drop(spool.entry("in", "held").unwrap().checkout().unwrap());
    yard.share();
    yard
}

/// Makes the replacement. The directory that was there is kept where workers may still have it open.
fn replace(yard: &Yard, directory: &str, replacement: &Replacement) -> Held {
    let (at, taken) = (yard.inside(directory), yard.path("staging/taken"));
    fs::rename(&at, &taken).unwrap();
    (replacement.plant)(yard, &at, &taken)
}

pub fn run(suite: &mut Suite) {
    for directory in DIRECTORIES {
        for replacement in REPLACEMENTS {
            let about = format!("{}/{}", directory.replace('/', "-"), replacement.name);
            for &way in replacement.ways {
                suite.case(&format!("directories/{about}/{way:?}"), |suite| {
                    suite.weeds += 1;
                    match way {
                        Command => commands(suite, directory, replacement),
                        _ => operations(suite, directory, replacement, way),
                    }
                });
            }
        }
    }
}

fn operations(
    suite: &mut Suite,
    directory: &str,
    replacement: &Replacement,
    way: Way,
) -> Vec<String> {
    let mut yard = yard_with_two();
    let dir = yard.spool_dir();
    let before = (way == LoadBefore).then(|| open(&dir).unwrap());
    let _held = replace(&yard, directory, replacement);
    yard.seal();
    let mut faults = Vec::new();
    // A load that refuses is the same for them all.
    let makes = |operation: &&Operation| ["load", "create"].contains(&operation.name);
    for operation in OPERATIONS.iter().filter(|one| way != Load || makes(one)) {
        let opened = || match (way, &before) {
            (_, Some(spool)) => Ok(spool.clone()),
            (LoadUnsafe, None) => options().load_unsafe(&dir, ["in", "out"]),
            _ => open(&dir),
        };
        let refused = |told: &Told| told.failed.iter().any(|said| names(said, &dir, directory));
        let (told, wrong) = one(suite, &mut yard, operation, opened);
        faults.extend(wrong);
        if way == Load && !refused(&told) {
            let failed = &told.failed;
            faults.push(format!(
                "{}: the load does not say which directory is wrong: {failed:?}",
                operation.name
            ));
        }
        if !faults.is_empty() {
            break;
        }
    }
    faults
}

/// Whether a failure names the directory, as a path or, for those that make a spool, by its name.
fn names(said: &str, dir: &Path, directory: &str) -> bool {
    said.contains(&dir.join(directory).display().to_string())
        || said.contains(&format!("it has no directory {directory}"))
        || said.contains(&format!("{directory}, which is no directory"))
}

fn one(
    suite: &Suite,
    yard: &mut Yard,
    operation: &Operation,
    opened: impl Fn() -> Result<Spool, Error>,
) -> (Told, Vec<String>) {
    let ended = suite.run_worker(yard, |told| {
        operation.begin(opened(), &mut Teller::new(told));
    });
    let told = Told::read(&ended.out);
    let mut faults = judge_conduct(&ended, &told);
    faults.extend(yard.changes());
    yard.seal();
    let named = |fault| format!("{}: {fault}", operation.name);
    (told, faults.into_iter().map(named).collect())
}

fn commands(suite: &mut Suite, directory: &str, replacement: &Replacement) -> Vec<String> {
    let mut yard = yard_with_two();
    let _held = replace(&yard, directory, replacement);
    yard.seal();
    let mut faults = Vec::new();
    for verb in VERBS {
        let ended = verb.once(suite, &yard, &["good".to_owned()]);
        let said = String::from_utf8_lossy(&ended.err).into_owned();
        let mut wrong = ended.faults.clone();
        let status = ended.status.unwrap_or(0);
        let may_succeed = match verb.name {
            "queues" => true,
            // That the directory is missing is a problem that it names.
            "fsck" | "fsck-json" if directory == ".data" => is_in(b".data", &ended.out),
            // A queue whose checkouts are elsewhere is no queue: what is asked of the others is answered.
            _ => directory.starts_with("in"),
        };
        if !(matches!(status, 2 | 3) || may_succeed && matches!(status, 0 | 1)) {
            wrong.push(format!("it ended with {status}"));
        }
        if status > 1 && !said.contains("spool") {
            wrong.push("it does not say where".to_owned());
        }
        if is_in(SECRET, &ended.out) || is_in(SECRET, &ended.err) {
            wrong.push("it printed what is outside".to_owned());
        }
        wrong.extend(judge_command(&ended).into_iter().filter(|_| status < 2));
        wrong.extend(yard.changes());
        yard.seal();
        let named = |fault| format!("{}: {fault}: {said}", verb.name);
        faults.extend(wrong.into_iter().map(named));
        if !faults.is_empty() {
            break;
        }
    }
    faults
}
