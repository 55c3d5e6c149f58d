//! # Repair
//!
//! Clearing what crashes left: temporary files of dead owners, data and reservations without an entry; and
//! making whole an entry that lost only its registry file. A plan says what would be done; applying it
//! does it, under the lock of each name. What is in a queue and damaged is in no plan: it is for a person.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::error::multispool_error;
use super::guard::{Out, free, get, on, on_mut, run};
use super::handle::{State, c_string, handle};
use super::problems::Place;
use super::spool::multispool_spool;
use super::status::MULTISPOOL_OK;
use crate::{RepairAction, RepairOptions, RepairPlan, RepairStep};

/// A temporary file whose owner is dead is removed.
pub const MULTISPOOL_REPAIR_REMOVE_TEMPORARY: i32 = 1;
/// Data whose name is reserved by nobody, and that no entry has, is removed.
pub const MULTISPOOL_REPAIR_REMOVE_DATA: i32 = 2;
/// An entry that has its data but no registry file gets one again.
pub const MULTISPOOL_REPAIR_ADOPT: i32 = 3;
/// A reservation whose name is in no queue is removed, with the data that lies under its name.
pub const MULTISPOOL_REPAIR_REMOVE_RESERVATION: i32 = 4;

/// What a repair may clear.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_repair_options {
    state: State,
    options: RepairOptions,
}
handle!(multispool_repair_options, "options");

/// What a repair would do.
/// Shareable: it never changes, and a forked child may go on using it.
pub struct multispool_plan {
    state: State,
    plan: RepairPlan,
    steps: multispool_steps,
}
handle!(multispool_plan, "plan");

/// What a repair did.
/// Shareable: it never changes.
pub struct multispool_repaired {
    state: State,
    steps: multispool_steps,
    failures: Vec<multispool_error>,
}
handle!(multispool_repaired, "repaired");

/// The steps of a plan, or those that were done; always borrowed from one of them.
/// Shareable: it never changes.
pub struct multispool_steps {
    state: State,
    steps: Vec<Step>,
}
handle!(multispool_steps, "steps");

/// A step, with its texts as C wants them.
struct Step {
    action: i32,
    dir: Place,
    filename: CString,
}

impl multispool_steps {
    fn new(steps: &[RepairStep]) -> multispool_steps {
        multispool_steps {
            state: State::of_any_process(),
            steps: steps.iter().map(Step::new).collect(),
        }
    }
}

impl Step {
    fn new(step: &RepairStep) -> Step {
        Step {
            action: match step.action {
                RepairAction::RemoveTemporary => MULTISPOOL_REPAIR_REMOVE_TEMPORARY,
                RepairAction::RemoveData => MULTISPOOL_REPAIR_REMOVE_DATA,
                RepairAction::Adopt => MULTISPOOL_REPAIR_ADOPT,
                RepairAction::RemoveReservation => MULTISPOOL_REPAIR_REMOVE_RESERVATION,
            },
            dir: Place::new(&step.dir),
            filename: c_string(step.filename.as_bytes()),
        }
    }
}

fn of_step<R: Copy>(
    steps: Option<&multispool_steps>,
    index: usize,
    absent: R,
    read: impl FnOnce(&Step) -> R,
) -> R {
    get(steps, absent, |steps| {
        steps.steps.get(index).map_or(absent, read)
    })
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_repair_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repair_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_repair_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_repair_options {
            state: State::of_any_process(),
            options: RepairOptions::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Only what was last touched longer ago than this, in milliseconds. Default: 600,000.
///
/// Gives: OK; INVALID_ARGUMENT for a negative time.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repair_options_set_min_age_ms(
    options: Option<&mut multispool_repair_options>,
    ms: i64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let age = call.milliseconds(ms, "ms")?;
        options.options = options.options.clone().min_age(age);
        Ok(MULTISPOOL_OK)
    })
}

/// Moves what would be removed into that directory, below a directory of the name of its own, and replaces
/// nothing there. It is made when the plan is applied, its parent must exist, and it must be on the spool's
/// file system. Default: remove.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repair_options_set_to(
    options: Option<&mut multispool_repair_options>,
    directory: *const c_char,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        // SAFETY: a string as the caller promises.
        let directory = Path::new(unsafe { call.text(directory, "directory") }?);
        options.options = options.options.clone().to(directory);
        Ok(MULTISPOOL_OK)
    })
}

/// What the changes promise, a `MULTISPOOL_DURABILITY_` number. Default: the spool's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repair_options_set_durability(
    options: Option<&mut multispool_repair_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let durability = call.durability(durability)?;
        options.options = options.options.clone().durability(durability);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine. Plans made with them are not affected.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repair_options_free(
    options: Option<Box<multispool_repair_options>>,
) {
    free(options);
}

/// Plans how to clear what crashes left, in all the queues that the spool has on disk, and changes nothing.
/// Safe next to live workers, at any time, and on a spool opened read-only. `options` may be NULL.
///
/// Gives: OK, also when there is nothing to do; MISSING where one of the spool's directories is gone;
/// PERMISSION; IO, DESCRIPTORS.
/// `*plan` is the caller's: `multispool_plan_free`. It needs neither `spool` nor `options` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_repair_plan(
    spool: Option<&multispool_spool>,
    options: Option<&multispool_repair_options>,
    plan: Option<&mut MaybeUninit<*mut multispool_plan>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(plan);
    on("repair", spool, error, |call, spool| {
        out.check(call, "plan")?;
        let plan = match call.optional(options)? {
            Some(options) => spool.spool.repair(&options.options)?,
            None => spool.spool.repair(&RepairOptions::new())?,
        };
        out.give(multispool_plan {
            state: State::of_any_process(),
            steps: multispool_steps::new(plan.steps()),
            plan,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// The steps of a plan, in the order in which they will be done. NULL for NULL. Borrowed until the plan is
/// freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_plan_steps(
    plan: Option<&multispool_plan>,
) -> *const multispool_steps {
    get(plan, ptr::null(), |plan| &raw const plan.steps)
}

/// Does the steps of a plan, each under its name's lock and after another look: what has come to life since
/// the plan was made, or is being worked on, is left alone. Safe next to live workers and to other repairs,
/// at any time. A plan may be applied again.
///
/// Gives: OK, also when nothing was left to do; PERMISSION on a spool opened read-only, before anything is
/// done; MISSING where the parent of the directory to move to does not exist, and INVALID_ARGUMENT where that
/// is no directory; IO where the queues cannot be synced, before which nothing is taken from a name; the first
/// failure, after all that could be done was: NOT_DURABLE; INVALID_ARGUMENT where the directory to move to is
/// on another file system; IO, also where it has a file of that name; PERMISSION, MISSING, NO_SPACE,
/// DESCRIPTORS.
/// `*repaired` (which may be NULL) is the caller's: `multispool_repaired_free`. After a failure it is set
/// too, unless nothing could be begun. It does not need `plan` to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_plan_apply(
    plan: Option<&multispool_plan>,
    repaired: Option<&mut MaybeUninit<*mut multispool_repaired>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(repaired);
    on("repair", plan, error, |_, plan| {
        let repaired = plan.plan.apply()?;
        out.give(multispool_repaired {
            state: State::of_any_process(),
            steps: multispool_steps::new(&repaired.steps),
            failures: repaired
                .failures
                .iter()
                .map(multispool_error::new)
                .collect(),
        });
        match repaired.failures.into_iter().next() {
            None => Ok(MULTISPOOL_OK),
            Some(failure) => Err(failure.into()),
        }
    })
}

/// Frees a plan; nothing on disk is changed. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_plan_free(plan: Option<Box<multispool_plan>>) {
    free(plan);
}

/// The steps that were done. One that was not needed any more is not among them. NULL for NULL. Borrowed
/// until `repaired` is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repaired_steps(
    repaired: Option<&multispool_repaired>,
) -> *const multispool_steps {
    get(repaired, ptr::null(), |repaired| &raw const repaired.steps)
}

/// How much failed. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repaired_failure_count(
    repaired: Option<&multispool_repaired>,
) -> usize {
    get(repaired, 0, |repaired| repaired.failures.len())
}

/// One of the failures, from 0: why a step could not be done, or with NOT_DURABLE that what was done may not
/// survive the loss of power. NULL past the end, and for NULL. Borrowed until `repaired` is freed: do not
/// free it.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repaired_failure(
    repaired: Option<&multispool_repaired>,
    index: usize,
) -> *const multispool_error {
    get(repaired, ptr::null(), |repaired| {
        repaired
            .failures
            .get(index)
            .map_or(ptr::null(), |failure| &raw const *failure)
    })
}

/// Frees the handle; what was done stays done. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_repaired_free(repaired: Option<Box<multispool_repaired>>) {
    free(repaired);
}

/// How many steps there are; the functions below take an index from 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_count(steps: Option<&multispool_steps>) -> usize {
    get(steps, 0, |steps| steps.steps.len())
}

/// What is done, a `MULTISPOOL_REPAIR_` number. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_action(
    steps: Option<&multispool_steps>,
    index: usize,
) -> i32 {
    of_step(steps, index, 0, |step| step.action)
}

/// The name of the file that it is done to, in its directory. NULL past the end, and for NULL. Borrowed as
/// the steps are.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_filename(
    steps: Option<&multispool_steps>,
    index: usize,
) -> *const c_char {
    of_step(steps, index, ptr::null(), |step| step.filename.as_ptr())
}

/// Which kind of directory the file lies in, a `MULTISPOOL_DIR_` number. 0 past the end, and for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_dir_kind(
    steps: Option<&multispool_steps>,
    index: usize,
) -> i32 {
    of_step(steps, index, 0, |step| step.dir.kind)
}

/// The queue whose directory that is. NULL where it is no queue's, past the end, and for NULL. Borrowed as
/// the steps are.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_dir_queue(
    steps: Option<&multispool_steps>,
    index: usize,
) -> *const c_char {
    of_step(steps, index, ptr::null(), |step| step.dir.queue())
}

/// The directory's path below the spool's, such as ".tmp". NULL past the end, and for NULL. Borrowed as the
/// steps are.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_steps_dir_name_on_disk(
    steps: Option<&multispool_steps>,
    index: usize,
) -> *const c_char {
    of_step(steps, index, ptr::null(), |step| {
        step.dir.name_on_disk.as_ptr()
    })
}
