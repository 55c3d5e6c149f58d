//! The typed spool: opened, created, listed, enqueued to.

use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use super::data_file::unsaved;
use super::{Data, Entries, Entry, Metadata, Naming, Queue, Spoolable};
use crate::enqueue::{ENQUEUE, NamedBy};
use crate::error::{Error, ErrorKind, Result};
use crate::spool::{Spool, SpoolOptions};

/// An open spool of one kind of thing. Cheap to clone, and shareable between threads.
///
/// ```
/// use multispool::spoolable::{Entry, Naming, Outcome, QueueReader, UniqueName};
/// use multispool::{Error, Multispool, Spoolable, TimeNames, Unlimited};
///
/// multispool::queues! {
///     pub enum Letters {
///         Incoming => "incoming",
///         Done => "done",
///     }
/// }
///
/// /// How often a delivery was tried.
/// struct Tries(u32);
///
/// impl multispool::spoolable::Metadata for Tries {
///     type Error = Box<dyn std::error::Error + Send + Sync>;
///
///     fn to_bytes(&self) -> Vec<u8> {
///         self.0.to_string().into_bytes()
///     }
///
///     fn from_bytes(bytes: &[u8]) -> Result<Tries, Self::Error> {
///         Ok(Tries(std::str::from_utf8(bytes)?.parse()?))
///     }
/// }
///
/// struct Mail;
///
/// impl Spoolable for Mail {
///     type Metadata = Tries;
///     type Data = String;
///     type Queue = Letters;
///     type NameGenerator = TimeNames;
///     type Throttle = Unlimited;
/// }
///
/// # fn main() -> multispool::Result<()> {
/// # let dir = tempfile::tempdir().expect("a temporary directory");
/// # let dir = dir.path().join("spool");
/// let spool = Multispool::<Mail>::create(&dir)?;
/// let letter = String::from("Dear reader");
/// spool.enqueue(Letters::Incoming, &Tries(0), &letter, Naming::Reserve(&TimeNames))?;
///
/// // Or under a name that is known beforehand.
/// let name = UniqueName::reserve(&spool, &TimeNames)?;
/// let entry = spool.enqueue(Letters::Incoming, &Tries(3), &letter, Naming::Use(&name))?;
/// entry.with_entry(|tries, letter| {
///     assert_eq!(letter.load()?, "Dear reader");
///     Ok::<_, Error>((Outcome::Save(Tries(tries.0 + 1), Letters::Done), ()))
/// })?;
///
/// let mut reader = QueueReader::create(&spool, Letters::Incoming)?;
/// reader.iter_available(|tries, _| {
///     assert_eq!(tries.0, 0);
///     Ok::<_, Error>(Outcome::Remove)
/// })?;
///
/// assert_eq!(spool.list(Letters::Incoming)?.count(), 0);
/// let done = Entry::create(&spool, Letters::Done, &name)?;
/// assert_eq!(done.direct().contents()?.0, 4);
/// # Ok(())
/// # }
/// ```
pub struct Multispool<S: Spoolable> {
    untyped: Spool,
    spoolable: PhantomData<fn() -> S>,
}

impl<S: Spoolable> Multispool<S> {
    /// Options, to open a spool other than by default.
    pub fn options() -> MultispoolOptions<S> {
        MultispoolOptions {
            untyped: SpoolOptions::new(),
            create_if_missing: false,
            spoolable: PhantomData,
        }
    }

    /// Opens a spool, which must have all the queues. Nothing is created or changed.
    ///
    /// # Errors
    /// As [`Spool::load`]; [`ErrorKind::InvalidArgument`] where two queues have one directory.
    pub fn load(dir: impl AsRef<Path>) -> Result<Multispool<S>> {
        Self::options().load(dir)
    }

    /// Opens a spool, and makes what is missing of it: it is [`load`](Self::load) with
    /// [`create_if_missing`](MultispoolOptions::create_if_missing).
    ///
    /// # Errors
    /// As [`Spool::create`]; [`ErrorKind::InvalidArgument`] where two queues have one directory.
    pub fn create(dir: impl AsRef<Path>) -> Result<Multispool<S>> {
        Self::options().create_if_missing(true).load(dir)
    }

    /// Opens a spool and checks nothing on disk: what is wrong shows at first use.
    ///
    /// # Errors
    /// As [`Spool::load_unsafe`]; [`ErrorKind::InvalidArgument`] where two queues have one directory.
    pub fn load_unsafe(dir: impl AsRef<Path>) -> Result<Multispool<S>> {
        Self::options().load_unsafe(dir)
    }

    fn of(untyped: Spool) -> Multispool<S> {
        Multispool {
            untyped,
            spoolable: PhantomData,
        }
    }

    /// The spool's directory, as an absolute path.
    pub fn dir(&self) -> &Path {
        self.untyped.dir()
    }

    /// The same spool by bytes, for what needs no types.
    pub fn untyped(&self) -> &Spool {
        &self.untyped
    }

    /// The entries of a queue, in the order of their names; see [`Spool::list`].
    ///
    /// # Errors
    /// As [`Spool::list`]; reading the directory fails in the iterator, and ends it.
    pub fn list(&self, queue: S::Queue) -> Result<Entries<S>> {
        let untyped = self.untyped.list(queue.to_dirname())?;
        Ok(Entries::of(self, queue, untyped))
    }

    /// Adds an entry to a queue. When this returns, the entry is there, by the spool's durability.
    ///
    /// # Errors
    /// As [`Spool::enqueue_with`]; [`ErrorKind::InvalidArgument`] for data that does not save. Nothing is left
    /// behind, but with [`ErrorKind::NotDurable`], where the entry is there: do not enqueue it again.
    pub fn enqueue(
        &self,
        queue: S::Queue,
        metadata: &S::Metadata,
        data: &S::Data,
        naming: Naming<'_, S::NameGenerator>,
    ) -> Result<Entry<S>> {
        let named_by = match naming {
            Naming::Reserve(generator) => NamedBy::Reserve(generator),
            Naming::Use(name) => NamedBy::Use(name.as_os_str()),
        };
        let dirname: &OsStr = queue.to_dirname().as_ref();
        let save = |path: &Path, temp_file: &Path| {
            data.save(path, Some(temp_file))
                .map_err(|error| unsaved(ENQUEUE, path.to_owned(), error))
        };
        let untyped = self
            .untyped
            .enqueue_by(dirname, &metadata.to_bytes(), named_by, save)?;
        Ok(Entry::of(self, queue, untyped))
    }
}

impl<S: Spoolable> Clone for Multispool<S> {
    fn clone(&self) -> Multispool<S> {
        Multispool::of(self.untyped.clone())
    }
}

impl<S: Spoolable> fmt::Debug for Multispool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multispool").field(&self.dir()).finish()
    }
}

/// How a typed spool is opened; see [`Multispool::options`].
pub struct MultispoolOptions<S: Spoolable> {
    untyped: SpoolOptions,
    create_if_missing: bool,
    spoolable: PhantomData<fn() -> S>,
}

impl<S: Spoolable> MultispoolOptions<S> {
    /// Makes what is missing, in [`load`](Self::load). It still fails for a directory that is not empty and no
    /// spool. Default: no.
    pub fn create_if_missing(mut self, create: bool) -> MultispoolOptions<S> {
        self.create_if_missing = create;
        self
    }

    /// Durability, modes and whatever else a spool has to be told. The throttle is that of the [`Spoolable`].
    pub fn spool(mut self, options: SpoolOptions) -> MultispoolOptions<S> {
        self.untyped = options;
        self
    }

    /// Opens a spool; see [`Multispool::load`].
    ///
    /// # Errors
    /// As [`Multispool::load`], or as [`Multispool::create`] if it is to create what is missing.
    pub fn load(&self, dir: impl AsRef<Path>) -> Result<Multispool<S>> {
        let (options, queues) = (self.throttled(), dirnames::<S::Queue>()?);
        let untyped = match self.create_if_missing {
            true => options.create(dir, queues)?,
            false => options.load(dir, queues)?,
        };
        Ok(Multispool::of(untyped))
    }

    /// Opens a spool and checks nothing on disk; see [`Multispool::load_unsafe`].
    ///
    /// # Errors
    /// As [`Multispool::load_unsafe`].
    pub fn load_unsafe(&self, dir: impl AsRef<Path>) -> Result<Multispool<S>> {
        let untyped = self.throttled().load_unsafe(dir, dirnames::<S::Queue>()?)?;
        Ok(Multispool::of(untyped))
    }

    fn throttled(&self) -> SpoolOptions {
        self.untyped.clone().throttle(S::Throttle::default())
    }
}

/// The directories of all queues: each must be of one queue alone.
pub(super) fn dirnames<Q: Queue>() -> Result<Vec<&'static str>> {
    let dirnames: Vec<&str> = Q::ALL.iter().map(Queue::to_dirname).collect();
    for (number, dirname) in dirnames.iter().enumerate() {
        if dirnames[..number].contains(dirname) {
            let reason = format!("two queues have the directory {dirname:?}");
            return Err(Error::plain(ErrorKind::InvalidArgument, "load", reason));
        }
    }
    Ok(dirnames)
}
