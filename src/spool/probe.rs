//! What a file system must do for hosts to share a spool on it, tried with files of one's own; and what it may do besides.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Dir;
use crate::sys::{dir, file, file_system, lock, random, rename, sync};

/// What a probe found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was tried, in words.
    pub what: &'static str,
    /// Whether a spool that hosts share can do without.
    pub is_needed: bool,
    /// Whether the file system does it.
    pub works: bool,
    /// What it did instead.
    pub instead: Option<String>,
}

/// Fails where the file system lacks what a spool shared by hosts needs.
pub(crate) fn must_pass(dir: &Dir, operation: &'static str) -> Result<()> {
    let lacks = needed(dir, operation)?
        .into_iter()
        .find(|finding| !finding.works);
    match lacks {
        None => Ok(()),
        Some(lacks) => Err(Error::new(
            ErrorKind::Unsupported,
            operation,
            dir.path(),
            format!(
                "the file system cannot be shared between hosts: it must have {}{}",
                lacks.what,
                lacks
                    .instead
                    .map(|instead| format!(", and {instead}"))
                    .unwrap_or_default()
            ),
        )),
    }
}

/// Files of a probe, removed at its end.
struct Files<'a> {
    dir: BorrowedFd<'a>,
    names: Vec<OsString>,
}

impl Files<'_> {
    fn name(&mut self) -> OsString {
        let name = OsString::from(format!("probe.tmp.{}", random::letters(8)));
        self.names.push(name.clone());
        name
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            // Most are gone; what cannot be removed is in nobody's way.
            let _ = file::unlink(self.dir, name);
        }
    }
}

/// `None`: as it must be.
type Tried = std::result::Result<Option<String>, Errno>;

fn finding(what: &'static str, is_needed: bool, tried: Tried) -> Finding {
    let instead = match tried {
        Ok(instead) => instead,
        Err(errno) => Some(format!("answered: {}", std::io::Error::from(errno))),
    };
    Finding {
        what,
        is_needed,
        works: instead.is_none(),
        instead,
    }
}

/// What no spool that hosts share can do without.
pub(crate) fn needed(dir: &Dir, operation: &'static str) -> Result<Vec<Finding>> {
    let fd = dir.fd(operation)?;
    let mount = file_system::mount(fd).at(operation, || dir.path().to_owned())?;
    let client = Ok(known_to_fail(&mount.kind));
    let mut findings = vec![finding("one view of a file on all hosts", true, client)];
    let mut files = Files {
        dir: fd,
        names: Vec::new(),
    };
    let (token, claim, moved) = (files.name(), files.name(), files.name());
    let made = file::create_new(fd, &token, None, None).at(operation, || dir.join(&token))?;
    let mut add = |what, tried| findings.push(finding(what, true, tried));
    add("files that are created once", once(fd, &token));
    add(
        "hard links, of which a name can have one",
        links(fd, &made, &token, &claim),
    );
    add(
        "times that are set under every name of a file",
        times(fd, &made, &claim),
    );
    add(
        "renames that keep the file",
        moves(fd, &made, &claim, &moved),
    );
    add("files that can be synced", synced(&made));
    add(
        "directories that can be synced",
        sync::fsync_directory(fd).map(|()| None),
    );
    Ok(findings)
}

/// File systems that do well what one host tries, and fail two.
fn known_to_fail(kind: &str) -> Option<String> {
    let kind = kind.to_lowercase();
    kind.contains("seaweedfs").then(|| {
        "SeaweedFS lets two hosts create the same file, and does not show one what the other made".to_owned()
    })
}

fn once(dir: BorrowedFd<'_>, name: &OsStr) -> Tried {
    match file::create_new(dir, name, None, None) {
        Err(Errno::EXIST) => Ok(None),
        Ok(_) => Ok(Some("it created a file twice".to_owned())),
        Err(errno) => Err(errno),
    }
}

fn links(dir: BorrowedFd<'_>, made: &OwnedFd, token: &OsStr, claim: &OsStr) -> Tried {
    file::link(dir, token, claim)?;
    let (made, linked) = (file::stat(made.as_fd())?, file::stat_at(dir, claim)?);
    if !file::same(&made, &linked) {
        return Ok(Some("a file's second name shows another file".to_owned()));
    }
    if linked.st_nlink != 2 {
        return Ok(Some(format!(
            "a file of two names is said to have {}",
            linked.st_nlink
        )));
    }
    match file::link(dir, token, claim) {
        Err(Errno::EXIST) => Ok(None),
        Ok(()) => Ok(Some("it gave one name to two files".to_owned())),
        Err(errno) => Err(errno),
    }
}

fn times(dir: BorrowedFd<'_>, made: &OwnedFd, claim: &OsStr) -> Tried {
    file::touch(made.as_fd())?;
    file::touch_accessed(dir, claim)?;
    let (own, other) = (file::stat(made.as_fd())?, file::stat_at(dir, claim)?);
    Ok((modified(&own) != modified(&other))
        .then(|| "a file's two names show different times".to_owned()))
}

fn modified(stat: &Stat) -> i64 {
    #[allow(
        clippy::useless_conversion,
        reason = "the width differs by architecture"
    )]
    i64::from(stat.st_mtime)
}

fn moves(dir: BorrowedFd<'_>, made: &OwnedFd, from: &OsStr, to: &OsStr) -> Tried {
    rename::plain((dir, from), (dir, to))?;
    if file::exists(dir, from)? {
        return Ok(Some(
            "a file that was moved is still where it was".to_owned(),
        ));
    }
    let (made, moved) = (file::stat(made.as_fd())?, file::stat_at(dir, to)?);
    let is_regular = FileType::from_raw_mode(moved.st_mode) == FileType::RegularFile;
    Ok((!is_regular || !file::same(&made, &moved))
        .then(|| "a file that was moved is another file".to_owned()))
}

fn synced(made: &OwnedFd) -> Tried {
    file::write_all(made.as_fd(), b"synced\n")?;
    sync::fsync(made.as_fd()).map(|()| None)
}

/// What is made use of where it is there.
pub(crate) fn useful(dir: &Dir, operation: &'static str) -> Result<Vec<Finding>> {
    let fd = dir.fd(operation)?;
    let mut files = Files {
        dir: fd,
        names: Vec::new(),
    };
    let (one, other, free) = (files.name(), files.name(), files.name());
    let made = file::create_new(fd, &one, None, None).at(operation, || dir.join(&one))?;
    file::create_new(fd, &other, None, None).at(operation, || dir.join(&other))?;
    let stat = file::stat(made.as_fd()).at(operation, || dir.join(&one))?;
    let mut findings = Vec::new();
    let mut add = |what, tried| findings.push(finding(what, false, tried));
    add(
        "renames that replace nothing (RENAME_NOREPLACE)",
        no_replace(fd, &one, &free),
    );
    let swapped = rename::swap((fd, &free), (fd, &other)).map(|()| None);
    add("renames that swap (RENAME_EXCHANGE)", swapped);
    add(
        "locks that belong to an open file (F_OFD_SETLK)",
        locks(fd, &free),
    );
    add(
        "files without a name (O_TMPFILE)",
        dir::unnamed(fd).map(|_| None),
    );
    add(
        "times finer than a second",
        Ok((stat.st_mtime_nsec == 0).then(|| "it tells whole seconds".to_owned())),
    );
    Ok(findings)
}

fn no_replace(dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> Tried {
    match rename::no_replace((dir, from), (dir, to)) {
        Ok(()) => Ok(None),
        Err(errno) => {
            rename::plain((dir, from), (dir, to))?;
            Err(errno)
        }
    }
}

fn locks(dir: BorrowedFd<'_>, name: &OsStr) -> Tried {
    // Two open files, which a lock of one keeps apart in one process too.
    let (one, other) = (file::open_write(dir, name)?, file::open_write(dir, name)?);
    if !lock::try_lock(one.as_fd())? {
        return Ok(Some(
            "a lock that nobody holds is said to be held".to_owned(),
        ));
    }
    let excludes = !lock::try_lock(other.as_fd())?;
    Ok((!excludes).then(|| "two had one lock".to_owned()))
}
