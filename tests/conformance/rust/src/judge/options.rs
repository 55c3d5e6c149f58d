//! What the judge is told on its command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

#[derive(Default)]
pub struct Options {
    pub only: Option<String>,
    pub falsify: Option<String>,
    /// An agent that can leave out steps of the library, and those that it is to leave out in turn.
    pub omitting: Option<String>,
    pub blind: Vec<String>,
    pub folder: PathBuf,
    pub agents: Vec<Named>,
}

/// A shell's command with a name.
pub struct Named {
    pub name: String,
    pub command: String,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// An unknown option, no folder, or no agent.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        let mut words = Vec::new();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{argument} what?"))
            };
            match argument.as_str() {
                "--only" => options.only = Some(value()?),
                "--falsify" => options.falsify = Some(value()?),
                "--omitting" => options.omitting = Some(value()?),
                "--blind" => options.blind = value()?.split(',').map(str::to_owned).collect(),
                flag if flag.starts_with("--") => bail!("unknown option {flag}"),
                _ => words.push(argument),
            }
        }
        let mut words = words.into_iter();
        options.folder = words.next().context("which folder?")?.into();
        options.agents = words
            .map(|word| Named::read(&word))
            .collect::<Result<_>>()?;
        if options.agents.is_empty() {
            bail!("no agent is named");
        }
        if options.omitting.is_some() == options.blind.is_empty() {
            bail!("--omitting and --blind go together");
        }
        Ok(options)
    }
}

impl Named {
    fn read(word: &str) -> Result<Named> {
        let (name, command) = word
            .split_once('=')
            .with_context(|| format!("'{word}' is no NAME=COMMAND"))?;
        Ok(Named {
            name: name.to_owned(),
            command: command.to_owned(),
        })
    }
}
