//! A column of the document.

use crate::files::Files;

pub struct Language {
    /// The column's head.
    pub name: &'static str,
    pub sources: Files,
    pub has_symbol: fn(&Files, &str) -> bool,
    pub tests: Files,
    /// Whether a file with this text has a test of this name.
    pub is_test: fn(&str, &str) -> bool,
}

impl Language {
    pub fn has_test(&self, path: &str, name: &str) -> bool {
        let text = self.tests.get(path);
        text.is_some_and(|text| (self.is_test)(text, name))
    }
}
