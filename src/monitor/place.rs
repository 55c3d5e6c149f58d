//! Where a name is, in all the places that it could be: seen once, and seen to hold still.

use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{Access, AtFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::problem::{Dir, FileWithMtime};
use crate::error::{At, Error, Result};
use crate::layout::{CHECKOUT, Dir as Directory, Layout, Queue};
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::ownership;
use crate::spool::Spool;
use crate::sys::{clock, dir, file};

/// How often a name that keeps moving is looked at before it counts as busy and healthy.
const LOOKS: usize = 8;

/// What lies under a name in one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    inode: (u64, u64),
    changed: (i64, u64),
    modified: (i64, u64),
    /// Whether it is a regular file of one name.
    pub(crate) is_regular: bool,
}

impl Seen {
    #[allow(clippy::unnecessary_cast, reason = "the widths differ by architecture")]
    fn of(stat: &Stat) -> Seen {
        Seen {
            inode: (stat.st_dev as u64, stat.st_ino as u64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u64),
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            is_regular: file::oddity(stat).is_none(),
        }
    }

    pub(crate) fn age(&self) -> Duration {
        clock::age(clock::since_1970(self.modified.0, self.modified.1))
    }

    pub(crate) fn is_older_than(&self, limit: Duration) -> bool {
        self.age() > limit
    }

    pub(crate) fn named(&self, name: &std::ffi::OsStr) -> FileWithMtime {
        let seconds = Duration::from_secs(self.modified.0.unsigned_abs());
        let mtime = if self.modified.0 < 0 {
            SystemTime::UNIX_EPOCH - seconds
        } else {
            SystemTime::UNIX_EPOCH + seconds
        };
        FileWithMtime {
            filename: name.to_owned(),
            mtime: mtime + Duration::from_nanos(self.modified.1),
        }
    }
}

/// What lies under `name` in one directory; `None` if nothing does.
pub(crate) fn see(
    dir: &Directory,
    name: &std::ffi::OsStr,
    operation: &'static str,
) -> Result<Option<Seen>> {
    match file::stat_at(dir.fd(operation)?, name) {
        Ok(stat) => Ok(Some(Seen::of(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Error::system(operation, dir.join(name), errno)),
    }
}

/// The names in a directory that begin with a dot, which no operation sees; all but the `.checkout/` of a queue
/// and what network and FUSE file systems put in the place of a file that is removed while it is open.
pub(crate) fn names_with_a_dot(
    dir: &Directory,
    kind: &Dir,
    operation: &'static str,
) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    dir::for_each_name(dir.fd(operation)?, |name| {
        let is_ours = matches!(kind, Dir::Queue(_)) && name == CHECKOUT.as_bytes();
        let is_systems = name.starts_with(b".nfs") || name.starts_with(b".fuse_hidden");
        if name.starts_with(b".") && !is_ours && !is_systems {
            names.push(OsStr::from_bytes(name).to_owned());
        }
        ControlFlow::Continue(())
    })
    .at(operation, || dir.path().to_owned())?;
    Ok(names)
}

/// Whether the caller may read the file.
pub(crate) fn is_readable(
    dir: &Directory,
    name: &std::ffi::OsStr,
    operation: &'static str,
) -> Result<bool> {
    let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
    let fd = dir.fd(operation)?;
    match retry_on_intr(|| rustix::fs::accessat(fd, name, Access::READ_OK, flags)) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(true),
        Err(Errno::ACCESS | Errno::PERM) => Ok(false),
        Err(errno) => Err(errno).at(operation, || dir.join(name)),
    }
}

/// All the places of one name at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) registry: Option<Seen>,
    pub(crate) data: Option<Seen>,
    /// The queues and checkouts that have it.
    pub(crate) entry: Vec<(Dir, Seen)>,
    pub(crate) is_owned: bool,
}

impl Places {
    fn look(
        spool: &Spool,
        name: &EntryName,
        has_data: bool,
        operation: &'static str,
    ) -> Result<Places> {
        let layout: &Layout = spool.layout();
        let registry = see(&layout.registry, name.as_os_str(), operation)?;
        let is_owned = registry.is_some() && ownership::is_owned(spool, name, operation)?;
        let mut entry = Vec::new();
        for queue in layout.queues() {
            for (dir, named) in dirs_of(queue) {
                if let Some(seen) = see(dir, name.as_os_str(), operation)? {
                    entry.push((named, seen));
                }
            }
        }
        let data = match has_data {
            true => see(&layout.data, name.as_os_str(), operation)?,
            false => None,
        };
        Ok(Places {
            data,
            registry,
            entry,
            is_owned,
        })
    }

    /// The places of a name that holds still, or `None` if it keeps moving: then somebody works on it.
    ///
    /// Each move touches the registry file or the entry, so two looks that agree had no move between them.
    pub(crate) fn settled(
        spool: &Spool,
        name: &EntryName,
        has_data: bool,
        operation: &'static str,
    ) -> Result<Option<Places>> {
        let look = || spool.step(|| Places::look(spool, name, has_data, operation));
        let mut before = look()?;
        for _ in 0..LOOKS {
            let after = look()?;
            if before == after || omit::is_out(Step::SecondLook) {
                return Ok(Some(after));
            }
            before = after;
        }
        Ok(None)
    }
}

/// A queue's two directories, with what they are called.
pub(crate) fn dirs_of(queue: &Arc<Queue>) -> [(&Directory, Dir); 2] {
    [
        (&queue.waiting, Dir::Queue(queue.name.clone())),
        (&queue.checkout, Dir::QueueCheckout(queue.name.clone())),
    ]
}

/// The reserved name that a temporary file belongs to: the one that it begins with.
pub(crate) fn owner_of_temporary(
    spool: &Spool,
    temporary: &EntryName,
    operation: &'static str,
) -> Result<Option<EntryName>> {
    use std::os::unix::ffi::OsStrExt;
    let registry = &spool.layout().registry;
    let bytes = temporary.as_bytes();
    let mut end = bytes.len();
    loop {
        let Some(name) = EntryName::found(&bytes[..end]) else {
            return Ok(None);
        };
        let name_os = std::ffi::OsStr::from_bytes(&bytes[..end]);
        if see(registry, name_os, operation)?.is_some() {
            return Ok(Some(name));
        }
        match bytes[..end].iter().rposition(|byte| *byte == b'.') {
            Some(dot) if dot > 0 => end = dot,
            _ => return Ok(None),
        }
    }
}
