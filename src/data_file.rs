//! An entry's data: a file of its own, read and replaced when the caller wants.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

use crate::contents::{self, Opened};
use crate::durability::Durability;
use crate::error::{At, Error, ErrorKind, Result};
use crate::moves;
use crate::name::EntryName;
use crate::omit::Step;
use crate::ownership;
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::{file, fork};

pub(crate) const LOAD: &str = "data load";
pub(crate) const SAVE: &str = "data save";

/// Where data comes from in an enqueue: bytes in memory, a reader, or a file.
///
/// ```
/// use multispool::Source;
/// let bytes: Source = b"payload".as_slice().into();
/// let mut upload = std::io::Cursor::new(vec![0; 1000]);
/// let stream = Source::reader(&mut upload);
/// ```
pub enum Source<'a> {
    /// The bytes themselves.
    Bytes(&'a [u8]),
    /// All that the reader gives; if it fails, so does the enqueue, and nothing is left of it.
    Reader(&'a mut dyn Read),
    /// The contents of the file at this path.
    File(&'a Path),
}

impl<'a> Source<'a> {
    /// All that `reader` gives.
    pub fn reader(reader: &'a mut dyn Read) -> Source<'a> {
        Source::Reader(reader)
    }
}

impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(bytes: &'a [u8]) -> Source<'a> {
        Source::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Source<'a> {
    fn from(bytes: &'a [u8; N]) -> Source<'a> {
        Source::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Source<'a> {
    fn from(bytes: &'a Vec<u8>) -> Source<'a> {
        Source::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Source<'a> {
        Source::Bytes(text.as_bytes())
    }
}

impl<'a> From<&'a String> for Source<'a> {
    fn from(text: &'a String) -> Source<'a> {
        Source::Bytes(text.as_bytes())
    }
}

impl<'a> From<&'a Path> for Source<'a> {
    fn from(path: &'a Path) -> Source<'a> {
        Source::File(path)
    }
}

/// A handle on an entry's data. It names the file; nothing is read before it is asked for.
#[derive(Clone, Debug)]
pub struct DataFile {
    spool: Spool,
    name: EntryName,
    durability: Durability,
    /// The checkout that this came from; `None` for one that came from no checkout.
    held: Option<Held>,
}

/// What a checkout's data depends on.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Set when the checkout is used up.
    pub(crate) finished: Arc<AtomicBool>,
    /// The process that it belongs to.
    pub(crate) generation: u64,
    /// The lease of it, where several hosts share the spool.
    pub(crate) lease: Option<Arc<ownership::Held>>,
}

impl DataFile {
    pub(crate) fn new(
        spool: &Spool,
        name: &EntryName,
        durability: Durability,
        held: Option<Held>,
    ) -> DataFile {
        DataFile {
            spool: spool.clone(),
            name: name.clone(),
            durability,
            held,
        }
    }

    pub(crate) fn name(&self) -> &EntryName {
        &self.name
    }

    /// Where the data is. What is written to this path directly is the writer's to sync.
    pub fn path(&self) -> PathBuf {
        self.spool.layout().data.join(self.name.as_os_str())
    }

    /// Reads all the data.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none (any more), [`ErrorKind::Corrupt`] where it is no regular
    /// file, [`ErrorKind::Finished`] after the end of the checkout that this came from, and
    /// [`ErrorKind::Forked`] in a child of the process that has it.
    pub fn load(&self) -> Result<Vec<u8>> {
        let opened = self.open_checked(LOAD)?;
        let size = opened.size();
        let read = || file::read_to_end(opened.file.as_fd(), size, u64::MAX);
        self.spool.step(read).map_err(|errno| {
            let error = Error::system(LOAD, self.path(), errno);
            match errno {
                Errno::NOMEM => error.because(&format!(
                    "there is no memory for its {size} bytes; open it and read it piece by piece"
                )),
                _ => error,
            }
        })
    }

    /// Opens the data for reading; the descriptor is the caller's.
    ///
    /// # Errors
    /// As [`load`](DataFile::load).
    pub fn open(&self) -> Result<File> {
        let opened = self.open_checked("data open")?;
        file::make_blocking(opened.file.as_fd()).at("data open", || self.path())?;
        Ok(File::from(opened.file))
    }

    /// The data file's own status: size, times.
    ///
    /// # Errors
    /// As [`load`](DataFile::load).
    pub fn stat(&self) -> Result<Metadata> {
        let opened = self.open_checked("data stat")?;
        file::metadata(opened.file).map_err(|error| Error::io("data stat", self.path(), &error))
    }

    /// Replaces the data, whole or not at all, by the durability that this handle's spool or checkout has.
    ///
    /// # Errors
    /// [`ErrorKind::LostOwnership`] where the entry is not the holder's any more, else
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Finished`], [`ErrorKind::Forked`]; [`ErrorKind::NoSpace`], with
    /// the old data in place; [`ErrorKind::NotDurable`].
    pub fn save(&self, data: impl AsRef<[u8]>) -> Result<()> {
        let mut writer = self.begin(SAVE)?;
        writer.append(data.as_ref())?;
        writer.commit()
    }

    /// Has `load` read the data by path, as one disk step.
    pub(crate) fn load_by<T>(&self, load: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        self.open_checked(LOAD)?;
        let path = self.path();
        self.spool.step(|| load(&path))
    }

    /// Replaces the data by what `save` writes by path.
    pub(crate) fn save_by(&self, save: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<()> {
        let mut writer = self.begin(SAVE)?;
        if let Some(scratch) = &mut writer.scratch {
            scratch.fill(&self.name, save, SAVE)?;
        }
        writer.commit()
    }

    /// A stream of new data, which replaces the old when it is committed.
    ///
    /// # Errors
    /// As [`save`](DataFile::save).
    pub fn writer(&self) -> Result<DataWriter> {
        self.begin("data write")
    }

    fn begin(&self, operation: &'static str) -> Result<DataWriter> {
        self.spool.writable(operation)?;
        self.must_be_held(operation)?;
        let scratch = self
            .spool
            .step(|| Scratch::create(&self.spool, &self.name, operation))?;
        Ok(DataWriter {
            data_file: self.clone(),
            scratch: Some(scratch),
            operation,
        })
    }

    fn open_checked(&self, operation: &'static str) -> Result<Opened> {
        self.must_be_held(operation)?;
        let data = &self.spool.layout().data;
        let name = self.name.as_os_str();
        self.spool
            .step(|| contents::open(data, name, operation))?
            .ok_or_else(|| {
                Error::system_as(ErrorKind::NotFound, operation, self.path(), Errno::NOENT)
            })
    }

    fn must_be_held(&self, operation: &'static str) -> Result<()> {
        let (kind, reason) = match &self.held {
            Some(held) if held.generation != fork::generation() => {
                let reason = "the entry was checked out before a fork and belongs to the parent";
                (ErrorKind::Forked, reason)
            }
            Some(held) if held.finished.load(Ordering::Acquire) => {
                let reason = "the checkout that this data belongs to has ended";
                (ErrorKind::Finished, reason)
            }
            _ => return Ok(()),
        };
        Err(Error::new(kind, operation, self.path(), reason))
    }

    fn gone(&self) -> ErrorKind {
        match self.held {
            Some(_) => ErrorKind::LostOwnership,
            None => ErrorKind::NotFound,
        }
    }
}

/// New data on its way. Dropped without a [`commit`](DataWriter::commit), it is thrown away and the old
/// data stays.
#[derive(Debug)]
pub struct DataWriter {
    data_file: DataFile,
    scratch: Option<Scratch>,
    operation: &'static str,
}

impl DataWriter {
    /// Puts the new data in the place of the old.
    ///
    /// # Errors
    /// As [`DataFile::save`]. After a failure the old data is in place and the writer is used up.
    pub fn commit(&mut self) -> Result<()> {
        let operation = self.operation;
        let scratch = self.scratch.take().ok_or_else(|| self.used_up())?;
        let DataFile {
            spool,
            name,
            durability,
            ..
        } = &self.data_file;
        self.data_file.must_be_held(operation)?;
        scratch.must_be_ours(operation)?;
        let data = &spool.layout().data;
        spool.step(|| {
            let settling = spool.layout().settling(*durability);
            scratch.settle(settling, operation)?;
            let target = data.place(operation, name.as_os_str())?;
            let from = scratch.place(operation)?;
            if let Some(lease) = self
                .data_file
                .held
                .as_ref()
                .and_then(|held| held.lease.as_ref())
                && !lease.holds(operation)?
            {
                let path = data.join(name.as_os_str());
                let reason = "another process has the entry by now";
                return Err(Error::new(
                    ErrorKind::LostOwnership,
                    operation,
                    path,
                    reason,
                ));
            }
            moves::replacing(spool, from, target).map_err(|errno| match errno {
                Errno::NOENT => Error::system_as(
                    self.data_file.gone(),
                    operation,
                    data.join(name.as_os_str()),
                    errno,
                ),
                errno => Error::system(operation, data.join(name.as_os_str()), errno),
            })?;
            // Dropping the scratch removes the old data, which now has its name.
            drop(scratch);
            if durability.syncs_names() {
                data.sync(operation, Step::SyncExchange)
                    .map_err(|error| error.into_not_durable(name))?;
            }
            Ok(())
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let operation = self.operation;
        let scratch = self.scratch.as_ref().ok_or_else(|| self.used_up())?;
        scratch.must_be_ours(operation)?;
        let appended = self
            .data_file
            .spool
            .step(|| scratch.append(bytes, operation));
        if appended.is_err() {
            // A part of it may have been written: that must never be committed.
            self.throw_away();
        }
        appended
    }

    fn throw_away(&mut self) {
        if let Some(scratch) = self.scratch.take() {
            if scratch.must_be_ours(self.operation).is_ok() {
                self.data_file.spool.step(|| drop(scratch));
            } else {
                drop(scratch);
            }
        }
    }

    fn used_up(&self) -> Error {
        Error::new(
            ErrorKind::Finished,
            self.operation,
            self.data_file.path(),
            "the writer was committed, or a write to it failed",
        )
    }
}

impl Drop for DataWriter {
    fn drop(&mut self) {
        self.throw_away();
    }
}

impl Write for DataWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for DataWriter {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let scratch = self.scratch.as_ref().ok_or_else(|| self.used_up())?;
        Ok(scratch.seek(seek_from(position), self.operation)?)
    }
}

fn seek_from(position: SeekFrom) -> rustix::fs::SeekFrom {
    match position {
        SeekFrom::Start(at) => rustix::fs::SeekFrom::Start(at),
        SeekFrom::End(by) => rustix::fs::SeekFrom::End(by),
        SeekFrom::Current(by) => rustix::fs::SeekFrom::Current(by),
    }
}

impl DataWriter {
    /// The temporary file's descriptor, for writing to it directly; `None` once committed.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.scratch.as_ref().map(Scratch::as_fd)
    }
}
