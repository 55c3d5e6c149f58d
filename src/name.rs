//! The names of queues and entries, and where the names of new entries come from.

use std::borrow::Borrow;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::sys::clock;
use crate::sys::fork::PerProcess;
use crate::sys::random;

/// The longest name that this library makes, in bytes: a temporary file's suffix still fits behind it.
pub const MAX_NAME_BYTES: usize = 244;

/// What [`TimeNames`] makes, until a process has made 2^32.
const DEFAULT_NAME_BYTES: usize = 49;

/// The longest name that a directory can hold; names found on disk may be this long.
const MAX_FOUND_BYTES: usize = 255;

/// The name of a queue: one path component of 1 to 244 bytes, any but `/` and NUL, not beginning with `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueName(Terminated);

/// The name of an entry: one path component, any bytes but `/` and NUL, not beginning with `.`.
///
/// New names have 1 to 244 bytes; a name found on disk may have up to 255. It need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName(Terminated);

/// Bytes without a NUL among them, and one after them, as C wants them. It is less than any of them, and so leaves the
/// order as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Terminated(Arc<[u8]>);

impl Terminated {
    /// At most [`MAX_FOUND_BYTES`], which were checked.
    fn new(bytes: &[u8]) -> Terminated {
        let mut terminated = [0; MAX_FOUND_BYTES + 1];
        terminated[..bytes.len()].copy_from_slice(bytes);
        Terminated(terminated[..=bytes.len()].into())
    }

    fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0[..self.0.len() - 1])
    }
}

impl QueueName {
    /// Checks a name; nothing on disk is looked at.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`].
    pub fn new(name: impl AsRef<OsStr>) -> Result<QueueName> {
        let name = name.as_ref();
        check("queue name", name, MAX_NAME_BYTES)?;
        Ok(QueueName(Terminated::new(name.as_bytes())))
    }

    /// A name that was checked when its spool was opened.
    pub(crate) fn checked_before(name: &str) -> QueueName {
        QueueName(Terminated::new(name.as_bytes()))
    }
}

impl EntryName {
    /// Checks a name for a new entry; nothing on disk is looked at.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`].
    pub fn new(name: impl AsRef<OsStr>) -> Result<EntryName> {
        let name = name.as_ref();
        check("entry name", name, MAX_NAME_BYTES)?;
        Ok(EntryName(Terminated::new(name.as_bytes())))
    }

    /// Checks a name that something on disk is said to have: up to 255 bytes.
    pub(crate) fn existing(name: &OsStr) -> Result<EntryName> {
        check("entry name", name, MAX_FOUND_BYTES)?;
        Ok(EntryName(Terminated::new(name.as_bytes())))
    }

    /// A name as a directory listing or an event gave it; `None` for a dot name.
    pub(crate) fn found(name: &[u8]) -> Option<EntryName> {
        match name {
            [] | [b'.', ..] => None,
            _ => Some(EntryName(Terminated::new(name))),
        }
    }
}

fn check(what: &'static str, name: &OsStr, longest: usize) -> Result<()> {
    let bytes = name.as_bytes();
    let reason = if bytes.is_empty() {
        "the name is empty".to_owned()
    } else if bytes.len() > longest {
        format!("the name has {} bytes, the most is {longest}", bytes.len())
    } else if bytes.contains(&0) {
        "the name contains a NUL byte".to_owned()
    } else if bytes.contains(&b'/') {
        "the name contains '/'".to_owned()
    } else if bytes[0] == b'.' {
        "the name begins with '.'".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidName, what, name, reason))
}

macro_rules! name_traits {
    ($name:ident) => {
        impl $name {
            /// The name as the system has it.
            pub fn as_os_str(&self) -> &OsStr {
                self.0.as_os_str()
            }

            /// The name's bytes.
            pub fn as_bytes(&self) -> &[u8] {
                self.as_os_str().as_bytes()
            }

            /// The name's bytes and a NUL.
            #[cfg(feature = "capi")]
            pub(crate) fn as_terminated(&self) -> &[u8] {
                &self.0.0
            }
        }
        /// As that of [`Borrow`]'s type.
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_os_str().hash(state);
            }
        }
        impl AsRef<OsStr> for $name {
            fn as_ref(&self) -> &OsStr {
                self.as_os_str()
            }
        }
        impl AsRef<std::path::Path> for $name {
            fn as_ref(&self) -> &std::path::Path {
                self.as_os_str().as_ref()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.as_os_str().display(), f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_os_str(), f)
            }
        }
        impl Borrow<OsStr> for $name {
            fn borrow(&self) -> &OsStr {
                self.as_os_str()
            }
        }
        impl From<$name> for OsString {
            fn from(name: $name) -> OsString {
                name.as_os_str().to_os_string()
            }
        }
    };
}
name_traits!(QueueName);
name_traits!(EntryName);

/// Makes names for new entries.
///
/// [`reserve`](crate::Spool::reserve) calls `next` with attempt 0, then, as long as the name is taken,
/// with 1, 2 and so on, at most 1,000 times. An answer that is no valid name fails the reservation.
///
/// Any `Fn(u32) -> OsString` is a generator.
pub trait NameGenerator: Send + Sync {
    /// The name to try at this attempt.
    fn next(&self, attempt: u32) -> OsString;
}

impl<F: Fn(u32) -> OsString + Send + Sync> NameGenerator for F {
    fn next(&self, attempt: u32) -> OsString {
        self(attempt)
    }
}

/// The default generator: `20261124T032241.123456Z-k3j9x0a2b4c6d8ef-00000001`.
///
/// A UTC time in microseconds, so that the order of names is the order of time; then 80 random bits that
/// each process (a forked child too) draws for itself; then a counter. Unique across threads, forks,
/// containers and hosts, and never given twice.
#[derive(Debug, Default, Clone, Copy)]
pub struct TimeNames;

impl TimeNames {
    /// The default generator.
    pub fn new() -> TimeNames {
        TimeNames
    }
}

struct Origin {
    random: String,
    counter: AtomicU64,
}

static ORIGIN: PerProcess<Origin> = PerProcess::new();

impl NameGenerator for TimeNames {
    fn next(&self, _attempt: u32) -> OsString {
        let origin = ORIGIN.get(|| Origin {
            random: random::letters(16),
            counter: AtomicU64::new(0),
        });
        let count = origin.counter.fetch_add(1, Ordering::Relaxed);
        let mut name = String::with_capacity(DEFAULT_NAME_BYTES);
        // Writing to memory does not fail.
        let _ = write!(name, "{}-{}-{count:08x}", clock::utc_stamp(), origin.random);
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_one_path_component_are_refused() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for bad in ["", ".", "..", ".hidden", "a/b", "/", "nul\0", &long] {
            let error = EntryName::new(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{bad:?}");
            assert_eq!(
                QueueName::new(bad).expect_err(bad).kind(),
                ErrorKind::InvalidName
            );
        }
        EntryName::new("x".repeat(MAX_NAME_BYTES)).expect("244 bytes");
        EntryName::new(OsStr::from_bytes(b"\xff\xfe \n")).expect("any other bytes");
    }

    #[test]
    fn default_names_are_valid_distinct_and_of_one_width() {
        let names: Vec<OsString> = (0..1000).map(|i| TimeNames.next(i)).collect();
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for name in &names {
            EntryName::new(name).expect("valid");
            assert_eq!(name.len(), names[0].len());
        }
    }
}
