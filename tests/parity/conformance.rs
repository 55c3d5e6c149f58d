//! The cases that all languages play.

use crate::files::{Files, has_word};

/// The folder that names a case in the document.
pub const FOLDER: &str = "conformance/";

pub struct Conformance {
    pub cases: Files,
    /// Has a table of what cases may need, and of who lacks it.
    pub about: String,
}

impl Conformance {
    /// What is wrong with a case as a test of a language.
    pub fn fault(&self, file: &str, case: &str, language: &str) -> Option<String> {
        let text = self.cases.get(file).unwrap_or_default();
        let name = format!("\"name\": \"{case}\"");
        let Some((_, rest)) = text.split_once(&name) else {
            return Some(format!("no case `{FOLDER}{file}: {case}`"));
        };
        let own = rest.split("\"name\": ").next().unwrap_or_default();
        let needs = own.split_once("\"needs\": [").map(|(_, needs)| needs);
        let needs = needs.and_then(|needs| needs.split(']').next())?;
        let lacked = needs
            .split(", ")
            .map(|need| need.trim_matches('"'))
            .find(|need| self.lacks(language, need))?;
        Some(format!(
            "`{FOLDER}{file}: {case}` is not played there: it needs {lacked}"
        ))
    }

    fn lacks(&self, language: &str, need: &str) -> bool {
        let rows = self.about.lines().filter_map(|line| {
            let (needs, who) = line.strip_prefix("| ")?.split_once(" | ")?;
            needs.split(", ").any(|named| named == need).then_some(who)
        });
        rows.into_iter().any(|who| has_word(who, language))
    }
}
