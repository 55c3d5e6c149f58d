//! Names of entries: from the arguments, then from `--names-from`.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::input;
use crate::report::Null;

#[derive(Args)]
pub struct Names {
    /// Names of entries
    #[arg(value_name = "NAME", required_unless_present = "names_from")]
    names: Vec<OsString>,
    /// Read more names from this file, one a line (- is standard input)
    #[arg(long, value_name = "F")]
    names_from: Option<PathBuf>,
}

impl Names {
    /// Every name, in order; a file is read as the names are used.
    pub fn each(self, null: Null) -> Result<impl Iterator<Item = Result<OsString>>> {
        let more = self
            .names_from
            .map(|path| records(&path, null))
            .transpose()?;
        Ok(self
            .names
            .into_iter()
            .map(Ok)
            .chain(more.into_iter().flatten()))
    }
}

/// The records of `path` (`-` is standard input), each without its terminator.
pub fn records(path: &Path, null: Null) -> Result<impl Iterator<Item = Result<OsString>> + use<>> {
    let lines = BufReader::new(input::open(path)?).split(null.terminator());
    let origin = input::described(path);
    Ok(lines.map(move |line| match line {
        Ok(bytes) => Ok(OsString::from_vec(bytes)),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot read {origin}"))),
    }))
}
