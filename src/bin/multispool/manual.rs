use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::report::Status;

/// Write the manual pages, and the completions for bash, zsh and fish, into a directory
///
/// For whoever packages the command.
#[derive(Args)]
pub struct Manual {
    /// The directory, made if it is not there
    directory: PathBuf,
}

impl Manual {
    pub fn run(self, command: Command) -> Result<Status> {
        write(command, &self.directory)
            .with_context(|| format!("manual: {}", self.directory.display()))?;
        Ok(Status::Done)
    }
}

fn write(mut command: Command, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "multispool", directory)?;
    }
    command.build();
    page(&command, directory)?;
    for verb in command.get_subcommands() {
        if !verb.is_hide_set() && verb.get_name() != "help" {
            page(verb, directory)?;
        }
    }
    Ok(())
}

/// `multispool.1`, or `multispool-VERB.1`.
fn page(command: &Command, directory: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name.to_owned())
        .source(concat!("multispool ", env!("CARGO_PKG_VERSION")))
        .manual("multispool")
        .render(&mut text)?;
    fs::write(directory.join(format!("{name}.1")), text)?;
    Ok(())
}
