//! What a handler decides, in types.

use super::metadata::decode;
use super::{DataFile, Metadata, Queue, Spoolable};
use crate::checkout::CHECKOUT;
use crate::error::Error;
use crate::layout;
use crate::name::QueueName;

/// What becomes of a checked-out entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<M, Q> {
    /// It goes to a queue with this metadata, which is written only if it has changed.
    Save(M, Q),
    /// It is removed, with its data.
    Remove,
    /// It goes back to the queue that it came from, unchanged.
    Release,
}

impl<M: Metadata, Q: Queue> Outcome<M, Q> {
    fn to_untyped(&self, metadata_before: &[u8]) -> crate::Outcome {
        match self {
            Outcome::Save(metadata, queue) => {
                let metadata = metadata.to_bytes();
                crate::Outcome::Save {
                    queue: QueueName::checked_before(queue.to_dirname()),
                    metadata: (metadata != metadata_before).then_some(metadata),
                }
            }
            Outcome::Remove => crate::Outcome::Remove,
            Outcome::Release => crate::Outcome::Release,
        }
    }
}

/// Calls `f` with what the bytes of an entry of `queue` mean, and says in bytes what it decides.
pub(super) fn handle<S: Spoolable, R, E: From<Error>>(
    queue: &layout::Queue,
    metadata: &[u8],
    data: &crate::DataFile,
    f: impl FnOnce(
        S::Metadata,
        &DataFile<S>,
    ) -> std::result::Result<(Outcome<S::Metadata, S::Queue>, R), E>,
) -> std::result::Result<(crate::Outcome, R), E> {
    // It is checked out now, and will be back there when its error is read.
    let path = || queue.waiting.join(data.name().as_os_str());
    let (outcome, result) = f(
        decode(metadata, CHECKOUT, path)?,
        &DataFile::of(data.clone()),
    )?;
    Ok((outcome.to_untyped(metadata), result))
}
