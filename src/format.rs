//! `.multispool/format`: what this spool is, so that no version does harm to what it does not know.

use std::fmt::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{Dir, FORMAT, OURS};
use crate::omit::Step;
use crate::sys::{file, random, rename, sync};

/// The version of the format on disk that this library writes.
pub const FORMAT_VERSION: u32 = 1;

/// Who may use the spool at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Processes of one host.
    #[default]
    Local,
    /// Processes of several hosts, on a distributed file system.
    Network,
}

/// How an entry's owner is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owners {
    /// Every owner holds a lock: a free lock proves that the owner is dead.
    #[default]
    Locking,
    /// Processes that take no locks, such as the original's, share the spool: a free lock proves nothing.
    Mixed,
}

/// What a spool's format file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    mode: Mode,
    owners: Owners,
    recorded: bool,
    read_only: bool,
}

impl Format {
    /// A spool with no format file: the original implementation made it.
    const UNRECORDED: Format = Format {
        mode: Mode::Local,
        owners: Owners::Mixed,
        recorded: false,
        read_only: false,
    };

    pub(crate) fn new(mode: Mode, owners: Owners) -> Format {
        Format {
            mode,
            owners,
            recorded: true,
            read_only: false,
        }
    }

    /// Who may use the spool at once.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How an entry's owner is known.
    pub fn owners(&self) -> Owners {
        self.owners
    }

    /// Whether there is a format file; there is none where the original implementation made the spool.
    pub fn recorded(&self) -> bool {
        self.recorded
    }

    /// Whether a later version wrote a feature that this one can read but must not write.
    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    fn to_text(self) -> String {
        let mode = match self.mode {
            Mode::Local => "local",
            Mode::Network => "network",
        };
        let owners = match self.owners {
            Owners::Locking => "locking",
            Owners::Mixed => "mixed",
        };
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "multispool {FORMAT_VERSION}\nmode {mode}\nowners {owners}\n"
        );
        text
    }

    fn parse(text: &[u8]) -> std::result::Result<Format, (ErrorKind, String)> {
        let damaged = |reason: String| (ErrorKind::Corrupt, reason);
        let unsupported = |reason: String| (ErrorKind::Unsupported, reason);
        let text = std::str::from_utf8(text).map_err(|_| damaged("it is not text".to_owned()))?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        match first.strip_prefix("multispool ").map(str::parse::<u32>) {
            Some(Ok(FORMAT_VERSION)) => {}
            Some(Ok(version)) => {
                return Err(unsupported(format!(
                    "the spool has format {version}, this version knows {FORMAT_VERSION}"
                )));
            }
            _ => return Err(damaged(format!("its first line is {first:?}"))),
        }
        let mut format = Format::new(Mode::Local, Owners::Locking);
        for line in lines.filter(|line| !line.is_empty()) {
            let (key, words) = line.split_once(' ').unwrap_or((line, ""));
            match (key, words) {
                ("mode", "local") => format.mode = Mode::Local,
                ("mode", "network") => format.mode = Mode::Network,
                ("owners", "locking") => format.owners = Owners::Locking,
                ("owners", "mixed") => format.owners = Owners::Mixed,
                ("mode" | "owners", other) => {
                    return Err(unsupported(format!(
                        "the spool says `{key} {other}`, which this version does not know"
                    )));
                }
                // No word is known yet.
                ("needs", words) => {
                    return Err(unsupported(format!(
                        "the spool needs `{words}`, which this version does not know"
                    )));
                }
                ("reads", _) => format.read_only = true,
                // Hints bind nobody, and a line that a later version adds binds by `needs` or `reads`.
                _ => {}
            }
        }
        Ok(format)
    }
}

fn path(root: &Dir) -> PathBuf {
    root.join(OURS.as_ref()).join(FORMAT)
}

/// Reads what the spool is.
pub(crate) fn read(root: &Dir, operation: &'static str) -> Result<Format> {
    let ours = match crate::sys::dir::open_at(root.fd(operation)?, OURS.as_ref()) {
        Err(Errno::NOENT) => return Ok(Format::UNRECORDED),
        other => other.at(operation, || root.join(OURS.as_ref()))?,
    };
    let text = match file::open_read(ours.as_fd(), FORMAT.as_ref()) {
        Err(Errno::NOENT) => return Ok(Format::UNRECORDED),
        other => other
            .and_then(|file| file::read_to_end(file.as_fd(), 256))
            .at(operation, || path(root))?,
    };
    Format::parse(&text).map_err(|(kind, reason)| Error::new(kind, operation, path(root), reason))
}

/// Records what the spool is, whole or not at all; what another process recorded first stands.
pub(crate) fn record(
    format: Format,
    ours: &Dir,
    durable: bool,
    file_mode: Option<u32>,
    group: Option<u32>,
    operation: &'static str,
) -> Result<()> {
    let dir = ours.fd(operation)?;
    let target = FORMAT.as_ref();
    if file::exists(dir, target).at(operation, || ours.join(target))? {
        return Ok(());
    }
    let temporary = format!("{FORMAT}.tmp.{}", random::letters(6));
    let temporary = temporary.as_ref();
    let at = || ours.join(temporary);
    let written = (|| {
        let file = file::create_new(dir, temporary, file_mode, group).at(operation, at)?;
        file::write_all(file.as_fd(), format.to_text().as_bytes()).at(operation, at)?;
        if durable {
            sync::fsync(file.as_fd()).at(operation, at)?;
        }
        match file::link(dir, temporary, target) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            // No hard links on this file system.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => {
                match rename::without_clobbering((dir, temporary), (dir, target)) {
                    Err(Errno::EXIST) => Ok(()),
                    other => other,
                }
            }
            Err(errno) => Err(errno),
        }
        .at(operation, || ours.join(target))
    })();
    let cleaned = match file::unlink(dir, temporary) {
        Err(Errno::NOENT) => Ok(()),
        other => other.at(operation, at),
    };
    written?;
    cleaned?;
    if durable {
        ours.sync(operation, Step::SyncCreate)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for mode in [Mode::Local, Mode::Network] {
            for owners in [Owners::Locking, Owners::Mixed] {
                let format = Format::new(mode, owners);
                assert_eq!(Format::parse(format.to_text().as_bytes()), Ok(format));
            }
        }
    }

    #[test]
    fn an_unknown_need_is_refused_by_its_name_and_an_unknown_read_makes_read_only() {
        let refused = Format::parse(b"multispool 1\nmode local\nneeds due\n").expect_err("refused");
        assert_eq!(refused.0, ErrorKind::Unsupported);
        assert!(refused.1.contains("due"), "{}", refused.1);
        let read = Format::parse(b"multispool 1\nreads log\nhints shiny\n").expect("readable");
        assert!(read.read_only());
        assert_eq!(
            Format::parse(b"multispool 2\n").expect_err("later").0,
            ErrorKind::Unsupported
        );
        assert_eq!(
            Format::parse(b"garbage").expect_err("damaged").0,
            ErrorKind::Corrupt
        );
    }
}
