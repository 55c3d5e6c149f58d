//! Opening what is there, with a reason and a path for whatever is not.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, FileType};
use rustix::io::Errno;

use super::{Spool, SpoolOptions, absolute, probe};
use crate::error::{At, Error, ErrorKind, Result};
use crate::format::{self, Format, Mode};
use crate::layout::{CHECKOUT, DATA, Dir, Layout, OURS, REGISTRY, TMP};
use crate::name::QueueName;
use crate::sys::{dir, file, file_system};

const LOAD: &str = "load";

pub(super) fn load(options: &SpoolOptions, path: &Path, queues: Vec<QueueName>) -> Result<Spool> {
    let layout = Layout::new(absolute(path, LOAD)?, queues);
    let format = options.step(|| {
        open_root(&layout.root, LOAD)?;
        must_look_like_a_spool(&layout.root, LOAD)?;
        check(options, &layout, LOAD)
    })?;
    Ok(Spool::new(layout, options, Some(format)))
}

pub(super) fn load_unsafe(
    options: &SpoolOptions,
    path: &Path,
    queues: Vec<QueueName>,
) -> Result<Spool> {
    let layout = Layout::new(absolute(path, LOAD)?, queues);
    // What cannot be read yet shows at first use; what is read and refused must not be written to.
    let format = match options.step(|| format::read(&layout.root, LOAD)) {
        Ok(format) => Some(format),
        Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
        Err(_) => None,
    };
    Ok(Spool::new(layout, options, format))
}

pub(super) fn discover(path: &Path) -> Result<Vec<QueueName>> {
    const DISCOVER: &str = "discover";
    let layout = Layout::new(absolute(path, DISCOVER)?, []);
    open_root(&layout.root, DISCOVER)?;
    must_look_like_a_spool(&layout.root, DISCOVER)?;
    format::read(&layout.root, DISCOVER)?;
    queues_on_disk(&layout.root, DISCOVER)
}

/// The queues that the spool has on disk: the directories with a `.checkout/`, in the order of their names.
pub(crate) fn queues_on_disk(root: &Dir, operation: &'static str) -> Result<Vec<QueueName>> {
    let dir = root.fd(operation)?;
    let mut queues = Vec::new();
    let mut failed = None;
    dir::for_each_name(dir, |name| {
        let name = OsStr::from_bytes(name);
        let Ok(queue) = QueueName::new(name) else {
            return ControlFlow::Continue(());
        };
        match has_checkout(dir, name) {
            Ok(true) => queues.push(queue),
            Ok(false) => {}
            Err(errno) => {
                failed = Some(Error::system(operation, root.join(name), errno));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })
    .at(operation, || root.path().to_owned())?;
    if let Some(error) = failed {
        return Err(error);
    }
    queues.sort_unstable();
    Ok(queues)
}

fn has_checkout(
    root: std::os::fd::BorrowedFd<'_>,
    name: &OsStr,
) -> std::result::Result<bool, Errno> {
    let queue = match dir::open_at(root, name) {
        Ok(queue) => queue,
        Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(errno),
    };
    match file::stat_at(queue.as_fd(), CHECKOUT.as_ref()) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Opens the root, and says what is in its place if it is no directory.
pub(super) fn open_root<'a>(
    root: &'a Dir,
    operation: &'static str,
) -> Result<std::os::fd::BorrowedFd<'a>> {
    root.fd(operation).map_err(|error| match error.errno() {
        Some(libc::ENOENT) => {
            Error::system_as(ErrorKind::Missing, operation, root.path(), Errno::NOENT)
        }
        Some(libc::ENOTDIR) => {
            Error::system_as(ErrorKind::NotASpool, operation, root.path(), Errno::NOTDIR)
        }
        _ => error,
    })
}

/// Whether `name` is a directory in the root.
pub(super) fn has_directory(root: &Dir, name: &str, operation: &'static str) -> Result<bool> {
    dir::is_there(root.fd(operation)?, name.as_ref()).at(operation, || root.join(name.as_ref()))
}

/// A directory is a spool if `.registry` and `.tmp` are directories in it.
pub(super) fn must_look_like_a_spool(root: &Dir, operation: &'static str) -> Result<()> {
    for name in [REGISTRY, TMP] {
        if !has_directory(root, name, operation)? {
            let reason = if has_directory(root, OURS, operation)? {
                format!("it has no directory {name}: its creation was cut short; create it again")
            } else {
                format!("it does not look like a spool: it has no directory {name}")
            };
            return Err(Error::new(
                ErrorKind::NotASpool,
                operation,
                root.path(),
                reason,
            ));
        }
    }
    Ok(())
}

/// Checks everything that an open spool relies on; changes nothing.
pub(super) fn check(
    options: &SpoolOptions,
    layout: &Layout,
    operation: &'static str,
) -> Result<Format> {
    must_not_be_world_writable(options, &layout.root, operation)?;
    let format = format::read(&layout.root, operation)?;
    must_suit(options, format, &layout.root, operation)?;
    let access = if options.read_only {
        Access::READ_OK | Access::EXEC_OK
    } else {
        Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK
    };
    let claims = (format.mode() == Mode::Network).then_some(&layout.claims);
    if format.mode() == Mode::Network && !options.read_only {
        probe::must_pass(&Dir::within(&layout.root, OURS.as_ref()), operation)?;
    }
    let queues = layout
        .queues()
        .flat_map(|queue| [&*queue.waiting, &queue.checkout]);
    let lacks_data = options.may_lack_data && !has_directory(&layout.root, DATA, operation)?;
    let data = (!lacks_data).then_some(&layout.data);
    for dir in [&layout.registry, &layout.tmp]
        .into_iter()
        .chain(data)
        .chain(claims)
        .chain(queues)
    {
        let fd = dir.fd(operation)?;
        dir::may(fd, access).at(operation, || dir.path().to_owned())?;
    }
    Ok(format)
}

pub(super) fn must_not_be_world_writable(
    options: &SpoolOptions,
    root: &Dir,
    operation: &'static str,
) -> Result<()> {
    let stat = file::stat(root.fd(operation)?).at(operation, || root.path().to_owned())?;
    if stat.st_mode & 0o002 != 0 && !options.allow_world_writable {
        return Err(Error::new(
            ErrorKind::Permission,
            operation,
            root.path(),
            "every user of this machine may write into it; take that away (chmod o-w), or allow it",
        ));
    }
    Ok(())
}

/// Refuses a format that this version may not write to, and a way of sharing that it does not know.
pub(super) fn must_suit(
    options: &SpoolOptions,
    format: Format,
    root: &Dir,
    operation: &'static str,
) -> Result<()> {
    let refuse = |kind, reason: &str| Err(Error::new(kind, operation, root.path(), reason));
    if format.read_only() && !options.read_only {
        return refuse(
            ErrorKind::Unsupported,
            "a later version wrote this spool; this one may only read it",
        );
    }
    if format.recorded() && options.mode.is_some_and(|mode| mode != format.mode()) {
        return refuse(
            ErrorKind::InvalidArgument,
            "the spool was created in the other mode",
        );
    }
    let mode = if format.recorded() {
        Some(format.mode())
    } else {
        options.mode
    };
    match mode {
        // Each process must know it, those too that were not told.
        Some(Mode::Network) if !format.recorded() => refuse(
            ErrorKind::Unsupported,
            "it has no format file to tell all hosts that they share it; create a new spool, and move the entries there",
        ),
        Some(Mode::Network | Mode::Local) => Ok(()),
        None => {
            let is_network = file_system::is_network(root.fd(operation)?)
                .at(operation, || root.path().to_owned())?;
            if is_network {
                return refuse(
                    ErrorKind::Unsupported,
                    "it is on a network or FUSE file system; say that only one host uses it (mode local)",
                );
            }
            Ok(())
        }
    }
}
