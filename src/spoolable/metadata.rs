//! Metadata from its bytes.

use std::path::PathBuf;

use super::Metadata;
use crate::error::{Error, ErrorKind, Result};

/// Decodes what was read at `path`.
pub(super) fn decode<M: Metadata>(
    bytes: &[u8],
    operation: &'static str,
    path: impl FnOnce() -> PathBuf,
) -> Result<M> {
    M::from_bytes(bytes).map_err(|error| {
        let what = "the metadata does not decode";
        Error::of_caller(ErrorKind::Corrupt, operation, path(), what, error.into())
    })
}
