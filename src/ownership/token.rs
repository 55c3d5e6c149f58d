//! The file that stands for its maker: a lease is a second name of one.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::error::{At, Result};
use crate::layout::Dir;
use crate::name::EntryName;
use crate::scratch::Scratch;
use crate::spool::Spool;
use crate::sys::{file, host};

/// What its own name stands behind, in its text.
const NAMED: &str = "token ";

/// No token of ours is near this long.
const MOST_BYTES: u64 = 4096;

/// A file of `.tmp/` that says who made it; removed when dropped.
#[derive(Debug)]
pub(super) struct Token {
    scratch: Scratch,
    stat: Stat,
}

impl Token {
    pub(super) fn make(spool: &Spool, name: &EntryName, operation: &'static str) -> Result<Token> {
        let scratch = Scratch::create(spool, name, operation)?;
        let mut text = NAMED.as_bytes().to_vec();
        text.extend_from_slice(scratch.name().as_bytes());
        text.extend_from_slice(b"\n");
        text.extend_from_slice(maker().as_bytes());
        scratch.append(&text, operation)?;
        let stat = file::stat(scratch.as_fd())
            .at(operation, || spool.layout().tmp.join(scratch.name()))?;
        Ok(Token { scratch, stat })
    }

    /// Whether this is the token's file.
    pub(super) fn is(&self, stat: &Stat) -> bool {
        file::same(stat, &self.stat)
    }

    /// Gives the token a second name; false if another file has it. A reply that was lost, so that the file system's
    /// client asked twice, is told from that by the file itself.
    pub(super) fn link(
        &self,
        dir: &Dir,
        name: &EntryName,
        operation: &'static str,
    ) -> Result<bool> {
        let from = self.scratch.place(operation)?;
        let to = dir.place(operation, name.as_os_str())?;
        let Err(errno) = file::link_to(from, to) else {
            return Ok(true);
        };
        match file::stat_at(to.0, to.1) {
            Ok(stat) => Ok(self.is(&stat)),
            // Another's, which is gone again; or the token's own name is.
            Err(Errno::NOENT) if matches!(errno, Errno::EXIST | Errno::NOENT) => Ok(false),
            _ => Err(errno).at(operation, || dir.join(to.1)),
        }
    }

    /// Sets its times to now, under all its names.
    pub(super) fn touch(&self, operation: &'static str) -> Result<()> {
        file::touch(self.scratch.as_fd()).at(operation, || self.scratch.path())
    }
}

/// The own name of the token that lies here under another; `None` where that cannot be told.
pub(super) fn own_name(dir: &Dir, name: &OsStr, operation: &'static str) -> Option<Vec<u8>> {
    let file = file::open_read(dir.fd(operation).ok()?, name).ok()?;
    let mut text = Vec::new();
    fs::File::from(file)
        .take(MOST_BYTES)
        .read_to_end(&mut text)
        .ok()?;
    let first = text.split(|byte| *byte == b'\n').next()?;
    Some(first.strip_prefix(NAMED.as_bytes())?.to_vec())
}

/// Who this process is, among those of all hosts.
fn maker() -> &'static str {
    static MAKER: OnceLock<String> = OnceLock::new();
    MAKER.get_or_init(host::process)
}
