//! Adding an entry to a queue: reserve and lock the name, write data and metadata, make it visible by
//! one rename, unlock. Until that rename everything can be taken back, and is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::by_path;
use crate::data_file::Source;
use crate::durability::{Durability, Settling};
use crate::entry::Entry;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Queue;
use crate::leaving;
use crate::moves;
use crate::name::{EntryName, NameGenerator, TimeNames};
use crate::omit::{self, Step};
use crate::ownership::{self, Claim, Ownership, Reserved};
use crate::registry;
use crate::scratch::Scratch;
use crate::spool::{Spool, queues_on_disk};
use crate::sys::file::{self, CopyFailed};
use crate::sys::{dir, fork, sync};

pub(crate) const ENQUEUE: &str = "enqueue";

/// How an entry is enqueued.
#[derive(Clone, Default)]
pub struct EnqueueOptions {
    durability: Option<Durability>,
    name: Naming,
}

#[derive(Clone, Default)]
enum Naming {
    #[default]
    ByTime,
    Reserve(Arc<dyn NameGenerator>),
    Use(std::ffi::OsString),
}

/// Where the name comes from.
pub(crate) enum NamedBy<'a> {
    Reserve(&'a dyn NameGenerator),
    /// Reserved before.
    Use(&'a OsStr),
}

impl EnqueueOptions {
    /// The defaults: the spool's durability, a name of [`TimeNames`].
    pub fn new() -> EnqueueOptions {
        EnqueueOptions::default()
    }

    /// What this enqueue promises when it returns.
    pub fn durability(mut self, durability: Durability) -> EnqueueOptions {
        self.durability = Some(durability);
        self
    }

    /// Uses a name that was reserved before, by this process or another.
    pub fn name(mut self, reserved: impl AsRef<OsStr>) -> EnqueueOptions {
        self.name = Naming::Use(reserved.as_ref().to_owned());
        self
    }

    pub(crate) fn durability_on(&self, spool: &Spool) -> Durability {
        self.durability.unwrap_or(spool.durability())
    }

    pub(crate) fn uses_one_name(&self) -> bool {
        matches!(self.name, Naming::Use(_))
    }

    /// Reserves a name of this generator's.
    pub fn generator(mut self, generator: Arc<dyn NameGenerator>) -> EnqueueOptions {
        self.name = Naming::Reserve(generator);
        self
    }
}

impl Spool {
    /// Adds an entry to a queue. When this returns, the entry is there, by the promise of the spool's
    /// [`Durability`].
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`] and [`ErrorKind::Permission`] before the disk is touched;
    /// [`ErrorKind::NoSpace`] and others with nothing left behind; [`ErrorKind::NotDurable`] where the entry
    /// is visible but a sync after that failed: do not enqueue it again
    /// ([`Error::entry_name`] is its name); [`ErrorKind::LostOwnership`] where hosts share the spool and this took so long
    /// that another has the name by now.
    pub fn enqueue<'a>(
        &self,
        queue: impl AsRef<OsStr>,
        metadata: impl AsRef<[u8]>,
        data: impl Into<Source<'a>>,
    ) -> Result<Entry> {
        self.enqueue_with(queue, metadata, data, &EnqueueOptions::new())
    }

    /// Adds an entry to a queue, as the options say.
    ///
    /// # Errors
    /// As [`enqueue`](Spool::enqueue). With [`EnqueueOptions::name`]: [`ErrorKind::NotFound`] for a name that
    /// was never reserved, [`ErrorKind::NameTaken`] for one that is in use, whose entry is left alone.
    pub fn enqueue_with<'a>(
        &self,
        queue: impl AsRef<OsStr>,
        metadata: impl AsRef<[u8]>,
        data: impl Into<Source<'a>>,
        options: &EnqueueOptions,
    ) -> Result<Entry> {
        self.must_hold(metadata.as_ref().len(), ENQUEUE)?;
        let source = Opened::from(data.into())?;
        let mut writer = self.enqueue_writer(queue, options)?;
        writer.fill(source)?;
        writer.commit(metadata.as_ref())
    }

    /// Begins an entry whose data is written piece by piece. It appears in the queue when it is committed.
    ///
    /// # Errors
    /// As [`enqueue_with`](Spool::enqueue_with).
    pub fn enqueue_writer(
        &self,
        queue: impl AsRef<OsStr>,
        options: &EnqueueOptions,
    ) -> Result<EnqueueWriter> {
        let durability = options.durability_on(self);
        let named_by = match &options.name {
            Naming::ByTime => NamedBy::Reserve(&TimeNames),
            Naming::Reserve(generator) => NamedBy::Reserve(&**generator),
            Naming::Use(name) => NamedBy::Use(name),
        };
        self.begin_enqueue(queue.as_ref(), named_by, durability)
    }

    /// Adds an entry whose data `save` writes by path.
    pub(crate) fn enqueue_by(
        &self,
        queue: &OsStr,
        metadata: &[u8],
        named_by: NamedBy<'_>,
        save: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<Entry> {
        self.must_hold(metadata.len(), ENQUEUE)?;
        let mut writer = self.begin_enqueue(queue, named_by, self.durability())?;
        if let Some(draft) = &mut writer.draft {
            draft.fill(save)?;
        }
        writer.commit(metadata)
    }

    fn begin_enqueue(
        &self,
        queue: &OsStr,
        named_by: NamedBy<'_>,
        durability: Durability,
    ) -> Result<EnqueueWriter> {
        let queue = Arc::clone(self.queue(queue, ENQUEUE)?);
        self.writable(ENQUEUE)?;
        let draft = match named_by {
            NamedBy::Reserve(generator) => Draft::reserving(self, generator, durability)?,
            NamedBy::Use(name) => Draft::using(self, &EntryName::new(name)?, durability)?,
        };
        Ok(EnqueueWriter {
            name: draft.name.clone(),
            draft: Some(draft),
            queue,
            durability,
        })
    }
}

/// Data that can be read.
pub(crate) enum Opened<'a> {
    Bytes(&'a [u8]),
    Reader(&'a mut dyn Read),
    File(File, PathBuf),
}

impl<'a> Opened<'a> {
    /// A file that cannot be opened is bad input: it must fail before anything is made.
    pub(crate) fn from(source: Source<'a>) -> Result<Opened<'a>> {
        Ok(match source {
            Source::File(path) => {
                let opened = File::open(path).map_err(|error| Error::io(ENQUEUE, path, &error))?;
                Opened::File(opened, path.to_owned())
            }
            Source::Bytes(bytes) => Opened::Bytes(bytes),
            Source::Reader(reader) => Opened::Reader(reader),
        })
    }
}

/// An entry on its way into a queue. Dropped without a [`commit`](EnqueueWriter::commit), all of it is
/// undone, the reservation too if this made it.
#[derive(Debug)]
pub struct EnqueueWriter {
    name: EntryName,
    queue: Arc<Queue>,
    durability: Durability,
    /// Gone once committed or failed.
    draft: Option<Draft>,
}

impl EnqueueWriter {
    /// The name that the entry will have.
    pub fn name(&self) -> &EntryName {
        &self.name
    }

    /// The data file's descriptor, for writing to it directly; `None` once committed.
    pub fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.draft.as_ref().map(|draft| draft.data.as_fd())
    }

    /// Makes the entry visible, with this metadata.
    ///
    /// # Errors
    /// As [`Spool::enqueue`]; [`ErrorKind::Finished`] for a second commit.
    pub fn commit(&mut self, metadata: &[u8]) -> Result<Entry> {
        let spool = self.ready()?.spool.clone();
        spool.must_hold(metadata.len(), ENQUEUE)?;
        let written = self
            .begin_to_settle_data()
            .and_then(|()| self.write_metadata(metadata))
            .and_then(|metadata| self.written(metadata))
            .inspect_err(|_| self.undo());
        let written = written?;
        let entry = spool.step(|| {
            written.begin_to_settle_metadata()?;
            written.settle()?;
            written.sync_names()?;
            written.move_in()
        })?;
        if self.durability.syncs_names() {
            spool
                .step(|| self.queue.waiting.sync(ENQUEUE, Step::SyncQueue))
                .map_err(|error| error.into_not_durable(&self.name))?;
        }
        Ok(entry)
    }

    /// Has the data on its way to the disk while the metadata is written, where both are only written out.
    fn begin_to_settle_data(&self) -> Result<()> {
        let draft = self.ready()?;
        match draft.spool.layout().settling(self.durability) {
            Settling::WrittenOut => draft.spool.step(|| draft.begin_to_write_out()),
            Settling::Not | Settling::Synced => Ok(()),
        }
    }

    /// A file with the metadata.
    pub(crate) fn write_metadata(&self, metadata: &[u8]) -> Result<Scratch> {
        let spool = &self.ready()?.spool;
        spool.step(|| Scratch::with(spool, &self.name, metadata, Settling::Not, ENQUEUE))
    }

    /// All of the entry, when its data is written too. The writer is used up.
    pub(crate) fn written(&mut self, metadata: Scratch) -> Result<Written> {
        let layout = self.ready()?.spool.layout();
        let settling = layout.settling(self.durability);
        let Some(draft) = self.draft.take() else {
            unreachable!("a writer that is ready has a draft")
        };
        Ok(Written {
            queue: Arc::clone(&self.queue),
            durability: self.durability,
            settling,
            scratch: metadata,
            draft,
        })
    }

    /// Writes all of the data.
    pub(crate) fn fill(&mut self, source: Opened<'_>) -> Result<()> {
        match source {
            Opened::Bytes(bytes) => self.append(bytes),
            Opened::Reader(reader) => self.append_all(reader),
            Opened::File(file, path) => self.append_file(&file, path),
        }
    }

    fn ready(&self) -> Result<&Draft> {
        let draft = self.draft.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Finished,
                ENQUEUE,
                self.queue.waiting.join(self.name.as_os_str()),
                "the entry was committed, or a write to it failed",
            )
        })?;
        if draft.generation != fork::generation() {
            return Err(Error::new(
                ErrorKind::Forked,
                ENQUEUE,
                self.queue.waiting.join(self.name.as_os_str()),
                "it was begun before a fork and belongs to the parent",
            ));
        }
        Ok(draft)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let draft = self.ready()?;
        let appended = draft.spool.step(|| {
            draft.keep()?;
            file::write_all(draft.data.as_fd(), bytes).at(ENQUEUE, || draft.data_path())
        });
        if appended.is_err() {
            // A part of it may have been written: that must never be committed.
            self.undo();
        }
        appended
    }

    fn append_all(&mut self, reader: &mut dyn Read) -> Result<()> {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => self.append(&buffer[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let reason =
                        format!("reading the data that was to be enqueued failed: {error}");
                    return Err(Error::plain(ErrorKind::Io, ENQUEUE, reason));
                }
            }
        }
    }

    /// Copies within the kernel where that is possible.
    fn append_file(&mut self, source: &File, path: PathBuf) -> Result<()> {
        let told = |error: Error| match error.kind() {
            // The caller's file is at fault, not an entry or a spool.
            ErrorKind::Corrupt | ErrorKind::NotASpool => {
                error.with_kind(ErrorKind::InvalidArgument)
            }
            _ => error,
        };
        let stat = file::stat(source.as_fd()).at(ENQUEUE, || path.clone());
        if FileType::from_raw_mode(stat.map_err(told)?.st_mode) != FileType::RegularFile {
            // A pipe may keep us waiting, and no slot may be held meanwhile.
            let mut failed = None;
            let appended = self.append_all(&mut Noting(source, &mut failed));
            return match failed {
                Some(error) => Err(told(Error::io(ENQUEUE, path, &error))),
                None => appended,
            };
        }
        let draft = self.ready()?;
        let target = draft.data_path();
        let copied = draft
            .spool
            .step(|| file::copy(source.as_fd(), draft.data.as_fd()));
        copied.map_err(|failed| {
            self.undo();
            match failed {
                CopyFailed::Reading(errno) => told(Error::system(ENQUEUE, path, errno)),
                CopyFailed::Writing(errno) => Error::system(ENQUEUE, target, errno),
            }
        })
    }

    /// Takes back all that was made so far.
    fn undo(&mut self) {
        if let Some(draft) = self.draft.take() {
            if draft.generation == fork::generation() {
                let spool = draft.spool.clone();
                spool.step(|| drop(draft));
            } else {
                drop(draft);
            }
        }
    }
}

impl Drop for EnqueueWriter {
    fn drop(&mut self) {
        self.undo();
    }
}

/// Reads, and keeps the error as the system gave it.
struct Noting<'a>(&'a File, &'a mut Option<io::Error>);

impl Read for Noting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let kind = error.kind();
            *self.1 = Some(error);
            kind.into()
        })
    }
}

impl Write for EnqueueWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name that is reserved and owned, with a data file; undone when dropped.
#[derive(Debug)]
struct Draft {
    spool: Spool,
    name: EntryName,
    data: OwnedFd,
    ownership: Option<Ownership>,
    /// Whether the reservation was made here, and so is to be undone here.
    reserved_here: bool,
    generation: u64,
    published: bool,
}

impl Draft {
    fn reserving(
        spool: &Spool,
        generator: &dyn NameGenerator,
        durability: Durability,
    ) -> Result<Draft> {
        for attempt in 0..registry::ATTEMPTS {
            let name = EntryName::new(generator.next(attempt))?;
            let Some(reserved) = spool.try_reserve(&name, ENQUEUE)? else {
                continue;
            };
            match spool.step(|| Draft::of_reserved(spool, &name, reserved, durability)) {
                // Somebody used the name between our reservation and our lock: theirs now.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NameTaken | ErrorKind::NotFound) => {}
                drafted => return drafted,
            }
        }
        Err(spool.names_exhausted(ENQUEUE))
    }

    /// For a name that this call has reserved.
    fn of_reserved(
        spool: &Spool,
        name: &EntryName,
        reserved: Reserved,
        durability: Durability,
    ) -> Result<Draft> {
        let registry = &spool.layout().registry;
        match ownership::own_reserved(spool, name, reserved, ENQUEUE) {
            Ok(claim) => Draft::owning(spool, name, claim, true, durability),
            Err(error) => {
                // Ours a moment ago and of no use to anyone; the first error is the one to tell.
                let _ = registry::unreserve(registry, name, ENQUEUE);
                Err(error)
            }
        }
    }

    /// For a name that was reserved before.
    fn using(spool: &Spool, name: &EntryName, durability: Durability) -> Result<Draft> {
        // A repair may have the name for a moment, and then it is free, or gone.
        let claim = ownership::own_patiently(spool, name, ENQUEUE, || Ok(true))?;
        spool.step(|| Draft::owning(spool, name, claim, false, durability))
    }

    fn owning(
        spool: &Spool,
        name: &EntryName,
        claim: Claim,
        reserved_here: bool,
        durability: Durability,
    ) -> Result<Draft> {
        let layout = spool.layout();
        let registry_path = || layout.registry.join(name.as_os_str());
        let ownership = match claim {
            Claim::Owned(ownership) => ownership,
            Claim::Busy => return Err(taken(registry_path(), "the name is being used")),
            Claim::Unreserved => {
                let missing =
                    Error::system_as(ErrorKind::NotFound, ENQUEUE, registry_path(), Errno::NOENT);
                return Err(missing.because("the name is not reserved"));
            }
        };
        if !reserved_here {
            let known = layout.queues().map(|queue| &**queue);
            must_be_in_no_queue(find_in(known, name, ENQUEUE)?)?;
        }
        let created = create_data(spool, name).inspect_err(|_| {
            if reserved_here {
                // Under the lock still; the first error is the one to tell.
                let _ = registry::unreserve(&layout.registry, name, ENQUEUE);
            }
        })?;
        let data = match created {
            Some(data) => data,
            // Somebody has used the name, perhaps since it was reserved here: then it is not to be taken back.
            None => replace_leftover(spool, name, durability)?,
        };
        Ok(Draft {
            spool: spool.clone(),
            name: name.clone(),
            data,
            ownership: Some(ownership),
            reserved_here,
            generation: fork::generation(),
            published: false,
        })
    }

    /// Sees that its lease does not end while it is written.
    fn keep(&self) -> Result<()> {
        match &self.ownership {
            Some(ownership) if !ownership.renew_if_due(ENQUEUE)? => {
                Err(lost(&self.spool, &self.name))
            }
            _ => Ok(()),
        }
    }

    /// Has `save` write the data by path.
    fn fill(&mut self, save: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<()> {
        let data = &self.spool.layout().data;
        let place = (data, self.name.as_os_str(), &mut self.data);
        by_path::fill(&self.spool, &self.name, place, save, ENQUEUE)
    }

    fn begin_to_write_out(&self) -> Result<()> {
        if omit::is_out(Step::SyncData) {
            return Ok(());
        }
        sync::begin_to_write_out(self.data.as_fd()).at(ENQUEUE, || self.data_path())
    }

    fn data_path(&self) -> PathBuf {
        self.spool.layout().data.join(self.name.as_os_str())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.published
            || self.generation != fork::generation()
            || omit::is_out(Step::UndoEnqueue)
        {
            return;
        }
        // Another's files are not ours to take back; nor are they, if it cannot be told.
        let holds = |ownership: &Ownership| ownership.holds(ENQUEUE).unwrap_or(false);
        if !self.ownership.as_ref().is_none_or(holds) {
            return;
        }
        // The first error is the one to report; what cannot be removed here the monitor names.
        let layout = self.spool.layout();
        if let Ok((dir, name)) = layout.data.place(ENQUEUE, self.name.as_os_str()) {
            let _ = file::unlink(dir, name);
        }
        if self.reserved_here {
            let _ = registry::unreserve(&layout.registry, &self.name, ENQUEUE);
        }
    }
}

/// An entry whose data and metadata are written, but neither settled nor visible. Undone when dropped.
#[derive(Debug)]
pub(crate) struct Written {
    queue: Arc<Queue>,
    durability: Durability,
    settling: Settling,
    // Dropped before the draft, which gives up the name that it belongs to.
    scratch: Scratch,
    draft: Draft,
}

impl Written {
    pub(crate) fn name(&self) -> &EntryName {
        &self.draft.name
    }

    /// Has both files on their way to the disk, without waiting for them.
    pub(crate) fn begin_to_settle(&self) -> Result<()> {
        if self.settling == Settling::Not {
            return Ok(());
        }
        self.draft.begin_to_write_out()?;
        self.scratch.begin_to_write_out(ENQUEUE)
    }

    /// Has the metadata on its way to the disk beside the data, where both are only written out.
    fn begin_to_settle_metadata(&self) -> Result<()> {
        match self.settling {
            Settling::WrittenOut => self.scratch.begin_to_write_out(ENQUEUE),
            Settling::Not | Settling::Synced => Ok(()),
        }
    }

    /// Has both files on disk, as far as the durability wants it.
    pub(crate) fn settle(&self) -> Result<()> {
        if !omit::is_out(Step::SyncData) {
            self.settling
                .settle(self.draft.data.as_fd())
                .at(ENQUEUE, || self.draft.data_path())?;
        }
        self.scratch.settle(self.settling, ENQUEUE)
    }

    /// Has the names of its data and its reservation on disk, where the sync of its queue would not carry them.
    pub(crate) fn sync_names(&self) -> Result<()> {
        let layout = self.draft.spool.layout();
        if self.durability.syncs_names() && !layout.is_ordered() {
            layout.data.sync(ENQUEUE, Step::SyncDataName)?;
            layout.registry.sync(ENQUEUE, Step::SyncRegistryName)?;
        }
        Ok(())
    }

    /// Makes it visible.
    pub(crate) fn move_in(mut self) -> Result<Entry> {
        let draft = &mut self.draft;
        let target = self.queue.waiting.place(ENQUEUE, draft.name.as_os_str())?;
        let from = self.scratch.place(ENQUEUE)?;
        if let Some(ownership) = &draft.ownership
            && !ownership.holds(ENQUEUE)?
        {
            return Err(lost(&draft.spool, &draft.name));
        }
        moves::publish(&draft.spool, from, target).map_err(|errno| {
            let path = self.queue.waiting.join(draft.name.as_os_str());
            match errno {
                Errno::EXIST => taken(path, "an entry of this name is in the queue"),
                errno => Error::system(ENQUEUE, path, errno),
            }
        })?;
        draft.published = true;
        if draft.spool.is_shared_between_hosts() {
            // While the name is owned still: an entry is a file of one name.
            let _ = file::unlink(from.0, from.1);
        }
        let holds = |ownership: &Ownership| ownership.holds(ENQUEUE);
        if !draft.ownership.as_ref().map_or(Ok(true), holds)? {
            // It may have come so late that others took its data for a leftover.
            self.scratch.set_moved();
            return Err(lost(&draft.spool, &draft.name));
        }
        self.scratch.set_moved();
        // At once: a reader that the rename woke is waiting for this lock.
        draft.ownership = None;
        Ok(Entry::of(&draft.spool, &self.queue, draft.name.clone()))
    }
}

/// Takes away the temporary name that an enqueue which died between two steps has left an entry, so that it is a file of
/// one name like any other. The caller owns the name.
pub(crate) fn finish_publishing(
    spool: &Spool,
    queue: &Queue,
    name: &EntryName,
    operation: &'static str,
) -> Result<()> {
    let place = queue.waiting.place(operation, name.as_os_str())?;
    let entry = match file::stat_at(place.0, place.1) {
        Ok(stat) if stat.st_nlink == 2 => stat,
        // What else is wrong with it is found out when it is read.
        _ => return Ok(()),
    };
    let tmp = &spool.layout().tmp;
    let dir = tmp.fd(operation)?;
    let mut left = None;
    dir::for_each_name(dir, |temporary| {
        let temporary = OsStr::from_bytes(temporary);
        let is_its = temporary.as_bytes().starts_with(name.as_bytes())
            && file::stat_at(dir, temporary).is_ok_and(|stat| file::same(&stat, &entry));
        match is_its {
            true => {
                left = Some(temporary.to_owned());
                ControlFlow::Break(())
            }
            false => ControlFlow::Continue(()),
        }
    })
    .at(operation, || tmp.path().to_owned())?;
    match left.map(|left| file::unlink(dir, &left)) {
        None | Some(Ok(()) | Err(Errno::NOENT)) => Ok(()),
        Some(Err(errno)) => Err(Error::system(operation, tmp.path(), errno)),
    }
}

/// What was begun took longer than a lease, and somebody else has its name by now.
fn lost(spool: &Spool, name: &EntryName) -> Error {
    let path = spool.layout().registry.join(name.as_os_str());
    let reason = "the enqueue took longer than the lease, and another process has its name";
    Error::new(ErrorKind::LostOwnership, ENQUEUE, path, reason)
}

fn taken(path: PathBuf, reason: &str) -> Error {
    Error::new(ErrorKind::NameTaken, ENQUEUE, path, reason)
}

/// Where in these queues the name is.
fn find_in<'a>(
    queues: impl IntoIterator<Item = &'a Queue>,
    name: &EntryName,
    operation: &'static str,
) -> Result<Option<PathBuf>> {
    for queue in queues {
        for dir in [&*queue.waiting, &queue.checkout] {
            let at = || dir.join(name.as_os_str());
            if file::exists(dir.fd(operation)?, name.as_os_str()).at(operation, at)? {
                return Ok(Some(at()));
            }
        }
    }
    Ok(None)
}

/// Looks in every queue on disk, also among what is on its way out.
fn find_on_disk(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
) -> Result<Option<PathBuf>> {
    let queues = all_queues(spool, operation)?;
    let found = find_in(&queues, name, operation)?;
    if found.is_some() || !spool.is_shared_between_hosts() {
        return Ok(found);
    }
    for queue in &queues {
        let mut all = leaving::all_in(queue, operation)?.into_iter();
        if let Some((leaving, _)) = all.find(|(_, entry)| entry == name) {
            return Ok(Some(queue.checkout.join(&leaving)));
        }
    }
    Ok(None)
}

/// Every queue on disk, also those that this spool was opened without.
fn all_queues(spool: &Spool, operation: &'static str) -> Result<Vec<Queue>> {
    let root = &spool.layout().root;
    let names = queues_on_disk(root, operation)?.into_iter();
    Ok(names.map(|name| Queue::within(root, name)).collect())
}

/// Whether an entry of this name waits or is checked out anywhere.
pub(crate) fn is_whole_in_a_queue_on_disk(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
) -> Result<bool> {
    let found = find_in(&all_queues(spool, operation)?, name, operation)?;
    Ok(found.is_some())
}

/// Whether an entry of this name is anywhere: waiting, checked out or on its way out.
pub(crate) fn is_in_a_queue_on_disk(
    spool: &Spool,
    name: &EntryName,
    operation: &'static str,
) -> Result<bool> {
    find_on_disk(spool, name, operation).map(|found| found.is_some())
}

fn must_be_in_no_queue(found: Option<PathBuf>) -> Result<()> {
    match found {
        Some(path) => Err(taken(path, "an entry has this name")),
        None => Ok(()),
    }
}

/// Creates the data file; `None` if there is one.
fn create_data(spool: &Spool, name: &EntryName) -> Result<Option<OwnedFd>> {
    let data = &spool.layout().data;
    let dir = data.fd(ENQUEUE)?;
    match file::create_new(dir, name.as_os_str(), spool.file_mode(), spool.group()) {
        Err(Errno::EXIST) => Ok(None),
        created => created
            .at(ENQUEUE, || data.join(name.as_os_str()))
            .map(Some),
    }
}

/// Creates the data file in the place of what a dead attempt left: the caller holds the lock.
fn replace_leftover(spool: &Spool, name: &EntryName, durability: Durability) -> Result<OwnedFd> {
    let data = &spool.layout().data;
    let dir = data.fd(ENQUEUE)?;
    let system = |errno| Error::system(ENQUEUE, data.join(name.as_os_str()), errno);
    must_be_in_no_queue(find_on_disk(spool, name, ENQUEUE)?)?;
    if durability.syncs_names() {
        // It may be a remove that died, before its sync: a loss of power would bring the entry back.
        all_queues(spool, ENQUEUE)?
            .iter()
            .try_for_each(|queue| queue.sync(ENQUEUE, Step::SyncBeforeReuse))?;
    }
    match file::unlink(dir, name.as_os_str()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(system(errno)),
    }
    create_data(spool, name)?.ok_or_else(|| system(Errno::EXIST))
}
