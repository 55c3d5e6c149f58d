//! Whether the cases show every row of the interface: those listed in rows.txt.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::case::Case;

/// Compares the rows that there are with those that the cases show, and the steps that there are with those that they
/// use.
///
/// # Errors
/// A row that no case shows, a case that shows what is no row, a step that is in no case.
pub fn check(path: &Path, cases: &[Case]) -> Result<usize> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let rows: BTreeSet<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for case in cases {
        for row in &case.shows {
            ensure!(
                rows.contains(row.as_str()),
                "'{}' shows '{row}', which is no row",
                case.name
            );
            shown.insert(row);
        }
    }
    let missing: Vec<_> = rows.difference(&shown).collect();
    ensure!(missing.is_empty(), "no case shows {missing:?}");
    let statuses: BTreeSet<&str> = steps(cases).map(|step| step.status.as_str()).collect();
    for row in rows.iter().filter_map(|row| row.strip_prefix("status ")) {
        ensure!(statuses.contains(row), "no step is answered by {row}");
    }
    let used: BTreeSet<&str> = steps(cases).map(|step| step.verb.as_str()).collect();
    let unused: Vec<_> = crate::verbs::of_agents()
        .filter(|verb| !used.contains(verb))
        .collect();
    ensure!(unused.is_empty(), "no case has the steps {unused:?}");
    Ok(rows.len())
}

fn steps(cases: &[Case]) -> impl Iterator<Item = &crate::case::Step> {
    cases.iter().flat_map(|case| &case.steps)
}
