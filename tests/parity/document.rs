//! The document: sections with a table each, rows of one cell for each language.

use std::collections::BTreeSet;

use crate::conformance::{Conformance, FOLDER};
use crate::language::Language;

/// A section of the document, and the first cells of its rows.
pub type Section<'a> = (&'a str, &'a [&'a str]);

const EXTENSIONS: [&str; 5] = [".rs", ".c", ".go", ".rb", ".json"];

/// All that is wrong with the document, each with its line.
pub fn faults(
    document: &str,
    expected: &[Section<'_>],
    languages: &[Language],
    conformance: &Conformance,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut missing: BTreeSet<(&str, &str)> = expected
        .iter()
        .flat_map(|(section, rows)| rows.iter().map(move |row| (*section, *row)))
        .collect();
    let known = missing.clone();
    let mut section = "";
    for (number, line) in (1..).zip(document.lines()) {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        let Some(cells) = cells(line) else { continue };
        if cells[0] == "seed" || cells[0].starts_with("---") {
            let head: Vec<&str> = languages.iter().map(|language| language.name).collect();
            if cells[0] == "seed" && cells[1..] != head {
                faults.push(format!("line {number}: the columns are not {head:?}"));
            }
            continue;
        }
        let row = cells[0];
        if !known.contains(&(section, row)) {
            faults.push(format!("line {number}: {section} has no row {row:?}"));
        } else if !missing.remove(&(section, row)) {
            faults.push(format!("line {number}: {row:?} is there twice"));
        }
        if cells.len() != languages.len() + 1 {
            let (found, wanted) = (cells.len() - 1, languages.len());
            faults.push(format!(
                "line {number}: {row:?} has {found} cells, not {wanted}"
            ));
            continue;
        }
        for (cell, language) in cells[1..].iter().zip(languages) {
            let of_cell = cell_faults(cell, language, conformance);
            let place = format!("line {number}: {row:?}, {}", language.name);
            faults.extend(of_cell.iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    let lost = missing.iter();
    faults.extend(lost.map(|(section, row)| format!("{section} lacks the row {row:?}")));
    faults
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    Some(inner.split('|').map(str::trim).collect())
}

fn cell_faults(cell: &str, language: &Language, conformance: &Conformance) -> Vec<String> {
    let parts: Vec<&str> = cell.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec!["a backtick has no other".to_owned()];
    }
    let spans = parts.iter().skip(1).step_by(2).copied();
    let (tests, symbols): (Vec<&str>, Vec<&str>) = spans.partition(|span| test(span).is_some());
    let mut faults = Vec::new();
    if cell.is_empty() {
        faults.push("is empty".to_owned());
    } else if let Some(reason) = cell.strip_prefix('–') {
        if !reason.contains(char::is_alphabetic) {
            faults.push("gives no reason".to_owned());
        }
    } else {
        if symbols.is_empty() {
            faults.push("names no symbol".to_owned());
        }
        if tests.is_empty() {
            faults.push("names no test".to_owned());
        }
    }
    let unknown = symbols
        .into_iter()
        .filter(|symbol| !(language.has_symbol)(&language.sources, symbol));
    faults.extend(unknown.map(|symbol| format!("no symbol `{symbol}`")));
    for (path, name) in tests.into_iter().filter_map(test) {
        match path.strip_prefix(FOLDER) {
            Some(file) => faults.extend(conformance.fault(file, name, language.name)),
            None if language.has_test(path, name) => {}
            None => faults.push(format!("no test `{path}: {name}`")),
        }
    }
    faults
}

/// The file and the name, if that is what the words between two backticks are.
fn test(span: &str) -> Option<(&str, &str)> {
    let (path, name) = span.split_once(": ")?;
    let is_file = EXTENSIONS.iter().any(|extension| path.ends_with(extension));
    is_file.then_some((path, name))
}
