//! An entry's data, in its own type.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use super::{Data, Spoolable};
use crate::data_file::{LOAD, SAVE};
use crate::error::{Error, ErrorKind, Result};

/// A handle on an entry's data: nothing is read before it is asked for.
pub struct DataFile<S: Spoolable> {
    untyped: crate::DataFile,
    spoolable: PhantomData<fn() -> S>,
}

impl<S: Spoolable> DataFile<S> {
    pub(super) fn of(untyped: crate::DataFile) -> DataFile<S> {
        DataFile {
            untyped,
            spoolable: PhantomData,
        }
    }

    /// Where the data is. What is written to this path directly is the writer's to sync.
    pub fn path(&self) -> PathBuf {
        self.untyped.path()
    }

    /// Reads the data, by [`Data::load`].
    ///
    /// # Errors
    /// As [`DataFile::load`](crate::DataFile::load) of bytes; [`ErrorKind::Corrupt`] for data that does not load.
    pub fn load(&self) -> Result<S::Data> {
        self.untyped.load_by(|path| {
            S::Data::load(path).map_err(|error| {
                let what = "the data does not load";
                Error::of_caller(ErrorKind::Corrupt, LOAD, path, what, error.into())
            })
        })
    }

    /// Replaces the data by what [`Data::save`] writes, whole or not at all, by the spool's durability.
    ///
    /// # Errors
    /// As [`DataFile::save`](crate::DataFile::save) of bytes; [`ErrorKind::InvalidArgument`] for data that does
    /// not save. The old data is in place then.
    pub fn save(&self, contents: &S::Data) -> Result<()> {
        self.untyped.save_by(|path, temp_file| {
            contents
                .save(path, Some(temp_file))
                .map_err(|error| unsaved(SAVE, path.to_owned(), error))
        })
    }

    /// The data file's own status: size, times.
    ///
    /// # Errors
    /// As [`DataFile::stat`](crate::DataFile::stat) of bytes.
    pub fn stat(&self) -> Result<std::fs::Metadata> {
        self.untyped.stat()
    }

    /// The same data as bytes, to be read and written piece by piece.
    pub fn untyped(&self) -> &crate::DataFile {
        &self.untyped
    }
}

/// The error of data that does not save.
pub(super) fn unsaved(
    operation: &'static str,
    path: PathBuf,
    error: impl Into<crate::error::CallersError>,
) -> Error {
    let (kind, what) = (ErrorKind::InvalidArgument, "the data does not save");
    Error::of_caller(kind, operation, path, what, error.into())
}

impl<S: Spoolable> Clone for DataFile<S> {
    fn clone(&self) -> DataFile<S> {
        DataFile::of(self.untyped.clone())
    }
}

impl<S: Spoolable> fmt::Debug for DataFile<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DataFile").field(&self.path()).finish()
    }
}
