//! One error type: what was being done, to which path, why it failed, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::name::EntryName;

/// The result of an operation on a spool.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed operation: [`operation`](Error::operation), [`path`](Error::path),
/// [`kind`](Error::kind) and, where the system gave one, [`errno`](Error::errno).
///
/// Its `Display` form is one sentence: operation, path, reason, and what to do.
#[derive(Clone, thiserror::Error)]
#[error("{}", Sentence(self))]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    operation: &'static str,
    path: Option<PathBuf>,
    reason: String,
    errno: Option<Errno>,
    entry: Option<EntryName>,
    inner: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// An error of a caller's own code.
pub(crate) type CallersError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, for a program to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system failed a call, for none of the reasons below; see [`Error::errno`].
    Io,
    /// An argument makes no sense, whatever is on disk.
    InvalidArgument,
    /// A name cannot be the name of an entry or a queue.
    InvalidName,
    /// The directory is not a spool, or is not a directory.
    NotASpool,
    /// A spool cannot be created in a directory that holds other things.
    NotEmpty,
    /// The queue is not among those that the spool was opened with.
    UnknownQueue,
    /// The entry is damaged: its data is gone, its file is not a regular file, or it lies in two places.
    Corrupt,
    /// The handle has been used up by a save, remove, release or commit.
    Finished,
    /// The handle was made before a fork and belongs to the parent process.
    Forked,
    /// The spool asks for something that this version does not know, or cannot do here.
    Unsupported,
    /// The disk, the quota or the inodes are used up.
    NoSpace,
    /// The caller lacks a permission, or the spool was opened read-only.
    Permission,
    /// What must be there is not: the spool, one of its directories, or the entry that a
    /// [`checkout`](crate::Entry::checkout) was told to take.
    Missing,
    /// The entry was taken away from its holder; nothing was changed.
    LostOwnership,
    /// Done and visible, but not known to survive the loss of power. Do not do it again.
    NotDurable,
    /// The process or the system has no file descriptor left.
    Descriptors,
    /// A name generator gave 1,000 names that were all taken.
    NamesExhausted,
    /// The entry, or the reserved name, is not there (any more): an ordinary outcome of a race.
    NotFound,
    /// The name is in use: an ordinary outcome.
    NameTaken,
    /// A signal interrupted a wait that was asked to be interruptible.
    Interrupted,
}

impl ErrorKind {
    /// The kind of a system error where the context says nothing more.
    pub(crate) fn of(errno: Errno) -> ErrorKind {
        match errno {
            Errno::NOSPC | Errno::DQUOT => ErrorKind::NoSpace,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => ErrorKind::Permission,
            Errno::MFILE | Errno::NFILE => ErrorKind::Descriptors,
            Errno::NOENT => ErrorKind::Missing,
            Errno::NOTDIR => ErrorKind::NotASpool,
            // Inside a spool no link is followed, and a file's place holds a file.
            Errno::LOOP | Errno::ISDIR | Errno::NXIO => ErrorKind::Corrupt,
            Errno::NAMETOOLONG => ErrorKind::InvalidName,
            _ => ErrorKind::Io,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            ErrorKind::Io => "see the system's log for the device, then try again",
            ErrorKind::InvalidArgument => "correct the argument",
            ErrorKind::InvalidName => {
                "use 1 to 244 bytes without '/' or NUL that do not begin with '.'"
            }
            ErrorKind::NotASpool => "name the spool's directory, or create one",
            ErrorKind::NotEmpty => "create the spool in an empty or a new directory",
            ErrorKind::UnknownQueue => "use one of the spool's queues, or create the queue first",
            ErrorKind::Corrupt => "the other entries are not affected; look at this one by hand",
            ErrorKind::Finished => "check the entry out anew",
            ErrorKind::Forked => "make the handle anew in this process",
            ErrorKind::Unsupported => {
                "use a version of multispool that knows it, or open the spool another way"
            }
            ErrorKind::NoSpace => {
                "free space or inodes and try again; saving unchanged entries and removing still work"
            }
            ErrorKind::Permission => {
                "give this user read, write and search permission on the spool"
            }
            ErrorKind::Missing => "check the name; it may have been moved or removed",
            ErrorKind::LostOwnership => "give this entry up; another process has it now",
            ErrorKind::NotDurable => "it is done and visible: do not do it again; check the device",
            ErrorKind::Descriptors => "close some files or raise the limit on open files",
            ErrorKind::NamesExhausted => "make the generator answer with names not used before",
            ErrorKind::NotFound => {
                "check the name, if no other process may have taken or removed it"
            }
            ErrorKind::NameTaken => "use another name",
            ErrorKind::Interrupted => "call again",
        }
    }
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        path: impl Into<PathBuf>,
        reason: impl Into<String>,
    ) -> Error {
        Error(Box::new(Parts {
            kind,
            operation,
            path: Some(path.into()),
            reason: reason.into(),
            errno: None,
            entry: None,
            inner: None,
        }))
    }

    /// An error that concerns no path.
    pub(crate) fn plain(
        kind: ErrorKind,
        operation: &'static str,
        reason: impl Into<String>,
    ) -> Error {
        Error(Box::new(Parts {
            kind,
            operation,
            path: None,
            reason: reason.into(),
            errno: None,
            entry: None,
            inner: None,
        }))
    }

    /// A failed system call on `path`.
    pub(crate) fn system(operation: &'static str, path: impl Into<PathBuf>, errno: Errno) -> Error {
        Error::system_as(ErrorKind::of(errno), operation, path, errno)
    }

    /// A failed system call whose meaning the caller knows better than its number says.
    pub(crate) fn system_as(
        kind: ErrorKind,
        operation: &'static str,
        path: impl Into<PathBuf>,
        errno: Errno,
    ) -> Error {
        Error(Box::new(Parts {
            kind,
            operation,
            path: Some(path.into()),
            reason: io::Error::from(errno).to_string(),
            errno: Some(errno),
            entry: None,
            inner: None,
        }))
    }

    /// A failed call of the standard library on `path`.
    pub(crate) fn io(
        operation: &'static str,
        path: impl Into<PathBuf>,
        error: &io::Error,
    ) -> Error {
        match Errno::from_io_error(error) {
            Some(errno) => Error::system(operation, path, errno),
            None => Error::new(ErrorKind::Io, operation, path, error.to_string()),
        }
    }

    /// A failure of a caller's own code: `what` says of which. It means `kind`, unless the system failed it.
    pub(crate) fn of_caller(
        kind: ErrorKind,
        operation: &'static str,
        path: impl Into<PathBuf>,
        what: &str,
        inner: CallersError,
    ) -> Error {
        let by_system = inner.downcast_ref().and_then(Errno::from_io_error);
        let error = match by_system {
            Some(errno) => Error::system(operation, path, errno),
            None => Error::new(kind, operation, path, inner.to_string()),
        };
        let mut error = error.because(what);
        error.0.inner = Some(inner.into());
        error
    }

    /// The same failure, told as "done, visible, not known to be durable" of `entry`.
    pub(crate) fn into_not_durable(mut self, entry: &EntryName) -> Error {
        self.0.kind = ErrorKind::NotDurable;
        self.0.entry = Some(entry.clone());
        self
    }

    /// The same failure, with words for what the system's number means here.
    pub(crate) fn because(mut self, reason: &str) -> Error {
        self.0.reason = format!("{reason}: {}", self.0.reason);
        self
    }

    /// The same failure, told as another kind.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, in the words of this interface: `"enqueue"`, `"checkout"`…
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The path that the failure is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The system's error number, where a system call failed.
    pub fn errno(&self) -> Option<i32> {
        self.0.errno.map(Errno::raw_os_error)
    }

    /// With [`ErrorKind::NotDurable`]: the name of the entry that is visible.
    pub fn entry_name(&self) -> Option<&EntryName> {
        self.0.entry.as_ref()
    }

    /// The error of the caller's own code that this one is about: of a [`Spoolable`](crate::Spoolable)'s
    /// metadata that does not decode, or of its data that does not load or save.
    pub fn get_ref(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.0.inner.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("path", &self.0.path)
            .field("reason", &self.0.reason)
            .field("errno", &self.errno())
            .finish()
    }
}

struct Sentence<'a>(&'a Error);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0.0;
        write!(f, "{}", parts.operation)?;
        if let Some(path) = &parts.path {
            write!(f, " {}", path.display())?;
        }
        write!(f, ": {}", parts.reason)?;
        if let (ErrorKind::NotDurable, Some(name)) = (parts.kind, &parts.entry) {
            write!(f, " (entry {name})")?;
        }
        write!(f, "; {}", parts.kind.advice())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error.0.errno {
            Some(errno) => io::Error::from(errno).kind(),
            None => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// Gives a bare system error its operation and path.
pub(crate) trait At<T> {
    fn at(self, operation: &'static str, path: impl FnOnce() -> PathBuf) -> Result<T>;
}

impl<T> At<T> for std::result::Result<T, Errno> {
    fn at(self, operation: &'static str, path: impl FnOnce() -> PathBuf) -> Result<T> {
        self.map_err(|errno| Error::system(operation, path(), errno))
    }
}
