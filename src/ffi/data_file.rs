//! # Data
//!
//! The bytes of an entry that are not its metadata. They lie in a file of their own, which may be larger
//! than memory: read them whole, or through a descriptor; replace them whole, or piece by piece.

use std::ffi::{CString, c_char, c_int};
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::OnceLock;

use super::buffer::multispool_buffer;
use super::entry::StatOut;
use super::error::multispool_error;
use super::guard::{Out, free, get, on, on_mut};
use super::handle::{State, c_string, handle};
use super::status::MULTISPOOL_OK;
use crate::{DataFile, DataWriter};

/// The data file of an entry.
/// One thread at a time. Taken from a checkout, a forked child gets FORKED.
pub struct multispool_data_file {
    state: State,
    file: DataFile,
    /// Made when it is asked for.
    path: OnceLock<CString>,
}
handle!(multispool_data_file, "data_file");

impl multispool_data_file {
    /// That of a checkout.
    pub(super) fn owned(file: DataFile) -> multispool_data_file {
        multispool_data_file::new(file, State::of_this_process())
    }

    /// That of an entry that is not checked out.
    pub(super) fn shared(file: DataFile) -> multispool_data_file {
        multispool_data_file::new(file, State::of_any_process())
    }

    fn new(file: DataFile, state: State) -> multispool_data_file {
        multispool_data_file {
            state,
            file,
            path: OnceLock::new(),
        }
    }
}

/// New data that is being written; nobody sees it before the commit.
/// One thread at a time. A forked child gets FORKED.
pub struct multispool_data_writer {
    state: State,
    writer: DataWriter,
}
handle!(multispool_data_writer, "writer");

/// The file's path, to read from; what is written through it is the caller's to sync. NULL for NULL.
/// Borrowed until the data file is freed.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_path(
    data_file: Option<&multispool_data_file>,
) -> *const c_char {
    get(data_file, ptr::null(), |data_file| {
        let made = || c_string(data_file.file.path().as_os_str().as_bytes());
        data_file.path.get_or_init(made).as_ptr()
    })
}

/// Reads the data whole.
///
/// Gives: OK; NOT_FOUND where there is none (any more); CORRUPT where it is no regular file; FINISHED;
/// FORKED; PERMISSION; IO, DESCRIPTORS.
/// `*data` is the caller's: `multispool_buffer_free`.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_load(
    data_file: Option<&multispool_data_file>,
    data: Option<&mut MaybeUninit<*mut multispool_buffer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(data);
    on("data load", data_file, error, |call, data_file| {
        out.check(call, "data")?;
        out.give(multispool_buffer::new(data_file.file.load()?));
        Ok(MULTISPOOL_OK)
    })
}

/// Replaces the data whole, as durably as the spool promises: a reader sees the old or the new.
///
/// Gives: OK; NOT_DURABLE; NOT_FOUND without a checkout and LOST_OWNERSHIP with one, where the data is
/// gone; FINISHED; FORKED; PERMISSION (read-only too); IO, NO_SPACE (the old data stays), DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_save(
    data_file: Option<&multispool_data_file>,
    data: *const u8,
    len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on("data save", data_file, error, |call, data_file| {
        // SAFETY: a range of bytes as the caller promises.
        let data = unsafe { call.bytes(data, len, "data") }?;
        data_file.file.save(data)?;
        Ok(MULTISPOOL_OK)
    })
}

/// When the data was last changed (nanoseconds since 1970), and its length in bytes. The three may be
/// NULL.
///
/// Gives: OK; NOT_FOUND; CORRUPT; FINISHED; FORKED; PERMISSION; IO, DESCRIPTORS.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_stat(
    data_file: Option<&multispool_data_file>,
    mtime_ns: Option<&mut MaybeUninit<i64>>,
    ctime_ns: Option<&mut MaybeUninit<i64>>,
    size: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = StatOut::clear(mtime_ns, ctime_ns, size);
    on("data stat", data_file, error, |_, data_file| {
        out.give(&data_file.file.stat()?);
        Ok(MULTISPOOL_OK)
    })
}

/// Opens the data for reading.
///
/// Gives: OK; NOT_FOUND where there is none (any more); CORRUPT where it is no regular file; FINISHED;
/// FORKED; PERMISSION; IO, DESCRIPTORS.
/// `*fd` is the caller's: close(2). It is close-on-exec; on a failure it is -1.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_open(
    data_file: Option<&multispool_data_file>,
    fd: Option<&mut MaybeUninit<c_int>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let fd = fd.map(|slot| slot.write(-1));
    on("data open", data_file, error, |call, data_file| {
        let fd = call.required(fd, "fd")?;
        *fd = data_file.file.open()?.into_raw_fd();
        Ok(MULTISPOOL_OK)
    })
}

/// Begins to write new data, piece by piece; the old stays until the commit.
///
/// Gives: OK; FINISHED; FORKED; PERMISSION (read-only too); IO, NO_SPACE, DESCRIPTORS.
/// `*writer` is the caller's: `multispool_data_writer_free`. It does not need the data file to stay.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_writer(
    data_file: Option<&multispool_data_file>,
    writer: Option<&mut MaybeUninit<*mut multispool_data_writer>>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    let out = Out::clear(writer);
    on("data write", data_file, error, |call, data_file| {
        out.check(call, "writer")?;
        out.give(multispool_data_writer {
            state: State::of_this_process(),
            writer: data_file.file.writer()?,
        });
        Ok(MULTISPOOL_OK)
    })
}

/// Frees the handle; the file is not touched. NULL is fine.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_file_free(data_file: Option<Box<multispool_data_file>>) {
    free(data_file);
}

/// Appends bytes.
///
/// Gives: OK; FINISHED after a commit; FORKED; IO, NO_SPACE. After a failure only free the writer.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_writer_write(
    writer: Option<&mut multispool_data_writer>,
    data: *const u8,
    len: usize,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("data write", writer, error, |call, writer| {
        // SAFETY: a range of bytes as the caller promises.
        let data = unsafe { call.bytes(data, len, "data") }?;
        let written = writer.writer.write_all(data);
        written.map_err(|error| call.write_failed(error))?;
        Ok(MULTISPOOL_OK)
    })
}

/// A descriptor that the data can be written to as well; the commit syncs it as the rest. -1 for NULL,
/// and once finished. Borrowed until the commit or free: never close it.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_writer_fd(
    writer: Option<&multispool_data_writer>,
) -> c_int {
    get(writer, -1, |writer| {
        writer.writer.as_fd().map_or(-1, |fd| fd.as_raw_fd())
    })
}

/// Puts the new data in the place of the old, as durably as the spool promises. The writer is finished,
/// and is still to be freed.
///
/// Gives: OK; NOT_DURABLE; NOT_FOUND and LOST_OWNERSHIP as multispool_data_file_save; FINISHED; FORKED;
/// PERMISSION; IO, NO_SPACE, DESCRIPTORS. After a failure the old data stays, and the writer is finished.
///
/// # Safety
/// The pointers are as the header's opening wants them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_writer_commit(
    writer: Option<&mut multispool_data_writer>,
    error: Option<&mut MaybeUninit<*mut multispool_error>>,
) -> i32 {
    on_mut("data write", writer, error, |_, writer| {
        writer.writer.commit()?;
        Ok(MULTISPOOL_OK)
    })
}

/// Frees a writer. NULL is fine. What was not committed is thrown away; the old data stays.
///
/// # Safety
/// The pointer is as the header's opening wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_data_writer_free(writer: Option<Box<multispool_data_writer>>) {
    free(writer);
}
