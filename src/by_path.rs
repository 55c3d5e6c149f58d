//! A file whose contents a caller's own code writes, by path.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::contents;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{self, Dir};
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::spool::Spool;
use crate::sys::{file, fork};

/// Has `save` write a file of `entry`'s, as one disk step: to the file's own path, or to the second one, which
/// is free, and from there by a rename. The open file becomes the one that lies there then: what is synced must
/// be what was written.
pub(crate) fn fill(
    spool: &Spool,
    entry: &EntryName,
    (dir, name, opened): (&Dir, &OsStr, &mut OwnedFd),
    save: impl FnOnce(&Path, &Path) -> Result<()>,
    operation: &'static str,
) -> Result<()> {
    let second = Second {
        spool,
        name: layout::temporary(entry),
        generation: fork::generation(),
    };
    let (path, second_path) = (dir.join(name), spool.layout().tmp.join(&second.name));
    spool.step(|| save(&path, &second_path))?;
    drop(second);
    if omit::is_out(Step::OpenSaved) {
        return Ok(());
    }
    spool.step(|| {
        let saved = contents::open(dir, name, operation)
            .map_err(|error| match error.kind() {
                // The caller's code is at fault, not an entry.
                ErrorKind::Corrupt => error.with_kind(ErrorKind::InvalidArgument),
                _ => error,
            })?
            .ok_or_else(|| {
                let reason = "the data's own save left no file there";
                Error::new(ErrorKind::InvalidArgument, operation, &path, reason)
            })?;
        let at = || path.clone();
        // Whatever the caller's code has made of it.
        file::set_mode_and_group(saved.file.as_fd(), spool.file_mode(), spool.group())
            .at(operation, at)?;
        // The one that was open all the while knows of each failure to write it.
        if !file::same(&saved.stat, &file::stat(opened.as_fd()).at(operation, at)?) {
            *opened = saved.file;
        }
        Ok(())
    })
}

/// The second path, which the caller's code may have left a file at.
struct Second<'a> {
    spool: &'a Spool,
    name: OsString,
    generation: u64,
}

impl Drop for Second<'_> {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            return;
        }
        self.spool.step(|| {
            // What cannot be removed is a temporary file without an owner, which the monitor names.
            if let Ok(tmp) = self.spool.layout().tmp.fd("remove a temporary file") {
                let _ = file::unlink(tmp, &self.name);
            }
        });
    }
}
