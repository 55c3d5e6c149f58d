//! # Spools
//!
//! A spool is a directory; a handle on it is cheap and serves a whole process, forked children included.

use std::ffi::{CString, OsStr, c_char};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

use super::argument::Call;
use super::error::multispool_error;
use super::guard::{Answer, Failure, Out, free, get, on_mut, run};
use super::handle::{State, c_string, handle};
use super::names::multispool_names;
use super::status::MULTISPOOL_OK;
use crate::{Durability, Mode, Owners, Result, Spool, SpoolOptions};

/// What is acknowledged survives the death of any process, but not that of the machine.
pub const MULTISPOOL_DURABILITY_NONE: i32 = 0;
/// Metadata is synced before it becomes visible; directories are not.
pub const MULTISPOOL_DURABILITY_ORIGINAL: i32 = 1;
/// What is acknowledged survives the loss of power, whole. The default.
pub const MULTISPOOL_DURABILITY_FULL: i32 = 2;

/// Every process that uses the spool locks what it owns. The default of create.
pub const MULTISPOOL_OWNERS_LOCKING: i32 = 0;
/// Processes that take no locks, such as those of the original implementation, share the spool.
pub const MULTISPOOL_OWNERS_MIXED: i32 = 1;

/// The spool is used by the processes of one machine.
pub const MULTISPOOL_MODE_LOCAL: i32 = 0;
/// The spool is on a distributed file system and used by several machines.
pub const MULTISPOOL_MODE_NETWORK: i32 = 1;

/// How to open or create a spool.
/// One thread at a time.
pub struct multispool_spool_options {
    state: State,
    options: SpoolOptions,
}
handle!(multispool_spool_options, "options");

impl multispool_spool_options {
    fn set(&mut self, change: impl FnOnce(SpoolOptions) -> SpoolOptions) -> Answer {
        let options = std::mem::replace(&mut self.options, SpoolOptions::new());
        self.options = change(options);
        Ok(MULTISPOOL_OK)
    }
}

/// An open spool.
/// Shareable: any number of threads may use it at once, and a forked child may go on using it.
pub struct multispool_spool {
    pub(super) state: State,
    pub(super) spool: Spool,
    dir: CString,
    queues: Vec<CString>,
}
handle!(multispool_spool, "spool");

impl multispool_spool {
    fn new(spool: Spool) -> multispool_spool {
        multispool_spool {
            state: State::of_any_process(),
            dir: c_string(spool.dir().as_os_str().as_bytes()),
            queues: spool
                .queues()
                .iter()
                .map(|queue| c_string(queue.as_bytes()))
                .collect(),
            spool,
        }
    }
}

/// The number of a durability.
pub(super) fn number(durability: Durability) -> i32 {
    match durability {
        Durability::None => MULTISPOOL_DURABILITY_NONE,
        Durability::Original => MULTISPOOL_DURABILITY_ORIGINAL,
        Durability::Full => MULTISPOOL_DURABILITY_FULL,
    }
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_spool_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_spool_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_spool_options {
            state: State::of_any_process(),
            options: SpoolOptions::new(),
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What an acknowledged call through this spool promises: a `MULTISPOOL_DURABILITY_` number. Default: FULL.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_durability(
    options: Option<&mut multispool_spool_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let durability = call.durability(durability)?;
        options.set(|options| options.durability(durability))
    })
}

/// 1: load needs only permission to read, and whatever would write gives PERMISSION before it touches
/// the disk. Default: 0.
///
/// Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_read_only(
    options: Option<&mut multispool_spool_options>,
    yes: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let yes = call.flag(yes, "yes")?;
        options.set(|options| options.read_only(yes))
    })
}

/// For create: who will share the new spool, a `MULTISPOOL_OWNERS_` number. It is written into the spool.
/// Default: LOCKING.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_owners(
    options: Option<&mut multispool_spool_options>,
    owners: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let owners = match owners {
            MULTISPOOL_OWNERS_LOCKING => Owners::Locking,
            MULTISPOOL_OWNERS_MIXED => Owners::Mixed,
            other => return Err(call.refuse(format!("{other} is no kind of owners"))),
        };
        options.set(|options| options.owners(owners))
    })
}

/// Where the spool is used from, a `MULTISPOOL_MODE_` number: for create, and for a load from a network file
/// system of a spool that does not say. Default: what the spool says; of a new one, what the file system
/// says, which is NETWORK for a network or FUSE file system.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_mode(
    options: Option<&mut multispool_spool_options>,
    mode: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let mode = match mode {
            MULTISPOOL_MODE_LOCAL => Mode::Local,
            MULTISPOOL_MODE_NETWORK => Mode::Network,
            other => return Err(call.refuse(format!("{other} is no mode"))),
        };
        options.set(|options| options.mode(mode))
    })
}

/// For create, of a spool that several hosts share: how long whoever takes an entry owns it unless it
/// renews (`multispool_checkout_renew`, `multispool_checkout_keep`), in milliseconds; whole seconds, from
/// 4 s to a day. It is written into the spool; one that is there keeps what it has. Default: 120 s.
///
/// Gives: OK. What is no such time is refused by create.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_lease(
    options: Option<&mut multispool_spool_options>,
    lease_ms: u64,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |_, options| {
        options.set(|options| options.lease(Duration::from_millis(lease_ms)))
    })
}

/// How many threads of this process may be in a step on this spool's disk at once; 0, the default: any.
/// No one holds a place while it waits for an entry.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_max_concurrent(
    options: Option<&mut multispool_spool_options>,
    n: u32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |_, options| {
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        options.set(|options| options.max_concurrent(n))
    })
}

/// The exact permission bits of the files that are made, such as 0660, whatever the umask.
/// Default: 0666 less the umask.
///
/// Gives: OK; INVALID_ARGUMENT for more than permission bits (07777).
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_file_mode(
    options: Option<&mut multispool_spool_options>,
    mode: u32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let mode = permissions(call, mode)?;
        options.set(|options| options.file_mode(mode))
    })
}

/// The exact permission bits of the directories that are made, such as 02770, whatever the umask.
/// Default: 0777 less the umask.
///
/// Gives: OK; INVALID_ARGUMENT for more than permission bits (07777).
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_dir_mode(
    options: Option<&mut multispool_spool_options>,
    mode: u32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let mode = permissions(call, mode)?;
        options.set(|options| options.dir_mode(mode))
    })
}

fn permissions(call: &Call, mode: u32) -> std::result::Result<u32, Failure> {
    if mode > 0o7777 {
        return Err(call.refuse(format!("{mode:#o} is more than permission bits")));
    }
    Ok(mode)
}

/// The group of the files and directories that are made. Default: as the system gives it.
///
/// Gives: OK.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_group(
    options: Option<&mut multispool_spool_options>,
    gid: u32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |_, options| {
        options.set(|options| options.group(gid))
    })
}

/// 1: accept a spool directory that every user of the machine may write to. Default: 0, refuse it.
///
/// Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_set_allow_world_writable(
    options: Option<&mut multispool_spool_options>,
    yes: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        let yes = call.flag(yes, "yes")?;
        options.set(|options| options.allow_world_writable(yes))
    })
}

/// Frees options. NULL is fine. Spools opened with them are not affected.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_options_free(
    options: Option<Box<multispool_spool_options>>,
) {
    free(options);
}

type Open = fn(&SpoolOptions, &Path, Vec<&OsStr>) -> Result<Spool>;

/// # Safety
/// As [`multispool_spool_create`].
unsafe fn open(
    operation: &'static str,
    open: Open,
    dir: *const c_char,
    queues: *const *const c_char,
    queue_count: usize,
    options: Option<&multispool_spool_options>,
    spool: Option<&mut MaybeUninit<*mut multispool_spool>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(spool);
    run(operation, error, |call| {
        // SAFETY: strings as the caller promises.
        let dir = Path::new(unsafe { call.text(dir, "dir") }?);
        // SAFETY: an array of strings as the caller promises.
        let queues = unsafe { call.texts(queues, queue_count, "queues") }?;
        out.check(call, "spool")?;
        let spool = match call.optional(options)? {
            Some(options) => open(&options.options, dir, queues)?,
            None => open(&SpoolOptions::new(), dir, queues)?,
        };
        out.give(multispool_spool::new(spool));
        Ok(MULTISPOOL_OK)
    })
}

/// Opens the spool in `dir`, making what is missing: the directory itself, what belongs to every spool,
/// and the queues named by the `queue_count` strings of `queues`. Creating again, from several processes
/// at once, or with more queues than there were, is fine. A directory that holds anything else is left
/// untouched. `options` may be NULL: all defaults.
///
/// Gives: OK; INVALID_NAME; NOT_A_SPOOL where `dir` is no directory; NOT_EMPTY; UNSUPPORTED;
/// PERMISSION; MISSING where the parent of `dir` does not exist; IO, NO_SPACE, DESCRIPTORS.
/// `*spool` is the caller's: `multispool_spool_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_create(
    dir: *const c_char,
    queues: *const *const c_char,
    queue_count: usize,
    options: Option<&multispool_spool_options>,
    spool: Option<&mut MaybeUninit<*mut multispool_spool>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        open(
            "create",
            |options, dir, queues| options.create(dir, queues),
            dir,
            queues,
            queue_count,
            options,
            spool,
            error,
        )
    }
}

/// Opens the spool in `dir`, which must be there whole, with the queues named; nothing on disk is
/// changed. Calls on this handle know no other queues. `options` may be NULL: all defaults.
///
/// Gives: OK; INVALID_NAME; NOT_A_SPOOL; MISSING where `dir`, one of its directories or a queue does
/// not exist; PERMISSION where one cannot be read, written or searched, or where all may write to it;
/// UNSUPPORTED where the spool needs a later version; IO, DESCRIPTORS.
/// `*spool` is the caller's: `multispool_spool_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_load(
    dir: *const c_char,
    queues: *const *const c_char,
    queue_count: usize,
    options: Option<&multispool_spool_options>,
    spool: Option<&mut MaybeUninit<*mut multispool_spool>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        open(
            "load",
            |options, dir, queues| options.load(dir, queues),
            dir,
            queues,
            queue_count,
            options,
            spool,
            error,
        )
    }
}

/// Opens a spool without a look at its directories: what is wrong with them shows at first use.
///
/// Gives: OK; INVALID_NAME; UNSUPPORTED where the spool says that it needs a later version.
/// `*spool` is the caller's: `multispool_spool_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_load_unsafe(
    dir: *const c_char,
    queues: *const *const c_char,
    queue_count: usize,
    options: Option<&multispool_spool_options>,
    spool: Option<&mut MaybeUninit<*mut multispool_spool>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    // SAFETY: the caller's promise, handed on.
    unsafe {
        open(
            "load_unsafe",
            |options, dir, queues| options.load_unsafe(dir, queues),
            dir,
            queues,
            queue_count,
            options,
            spool,
            error,
        )
    }
}

/// Reads from the disk which queues the spool in `dir` has, in the order of their bytes.
///
/// Gives: OK; NOT_A_SPOOL; MISSING; PERMISSION; IO, DESCRIPTORS.
/// `*queues` is the caller's: `multispool_names_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_discover(
    dir: *const c_char,
    queues: Option<&mut MaybeUninit<*mut multispool_names>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(queues);
    run("discover", error, |call| {
        // SAFETY: a string as the caller promises.
        let dir = Path::new(unsafe { call.text(dir, "dir") }?);
        out.check(call, "queues")?;
        let queues = Spool::discover(dir)?;
        out.give(multispool_names::new(
            queues
                .into_iter()
                .map(|queue| Ok(queue.as_bytes().to_vec())),
        ));
        Ok(MULTISPOOL_OK)
    })
}

/// The spool's directory, as it was given. NULL for NULL. Borrowed until the spool is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_dir(spool: Option<&multispool_spool>) -> *const c_char {
    get(spool, ptr::null(), |spool| spool.dir.as_ptr())
}

/// How many queues the spool was opened with. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_queue_count(spool: Option<&multispool_spool>) -> usize {
    get(spool, 0, |spool| spool.queues.len())
}

/// The name of one of them, from 0; NULL past the end, and for NULL. Borrowed until the spool is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_queue(
    spool: Option<&multispool_spool>,
    index: usize,
) -> *const c_char {
    get(spool, ptr::null(), |spool| {
        spool
            .queues
            .get(index)
            .map_or(ptr::null(), |queue| queue.as_ptr())
    })
}

/// The `MULTISPOOL_DURABILITY_` number that the spool was opened with. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_durability(spool: Option<&multispool_spool>) -> i32 {
    get(spool, 0, |spool| number(spool.spool.durability()))
}

/// Where it is used from, a `MULTISPOOL_MODE_` number. -1 for NULL, and where the spool's format cannot be
/// read after a load that checked nothing.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_mode(spool: Option<&multispool_spool>) -> i32 {
    get(spool, -1, |spool| match spool.spool.format() {
        Ok(format) if format.mode() == Mode::Network => MULTISPOOL_MODE_NETWORK,
        Ok(_) => MULTISPOOL_MODE_LOCAL,
        Err(_) => -1,
    })
}

/// How long a lease lasts, in milliseconds, where several hosts share the spool. 0 where they do not, for
/// NULL, and where the spool's format cannot be read after a load that checked nothing.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_lease(spool: Option<&multispool_spool>) -> u64 {
    get(spool, 0, |spool| {
        let lease = spool.spool.format().ok().and_then(|format| format.lease());
        lease.map_or(0, |lease| {
            u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)
        })
    })
}

/// 1 where the spool was opened read-only, else 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_read_only(spool: Option<&multispool_spool>) -> i32 {
    get(spool, 0, |spool| i32::from(spool.spool.is_read_only()))
}

/// Frees the handle; the spool on disk is not touched. NULL is fine. Entries, checkouts, readers and
/// cursors of this spool stay valid.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_spool_free(spool: Option<Box<multispool_spool>>) {
    free(spool);
}
