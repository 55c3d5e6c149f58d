//! What a handler decides about the entry in its hands.

use std::ffi::OsStr;

use crate::checkout::Checkout;
use crate::data_file::DataFile;
use crate::error::{Error, Result};
use crate::name::QueueName;

/// What becomes of a checked-out entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It goes to a queue, with new metadata if there is some.
    Save {
        /// The queue, which may be the one that it came from.
        queue: QueueName,
        /// The metadata that replaces the old; `None` keeps the old.
        metadata: Option<Vec<u8>>,
    },
    /// It is removed, with its data.
    Remove,
    /// It goes back to the queue that it came from, unchanged.
    Release,
}

impl Outcome {
    /// Into a queue, with the metadata as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName).
    pub fn save(queue: impl AsRef<OsStr>) -> Result<Outcome> {
        Ok(Outcome::Save {
            queue: QueueName::new(queue)?,
            metadata: None,
        })
    }

    /// Into a queue, with new metadata.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName).
    pub fn save_with(queue: impl AsRef<OsStr>, metadata: impl Into<Vec<u8>>) -> Result<Outcome> {
        Ok(Outcome::Save {
            queue: QueueName::new(queue)?,
            metadata: Some(metadata.into()),
        })
    }
}

/// Calls `f` and does what it decides; gives the entry back if it fails or panics.
pub(crate) fn apply<R, E: From<Error>>(
    checkout: Checkout,
    f: impl FnOnce(&[u8], &DataFile) -> std::result::Result<(Outcome, R), E>,
) -> std::result::Result<R, E> {
    or_give_back(checkout, |checkout| {
        // However long it takes.
        checkout.keep()?;
        let data_file = checkout.data_file();
        let (outcome, result) = f(checkout.metadata(), &data_file)?;
        checkout.finish(outcome)?;
        Ok(result)
    })
    .map(|(_, result)| result)
}

/// Calls `f`; gives the entry back if it fails or panics.
pub(crate) fn or_give_back<R, E>(
    checkout: Checkout,
    f: impl FnOnce(&mut Checkout) -> std::result::Result<R, E>,
) -> std::result::Result<(Checkout, R), E> {
    let mut guard = GiveBack(Some(checkout));
    let Some(checkout) = &mut guard.0 else {
        unreachable!("it was put there just now");
    };
    let result = f(checkout)?;
    match guard.0.take() {
        Some(checkout) => Ok((checkout, result)),
        None => unreachable!("nobody took it"),
    }
}

/// Releases what was not finished; where even that fails, `recover` will return it.
struct GiveBack(Option<Checkout>);

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Some(checkout) = self.0.as_mut().filter(|checkout| !checkout.is_finished()) {
            let _ = checkout.release();
        }
    }
}
