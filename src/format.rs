//! `.multispool/format`: what this spool is, so that no version does harm to what it does not know.

use std::ffi::OsStr;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::contents;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::{Dir, FORMAT, OURS};
use crate::omit::Step;
use crate::sys::{dir, file, random, rename, sync};

/// The version of the format on disk that this library writes.
pub const FORMAT_VERSION: u32 = 1;

/// What the name of a format that is being written begins with.
const TEMPORARY: &str = "format.tmp.";

/// No format of ours is near this long.
const MOST_BYTES: u64 = 64 * 1024;

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
    lease: u32,
    recorded: bool,
    read_only: bool,
}

/// How long a lease lasts, in seconds, unless a create says otherwise.
const LEASE: u32 = 120;
/// Shorter, whole seconds and clients that remember for one leave no room to renew; longer, a dead host's work waits a day.
const LEASES: std::ops::RangeInclusive<u32> = 4..=86_400;

impl Format {
    /// A spool with no format file: the original implementation made it.
    const UNRECORDED: Format = Format {
        mode: Mode::Local,
        owners: Owners::Mixed,
        lease: LEASE,
        recorded: false,
        read_only: false,
    };

    pub(crate) fn new(mode: Mode, owners: Owners) -> Format {
        Format {
            mode,
            owners,
            lease: LEASE,
            recorded: true,
            read_only: false,
        }
    }

    /// With this lease, of whole seconds.
    pub(crate) fn with_lease(mut self, lease: Duration) -> std::result::Result<Format, String> {
        let seconds = u32::try_from(lease.as_secs()).ok();
        match seconds.filter(|seconds| LEASES.contains(seconds) && lease.subsec_nanos() == 0) {
            Some(seconds) => {
                self.lease = seconds;
                Ok(self)
            }
            None => Err(format!(
                "a lease of {lease:?}: it is whole seconds, from {} to {}",
                LEASES.start(),
                LEASES.end()
            )),
        }
    }

    /// Who may use the spool at once.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How long an owner that does not renew its lease is the owner; `None` where hosts do not share the spool.
    pub fn lease(&self) -> Option<Duration> {
        (self.mode == Mode::Network).then(|| Duration::from_secs(self.lease.into()))
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
        if self.mode == Mode::Network {
            let _ = writeln!(text, "lease {}", self.lease);
        }
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
                ("lease", words) => match words.parse() {
                    Ok(lease) if LEASES.contains(&lease) => format.lease = lease,
                    _ => return Err(damaged(format!("its lease is {words:?} seconds"))),
                },
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
pub(crate) fn read(root: &Arc<Dir>, operation: &'static str) -> Result<Format> {
    root.fd(operation)?;
    let ours = Dir::within(root, OURS.as_ref());
    let dir = match ours.fd(operation) {
        Err(error) if error.errno() == Some(libc::ENOENT) => return Ok(Format::UNRECORDED),
        other => other?,
    };
    let oddity = |stat: &Stat| file::oddity(stat).filter(|_| !has_all_its_names(dir, stat));
    let name = FORMAT.as_ref();
    match contents::read_unless(oddity, &ours, name, MOST_BYTES, operation)? {
        Some((_, text)) => Format::parse(&text)
            .map_err(|(kind, reason)| Error::new(kind, operation, path(root), reason)),
        None => Ok(Format::UNRECORDED),
    }
}

/// Whether it is a regular file all of whose names are in this directory: a create that was cut short
/// leaves the format its temporary name, too.
fn has_all_its_names(dir: BorrowedFd<'_>, stat: &Stat) -> bool {
    let (mut names, mut links) = (0, stat.st_nlink);
    let listed = dir::for_each_name(dir, |name| {
        match file::stat_at(dir, OsStr::from_bytes(name)) {
            // Whoever creates at this moment takes a name away.
            Ok(named) if file::same(&named, stat) => (names, links) = (names + 1, named.st_nlink),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    is_regular && listed.is_ok() && names >= links
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
    while !file::exists(dir, target).at(operation, || ours.join(target))? {
        let temporary = format!("{TEMPORARY}{}", random::letters(6));
        let temporary = temporary.as_ref();
        let at = || ours.join(temporary);
        let written = (|| {
            let file = file::create_new(dir, temporary, file_mode, group).at(operation, at)?;
            file::write_all(file.as_fd(), format.to_text().as_bytes()).at(operation, at)?;
            if durable {
                sync::fsync(file.as_fd()).at(operation, at)?;
            }
            match file::link(dir, temporary, target) {
                // Another process recorded it, and perhaps cleared our file away.
                Ok(()) | Err(Errno::EXIST | Errno::NOENT) => Ok(()),
                // No hard links on this file system.
                Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => {
                    match rename::without_clobbering((dir, temporary), (dir, target)) {
                        Err(Errno::EXIST | Errno::NOENT) => Ok(()),
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
    }
    // Before the sync: what came back after a loss of power would be there for good.
    clear(ours, operation)?;
    // Also what was there: whoever recorded it may not have come to this.
    if durable {
        ours.sync(operation, Step::SyncCreate)?;
    }
    Ok(())
}

/// Removes what creates that were cut short left beside the format. A create that is at it finds the format.
pub(crate) fn clear(ours: &Dir, operation: &'static str) -> Result<()> {
    let dir = ours.fd(operation)?;
    let mut left = Vec::new();
    dir::for_each_name(dir, |name| {
        if name.starts_with(TEMPORARY.as_bytes()) {
            left.push(name.to_owned());
        }
        ControlFlow::Continue(())
    })
    .at(operation, || ours.path().to_owned())?;
    for name in left {
        // What cannot be removed is in nobody's way.
        let _ = file::unlink(dir, OsStr::from_bytes(&name));
    }
    Ok(())
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
