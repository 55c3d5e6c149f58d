//! Readers: they take the entries of a queue, in the order of their names, and wait for more.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::checkout::{self, Checkout, Take};
use crate::data_file::DataFile;
use crate::durability::Durability;
use crate::entry::Entry;
use crate::error::{At, Error, ErrorKind, Result};
use crate::layout::Queue;
use crate::listing::Listing;
use crate::name::{EntryName, QueueName};
use crate::omit::{self, Step};
use crate::outcome::{self, Outcome};
use crate::spool::Spool;
use crate::stop::Stop;
use crate::sys::{event, file_system, fork, sync};
use crate::watch::inotify::{Bell, Subscription, Woken, left};
use crate::watch::poll::Looks;
use crate::watch::watcher::Watched;

mod busy;
mod given_back;
mod spread;

use busy::Busy;
pub(crate) use given_back::GivenBack;
use spread::Spread;

pub(crate) const CREATE: &str = "create a reader";
const DEQUEUE: &str = "dequeue";

/// How long the calls that do not wait try names that are busy.
const BUSY_PATIENCE: Duration = Duration::from_millis(100);

/// How a queue is read.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    retry_after: (Duration, Duration),
    poll_interval: Option<Duration>,
    durability: Option<Durability>,
    interruptible: bool,
    strict_order: bool,
}

impl Default for ReaderOptions {
    fn default() -> ReaderOptions {
        ReaderOptions {
            retry_after: (Duration::from_secs(1), Duration::from_secs(60)),
            poll_interval: None,
            durability: None,
            interruptible: false,
            strict_order: false,
        }
    }
}

impl ReaderOptions {
    /// The defaults.
    pub fn new() -> ReaderOptions {
        ReaderOptions::default()
    }

    /// How long this reader's waits leave an entry alone that it gave back or found bad: `first` at first,
    /// then twice as long each time, up to `longest`. Default: 1 s, 60 s. Other readers may take it.
    pub fn retry_after(mut self, first: Duration, longest: Duration) -> ReaderOptions {
        self.retry_after = (first, longest);
        self
    }

    /// The longest pause between two looks where the kernel cannot tell of arrivals: on a network or FUSE
    /// file system, or when there is no inotify watch to be had. Default: 1 s.
    pub fn poll_interval(mut self, longest: Duration) -> ReaderOptions {
        self.poll_interval = Some(longest);
        self
    }

    /// What ending the checkouts of this reader promises. Default: the spool's durability.
    pub fn durability(mut self, durability: Durability) -> ReaderOptions {
        self.durability = Some(durability);
        self
    }

    /// Lets a signal end a wait, with [`ErrorKind::Interrupted`], instead of waiting on.
    pub fn interruptible(mut self, interruptible: bool) -> ReaderOptions {
        self.interruptible = interruptible;
        self
    }

    /// Tries the names in their order even where other readers are quicker with them. Default: a reader that finds an
    /// entry gone or busy leaps to another place of the queue, and comes back later, so that readers of one queue do not
    /// try each other's entries. A reader that is alone keeps the order in either case.
    pub fn strict_order(mut self, strict: bool) -> ReaderOptions {
        self.strict_order = strict;
        self
    }
}

impl Spool {
    /// A reader of a queue. There may be any number of them, in threads and processes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownQueue`], [`ErrorKind::Permission`] on a spool opened read-only,
    /// [`ErrorKind::Descriptors`].
    pub fn reader(&self, queue: impl AsRef<OsStr>) -> Result<QueueReader> {
        self.reader_with(queue, &ReaderOptions::new())
    }

    /// A reader of a queue, as the options say.
    ///
    /// # Errors
    /// As [`reader`](Spool::reader).
    pub fn reader_with(
        &self,
        queue: impl AsRef<OsStr>,
        options: &ReaderOptions,
    ) -> Result<QueueReader> {
        let queue = Arc::clone(self.queue(queue.as_ref(), CREATE)?);
        self.writable(CREATE)?;
        let dir = queue.waiting.fd(CREATE)?;
        let at = || queue.waiting.path().to_owned();
        let is_shared =
            self.lease(CREATE)?.is_some() || file_system::is_network(dir).at(CREATE, at)?;
        let (first, longest) = options.retry_after;
        let given_back = Arc::new(GivenBack::new(first, longest));
        Ok(QueueReader {
            bell: Bell::new(&given_back).at(CREATE, at)?,
            durability: options.durability.unwrap_or(self.durability()),
            options: options.clone(),
            generation: fork::generation(),
            looks: is_shared.then(|| Looks::new(options.poll_interval)),
            listing: Listing::new(DEQUEUE),
            listed: Listed::No,
            spread: Spread::new(options.strict_order),
            busy: Busy::default(),
            subscription: None,
            watched: None,
            untold: None,
            rested_until: Instant::now(),
            given_back,
            spool: self.clone(),
            queue,
        })
    }
}

/// What a [`dequeue`](QueueReader::dequeue) came to.
#[derive(Debug)]
pub enum Dequeued {
    /// An entry, now this process's.
    CheckedOut(Checkout),
    /// The stop was triggered.
    Stopped,
    /// The time was up.
    TimedOut,
}

/// What a [`dequeue_many`](QueueReader::dequeue_many) came to.
#[derive(Debug)]
pub enum DequeuedMany {
    /// Entries, one at least, now this process's.
    CheckedOut(Vec<Checkout>),
    /// The stop was triggered.
    Stopped,
    /// The time was up.
    TimedOut,
}

/// Takes the entries of a queue one by one.
///
/// Entries come in the order of their names, as far as several readers at once and new arrivals let
/// them. One bad entry stops nobody: it is reported once, as [`ErrorKind::Corrupt`] with its path, and
/// the next call goes on.
///
/// To be used by one thread at a time; may move between threads. In a forked child it answers
/// [`ErrorKind::Forked`].
#[derive(Debug)]
pub struct QueueReader {
    spool: Spool,
    queue: Arc<Queue>,
    options: ReaderOptions,
    durability: Durability,
    generation: u64,
    listing: Listing,
    listed: Listed,
    spread: Spread,
    busy: Busy,
    given_back: Arc<GivenBack>,
    /// The names that had rested enough by then have been tried.
    rested_until: Instant,
    bell: Arc<Bell>,
    /// From the first wait on, where the kernel has a watch for us.
    subscription: Option<Subscription>,
    /// Where looking now and then is needed.
    looks: Option<Looks>,
    /// Once the descriptor has been asked for.
    watched: Option<Watched>,
    /// What ended a [`dequeue_many`](QueueReader::dequeue_many) that had taken some, for the next call to tell.
    untold: Option<Error>,
}

/// What the listing in hand covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    No,
    /// What was there when it was read, in this call or an earlier one.
    Once,
    /// All that came before this epoch of the subscription's; what came after is among the arrivals.
    Epoch(u64),
}

/// What trying a name came to.
enum Attempt {
    Had(Checkout),
    /// Another has it, perhaps for a moment only: it is tried again.
    Busy,
    Gone,
    Orphaned,
}

/// Which names a call leaves alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// Those that this pass has had.
    HadInThisPass,
    /// Those that have not rested enough.
    Resting,
}

impl QueueReader {
    /// The queue that it reads.
    pub fn queue(&self) -> &QueueName {
        &self.queue.name
    }

    /// The spool that it belongs to.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Takes the next entry, and waits for one if there is none: until `timeout`, or until `stop` is
    /// triggered. A wait that ends without an entry loses nothing: the next call sees what came in between.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for one bad entry, [`ErrorKind::Missing`] where the queue's directory went away,
    /// [`ErrorKind::Descriptors`], [`ErrorKind::Forked`].
    pub fn dequeue(&mut self, stop: Option<&Stop>, timeout: Option<Duration>) -> Result<Dequeued> {
        self.tell_untold()?;
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let dequeued = self.wait(stop, until);
        self.leave();
        if self.watched.is_some() {
            // Only an answer of "nothing available" lowers the descriptor.
            self.bell.ring();
        }
        dequeued
    }

    /// Takes as many entries as are there, `most` at most, and waits for one if there is none, as
    /// [`dequeue`](QueueReader::dequeue) does. A failure after some were taken is told by the next call.
    ///
    /// # Errors
    /// As [`dequeue`](QueueReader::dequeue); [`ErrorKind::InvalidArgument`] for `most` 0.
    pub fn dequeue_many(
        &mut self,
        most: usize,
        stop: Option<&Stop>,
        timeout: Option<Duration>,
    ) -> Result<DequeuedMany> {
        must_be_some(most)?;
        let taken = match self.dequeue(stop, timeout)? {
            Dequeued::CheckedOut(checkout) => vec![checkout],
            Dequeued::Stopped => return Ok(DequeuedMany::Stopped),
            Dequeued::TimedOut => return Ok(DequeuedMany::TimedOut),
        };
        Ok(DequeuedMany::CheckedOut(self.take_more(
            taken,
            most,
            Leaves::Resting,
        )))
    }

    /// Takes as many entries as are there, `most` at most, perhaps none, as
    /// [`dequeue_available`](QueueReader::dequeue_available) does. A failure after some were taken is told by the next
    /// call.
    ///
    /// # Errors
    /// As [`dequeue_many`](QueueReader::dequeue_many).
    pub fn dequeue_many_available(&mut self, most: usize) -> Result<Vec<Checkout>> {
        must_be_some(most)?;
        let Some(first) = self.dequeue_available()? else {
            return Ok(Vec::new());
        };
        let leaves = match self.watched {
            Some(_) => Leaves::Resting,
            None => Leaves::HadInThisPass,
        };
        Ok(self.take_more(vec![first], most, leaves))
    }

    fn take_more(
        &mut self,
        mut taken: Vec<Checkout>,
        most: usize,
        leaves: Leaves,
    ) -> Vec<Checkout> {
        while taken.len() < most {
            match self.look(leaves) {
                Ok(Some(checkout)) => taken.push(checkout),
                Ok(None) => break,
                // Nothing is wrong with the entry: it is for whoever has ended some of these.
                Err(error) if error.kind() == ErrorKind::Descriptors => break,
                Err(error) => {
                    self.untold = Some(error);
                    break;
                }
            }
        }
        self.leave();
        if self.watched.is_some() {
            // Only an answer of "nothing available" lowers the descriptor.
            self.bell.ring();
        }
        taken
    }

    fn tell_untold(&mut self) -> Result<()> {
        self.usable()?;
        self.untold.take().map_or(Ok(()), Err)
    }

    fn wait(&mut self, stop: Option<&Stop>, until: Option<Instant>) -> Result<Dequeued> {
        loop {
            self.usable()?;
            if stop.is_some_and(Stop::is_triggered) {
                return Ok(Dequeued::Stopped);
            }
            self.subscribe()?;
            if let Some(checkout) = self.look(Leaves::Resting)? {
                return Ok(Dequeued::CheckedOut(checkout));
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Dequeued::TimedOut);
            }
            let next = self.next_look().into_iter().chain(until).min();
            match self.sleep(stop, next)? {
                Woken::Interrupted if self.options.interruptible => {
                    return Err(Error::new(
                        ErrorKind::Interrupted,
                        DEQUEUE,
                        self.queue.waiting.path(),
                        "a signal interrupted the wait",
                    ));
                }
                Woken::Stopped => return Ok(Dequeued::Stopped),
                Woken::Look | Woken::TimeIsUp | Woken::Interrupted => {}
            }
        }
    }

    /// Takes the next entry that is there, or answers `None`. Does not wait, but for names that are busy
    /// this moment (at most 100 ms).
    ///
    /// The answers up to a `None` are one pass: what this reader gave back in it, or saved to the same
    /// queue, or found bad, is not taken again in it.
    ///
    /// # Errors
    /// As [`dequeue`](QueueReader::dequeue).
    pub fn dequeue_available(&mut self) -> Result<Option<Checkout>> {
        self.tell_untold()?;
        let leaves = if self.watched.is_some() {
            // Whoever polls the descriptor waits, and a wait lets names rest.
            self.subscribe()?;
            Leaves::Resting
        } else {
            Leaves::HadInThisPass
        };
        let looked = self.look_patiently(leaves);
        if self.watched.is_none() || !matches!(looked, Ok(None)) {
            self.leave();
        }
        if let Ok(None) = looked {
            self.given_back.end_pass();
            self.arm();
        }
        looked
    }

    /// Looks again, for a while, as long as names are busy.
    fn look_patiently(&mut self, leaves: Leaves) -> Result<Option<Checkout>> {
        let begun = Instant::now();
        loop {
            if let Some(checkout) = self.look(leaves)? {
                return Ok(Some(checkout));
            }
            match self.busy.next() {
                Some(next) if self.watched.is_none() && begun.elapsed() < BUSY_PATIENCE => {
                    sync::pause(next.saturating_duration_since(Instant::now()));
                }
                _ => return Ok(None),
            }
        }
    }

    /// The reader is with its caller, for as long as that likes: another may be quicker than its next call.
    fn leave(&mut self) {
        if let Some(subscription) = &self.subscription {
            subscription.hand_back(self.busy.take());
            subscription.leave();
        }
    }

    /// Calls `f` with each entry's metadata and data, does what it decides, and waits for the next, until
    /// `stop` is triggered.
    ///
    /// # Errors
    /// The first failure, of `f` (whose entry is given back), of a bad entry, or of the queue, ends it. It
    /// may be called again, and goes on with the other entries.
    pub fn iter<E: From<Error>>(
        &mut self,
        stop: Option<&Stop>,
        mut f: impl FnMut(&[u8], &DataFile) -> std::result::Result<Outcome, E>,
    ) -> std::result::Result<(), E> {
        while let Dequeued::CheckedOut(checkout) = self.dequeue(stop, None)? {
            outcome::apply(checkout, |metadata, data| {
                f(metadata, data).map(|outcome| (outcome, ()))
            })?;
        }
        Ok(())
    }

    /// Calls `f` with the metadata and data of each entry that is there, at most once with each, and does
    /// what it decides. Does not wait.
    ///
    /// # Errors
    /// As [`iter`](QueueReader::iter).
    pub fn iter_available<E: From<Error>>(
        &mut self,
        mut f: impl FnMut(&[u8], &DataFile) -> std::result::Result<Outcome, E>,
    ) -> std::result::Result<(), E> {
        while let Some(checkout) = self.dequeue_available()? {
            outcome::apply(checkout, |metadata, data| {
                f(metadata, data).map(|outcome| (outcome, ()))
            })?;
        }
        Ok(())
    }

    /// A descriptor to poll, so that a caller waits for this reader among other things. It is readable
    /// while [`dequeue_available`](QueueReader::dequeue_available) may succeed, and only a `None` from there
    /// lowers it; each later cause is a new edge. Never read from it or close it.
    ///
    /// The first call starts the one thread that this library may start.
    ///
    /// # Errors
    /// [`ErrorKind::Forked`], [`ErrorKind::Descriptors`], [`ErrorKind::Missing`].
    pub fn fd(&mut self) -> Result<BorrowedFd<'_>> {
        self.usable()?;
        self.subscribe()?;
        if self.watched.is_none() {
            let watched = Watched::new(&self.bell)
                .map_err(|error| Error::io("reader fd", self.queue.waiting.path(), &error))?;
            self.watched = Some(watched);
            self.bell.ring();
        }
        Ok(self.bell.as_fd())
    }

    fn usable(&self) -> Result<()> {
        if self.generation == fork::generation() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            DEQUEUE,
            self.queue.waiting.path(),
            "the reader was made before a fork and belongs to the parent",
        ))
    }

    /// Has arrivals told from now on; where the kernel has no watch for us, looks now and then instead.
    fn subscribe(&mut self) -> Result<()> {
        if self.subscription.is_some() {
            return Ok(());
        }
        let dir = self.queue.waiting.fd(DEQUEUE)?;
        match Subscription::new(dir, &self.queue.waiting, &self.bell) {
            Ok(subscription) => {
                // What came before the watch is in no event.
                self.listed = match omit::is_out(Step::WatchFirst) {
                    true => Listed::Epoch(subscription.epoch()),
                    false => Listed::No,
                };
                self.subscription = Some(subscription);
            }
            Err(_) if self.looks.is_some() => {}
            Err(_) => self.looks = Some(Looks::new(self.options.poll_interval)),
        }
        Ok(())
    }

    /// Tries everything that may be in the queue, once.
    fn look(&mut self, leaves: Leaves) -> Result<Option<Checkout>> {
        if self.looks.as_ref().is_some_and(Looks::is_due) && leaves == Leaves::Resting {
            self.listed = Listed::No;
        }
        let mut begun_here = false;
        loop {
            if let Some(checkout) = self.look_at_listing(leaves, &mut begun_here)? {
                return Ok(Some(checkout));
            }
            if let Some(checkout) = self.look_at_arrivals(leaves)? {
                return Ok(Some(checkout));
            }
            if let Some(checkout) = self.look_at_busy(leaves)? {
                return Ok(Some(checkout));
            }
            if let Some(checkout) = self.look_at_rested(leaves)? {
                return Ok(Some(checkout));
            }
            match &self.subscription {
                // Nothing in hand: take in what the kernel has, and see whether there is more.
                Some(subscription) => {
                    subscription
                        .drain()
                        .at(DEQUEUE, || self.queue.waiting.path().to_owned())?;
                    let (given_back, pass) = (&self.given_back, leaves);
                    let more = subscription.pop(|name| leaves_alone(given_back, pass, name));
                    match more {
                        Some(name) => subscription.hand_back([name]),
                        None if self.listed == Listed::Epoch(subscription.epoch()) => {
                            return Ok(None);
                        }
                        None => {}
                    }
                }
                // Without events the only way to know is to list once more.
                None if begun_here || self.looks.is_some() && leaves == Leaves::Resting => {
                    return Ok(None);
                }
                None => self.listed = Listed::No,
            }
        }
    }

    fn look_at_listing(
        &mut self,
        leaves: Leaves,
        begun_here: &mut bool,
    ) -> Result<Option<Checkout>> {
        if let Some(subscription) = &self.subscription {
            if subscription.is_gone() {
                return Err(Error::new(
                    ErrorKind::Missing,
                    DEQUEUE,
                    self.queue.waiting.path(),
                    "the queue's directory was removed or moved",
                ));
            }
            let epoch = subscription.epoch();
            if self.listed != Listed::Epoch(epoch) {
                self.listing = Listing::new(DEQUEUE);
                self.listed = Listed::Epoch(epoch);
            }
        } else if self.listed == Listed::No {
            self.listing = Listing::new(DEQUEUE);
            self.listed = Listed::Once;
            *begun_here = true;
        }
        if let Some(looks) = &mut self.looks
            && looks.is_due()
        {
            looks.looked();
        }
        loop {
            let spool = self.spool.clone();
            let name = self
                .listing
                .next(&self.queue.waiting, |read| spool.step(read))?;
            let Some(name) = name else {
                return Ok(None);
            };
            if leaves_alone(&self.given_back, leaves, &name) {
                continue;
            }
            match self.attempt(&name) {
                Err(error) => {
                    if error.kind() == ErrorKind::Descriptors {
                        // Nothing is wrong with the entry.
                        self.listing.put_back();
                    }
                    return Err(error);
                }
                Ok(Attempt::Had(checkout)) => {
                    self.spread.had(&mut self.listing);
                    return Ok(Some(checkout));
                }
                Ok(Attempt::Gone) => self.spread.missed(&mut self.listing, true),
                Ok(Attempt::Busy) => self.spread.missed(&mut self.listing, false),
                Ok(Attempt::Orphaned) => {}
            }
        }
    }

    fn look_at_arrivals(&mut self, leaves: Leaves) -> Result<Option<Checkout>> {
        loop {
            let Some(subscription) = &self.subscription else {
                return Ok(None);
            };
            let given_back = &self.given_back;
            let Some(name) = subscription.pop(|name| leaves_alone(given_back, leaves, name)) else {
                return Ok(None);
            };
            // What is wrong with it, if it cannot be told, the attempt finds out.
            if self.spread.is_wary() && matches!(self.is_waiting(&name), Ok(false)) {
                self.given_back.forget(&name);
                continue;
            }
            match self.attempt(&name) {
                Err(error) => {
                    if let (ErrorKind::Descriptors, Some(subscription)) =
                        (error.kind(), &self.subscription)
                    {
                        subscription.hand_back([name]);
                    }
                    return Err(error);
                }
                Ok(Attempt::Had(checkout)) => {
                    self.spread.had_heard();
                    return Ok(Some(checkout));
                }
                Ok(_) => self.spread.missed_heard(),
            }
        }
    }

    fn look_at_busy(&mut self, leaves: Leaves) -> Result<Option<Checkout>> {
        while let Some(name) = self.busy.due() {
            if leaves_alone(&self.given_back, leaves, &name) {
                // It was busy because this reader's own caller had it, who has given it back since.
                self.busy.settle(&name);
                continue;
            }
            if !self.is_waiting(&name)? {
                self.busy.settle(&name);
                self.given_back.forget(&name);
            } else if let Attempt::Had(checkout) = self.attempt(&name)? {
                return Ok(Some(checkout));
            }
        }
        Ok(None)
    }

    fn is_waiting(&self, name: &EntryName) -> Result<bool> {
        let waiting = &self.queue.waiting;
        self.spool.step(|| checkout::is_in(waiting, name, DEQUEUE))
    }

    /// Names that rested: no event and no listing need come for them again.
    fn look_at_rested(&mut self, leaves: Leaves) -> Result<Option<Checkout>> {
        let names = match leaves {
            Leaves::HadInThisPass => self.given_back.of_earlier_passes(),
            Leaves::Resting => {
                self.rested_until = Instant::now();
                self.given_back.rested(self.rested_until)
            }
        };
        for name in names {
            if let Attempt::Had(checkout) = self.attempt(&name)? {
                return Ok(Some(checkout));
            }
        }
        Ok(None)
    }

    /// Tries to take the entry. Whatever comes of it settles the name, or puts it among the busy ones.
    fn attempt(&mut self, name: &EntryName) -> Result<Attempt> {
        let entry = Entry::of(&self.spool, &self.queue, name.clone());
        match self.spool.step(|| checkout::take(&entry, self.durability)) {
            Ok(Take::Had(checkout)) => {
                self.busy.settle(name);
                if let Some(looks) = &mut self.looks {
                    looks.found();
                }
                Ok(Attempt::Had(checkout.tell(&self.bell)))
            }
            Ok(Take::Busy) => {
                self.busy.add(name.clone());
                Ok(Attempt::Busy)
            }
            Ok(Take::Gone) => {
                self.busy.settle(name);
                self.given_back.forget(name);
                Ok(Attempt::Gone)
            }
            Ok(Take::Orphaned) => {
                // For repair to adopt, and fsck to name; no reader can have it before.
                self.busy.settle(name);
                self.given_back.note(name);
                Ok(Attempt::Orphaned)
            }
            Err(error) => {
                self.busy.settle(name);
                if error.kind() != ErrorKind::Descriptors {
                    self.given_back.note(name);
                }
                Err(error)
            }
        }
    }

    /// When there will be something to try that nobody rings for.
    fn next_look(&self) -> Option<Instant> {
        let looks = self.looks.as_ref().map(Looks::next);
        let rested = self.given_back.next_rested(self.rested_until);
        let times = [self.busy.next(), rested, looks];
        times.into_iter().flatten().min()
    }

    fn sleep(&self, stop: Option<&Stop>, until: Option<Instant>) -> Result<Woken> {
        let stop = stop.map(Stop::as_fd);
        let slept = match (&self.subscription, self.listed) {
            (Some(subscription), Listed::Epoch(seen)) => subscription.sleep(seen, stop, until),
            _ => match event::readable([stop], left(until)) {
                Ok([true]) => Ok(Woken::Stopped),
                Ok([false]) => Ok(Woken::TimeIsUp),
                Err(rustix::io::Errno::INTR) => Ok(Woken::Interrupted),
                Err(errno) => Err(errno),
            },
        };
        slept.at(DEQUEUE, || self.queue.waiting.path().to_owned())
    }

    /// Lowers the polled descriptor until there is a cause to raise it.
    fn arm(&self) {
        let Some(watched) = &self.watched else {
            return;
        };
        match (&self.subscription, self.listed) {
            (Some(subscription), Listed::Epoch(seen)) => subscription.arm(seen, self.next_look()),
            _ => watched.arm(self.next_look().unwrap_or_else(Instant::now)),
        }
    }
}

fn must_be_some(most: usize) -> Result<()> {
    if most > 0 {
        return Ok(());
    }
    let reason = "at most 0 entries are asked for";
    Err(Error::plain(ErrorKind::InvalidArgument, DEQUEUE, reason))
}

fn leaves_alone(given_back: &GivenBack, leaves: Leaves, name: &EntryName) -> bool {
    match leaves {
        Leaves::HadInThisPass => given_back.had_in_this_pass(name),
        Leaves::Resting => given_back.must_rest(name),
    }
}

impl Drop for QueueReader {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            return;
        }
        if let Some(subscription) = &self.subscription {
            // Those that were bad too: for them no event comes, and nobody else in this process knows of them.
            let known = self.busy.take().into_iter().chain(self.given_back.all());
            subscription.hand_back(known);
        }
    }
}
