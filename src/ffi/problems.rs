//! # Problems
//!
//! What is wrong with a spool. A busy, healthy spool has no problem: whatever looks wrong is looked at
//! again until it holds still. A problem is known by its kind, the file, when that was last changed, and
//! where it lies; the same name with another time is another problem, since the file was moved meanwhile.
//! Later versions may add kinds; the severity of a kind that is not known tells what it is worth.

use std::cmp::Ordering;
use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use super::error::multispool_error;
use super::guard::{Out, free, get, on};
use super::handle::{State, c_string, handle};
use super::limits::{given, multispool_limits};
use super::spool::multispool_spool;
use super::status::MULTISPOOL_OK;
use super::time::nanoseconds;
use crate::{Dir, Mend, Problem, Severity};

/// The file has been where it is for longer than its limit.
pub const MULTISPOOL_PROBLEM_TOO_OLD: i32 = 1;
/// The file's name is not reserved; or, in the registry, the name is in no queue, is owned by nobody, and
/// is older than its limit.
pub const MULTISPOOL_PROBLEM_ORPHANED: i32 = 2;
/// The name lies in several places of which it may have one.
pub const MULTISPOOL_PROBLEM_DUPLICATED: i32 = 3;
/// The entry is checked out and nobody owns it: its owner died, or let go of it unfinished.
pub const MULTISPOOL_PROBLEM_DEAD_OWNER: i32 = 4;
/// The entry has no data.
pub const MULTISPOOL_PROBLEM_DATA_MISSING: i32 = 5;
/// What lies there is not a readable regular file with one name.
pub const MULTISPOOL_PROBLEM_DAMAGED: i32 = 6;
/// Data under a reserved name that is in no queue: whoever enqueued or removed it died on the way.
pub const MULTISPOOL_PROBLEM_HALF_MADE: i32 = 7;
/// A name that no entry can have, since it begins with a dot: no operation sees it.
pub const MULTISPOOL_PROBLEM_IMPOSSIBLE_NAME: i32 = 8;
/// The directory itself is missing.
pub const MULTISPOOL_PROBLEM_DIRECTORY_MISSING: i32 = 9;
/// Less room for bytes or for files is left on the file system than the limits ask for.
pub const MULTISPOOL_PROBLEM_LOW_SPACE: i32 = 10;

/// It takes room, and nothing else.
pub const MULTISPOOL_SEVERITY_GARBAGE: i32 = 1;
/// Entries do not get on, or soon will not.
pub const MULTISPOOL_SEVERITY_STUCK: i32 = 2;
/// An entry, or the spool, is damaged.
pub const MULTISPOOL_SEVERITY_DAMAGE: i32 = 3;

/// `multispool_plan_apply` mends it.
pub const MULTISPOOL_MEND_REPAIR: i32 = 1;
/// `multispool_recover` mends it.
pub const MULTISPOOL_MEND_RECOVER: i32 = 2;
/// More or faster workers mend it, or a look at the one that has the entry.
pub const MULTISPOOL_MEND_WORKERS: i32 = 3;
/// A person must look at the files.
pub const MULTISPOOL_MEND_INSPECT: i32 = 4;
/// More room on the file system mends it.
pub const MULTISPOOL_MEND_MAKE_ROOM: i32 = 5;

/// `.registry`, where names are reserved.
pub const MULTISPOOL_DIR_REGISTRY: i32 = 1;
/// `.tmp`, where files are written.
pub const MULTISPOOL_DIR_TMP: i32 = 2;
/// `.data`, where the entries' data lies.
pub const MULTISPOOL_DIR_DATA: i32 = 3;
/// A queue's own directory.
pub const MULTISPOOL_DIR_QUEUE: i32 = 4;
/// A queue's `.checkout`.
pub const MULTISPOOL_DIR_QUEUE_CHECKOUT: i32 = 5;

/// What is wrong with a spool, in order.
/// Shareable: it never changes.
pub struct multispool_problems {
    state: State,
    problems: Vec<Found>,
}
handle!(multispool_problems, "problems");

/// A problem, with its texts as C wants them.
struct Found {
    problem: Problem,
    filename: CString,
    message: CString,
    dirs: Vec<Place>,
}

/// A directory of a spool, with its texts as C wants them.
pub(super) struct Place {
    pub(super) kind: i32,
    pub(super) name_on_disk: CString,
    queue: Option<CString>,
}

impl multispool_problems {
    pub(super) fn new(problems: Vec<Problem>) -> multispool_problems {
        multispool_problems {
            state: State::of_any_process(),
            problems: problems.into_iter().map(Found::new).collect(),
        }
    }
}

impl Found {
    fn new(problem: Problem) -> Found {
        Found {
            filename: c_string(problem.file().filename.as_bytes()),
            message: c_string(problem.to_string()),
            dirs: problem.places().iter().map(Place::new).collect(),
            problem,
        }
    }

    fn kind(&self) -> i32 {
        match self.problem {
            Problem::TooOld(..) => MULTISPOOL_PROBLEM_TOO_OLD,
            Problem::Orphaned(..) => MULTISPOOL_PROBLEM_ORPHANED,
            Problem::Duplicated(..) => MULTISPOOL_PROBLEM_DUPLICATED,
            Problem::DeadOwner(..) => MULTISPOOL_PROBLEM_DEAD_OWNER,
            Problem::DataMissing(..) => MULTISPOOL_PROBLEM_DATA_MISSING,
            Problem::Damaged(..) => MULTISPOOL_PROBLEM_DAMAGED,
            Problem::HalfMade(..) => MULTISPOOL_PROBLEM_HALF_MADE,
            Problem::ImpossibleName(..) => MULTISPOOL_PROBLEM_IMPOSSIBLE_NAME,
            Problem::DirectoryMissing(..) => MULTISPOOL_PROBLEM_DIRECTORY_MISSING,
            Problem::LowSpace(..) => MULTISPOOL_PROBLEM_LOW_SPACE,
        }
    }

    fn severity(&self) -> i32 {
        match self.problem.severity() {
            Severity::Garbage => MULTISPOOL_SEVERITY_GARBAGE,
            Severity::Stuck => MULTISPOOL_SEVERITY_STUCK,
            Severity::Damage => MULTISPOOL_SEVERITY_DAMAGE,
        }
    }

    fn mend(&self) -> i32 {
        match self.problem.mend() {
            Mend::Repair => MULTISPOOL_MEND_REPAIR,
            Mend::Recover => MULTISPOOL_MEND_RECOVER,
            Mend::Workers => MULTISPOOL_MEND_WORKERS,
            Mend::Inspect => MULTISPOOL_MEND_INSPECT,
            Mend::MakeRoom => MULTISPOOL_MEND_MAKE_ROOM,
        }
    }
}

impl Place {
    pub(super) fn new(dir: &Dir) -> Place {
        let (kind, queue) = match dir {
            Dir::Registry => (MULTISPOOL_DIR_REGISTRY, None),
            Dir::Tmp => (MULTISPOOL_DIR_TMP, None),
            Dir::Data => (MULTISPOOL_DIR_DATA, None),
            Dir::Queue(queue) => (MULTISPOOL_DIR_QUEUE, Some(queue)),
            Dir::QueueCheckout(queue) => (MULTISPOOL_DIR_QUEUE_CHECKOUT, Some(queue)),
        };
        Place {
            kind,
            name_on_disk: c_string(dir.name_on_disk().as_bytes()),
            queue: queue.map(|queue| c_string(queue.as_bytes())),
        }
    }

    /// NULL where it is no queue's.
    pub(super) fn queue(&self) -> *const c_char {
        self.queue
            .as_ref()
            .map_or(ptr::null(), |queue| queue.as_ptr())
    }
}

/// How two things compare, as C has it; what is not there comes after all else.
pub(super) fn c_order<T: Ord>(first: Option<T>, second: Option<T>) -> i32 {
    let order = match (first, second) {
        (Some(first), Some(second)) => first.cmp(&second),
        (first, second) => first.is_none().cmp(&second.is_none()),
    };
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

fn of_problem<'a, R: Copy>(
    problems: Option<&'a multispool_problems>,
    index: usize,
    absent: R,
    read: impl FnOnce(&'a Found) -> R,
) -> R {
    get(problems, absent, |problems| {
        problems.problems.get(index).map_or(absent, read)
    })
}

fn of_dir<R: Copy>(
    problems: Option<&multispool_problems>,
    index: usize,
    dir: usize,
    absent: R,
    read: impl FnOnce(&Place) -> R,
) -> R {
    of_problem(problems, index, absent, |found| {
        found.dirs.get(dir).map_or(absent, read)
    })
}

/// Looks for what is wrong with a spool, in all the queues that it has on disk, and changes nothing. Safe
/// next to live workers, at any time, and on a spool opened read-only. `limits` may be NULL: all defaults.
///
/// Gives: OK, whether or not there are problems; MISSING where one of the spool's directories but `.data` is
/// gone; PERMISSION; IO, DESCRIPTORS.
/// `*problems` is the caller's: `multispool_problems_free`. It does not need `spool` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_problems(
    spool: Option<&multispool_spool>,
    limits: Option<&multispool_limits>,
    problems: Option<&mut MaybeUninit<*mut multispool_problems>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(problems);
    on("scan", spool, error, |call, spool| {
        out.check(call, "problems")?;
        let limits = given(call, limits)?;
        out.give(multispool_problems::new(spool.spool.problems(&limits)?));
        Ok(MULTISPOOL_OK)
    })
}

/// How many problems there are; the functions below take an index from 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_count(
    problems: Option<&multispool_problems>,
) -> usize {
    get(problems, 0, |problems| problems.problems.len())
}

/// What kind of problem it is, a `MULTISPOOL_PROBLEM_` number. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_kind(
    problems: Option<&multispool_problems>,
    index: usize,
) -> i32 {
    of_problem(problems, index, 0, Found::kind)
}

/// How much it matters, a `MULTISPOOL_SEVERITY_` number: the more, the greater. 0 past the end, and for
/// NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_severity(
    problems: Option<&multispool_problems>,
    index: usize,
) -> i32 {
    of_problem(problems, index, 0, Found::severity)
}

/// What mends it, a `MULTISPOOL_MEND_` number. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_mend(
    problems: Option<&multispool_problems>,
    index: usize,
) -> i32 {
    of_problem(problems, index, 0, Found::mend)
}

/// The problem in a line for people: where, which file, and what is wrong; bytes of a name that are not
/// UTF-8 are replaced in it. NULL past the end, and for NULL. Borrowed until the problems are freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_message(
    problems: Option<&multispool_problems>,
    index: usize,
) -> *const c_char {
    of_problem(problems, index, ptr::null(), |found| found.message.as_ptr())
}

/// The name of the file that the problem is about, in its directory; that of the spool's directory where the
/// whole spool is concerned, as with DIRECTORY_MISSING and LOW_SPACE. NULL past the end, and for NULL. Borrowed
/// until the problems are freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_filename(
    problems: Option<&multispool_problems>,
    index: usize,
) -> *const c_char {
    of_problem(problems, index, ptr::null(), |found| {
        found.filename.as_ptr()
    })
}

/// When that file was last changed or moved, in nanoseconds since 1970. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_mtime_ns(
    problems: Option<&multispool_problems>,
    index: usize,
) -> i64 {
    of_problem(problems, index, 0, |found| {
        nanoseconds(found.problem.file().mtime)
    })
}

/// In how many of the spool's directories it lies: one; more with DUPLICATED; none with LOW_SPACE. The
/// functions below take an index of them from 0. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_dir_count(
    problems: Option<&multispool_problems>,
    index: usize,
) -> usize {
    of_problem(problems, index, 0, |found| found.dirs.len())
}

/// Which kind of directory it is, a `MULTISPOOL_DIR_` number. 0 past either end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_dir_kind(
    problems: Option<&multispool_problems>,
    index: usize,
    dir: usize,
) -> i32 {
    of_dir(problems, index, dir, 0, |place| place.kind)
}

/// The queue whose directory it is. NULL where it is no queue's, past either end, and for NULL. Borrowed
/// until the problems are freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_dir_queue(
    problems: Option<&multispool_problems>,
    index: usize,
    dir: usize,
) -> *const c_char {
    of_dir(problems, index, dir, ptr::null(), Place::queue)
}

/// The directory's path below the spool's, such as ".tmp" or "in/.checkout". NULL past either end, and for
/// NULL. Borrowed until the problems are freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_dir_name_on_disk(
    problems: Option<&multispool_problems>,
    index: usize,
    dir: usize,
) -> *const c_char {
    of_dir(problems, index, dir, ptr::null(), |place| {
        place.name_on_disk.as_ptr()
    })
}

/// Compares two problems, of two lists or of one: -1, 0 or 1 where the first comes before the second, is the
/// same, or comes after it, by kind, file, time and directories. Lists are in this order, and name no problem
/// twice. What is past the end, or of NULL, comes after all else, and is the same as any other such.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_compare(
    problems: Option<&multispool_problems>,
    index: usize,
    others: Option<&multispool_problems>,
    other: usize,
) -> i32 {
    let problem = of_problem(problems, index, None, |found| Some(&found.problem));
    let other = of_problem(others, other, None, |found| Some(&found.problem));
    c_order(problem, other)
}

/// Frees problems. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_problems_free(problems: Option<Box<multispool_problems>>) {
    free(problems);
}
