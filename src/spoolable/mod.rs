//! A spool of one kind of thing: typed metadata, data and queues, over the same files.
//!
//! Say what your kind of thing is by implementing [`Spoolable`]; [`Multispool`] then has the whole interface in
//! your own types. It adds nothing on disk: a [`Spool`](crate::Spool) of bytes, in any language, shares it, and
//! [`Multispool::untyped`] gives that one for what needs no types, such as
//! [`recover`](crate::Spool::recover), [`repair`](crate::Spool::repair) and [`stats`](crate::Spool::stats).
//!
//! An entry whose metadata does not decode is reported as [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), with
//! its path, and stays in its queue; the decoder's own error is in [`Error::get_ref`](crate::Error::get_ref).

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::fs;
use std::io;
use std::path::Path;

use crate::name::NameGenerator;
use crate::throttle::Throttle;

mod data_file;
mod entry;
pub mod expert;
mod metadata;
pub mod monitor;
mod multispool;
mod name;
mod outcome;
mod queues;
mod reader;

pub use data_file::DataFile;
pub use entry::{Direct, Entries, Entry};
pub use multispool::{Multispool, MultispoolOptions};
pub use name::{Naming, UniqueName};
pub use outcome::Outcome;
pub use reader::QueueReader;

/// A kind of thing that a spool can hold.
///
/// The type that implements it has no values of interest; it ties the parts together.
pub trait Spoolable: 'static {
    /// What is known of an entry in short. It is read and written more often than the data.
    type Metadata: Metadata;
    /// The thing itself.
    type Data: Data;
    /// The queues.
    type Queue: Queue;
    /// Where the names of new entries come from; [`TimeNames`](crate::TimeNames) if it does not matter.
    type NameGenerator: NameGenerator;
    /// All that touches the disk passes through it, the loads and saves of the data too.
    /// [`Unlimited`](crate::Unlimited) sets no limit. Each opened spool has a value of its own: a limit for all of
    /// them together is a `static` that [`run`](Throttle::run) hands on to.
    type Throttle: Throttle + Default + 'static;
}

/// What a spool keeps of an entry in its queue's directory. It should be small.
pub trait Metadata: Sized {
    /// Why bytes do not decode.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// The bytes that are kept on disk.
    fn to_bytes(&self) -> Vec<u8>;

    /// The value that these bytes were made of.
    ///
    /// # Errors
    /// Where no value was: the entry is reported as damaged, and left in its queue.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Self::Error>;
}

/// What an entry carries, in a file of its own that is read and written by path.
///
/// Both calls are disk steps, for which the [throttle](Spoolable::Throttle) may hold a slot: they must not use
/// the spool.
pub trait Data: Sized {
    /// Why data does not load or save.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// Reads the data at `path`.
    ///
    /// # Errors
    /// The caller's own, told as [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) where it is no
    /// [`io::Error`] of the system's.
    fn load(path: &Path) -> Result<Self, Self::Error>;

    /// Writes the data to `path`, where there may be a file, which nobody else uses.
    ///
    /// It need not be atomic, nor synced: what lies at `path` afterwards, which must be a regular file, is synced
    /// and published whole, and a failed save leaves no trace. Code that makes its files by a rename writes to
    /// `temp_file` first, if it is given: nothing is there, and it is on the same file system as `path`.
    ///
    /// # Errors
    /// The caller's own, told as [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) where it is
    /// no [`io::Error`] of the system's.
    fn save(&self, path: &Path, temp_file: Option<&Path>) -> Result<(), Self::Error>;
}

/// The queues of a spool: a closed set, each with a directory. [`queues!`](crate::queues) makes a simple one.
pub trait Queue: Clone + Ord + Debug + Send + Sync + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// The queue's directory in the spool, which must be its own.
    fn to_dirname(&self) -> &str;
}

impl Metadata for Vec<u8> {
    type Error = Infallible;

    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.to_owned())
    }
}

impl Metadata for String {
    type Error = std::str::Utf8Error;

    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_owned()
    }

    fn from_bytes(bytes: &[u8]) -> Result<String, std::str::Utf8Error> {
        std::str::from_utf8(bytes).map(str::to_owned)
    }
}

impl Data for Vec<u8> {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn save(&self, path: &Path, _temp_file: Option<&Path>) -> io::Result<()> {
        fs::write(path, self)
    }
}

impl Data for String {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn save(&self, path: &Path, _temp_file: Option<&Path>) -> io::Result<()> {
        fs::write(path, self)
    }
}
