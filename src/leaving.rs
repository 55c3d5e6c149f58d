//! Entries on their way out, where several hosts share the spool.
//!
//! Who removes an entry first gives it a name of its own in `.checkout/`, and looks whose it is: a request that comes after
//! its lease takes the next holder's. Should it die before it has removed the entry or given it back, recover returns it.

use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;

use crate::error::{At, Result};
use crate::layout::Queue;
use crate::name::{EntryName, MAX_NAME_BYTES};
use crate::sys::{dir, random};

const LETTERS: usize = 6;

/// What the entry is called meanwhile: a name that no listing gives.
pub(crate) fn name_for(entry: &EntryName) -> OsString {
    // One that was found on disk may be too long for the rest: it can be removed, and not returned.
    let bytes = entry.as_bytes();
    let mut name = OsString::from(".");
    name.push(OsStr::from_bytes(&bytes[..bytes.len().min(MAX_NAME_BYTES)]));
    name.push(".");
    name.push(random::letters(LETTERS));
    name
}

/// Whose name it is, if it is one of those.
pub(crate) fn entry_of(name: &OsStr) -> Option<EntryName> {
    let rest = name.as_bytes().strip_prefix(b".")?;
    let (entry, end) = rest.split_at_checked(rest.len().checked_sub(LETTERS + 1)?)?;
    let letters = end.strip_prefix(b".")?;
    letters
        .iter()
        .all(u8::is_ascii_alphanumeric)
        .then(|| EntryName::found(entry))?
}

/// All that are on their way out of a queue, each with what it is called.
pub(crate) fn all_in(queue: &Queue, operation: &'static str) -> Result<Vec<(OsString, EntryName)>> {
    let mut all = Vec::new();
    dir::for_each_name(queue.checkout.fd(operation)?, |name| {
        let name = OsStr::from_bytes(name);
        all.extend(entry_of(name).map(|entry| (name.to_owned(), entry)));
        ControlFlow::Continue(())
    })
    .at(operation, || queue.checkout.path().to_owned())?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        for entry in [
            "a",
            "a.b",
            "20261124T032241.123456Z-k3j9x0a2b4c6d8ef-00000001",
        ] {
            let entry = EntryName::new(entry).expect("a name");
            assert_eq!(entry_of(&name_for(&entry)), Some(entry));
        }
        for other in [
            "a",
            ".a",
            ".a.abc",
            ".abcdef",
            "a.abcdef",
            "..abcdef",
            ".a.abc-ef",
            ".nfs00a1",
        ] {
            assert_eq!(entry_of(other.as_ref()), None, "{other}");
        }
    }
}
