//! Functions, types and constants of the headers.

use crate::files::{Files, line_at, places};

pub fn has_symbol(sources: &Files, symbol: &str) -> bool {
    let is_code = |line: &str| {
        let line = line.trim_start();
        !line.starts_with("/*") && !line.starts_with('*')
    };
    sources
        .texts()
        .any(|text| places(text, symbol).any(|at| is_code(line_at(text, at))))
}

pub fn is_test(text: &str, name: &str) -> bool {
    let head = format!("static void {name}(void **");
    text.lines().any(|line| line.starts_with(&head))
}
