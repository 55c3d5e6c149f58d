//! The part of docs/performance.md that tells of calls and instructions, which is between two marks.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::counts::Counts;
use crate::expected::{Expected, WAYS};
use crate::instructions::DURABILITY;
use crate::operate::Operation;

const BEGIN: &str = "<!-- calls: written by tests/calls/run --bless -->\n";
const END: &str = "<!-- end of calls -->\n";

/// Where the part is, without its marks.
fn part(page: &str) -> Result<std::ops::Range<usize>, String> {
    let begin = page
        .find(BEGIN)
        .ok_or("the page has no mark of a beginning")?
        + BEGIN.len();
    let end = page[begin..]
        .find(END)
        .ok_or("the page has no mark of an end")?;
    Ok(begin..begin + end)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path:?}: {error}"))
}

/// Whether the page tells just that.
pub fn tells(path: &Path, expected: &Expected) -> Result<bool, String> {
    let page = read(path)?;
    Ok(page[part(&page)?] == text(expected))
}

pub fn write(path: &Path, expected: &Expected) -> Result<(), String> {
    let mut page = read(path)?;
    page.replace_range(part(&page)?, &text(expected));
    fs::write(path, page).map_err(|error| format!("{path:?}: {error}"))
}

fn text(expected: &Expected) -> String {
    let mut text = "\n| operation | durability | calls | which |\n|---|---|---|---|\n".to_owned();
    for operation in Operation::ALL {
        for (ways, counts) in alike(expected, operation) {
            let ways = match ways.len() == WAYS.len() {
                true => "any".to_owned(),
                false => ways.join("; "),
            };
            writeln!(
                text,
                "| {} | {ways} | {} | {counts} |",
                operation.name(),
                counts.total()
            )
            .expect("a string grows");
        }
    }
    text.push_str(
        "\n| operation | durability | instructions outside the kernel |\n|---|---|---|\n",
    );
    for (operation, count) in &expected.instructions {
        let name = operation.name();
        writeln!(text, "| {name} | {DURABILITY} | {count} |").expect("a string grows");
    }
    text.push('\n');
    text
}

/// The ways that an operation takes, together where their calls are the same.
fn alike(expected: &Expected, operation: Operation) -> Vec<(Vec<&'static str>, &Counts)> {
    let mut groups: Vec<(Vec<&'static str>, &Counts)> = Vec::new();
    for way in WAYS {
        let Some(counts) = expected.calls.get(&(operation, way)) else {
            continue;
        };
        match groups.iter_mut().find(|(_, those)| *those == counts) {
            Some((ways, _)) => ways.push(way),
            None => groups.push((vec![way], counts)),
        }
    }
    groups
}
