//! Making what is missing of a spool, in an order in which a creation that was cut short can be
//! finished by the next one.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use super::load::{
    check, has_directory, must_look_like_a_spool, must_not_be_world_writable, must_suit, open_root,
};
use super::{Spool, SpoolOptions, absolute, probe};
use crate::error::{At, Error, ErrorKind, Result};
use crate::format::{self, Format, Mode, Owners};
use crate::layout::{CLAIMS, DATA, Dir, Layout, OURS, REGISTRY, TMP};
use crate::name::QueueName;
use crate::omit::{self, Step};
use crate::sys::{dir, file, file_system, sync};

const CREATE: &str = "create";

pub(super) fn create(options: &SpoolOptions, path: &Path, queues: Vec<QueueName>) -> Result<Spool> {
    if options.read_only {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            CREATE,
            path,
            "a spool cannot be created read-only",
        ));
    }
    // Bad options are told before anything is made.
    let wanted = Format::new(options.mode.unwrap_or(Mode::Network), options.owners);
    wanted_format(options, wanted)
        .map_err(|reason| Error::new(ErrorKind::InvalidArgument, CREATE, path, reason))?;
    let layout = Layout::new(absolute(path, CREATE)?, queues);
    let format = options.step(|| {
        make(options, &layout)?;
        check(options, &layout, CREATE)
    })?;
    Ok(Spool::new(layout, options, Some(format)))
}

fn make(options: &SpoolOptions, layout: &Layout) -> Result<()> {
    let root = &layout.root;
    let is_new = dir::make_path(root.path()).at(CREATE, || root.path().to_owned())?;
    if is_new && (options.dir_mode.is_some() || options.group.is_some()) {
        let set = root.fd(CREATE).and_then(|fd| {
            file::set_mode_and_group(fd, options.dir_mode, options.group)
                .at(CREATE, || root.path().to_owned())
        });
        set.inspect_err(|_| {
            // Else it would be there the next time, as it must not be; the first error is the one to tell.
            let _ = dir::remove_path(root.path());
        })?;
    }
    open_root(root, CREATE)?;
    let is_a_spool = match must_look_like_a_spool(root, CREATE) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotASpool => false,
        Err(error) => return Err(error),
    };
    if !is_a_spool {
        if let Err(error) = must_be_empty(root) {
            // Another process may have finished its creation between the two looks.
            must_look_like_a_spool(root, CREATE).map_err(|_| error)?;
        }
        must_not_be_world_writable(options, root, CREATE)?;
        let recorded = format::read(root, CREATE)?;
        let format = match recorded.recorded() {
            true => recorded,
            false => new_format(options, root)?,
        };
        must_suit(options, format, root, CREATE)?;
        // Also of a root that was there: whoever made it may have died, or never have synced it.
        sync_parent(options, root)?;
        // The format comes first: whoever sees a spool must see what it is. Then what makes it one.
        let ours = Dir::within(root, OURS.as_ref());
        make_directory(options, root, OURS)?;
        if format.mode() == Mode::Network {
            probe::must_pass(&ours, CREATE)?;
            make_directory(options, &ours, CLAIMS)?;
        }
        format::record(
            format,
            &ours,
            options.durability.syncs_names(),
            options.file_mode,
            options.group,
            CREATE,
        )?;
    } else {
        // Nothing may be added to a spool that will be refused.
        must_not_be_world_writable(options, root, CREATE)?;
        let recorded = format::read(root, CREATE)?;
        must_suit(options, recorded, root, CREATE)?;
        if recorded.recorded() {
            format::clear(&Dir::within(root, OURS.as_ref()), CREATE)?;
        }
    }
    for name in [DATA, REGISTRY, TMP] {
        make_directory(options, root, name)?;
    }
    for queue in layout.queues() {
        let name = queue.name.as_os_str();
        make_directory_in(options, root, name)?;
        make_directory_in(options, &queue.waiting, crate::layout::CHECKOUT.as_ref())?;
    }
    Ok(())
}

/// What a new spool in this directory is.
fn new_format(options: &SpoolOptions, root: &Dir) -> Result<Format> {
    let mode = match options.mode {
        Some(mode) => mode,
        None => {
            let is_network = file_system::is_network(root.fd(CREATE)?);
            match is_network.at(CREATE, || root.path().to_owned())? {
                true => Mode::Network,
                false => Mode::Local,
            }
        }
    };
    wanted_format(options, Format::new(mode, options.owners))
        .map_err(|reason| Error::new(ErrorKind::InvalidArgument, CREATE, root.path(), reason))
}

/// The format with the lease that is asked for, if it can be had.
fn wanted_format(options: &SpoolOptions, format: Format) -> std::result::Result<Format, String> {
    let is_mixed = format.owners() == Owners::Mixed;
    if options.mode == Some(Mode::Network) && is_mixed {
        let reason = "processes that take no locks know of no leases: they cannot share a spool between hosts";
        return Err(reason.to_owned());
    }
    match options.lease {
        Some(_) if format.mode() == Mode::Local => {
            Err("a lease is for a spool that several hosts share (mode network)".to_owned())
        }
        Some(lease) => format.with_lease(lease),
        None => Ok(format),
    }
}

/// A root that holds nothing but what a creation makes first, and nothing in that, counts as empty.
fn must_be_empty(root: &Arc<Dir>) -> Result<()> {
    let mut found = None;
    dir::for_each_name(root.fd(CREATE)?, |name| {
        let ours = [OURS, REGISTRY, TMP, DATA];
        match ours.iter().find(|ours| ours.as_bytes() == name) {
            Some(_) => ControlFlow::Continue(()),
            None => {
                found = Some(String::from_utf8_lossy(name).into_owned());
                ControlFlow::Break(())
            }
        }
    })
    .at(CREATE, || root.path().to_owned())?;
    for name in [REGISTRY, TMP, DATA] {
        let there = file::exists(root.fd(CREATE)?, name.as_ref())
            .at(CREATE, || root.join(name.as_ref()))?;
        if there && !has_directory(root, name, CREATE)? {
            found = Some(format!("{name}, which is no directory"));
        }
        if there && found.is_none() {
            let inner = Dir::within(root, name.as_ref());
            dir::for_each_name(inner.fd(CREATE)?, |below| {
                found = Some(format!("{name}/{}", String::from_utf8_lossy(below)));
                ControlFlow::Break(())
            })
            .at(CREATE, || inner.path().to_owned())?;
        }
    }
    match found {
        None => Ok(()),
        Some(found) => Err(Error::new(
            ErrorKind::NotEmpty,
            CREATE,
            root.path(),
            format!("the directory is not a spool and is not empty: it holds {found}"),
        )),
    }
}

fn make_directory(options: &SpoolOptions, parent: &Dir, name: &str) -> Result<()> {
    make_directory_in(options, parent, name.as_ref())
}

/// Makes a directory that may be there already; one that is there may have been made a moment ago by
/// another process that has not synced it yet, so both are synced.
fn make_directory_in(options: &SpoolOptions, parent: &Dir, name: &std::ffi::OsStr) -> Result<()> {
    dir::make_at(parent.fd(CREATE)?, name, options.dir_mode, options.group)
        .at(CREATE, || parent.join(name))?;
    if options.durability.syncs_names() {
        if !omit::is_out(Step::SyncCreate) {
            let made = dir::open_at(parent.fd(CREATE)?, name).at(CREATE, || parent.join(name))?;
            sync::fsync_directory(made.as_fd()).at(CREATE, || parent.join(name))?;
        }
        parent.sync(CREATE, Step::SyncCreate)?;
    }
    Ok(())
}

fn sync_parent(options: &SpoolOptions, root: &Dir) -> Result<()> {
    if !options.durability.syncs_names() || omit::is_out(Step::SyncCreate) {
        return Ok(());
    }
    dir::sync_parent(root.path(), root.fd(CREATE)?).at(CREATE, || {
        root.path().parent().unwrap_or(root.path()).to_owned()
    })
}
