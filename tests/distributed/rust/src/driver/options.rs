//! What the driver is told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::crew::Languages;

pub struct Options {
    /// The script that brings up the file system.
    pub moosefs: PathBuf,
    /// A local directory, for the file system's own files and the logs.
    pub work: PathBuf,
    /// The hands' commands, one for each language.
    pub hands: Languages,
    /// The same, with a library that can leave out steps.
    pub blind_hands: Languages,
    /// Entries of each case.
    pub entries: usize,
    /// Names that all hands want.
    pub names: usize,
    pub lease: Duration,
    /// How long a client is cut off, so briefly that it can go on.
    pub cut: Duration,
    /// One case alone.
    pub only: Option<String>,
}

impl Options {
    pub fn from_arguments() -> Result<Options> {
        let mut options = Options {
            moosefs: PathBuf::new(),
            work: PathBuf::new(),
            hands: Vec::new(),
            blind_hands: Vec::new(),
            entries: 500,
            names: 300,
            lease: Duration::from_secs(8),
            cut: Duration::from_secs(4),
            only: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{option} what?"))?;
            let words = || value.split_whitespace().map(str::to_owned).collect();
            match option.as_str() {
                "--moosefs" => options.moosefs = value.into(),
                "--work" => options.work = value.into(),
                "--hand" => options.hands.push(words()),
                "--blind-hand" => options.blind_hands.push(words()),
                "--entries" => options.entries = value.parse()?,
                "--names" => options.names = value.parse()?,
                "--lease" => options.lease = Duration::from_secs(value.parse()?),
                "--cut" => options.cut = Duration::from_secs(value.parse()?),
                "--only" => options.only = Some(value),
                _ => bail!("unknown option {option}"),
            }
        }
        Ok(options)
    }
}
