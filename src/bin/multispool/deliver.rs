//! Bytes that leave the spool: whole and synced before the entry goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Copies to the end. A failed read is told by `unread`, the result of a write judged by `written`.
pub fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    unread: impl Fn() -> String,
    written: impl Fn(io::Result<()>) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).with_context(unread),
        };
        written(to.write_all(&buffer[..read]))?;
    }
}

/// A file being made beside its target, which it replaces when it is whole.
/// Dropped unpublished, it is thrown away.
pub struct NewFile {
    file: File,
    target: PathBuf,
    /// None where the target is a device or a pipe: it is written to, never replaced.
    temporary: Option<PathBuf>,
}

impl NewFile {
    pub fn create(path: &Path) -> Result<Self> {
        // Through a symbolic link its target is replaced, not the link.
        let target = match fs::metadata(path) {
            Ok(about) if about.is_dir() => {
                anyhow::bail!("cannot write {path:?}: it is a directory")
            }
            Ok(about) if !about.is_file() => {
                let file = OpenOptions::new()
                    .write(true)
                    .open(path)
                    .with_context(|| format!("cannot open {path:?}"))?;
                return Ok(Self {
                    file,
                    target: path.to_owned(),
                    temporary: None,
                });
            }
            Ok(_) => fs::canonicalize(path).with_context(|| format!("cannot examine {path:?}"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error).with_context(|| format!("cannot examine {path:?}")),
        };
        let mut attempt = 0_u32;
        loop {
            let temporary = directory(&target)
                .join(format!(".multispool-{}-{attempt}.tmp", std::process::id()));
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
            {
                Ok(file) => {
                    return Ok(Self {
                        file,
                        target,
                        temporary: Some(temporary),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("cannot write {path:?}: cannot create {temporary:?}")
                    });
                }
            }
        }
    }

    pub fn fill(&mut self, from: &mut impl Read, unread: impl Fn() -> String) -> Result<()> {
        let target = &self.target;
        let written =
            |result: io::Result<()>| result.with_context(|| format!("cannot write {target:?}"));
        copy(from, &mut self.file, unread, written)
    }

    /// Syncs the bytes, puts the file in its place, and syncs that place.
    pub fn publish(mut self) -> Result<()> {
        let Some(temporary) = &self.temporary else {
            return Ok(());
        };
        let target = &self.target;
        self.file
            .sync_all()
            .with_context(|| format!("cannot sync {temporary:?}"))?;
        fs::rename(temporary, target)
            .with_context(|| format!("cannot put {temporary:?} in the place of {target:?}"))?;
        self.temporary = None;
        let directory = directory(&self.target);
        let synced = File::open(&directory).and_then(|directory| directory.sync_all());
        synced.with_context(|| format!("cannot sync {directory:?}"))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing more can be done about a temporary file that will not go.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn directory(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
