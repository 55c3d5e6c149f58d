//! Whether `fsck` names all that is left, and nothing that is not.

use serde_json::Value;

use crate::disk::Disk;
use crate::verdict::Verdict;

/// A line of `fsck --json`.
pub struct Problem {
    kind: String,
    name: String,
    places: Vec<String>,
    severity: String,
    action: String,
}

pub fn parse(output: &str) -> Result<Vec<Problem>, String> {
    output
        .lines()
        .map(|line| problem(line).ok_or_else(|| format!("not a line of fsck: {line}")))
        .collect()
}

fn problem(line: &str) -> Option<Problem> {
    let object: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| object.get(key)?.as_str().map(str::to_owned);
    let places = object.get("places")?.as_array()?;
    Some(Problem {
        kind: text("kind")?,
        name: text("name")?,
        places: places
            .iter()
            .map(|place| place.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        severity: text("severity")?,
        action: text("action")?,
    })
}

pub fn judge(problems: &[Problem], disk: &Disk, verdict: &mut Verdict) {
    let leftovers = disk.leftovers();
    let is_named = |name: &str| problems.iter().any(|problem| problem.name == name);
    for leftover in &leftovers {
        verdict.count(&format!("leftovers in {}", leftover.place));
        if !is_named(leftover.name) {
            verdict.broken(format!("fsck does not name {leftover}"));
        }
    }
    for entry in disk.entries.iter().filter(|entry| entry.is_checked_out) {
        verdict.count("entries left checked out");
        let is_told = problems.iter().any(|problem| {
            problem.name == entry.name
                && problem.places == [entry.place()]
                && problem.action == "recover"
        });
        if !is_told {
            verdict.broken(format!("fsck does not say that {entry} is to be recovered"));
        }
    }
    for problem in problems {
        let Problem { kind, name, .. } = problem;
        let place = problem.places.join(", ");
        let class = match place.rsplit_once('/') {
            Some((_, checkout)) => checkout,
            None => &place,
        };
        verdict.count(&format!("named by fsck: {kind} in {class}"));
        let mends_itself = matches!(&*problem.action, "repair" | "recover" | "workers");
        let is_real = leftovers.iter().any(|leftover| leftover.name == name)
            || disk
                .entries
                .iter()
                .any(|entry| entry.is_checked_out && entry.name == *name);
        if problem.severity == "damage" || !mends_itself || !is_real {
            verdict.broken(format!(
                "fsck says {kind} ({}, {}) of {place}/{name}",
                problem.severity, problem.action
            ));
        }
    }
}
