//! # Checkouts
//!
//! What is checked out belongs to this process alone. It is finished by a save, a remove or a release
//! that succeeds, or that gives NOT_DURABLE; any later use gives FINISHED. It is freed once, finished or
//! not. If this process dies, or frees it unfinished, its lock is free again, and recover returns the
//! entry to its queue.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use super::buffer::{self, multispool_buffer};
use super::data_file::multispool_data_file;
use super::error::multispool_error;
use super::guard::{Out, free, get, on, on_mut, run};
use super::handle::{State, c_name, c_queue, handle};
use super::status::MULTISPOOL_OK;
use crate::{Checkout, Durability, ErrorKind};

/// How to check out.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_checkout_options {
    state: State,
    durability: Option<Durability>,
}
handle!(multispool_checkout_options, "options");

/// How to save.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_save_options {
    state: State,
    durability: Option<Durability>,
}
handle!(multispool_save_options, "options");

/// How to remove.
/// One thread at a time; calls that read the same options at once are fine.
pub struct multispool_remove_options {
    state: State,
    durability: Option<Durability>,
}
handle!(multispool_remove_options, "options");

/// An entry that this process owns.
/// One thread at a time; it may move between threads. A forked child gets FORKED.
pub struct multispool_checkout {
    pub(super) state: State,
    pub(super) checkout: Checkout,
}
handle!(multispool_checkout, "checkout");

impl multispool_checkout {
    pub(super) fn new(checkout: Checkout) -> multispool_checkout {
        multispool_checkout::with(checkout, None)
    }

    pub(super) fn with(
        mut checkout: Checkout,
        options: Option<&multispool_checkout_options>,
    ) -> multispool_checkout {
        if let Some(durability) = options.and_then(|options| options.durability) {
            checkout.set_durability(durability);
        }
        multispool_checkout {
            state: State::of_this_process(),
            checkout,
        }
    }
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_checkout_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_checkout_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_checkout_options {
            state: State::of_any_process(),
            durability: None,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What the end of the checkout promises, where its call says nothing else, a
/// `MULTISPOOL_DURABILITY_` number. Default: the spool's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_options_set_durability(
    options: Option<&mut multispool_checkout_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        options.durability = Some(call.durability(durability)?);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_options_free(
    options: Option<Box<multispool_checkout_options>>,
) {
    free(options);
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_save_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_save_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_save_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_save_options {
            state: State::of_any_process(),
            durability: None,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What the save promises, a `MULTISPOOL_DURABILITY_` number.
/// Default: the checkout's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_save_options_set_durability(
    options: Option<&mut multispool_save_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        options.durability = Some(call.durability(durability)?);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_save_options_free(
    options: Option<Box<multispool_save_options>>,
) {
    free(options);
}

/// Makes a set of options, each at its default.
///
/// Gives: OK.
/// `*options` is the caller's: `multispool_remove_options_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_remove_options_new(
    options: Option<&mut MaybeUninit<*mut multispool_remove_options>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(options);
    run("options", error, |call| {
        out.check(call, "options")?;
        out.give(multispool_remove_options {
            state: State::of_any_process(),
            durability: None,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// What the remove promises, a `MULTISPOOL_DURABILITY_` number.
/// Default: the checkout's.
///
/// Gives: OK; INVALID_ARGUMENT for another number.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_remove_options_set_durability(
    options: Option<&mut multispool_remove_options>,
    durability: i32,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("options", options, error, |call, options| {
        options.durability = Some(call.durability(durability)?);
        Ok(MULTISPOOL_OK)
    })
}

/// Frees options. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_remove_options_free(
    options: Option<Box<multispool_remove_options>>,
) {
    free(options);
}

/// The entry's name. NULL for NULL. Borrowed until the checkout is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_name(
    checkout: Option<&multispool_checkout>,
) -> *const c_char {
    get(checkout, ptr::null(), |checkout| {
        c_name(checkout.checkout.name())
    })
}

/// The queue that it was taken out of. NULL for NULL. Borrowed until the checkout is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_queue(
    checkout: Option<&multispool_checkout>,
) -> *const c_char {
    get(checkout, ptr::null(), |checkout| {
        c_queue(checkout.checkout.queue())
    })
}

/// The entry's metadata, as updated, and in `*len` (which may be NULL) its length. Never NULL, not even
/// for no bytes; NULL and 0 for NULL. Borrowed until the next update, or until the checkout is freed.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_metadata(
    checkout: Option<&multispool_checkout>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const u8 {
    if let Some(len) = len {
        len.write(get(checkout, 0, |checkout| {
            checkout.checkout.metadata().len()
        }));
    }
    get(checkout, ptr::null(), |checkout| {
        buffer::pointer(checkout.checkout.metadata())
    })
}

/// 1 when it is finished, else 0. 0 for NULL.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_finished(
    checkout: Option<&multispool_checkout>,
) -> i32 {
    get(checkout, 0, |checkout| {
        i32::from(checkout.checkout.is_finished())
    })
}

/// Sets the metadata that a save will write; nothing is written before. The bytes are copied.
///
/// Gives: OK; FINISHED; FORKED.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_update(
    checkout: Option<&mut multispool_checkout>,
    metadata: *const u8,
    len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("update", checkout, error, |call, checkout| {
        // SAFETY: a range of bytes as the caller promises.
        let metadata = unsafe { call.bytes(metadata, len, "metadata") }?;
        checkout.checkout.set_metadata(metadata)?;
        Ok(MULTISPOOL_OK)
    })
}

/// Reads the entry's data whole, as `multispool_data_file_load` of its data file.
///
/// Gives: OK; NOT_FOUND where there is none any more; CORRUPT where it is no regular file; FINISHED;
/// FORKED; PERMISSION; IO, DESCRIPTORS.
/// `*data` is the caller's: `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_load_data(
    checkout: Option<&multispool_checkout>,
    data: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(data);
    on("data load", checkout, error, |call, checkout| {
        out.check(call, "data")?;
        let data = checkout.checkout.data_file().load()?;
        out.give(multispool_buffer::new(data));
        Ok(MULTISPOOL_OK)
    })
}

/// The entry's data file. It is the owner's to change as long as the checkout is not finished.
///
/// Gives: OK; FINISHED; FORKED.
/// `*data_file` is the caller's: `multispool_data_file_free`. It does not need the checkout's handle to stay
/// once that is finished, but gives FINISHED then, and also where the checkout was freed unfinished.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_data_file(
    checkout: Option<&multispool_checkout>,
    data_file: Option<&mut MaybeUninit<*mut multispool_data_file>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(data_file);
    on("data file", checkout, error, |call, checkout| {
        out.check(call, "data_file")?;
        if checkout.checkout.is_finished() {
            return Err(call.fail(ErrorKind::Finished, "the checkout is finished"));
        }
        out.give(multispool_data_file::owned(checkout.checkout.data_file()));
        Ok(MULTISPOOL_OK)
    })
}

/// Makes the ownership last for another lease, where several hosts share the spool: call it well within
/// one, such as every quarter, or let `multispool_checkout_keep` do it. Elsewhere, sees that the entry is
/// still here.
///
/// Gives: OK; FINISHED; FORKED; LOST_OWNERSHIP where another has the entry by now, or it was given back:
/// then what was done with it does not count; PERMISSION; IO, DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_renew(
    checkout: Option<&mut multispool_checkout>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("renew", checkout, error, |_, checkout| {
        checkout.checkout.renew()?;
        Ok(MULTISPOOL_OK)
    })
}

/// Has a thread of the library renew the lease, each quarter of its time, until the checkout is finished or
/// freed, or the process ends. Where no lease is needed nothing is done. Whether it was lost all the same,
/// because this host was cut off, the next call tells.
///
/// Gives: OK; FINISHED; FORKED; IO, DESCRIPTORS where the thread cannot be started.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_keep(
    checkout: Option<&mut multispool_checkout>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("keep", checkout, error, |_, checkout| {
        checkout.checkout.keep()?;
        Ok(MULTISPOOL_OK)
    })
}

/// Gives the entry to `queue`, any of the spool's, with its metadata as updated: visible there at once
/// and whole. Finishes the checkout. `options` may be NULL. After a failure but NOT_DURABLE it is still
/// checked out, and the save may be tried again.
///
/// Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; UNKNOWN_QUEUE; INVALID_NAME;
/// LOST_OWNERSHIP; NAME_TAKEN where `queue` has an entry of this name; MISSING; PERMISSION; IO,
/// NO_SPACE (never with metadata that was not updated), DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_save(
    checkout: Option<&mut multispool_checkout>,
    queue: *const c_char,
    options: Option<&multispool_save_options>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("save", checkout, error, |call, checkout| {
        // SAFETY: a string as the caller promises.
        let queue = unsafe { call.text(queue, "queue") }?;
        let options = call
            .optional(options)?
            .and_then(|options| options.durability);
        match options {
            Some(durability) => checkout.checkout.save_with(queue, durability)?,
            None => checkout.checkout.save(queue)?,
        }
        Ok(MULTISPOOL_OK)
    })
}

/// Removes the entry: metadata, data and name. Finishes the checkout. `options` may be NULL.
///
/// Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; LOST_OWNERSHIP; MISSING; PERMISSION; IO,
/// DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_remove(
    checkout: Option<&mut multispool_checkout>,
    options: Option<&multispool_remove_options>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("remove", checkout, error, |call, checkout| {
        let options = call
            .optional(options)?
            .and_then(|options| options.durability);
        match options {
            Some(durability) => checkout.checkout.remove_with(durability)?,
            None => checkout.checkout.remove()?,
        }
        Ok(MULTISPOOL_OK)
    })
}

/// Gives the entry back to the queue that it was taken out of, with the metadata that it had: an update
/// is dropped. Finishes the checkout.
///
/// Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; LOST_OWNERSHIP; NAME_TAKEN; MISSING;
/// PERMISSION; IO, DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_release(
    checkout: Option<&mut multispool_checkout>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("release", checkout, error, |_, checkout| {
        checkout.checkout.release()?;
        Ok(MULTISPOOL_OK)
    })
}

/// Frees the handle. NULL is fine. The disk is not touched: an entry whose checkout was not finished
/// stays checked out, with its lock free, until recover returns it. To give it back at once, release it
/// first.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_checkout_free(checkout: Option<Box<multispool_checkout>>) {
    free(checkout);
}
