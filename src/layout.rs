//! Every name and path on disk, and the only place that joins them.
//!
//! ```text
//! SPOOL/.multispool/format     what this spool is
//! SPOOL/.multispool/claims/NAME  among several hosts: who owns NAME
//! SPOOL/.registry/NAME         the reservation of NAME in the whole spool, and its lock
//! SPOOL/.tmp/NAME.tmp.RRRRRR   metadata or data being written
//! SPOOL/.data/NAME             data
//! SPOOL/QUEUE/NAME             metadata; the entry is visible in QUEUE
//! SPOOL/QUEUE/.checkout/NAME   metadata; the entry is owned by one worker
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::durability::{Durability, Settling, SyncRounds};
use crate::error::{At, Result};
use crate::name::{EntryName, MAX_NAME_BYTES, QueueName};
use crate::omit::{self, Step};
use crate::sys::rename::Place;
use crate::sys::{dir, file, journal, random, sync};

/// The directory at a spool's root that is this library's own.
pub(crate) const OURS: &str = ".multispool";
/// The file in it that says what the spool is.
pub(crate) const FORMAT: &str = "format";
/// The directory in it that holds the claims.
pub(crate) const CLAIMS: &str = "claims";
pub(crate) const REGISTRY: &str = ".registry";
pub(crate) const TMP: &str = ".tmp";
pub(crate) const DATA: &str = ".data";
pub(crate) const CHECKOUT: &str = ".checkout";

/// The directories of one spool, each opened once and then held.
pub(crate) struct Layout {
    pub(crate) root: Arc<Dir>,
    pub(crate) registry: Dir,
    pub(crate) tmp: Dir,
    pub(crate) data: Dir,
    /// There where several hosts share the spool.
    pub(crate) claims: Dir,
    queues: BTreeMap<QueueName, Arc<Queue>>,
    ordered: OnceLock<bool>,
}

/// One queue's two directories.
pub(crate) struct Queue {
    pub(crate) name: QueueName,
    /// `QUEUE/`: the entries that wait.
    pub(crate) waiting: Arc<Dir>,
    /// `QUEUE/.checkout/`: the entries that are owned.
    pub(crate) checkout: Dir,
}

impl Layout {
    /// Nothing on disk is looked at.
    pub(crate) fn new(root: PathBuf, queues: impl IntoIterator<Item = QueueName>) -> Layout {
        let root = Arc::new(Dir::root(root));
        let queues = queues
            .into_iter()
            .map(|name| (name.clone(), Arc::new(Queue::within(&root, name))))
            .collect();
        Layout {
            registry: Dir::within(&root, REGISTRY.as_ref()),
            tmp: Dir::within(&root, TMP.as_ref()),
            data: Dir::within(&root, DATA.as_ref()),
            claims: Dir::within(
                &Arc::new(Dir::within(&root, OURS.as_ref())),
                CLAIMS.as_ref(),
            ),
            root,
            queues,
            ordered: OnceLock::new(),
        }
    }

    /// Whether the sync of one directory of this spool carries all earlier changes in the others: they lie on one file
    /// system, whose journal keeps the order. Where that cannot be told it is not so.
    pub(crate) fn is_ordered(&self) -> bool {
        if let Some(is_ordered) = self.ordered.get() {
            return *is_ordered;
        }
        let ask = || {
            let root = self.root.fd("ask for the file system").ok()?;
            let mut others = Vec::new();
            // Queues need not be asked: what is moved into them comes from these.
            for name in [REGISTRY, TMP, DATA] {
                others.push(file::stat_at(root, name.as_ref()).ok()?.st_dev);
            }
            let is_one = others.iter().all(|device| *device == others[0]);
            Some(is_one && journal::is_ordered(root, others[0]).ok()?)
        };
        match ask() {
            Some(is_ordered) => *self
                .ordered
                .get_or_init(|| is_ordered && !omit::is_out(Step::KeepOrder)),
            None => false,
        }
    }

    /// What new contents need before they become visible, so that the loss of power finds them whole, by this durability.
    pub(crate) fn settling(&self, durability: Durability) -> Settling {
        match durability {
            Durability::None => Settling::Not,
            _ => self.settling_in_place(durability),
        }
    }

    /// What new contents need before they take the place of others, which may be durable whatever is promised for these.
    pub(crate) fn settling_in_place(&self, durability: Durability) -> Settling {
        match durability {
            // Synced before they are visible is what it promises.
            Durability::Original => Settling::Synced,
            Durability::None | Durability::Full if self.is_ordered() => Settling::WrittenOut,
            Durability::None | Durability::Full => Settling::Synced,
        }
    }

    pub(crate) fn queue(&self, name: &OsStr) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    /// All queues, in the order of their names.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.values()
    }
}

impl Queue {
    /// The queue `name` of the spool in `root`.
    pub(crate) fn within(root: &Arc<Dir>, name: QueueName) -> Queue {
        let waiting = Arc::new(Dir::within(root, name.as_os_str()));
        Queue {
            checkout: Dir::within(&waiting, CHECKOUT.as_ref()),
            waiting,
            name,
        }
    }

    /// Waits until every entry that came or went so far has done so on disk.
    pub(crate) fn sync(&self, operation: &'static str, step: Step) -> Result<()> {
        self.checkout.sync(operation, step)?;
        self.waiting.sync(operation, step)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

/// The name of a temporary file for `name`. It belongs to the entry whose name it begins with.
pub(crate) fn temporary(name: &EntryName) -> OsString {
    // A name that was found on disk may be too long for the suffix: then its beginning has to do.
    let bytes = name.as_bytes();
    let mut temporary = OsStr::from_bytes(&bytes[..bytes.len().min(MAX_NAME_BYTES)]).to_owned();
    temporary.push(".tmp.");
    temporary.push(random::letters(6));
    temporary
}

/// A directory of a spool, opened at first use.
pub(crate) struct Dir {
    path: PathBuf,
    within: Option<(Arc<Dir>, OsString)>,
    opened: OnceLock<OwnedFd>,
    syncs: SyncRounds,
}

impl Dir {
    fn root(path: PathBuf) -> Dir {
        Dir {
            path,
            within: None,
            opened: OnceLock::new(),
            syncs: SyncRounds::new(),
        }
    }

    /// The directory `name` in `parent`.
    pub(crate) fn within(parent: &Arc<Dir>, name: &OsStr) -> Dir {
        Dir {
            path: parent.path.join(name),
            within: Some((Arc::clone(parent), name.to_owned())),
            opened: OnceLock::new(),
            syncs: SyncRounds::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn fd(&self, operation: &'static str) -> Result<BorrowedFd<'_>> {
        if let Some(fd) = self.opened.get() {
            return Ok(fd.as_fd());
        }
        let opened = match &self.within {
            None => dir::open_path(&self.path),
            Some((parent, name)) => dir::open_at(parent.fd(operation)?, name),
        }
        .at(operation, || self.path.clone())?;
        Ok(self.opened.get_or_init(|| opened).as_fd())
    }

    /// A name in this directory.
    pub(crate) fn place<'a>(
        &'a self,
        operation: &'static str,
        name: &'a OsStr,
    ) -> Result<Place<'a>> {
        Ok((self.fd(operation)?, name))
    }

    /// Waits until every change of names made in this directory so far is on disk. `step` says what for.
    pub(crate) fn sync(&self, operation: &'static str, step: Step) -> Result<()> {
        if omit::is_out(step) {
            return Ok(());
        }
        let fd = self.fd(operation)?;
        self.syncs
            .join(|| sync::fsync_directory(fd))
            .at(operation, || self.path.clone())
    }
}
