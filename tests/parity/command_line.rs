//! `verb`, `verb --flag`, and what is printed as JSON: `"key"`.

use crate::files::{Files, after_word, has_word};

const MANUAL: &str = "docs/cli.md";

pub fn has_symbol(sources: &Files, symbol: &str) -> bool {
    let manual = sources.get(MANUAL).unwrap_or_default();
    if symbol.starts_with('"') {
        return manual
            .lines()
            .any(|line| line.starts_with('{') && line.contains(symbol));
    }
    let mut words = symbol.split(' ');
    let verb = words.next().unwrap_or_default();
    let files = [format!("{verb}.rs"), format!("{verb}/mod.rs")];
    let is_there = files.iter().any(|path| sources.get(path).is_some());
    let section = section(manual, verb);
    is_there
        && !section.is_empty()
        && words.all(|flag| {
            let everywhere = self::section(manual, "Everywhere");
            let manual = [section.as_str(), everywhere.as_str()];
            manual.iter().any(|text| has_word(text, flag)) && is_option(sources, flag)
        })
}

/// The part of the manual below a heading.
fn section(manual: &str, heading: &str) -> String {
    let head = format!("## {heading}");
    let below = manual.lines().skip_while(|line| **line != *head);
    let own = below
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect::<Vec<_>>();
    own.join("\n")
}

/// Whether some verb's arguments have the option.
fn is_option(sources: &Files, flag: &str) -> bool {
    let field = flag.trim_start_matches('-').replace('-', "_");
    let mut with_it = sources.texts().filter(|text| text.contains(&field));
    with_it.any(|text| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.windows(2).any(|pair| {
            let line = pair[1].strip_prefix("pub ").unwrap_or(pair[1]);
            pair[0].starts_with("#[arg(")
                && after_word(line, &field).is_some_and(|rest| rest.starts_with(':'))
        })
    })
}
