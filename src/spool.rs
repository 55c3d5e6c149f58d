//! A spool: opened, created, and asked for its parts.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::durability::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Format, Mode, Owners};
use crate::layout::{Layout, Queue};
use crate::name::{EntryName, NameGenerator, QueueName};
use crate::ownership::{self, Clock, Reserved};
use crate::registry;
use crate::throttle::{self, AtMost, Throttle, Unlimited};

mod create;
pub(crate) mod doctor;
mod load;
pub(crate) mod probe;

use doctor::Checkup;

pub(crate) use load::queues_on_disk;

/// How a spool is opened or created.
///
/// ```
/// use multispool::{Durability, Spool};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("spool");
/// let spool = Spool::options().durability(Durability::None).create(&dir, ["mail"])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SpoolOptions {
    pub(crate) durability: Durability,
    pub(crate) read_only: bool,
    /// For a monitor, which tells of it.
    may_lack_data: bool,
    pub(crate) owners: Owners,
    pub(crate) mode: Option<Mode>,
    pub(crate) lease: Option<Duration>,
    pub(crate) throttle: Arc<dyn Throttle>,
    pub(crate) file_mode: Option<u32>,
    pub(crate) dir_mode: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) allow_world_writable: bool,
    max_metadata: u64,
}

/// Far more than metadata has, and few enough for each of many workers.
const MAX_METADATA: u64 = 64 * 1024 * 1024;

impl Default for SpoolOptions {
    fn default() -> SpoolOptions {
        SpoolOptions {
            durability: Durability::Full,
            read_only: false,
            may_lack_data: false,
            owners: Owners::Locking,
            mode: None,
            lease: None,
            throttle: Arc::new(Unlimited),
            file_mode: None,
            dir_mode: None,
            group: None,
            allow_world_writable: false,
            max_metadata: MAX_METADATA,
        }
    }
}

impl SpoolOptions {
    /// The defaults: full durability, for reading and writing, no throttle, modes by the umask.
    pub fn new() -> SpoolOptions {
        SpoolOptions::default()
    }

    /// What operations promise when they return, unless one is told otherwise. Default: full.
    pub fn durability(mut self, durability: Durability) -> SpoolOptions {
        self.durability = durability;
        self
    }

    /// Opens for listing and reading only, for which `r-x` on the directories is enough; every write
    /// fails with [`ErrorKind::Permission`] before the disk is touched.
    pub fn read_only(mut self, read_only: bool) -> SpoolOptions {
        self.read_only = read_only;
        self
    }

    /// Opens a spool to tell what is wrong with it.
    pub(crate) fn for_monitor(self) -> SpoolOptions {
        SpoolOptions {
            may_lack_data: true,
            ..self.read_only(true)
        }
    }

    /// What a new spool records of its owners; an existing one keeps what it has. Default: locking.
    pub fn owners(mut self, owners: Owners) -> SpoolOptions {
        self.owners = owners;
        self
    }

    /// Says that the spool is for one host or for several. Default: what the spool has recorded; of a new one, several
    /// where it lies on a network or FUSE file system.
    pub fn mode(mut self, mode: Mode) -> SpoolOptions {
        self.mode = Some(mode);
        self
    }

    /// What a new spool for several hosts records as its lease: for so long whoever takes an entry owns it, unless it
    /// renews ([`Checkout::renew`](crate::Checkout::renew), [`Checkout::keep`](crate::Checkout::keep)). Whole seconds,
    /// from 4 to 86,400; an existing spool keeps what it has. Default: 120.
    pub fn lease(mut self, lease: Duration) -> SpoolOptions {
        self.lease = Some(lease);
        self
    }

    /// Passes every disk step through `throttle`.
    pub fn throttle(mut self, throttle: impl Throttle + 'static) -> SpoolOptions {
        self.throttle = Arc::new(throttle);
        self
    }

    /// At most `limit` disk steps at once in this process; 0: no limit.
    pub fn max_concurrent(self, limit: usize) -> SpoolOptions {
        match limit {
            0 => self.throttle(Unlimited),
            limit => self.throttle(AtMost::new(limit)),
        }
    }

    /// The mode of the files that this handle makes, the umask notwithstanding; for a spool that a group
    /// shares, 0o660. Default: 0o666 less the umask.
    pub fn file_mode(mut self, mode: u32) -> SpoolOptions {
        self.file_mode = Some(mode);
        self
    }

    /// The mode of the directories that `create` makes; for a spool that a group shares, 0o2770.
    /// Default: 0o777 less the umask.
    pub fn dir_mode(mut self, mode: u32) -> SpoolOptions {
        self.dir_mode = Some(mode);
        self
    }

    /// The group (its number) of what this handle makes.
    pub fn group(mut self, group: u32) -> SpoolOptions {
        self.group = Some(group);
        self
    }

    /// The most bytes of metadata that this handle takes into memory: an entry with more is damaged to it,
    /// and it writes no more. Whoever may write into the spool could else have every worker read until its
    /// memory ends. Default: 64 MiB.
    pub fn max_metadata(mut self, bytes: u64) -> SpoolOptions {
        self.max_metadata = bytes;
        self
    }

    /// Uses a spool although every user of the machine may write into its root.
    pub fn allow_world_writable(mut self, allow: bool) -> SpoolOptions {
        self.allow_world_writable = allow;
        self
    }

    /// Opens a spool, and makes what is missing of it; see [`Spool::create`].
    ///
    /// # Errors
    /// As [`Spool::create`].
    pub fn create<Q: AsRef<OsStr>>(
        &self,
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        create::create(self, dir.as_ref(), parse_queues(queues)?)
    }

    /// Opens a spool; see [`Spool::load`].
    ///
    /// # Errors
    /// As [`Spool::load`].
    pub fn load<Q: AsRef<OsStr>>(
        &self,
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        load::load(self, dir.as_ref(), parse_queues(queues)?)
    }

    /// Opens a spool and checks nothing on disk; see [`Spool::load_unsafe`].
    ///
    /// # Errors
    /// As [`Spool::load_unsafe`].
    pub fn load_unsafe<Q: AsRef<OsStr>>(
        &self,
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        load::load_unsafe(self, dir.as_ref(), parse_queues(queues)?)
    }
}

impl SpoolOptions {
    fn step<T>(&self, step: impl FnOnce() -> T) -> T {
        throttle::step(&*self.throttle, step)
    }
}

fn parse_queues<Q: AsRef<OsStr>>(queues: impl IntoIterator<Item = Q>) -> Result<Vec<QueueName>> {
    queues.into_iter().map(QueueName::new).collect()
}

/// An open spool: a directory in which processes hand entries to each other.
///
/// Cheap to clone, and shareable between threads. It works in a forked child, too.
#[derive(Clone)]
pub struct Spool(Arc<Inner>);

struct Inner {
    layout: Layout,
    options: SpoolOptions,
    /// As read when the spool was opened; after `load_unsafe`, when it is needed first.
    format: OnceLock<Format>,
    clock: Clock,
}

impl Spool {
    /// Options, to open a spool other than by default.
    pub fn options() -> SpoolOptions {
        SpoolOptions::new()
    }

    /// Opens a spool, and makes what is missing of it: the directory itself (its parent must be there),
    /// the spool's own directories, and those of the queues.
    ///
    /// A spool that was created before is opened, with the queues that are new added to it; several
    /// processes may do this at once. What was made is durable when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::NotEmpty`] for a directory that holds other things, in which nothing is touched;
    /// [`ErrorKind::InvalidName`] before the disk is looked at; else as [`load`](Spool::load).
    pub fn create<Q: AsRef<OsStr>>(
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        SpoolOptions::new().create(dir, queues)
    }

    /// Opens a spool, which must have all these queues. Nothing is created or changed.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] where the directory, `.data` or a queue's directory is not there;
    /// [`ErrorKind::NotASpool`]; [`ErrorKind::Permission`] where one of them may not be read, written and
    /// searched, or where every user may write into the root; [`ErrorKind::Unsupported`] for a spool that
    /// needs a later version, or that lies on a network file system and does not say how it is shared.
    pub fn load<Q: AsRef<OsStr>>(
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        SpoolOptions::new().load(dir, queues)
    }

    /// Opens a spool and checks nothing on disk: what is wrong shows at first use.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`]; and [`ErrorKind::Unsupported`], if there is a format file and it needs a
    /// later version.
    pub fn load_unsafe<Q: AsRef<OsStr>>(
        dir: impl AsRef<Path>,
        queues: impl IntoIterator<Item = Q>,
    ) -> Result<Spool> {
        SpoolOptions::new().load_unsafe(dir, queues)
    }

    /// The queues that a spool has on disk, in the order of their names.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`], [`ErrorKind::NotASpool`], [`ErrorKind::Permission`].
    pub fn discover(dir: impl AsRef<Path>) -> Result<Vec<QueueName>> {
        load::discover(dir.as_ref())
    }

    /// Says what a spool stands on: its mode, its file system, what that does for processes of one host and of several,
    /// and what to see to. Makes files of its own for that, and removes them.
    ///
    /// # Errors
    /// As [`load`](Spool::load), but for what is wrong with the file system.
    pub fn doctor(dir: impl AsRef<Path>) -> Result<Checkup> {
        doctor::doctor(dir.as_ref())
    }

    fn new(layout: Layout, options: &SpoolOptions, format: Option<Format>) -> Spool {
        let mut options = options.clone();
        options.read_only |= format.is_some_and(|format| format.read_only());
        Spool(Arc::new(Inner {
            layout,
            options,
            format: format.map(OnceLock::from).unwrap_or_default(),
            clock: Clock::default(),
        }))
    }

    /// The spool's directory, as an absolute path.
    pub fn dir(&self) -> &Path {
        self.0.layout.root.path()
    }

    /// The queues that the spool was opened with, in the order of their names.
    pub fn queues(&self) -> Vec<QueueName> {
        self.0
            .layout
            .queues()
            .map(|queue| queue.name.clone())
            .collect()
    }

    /// What operations promise when they return, unless one is told otherwise.
    pub fn durability(&self) -> Durability {
        self.0.options.durability
    }

    /// Whether writes are refused.
    pub fn is_read_only(&self) -> bool {
        self.0.options.read_only
    }

    /// What the spool's format file says.
    ///
    /// # Errors
    /// After [`load_unsafe`](Spool::load_unsafe), those of reading it.
    pub fn format(&self) -> Result<Format> {
        self.format_for("format")
    }

    fn format_for(&self, operation: &'static str) -> Result<Format> {
        if let Some(format) = self.0.format.get() {
            return Ok(*format);
        }
        let format = format::read(&self.0.layout.root, operation)?;
        Ok(*self.0.format.get_or_init(|| format))
    }

    /// How long an owner that does not renew is the owner; `None` where a lock tells who is.
    pub(crate) fn lease(&self, operation: &'static str) -> Result<Option<Duration>> {
        Ok(self.format_for(operation)?.lease())
    }

    /// Whether other hosts may change what this host's kernel remembers. Told once an operation has asked for the
    /// lease, as each does that owns a name.
    pub(crate) fn is_shared_between_hosts(&self) -> bool {
        let format = self.0.format.get();
        format.is_some_and(|format| format.mode() == Mode::Network)
    }

    /// The clock of the spool's file system.
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Reserves the first name of the generator's that is free in the whole spool. The reservation lasts
    /// until the name is used in an enqueue and the entry removed; it holds no lock, so any process may
    /// use the name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`] for what the generator made, [`ErrorKind::NamesExhausted`] after 1,000
    /// names that were taken.
    pub fn reserve(&self, generator: &dyn NameGenerator) -> Result<EntryName> {
        self.writable("reserve")?;
        for attempt in 0..registry::ATTEMPTS {
            let name = EntryName::new(generator.next(attempt))?;
            if self.try_reserve(&name, "reserve")?.is_some() {
                return Ok(name);
            }
        }
        Err(self.names_exhausted("reserve"))
    }

    /// Reserves this one name.
    ///
    /// # Errors
    /// [`ErrorKind::NameTaken`], [`ErrorKind::InvalidName`].
    pub fn reserve_name(&self, name: impl AsRef<OsStr>) -> Result<EntryName> {
        self.writable("reserve")?;
        let name = EntryName::new(name)?;
        if self.try_reserve(&name, "reserve")?.is_some() {
            return Ok(name);
        }
        Err(Error::new(
            ErrorKind::NameTaken,
            "reserve",
            self.0.layout.registry.join(name.as_os_str()),
            "the name is in use",
        ))
    }

    pub(crate) fn try_reserve(
        &self,
        name: &EntryName,
        operation: &'static str,
    ) -> Result<Option<Reserved>> {
        self.step(|| self.try_reserve_in_step(name, operation))
    }

    /// As [`try_reserve`](Spool::try_reserve), for who is in a step already.
    pub(crate) fn try_reserve_in_step(
        &self,
        name: &EntryName,
        operation: &'static str,
    ) -> Result<Option<Reserved>> {
        if self.lease(operation)?.is_some() {
            let reserved = ownership::reserve(self, name, operation)?;
            return Ok(reserved.then_some(Reserved::Linked));
        }
        let registry = &self.layout().registry;
        let (file_mode, group) = (self.file_mode(), self.group());
        let reserved = registry::reserve(registry, name, file_mode, group, operation)?;
        Ok(reserved.map(Reserved::Open))
    }

    pub(crate) fn names_exhausted(&self, operation: &'static str) -> Error {
        Error::new(
            ErrorKind::NamesExhausted,
            operation,
            self.0.layout.registry.path(),
            format!("{} names in a row were taken", registry::ATTEMPTS),
        )
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// The same spool with all the queues that it has on disk.
    pub(crate) fn with_all_queues(&self, operation: &'static str) -> Result<Spool> {
        let queues = self.step(|| queues_on_disk(&self.0.layout.root, operation))?;
        let layout = Layout::new(self.dir().to_owned(), queues);
        Ok(Spool::new(
            layout,
            &self.0.options,
            self.0.format.get().copied(),
        ))
    }

    pub(crate) fn max_metadata(&self) -> u64 {
        self.0.options.max_metadata
    }

    /// Refuses metadata that nobody could read again.
    pub(crate) fn must_hold(&self, metadata: usize, operation: &'static str) -> Result<()> {
        let most = self.max_metadata();
        if metadata as u64 <= most {
            return Ok(());
        }
        let reason = format!("the metadata has {metadata} bytes, the most is {most}");
        Err(Error::plain(ErrorKind::InvalidArgument, operation, reason))
    }

    pub(crate) fn file_mode(&self) -> Option<u32> {
        self.0.options.file_mode
    }

    pub(crate) fn group(&self) -> Option<u32> {
        self.0.options.group
    }

    pub(crate) fn queue(&self, name: &OsStr, operation: &'static str) -> Result<&Arc<Queue>> {
        QueueName::new(name)?;
        self.0.layout.queue(name).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownQueue,
                operation,
                self.0.layout.root.join(name),
                format!("the spool was opened without a queue {}", name.display()),
            )
        })
    }

    /// Fails where the spool was opened read-only.
    pub(crate) fn writable(&self, operation: &'static str) -> Result<()> {
        if self.is_read_only() {
            return Err(Error::new(
                ErrorKind::Permission,
                operation,
                self.dir(),
                "the spool is opened read-only",
            ));
        }
        Ok(())
    }

    /// Runs one disk step through the throttle.
    pub(crate) fn step<T>(&self, step: impl FnOnce() -> T) -> T {
        self.0.options.step(step)
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("dir", &self.dir())
            .field("queues", &self.queues())
            .finish_non_exhaustive()
    }
}

fn absolute(dir: &Path, operation: &'static str) -> Result<PathBuf> {
    if dir.as_os_str().is_empty() {
        return Err(Error::plain(
            ErrorKind::InvalidArgument,
            operation,
            "the path of the spool is empty",
        ));
    }
    std::path::absolute(dir).map_err(|error| Error::io(operation, dir, &error))
}
