//! What the driver is told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How a storm is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// An empty directory of the storm's own.
    pub work: PathBuf,
    /// Where `LANGUAGE-producer` and `LANGUAGE-worker` are.
    pub programs: PathBuf,
    pub languages: Vec<String>,
    pub length: Duration,
    pub seed: u64,
    /// How many names the producers use again and again.
    pub names: u32,
    /// How old garbage must be before a repair that runs meanwhile may take it.
    pub repair_age: Duration,
    /// How long the spool may take to be drained when the storm is over.
    pub patience: Duration,
}

pub const USAGE: &str = "usage: storm --work DIR --programs DIR [--languages c,go,ruby,rust] [--seconds 60] \
                         [--seed N] [--names 8] [--repair-age-ms 1000] [--patience 60]";

impl Options {
    pub fn of(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options {
            work: PathBuf::new(),
            programs: PathBuf::new(),
            languages: ["c", "go", "ruby", "rust"].map(str::to_owned).to_vec(),
            length: Duration::from_secs(60),
            seed: fastrand::u64(..),
            names: 8,
            repair_age: Duration::from_secs(1),
            patience: Duration::from_secs(60),
        };
        while let Some(key) = arguments.next() {
            let value = arguments.next().context(USAGE)?;
            let seconds = || Ok::<_, anyhow::Error>(Duration::from_secs_f64(value.parse()?));
            match key.as_str() {
                "--work" => options.work = value.into(),
                "--programs" => options.programs = value.into(),
                "--languages" => options.languages = value.split(',').map(str::to_owned).collect(),
                "--seconds" => options.length = seconds()?,
                "--seed" => options.seed = value.parse()?,
                "--names" => options.names = value.parse()?,
                "--repair-age-ms" => options.repair_age = Duration::from_millis(value.parse()?),
                "--patience" => options.patience = seconds()?,
                _ => bail!("{key}: {USAGE}"),
            }
        }
        if options.work.as_os_str().is_empty() || options.programs.as_os_str().is_empty() {
            bail!(USAGE);
        }
        Ok(options)
    }

    pub fn spool(&self) -> PathBuf {
        self.work.join("spool")
    }

    /// Where the logs of producers and workers are.
    pub fn logs(&self) -> PathBuf {
        self.work.join("logs")
    }
}
