//! Files that are read, where `-` is standard input.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, Result};

pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How messages speak of `path`.
pub fn described(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        format!("{path:?}")
    }
}

/// Standard input comes unbuffered: who polls the descriptor must not miss bytes held in a buffer.
pub fn open(path: &Path) -> Result<File> {
    if is_stdin(path) {
        let owned = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .context("cannot read standard input")?;
        return Ok(File::from(owned));
    }
    let file = File::open(path).with_context(|| format!("cannot open {path:?}"))?;
    let about = file
        .metadata()
        .with_context(|| format!("cannot examine {path:?}"))?;
    anyhow::ensure!(!about.is_dir(), "cannot read {path:?}: it is a directory");
    Ok(file)
}
