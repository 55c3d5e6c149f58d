//! The names of new entries.

use std::ffi::OsStr;
use std::fmt;

use super::{Multispool, Spoolable};
use crate::error::Result;
use crate::name::EntryName;

/// A name that was reserved in the whole spool, for one entry to come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueName(EntryName);

impl UniqueName {
    /// Reserves the first name of the generator's that is free; see [`Spool::reserve`](crate::Spool::reserve).
    /// The reservation holds no lock and lasts until the name's entry is removed: it may be used by any process.
    ///
    /// # Errors
    /// As [`Spool::reserve`](crate::Spool::reserve).
    pub fn reserve<S: Spoolable>(
        spool: &Multispool<S>,
        generator: &S::NameGenerator,
    ) -> Result<UniqueName> {
        spool.untyped().reserve(generator).map(UniqueName)
    }

    /// The name as the system has it.
    pub fn as_os_str(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

/// A name that somebody else has reserved. If nobody has, its use is
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
impl From<EntryName> for UniqueName {
    fn from(name: EntryName) -> UniqueName {
        UniqueName(name)
    }
}

impl AsRef<OsStr> for UniqueName {
    fn as_ref(&self) -> &OsStr {
        self.as_os_str()
    }
}

impl fmt::Display for UniqueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where the name of a new entry comes from.
#[derive(Debug)]
pub enum Naming<'a, G> {
    /// From this generator, when the entry is enqueued.
    Reserve(&'a G),
    /// It was reserved before.
    Use(&'a UniqueName),
}

impl<G> Clone for Naming<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Naming<'_, G> {}
