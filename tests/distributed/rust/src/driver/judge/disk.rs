//! What is left of a spool when all is done.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use distributed::data_of;

use crate::ground::names_in;

#[derive(Debug, Default)]
pub struct Left {
    /// The entries that were saved.
    pub done: BTreeSet<String>,
    /// Names that are where they should not be, and why.
    pub wrong: Vec<(String, String)>,
}

/// Looks at a spool that nobody uses any more.
pub fn left(spool: &Path) -> Result<Left> {
    let set = |dir: &str| -> Result<BTreeSet<String>> {
        Ok(names_in(&spool.join(dir))?.into_iter().collect())
    };
    let mut left = Left {
        done: set("done")?,
        wrong: Vec::new(),
    };
    for dir in [
        "incoming",
        "incoming/.checkout",
        "done/.checkout",
        ".tmp",
        ".multispool/claims",
    ] {
        for name in set(dir)? {
            left.wrong.push((name, format!("is left in {dir}")));
        }
    }
    for dir in [".data", ".registry"] {
        let there = set(dir)?;
        for name in there.difference(&left.done) {
            left.wrong.push((name.clone(), format!("is left in {dir}")));
        }
        for name in left.done.difference(&there) {
            left.wrong.push((name.clone(), format!("is not in {dir}")));
        }
    }
    for name in &left.done {
        let path = spool.join(".data").join(name);
        let data = fs::read(&path).with_context(|| format!("{}", path.display()))?;
        if data != data_of(name) {
            left.wrong
                .push((name.clone(), "has other data on disk".to_owned()));
        }
        let path = spool.join("done").join(name);
        if fs::read(&path).with_context(|| format!("{}", path.display()))? != b"save" {
            left.wrong
                .push((name.clone(), "has other metadata on disk".to_owned()));
        }
    }
    Ok(left)
}
