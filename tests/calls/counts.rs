//! System calls by their names, of one operation.

use std::collections::BTreeMap;
use std::fmt;

/// In hundredths: what many operations share is a part of a call for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub fn add(&mut self, call: &str) {
        *self.0.entry(call.to_owned()).or_default() += 100;
    }

    /// Of one, where these are of so many.
    pub fn of_each(&self, times: u64) -> Counts {
        let each = self.0.iter().map(|(call, count)| {
            // Rounded to the nearest.
            (call.clone(), (count + times / 2) / times)
        });
        Counts(each.collect())
    }

    pub fn total(&self) -> String {
        hundredths(self.0.values().sum())
    }

    /// What [`Display`](fmt::Display) has written.
    pub fn parse(text: &str) -> Option<Counts> {
        let mut counts = Counts::default();
        for part in text.split(", ").filter(|part| !part.is_empty()) {
            let (call, count) = part.rsplit_once(' ')?;
            let count: f64 = count.parse().ok()?;
            let count = (count * 100.0).round() as u64;
            counts.0.insert(call.to_owned(), count);
        }
        Some(counts)
    }
}

fn hundredths(count: u64) -> String {
    match count % 100 {
        0 => format!("{}", count / 100),
        part if part % 10 == 0 => format!("{}.{}", count / 100, part / 10),
        part => format!("{}.{part:02}", count / 100),
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.0.iter();
        let calls: Vec<String> = calls
            .map(|(call, count)| format!("{call} {}", hundredths(*count)))
            .collect();
        f.write_str(&calls.join(", "))
    }
}
