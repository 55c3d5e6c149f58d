//! A temporary file in `.tmp/`: metadata or data being written, with a random name of its own.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::by_path;
use crate::durability::Settling;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{self};
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::spool::Spool;
use crate::sys::rename::Place;
use crate::sys::{file, fork, sync};

/// Removed when dropped, unless its name was given to another file's place by a plain rename.
#[derive(Debug)]
pub(crate) struct Scratch {
    spool: Spool,
    name: OsString,
    file: OwnedFd,
    generation: u64,
    moved: bool,
}

impl Scratch {
    pub(crate) fn create(
        spool: &Spool,
        entry: &EntryName,
        operation: &'static str,
    ) -> Result<Scratch> {
        let tmp = &spool.layout().tmp;
        loop {
            let name = layout::temporary(entry);
            let created =
                file::create_new(tmp.fd(operation)?, &name, spool.file_mode(), spool.group());
            match created {
                Ok(file) => {
                    return Ok(Scratch {
                        spool: spool.clone(),
                        name,
                        file,
                        generation: fork::generation(),
                        moved: false,
                    });
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::system(operation, tmp.join(&name), errno)),
            }
        }
    }

    /// A file with these contents, which are to settle as far as told.
    pub(crate) fn with(
        spool: &Spool,
        entry: &EntryName,
        contents: &[u8],
        settling: Settling,
        operation: &'static str,
    ) -> Result<Scratch> {
        let scratch = Scratch::create(spool, entry, operation)?;
        scratch.append(contents, operation)?;
        scratch.settle(settling, operation)?;
        Ok(scratch)
    }

    /// Has `save` write the contents by path.
    pub(crate) fn fill(
        &mut self,
        entry: &EntryName,
        save: impl FnOnce(&Path, &Path) -> Result<()>,
        operation: &'static str,
    ) -> Result<()> {
        let tmp = &self.spool.layout().tmp;
        let place = (tmp, &*self.name, &mut self.file);
        by_path::fill(&self.spool, entry, place, save, operation)
    }

    pub(crate) fn append(&self, bytes: &[u8], operation: &'static str) -> Result<()> {
        file::write_all(self.file.as_fd(), bytes).at(operation, || self.path())
    }

    pub(crate) fn seek(&self, to: SeekFrom, operation: &'static str) -> Result<u64> {
        rustix::fs::seek(self.file.as_fd(), to).at(operation, || self.path())
    }

    pub(crate) fn settle(&self, settling: Settling, operation: &'static str) -> Result<()> {
        if omit::is_out(Step::SyncScratch) {
            return Ok(());
        }
        settling
            .settle(self.file.as_fd())
            .at(operation, || self.path())
    }

    pub(crate) fn begin_to_write_out(&self, operation: &'static str) -> Result<()> {
        if omit::is_out(Step::SyncScratch) {
            return Ok(());
        }
        sync::begin_to_write_out(self.file.as_fd()).at(operation, || self.path())
    }

    pub(crate) fn place(&self, operation: &'static str) -> Result<Place<'_>> {
        self.spool.layout().tmp.place(operation, &self.name)
    }

    /// Says that the file has left `.tmp/`: nothing is left to remove.
    pub(crate) fn set_moved(&mut self) {
        self.moved = true;
    }

    pub(crate) fn must_be_ours(&self, operation: &'static str) -> Result<()> {
        if self.generation == fork::generation() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            operation,
            self.path(),
            "it was begun before a fork and belongs to the parent",
        ))
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Its own name.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.spool.layout().tmp.join(&self.name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.moved || self.generation != fork::generation() {
            return;
        }
        // What cannot be removed is a temporary file without an owner, which the monitor names.
        if let Ok((dir, name)) = self.place("remove a temporary file") {
            let _ = file::unlink(dir, name);
        }
    }
}
