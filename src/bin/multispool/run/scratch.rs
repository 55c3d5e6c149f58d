//! The private directory of one entry's command.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Ours alone (mode 0700), removed when dropped.
pub struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    /// In TMPDIR, with the file of the metadata already in it.
    pub fn new(metadata: &[u8]) -> Result<Self> {
        let parent = std::path::absolute(std::env::temp_dir())
            .context("cannot tell the temporary directory's path")?;
        loop {
            let random = RandomState::new().build_hasher().finish();
            let directory = parent.join(format!(
                "multispool-run-{}-{random:016x}",
                std::process::id()
            ));
            match DirBuilder::new().mode(0o700).create(&directory) {
                Ok(()) => {
                    let scratch = Self { directory };
                    let path = scratch.metadata();
                    fs::write(&path, metadata).with_context(|| format!("cannot write {path:?}"))?;
                    return Ok(scratch);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("cannot make {directory:?}; TMPDIR names another place")
                    });
                }
            }
        }
    }

    pub fn metadata(&self) -> PathBuf {
        self.directory.join("metadata")
    }

    pub fn new_metadata(&self) -> PathBuf {
        self.directory.join("new-metadata")
    }

    pub fn new_data(&self) -> PathBuf {
        self.directory.join("new-data")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What the command has made unremovable stays for whoever cleans the temporary directory.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Whether the command made the file of that path.
pub fn is_made(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(about) if about.is_file() => Ok(true),
        Ok(_) => anyhow::bail!("the command made {path:?}, but not as a regular file"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot examine {path:?}")),
    }
}
