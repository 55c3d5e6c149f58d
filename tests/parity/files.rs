//! Source files, and how words and blocks are found in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Files by their paths, which use slashes and are relative to what they were read from.
#[derive(Clone, Default)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// The files with this extension in a folder and in all folders in it.
    pub fn below(folder: &Path, extension: &str) -> Files {
        let mut files = Files::in_folder(folder, extension);
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                let name = entry.file_name().into_string().unwrap();
                files.add(&name, Files::below(&entry.path(), extension));
            }
        }
        files
    }

    /// The files with this extension in a folder itself.
    pub fn in_folder(folder: &Path, extension: &str) -> Files {
        let mut files = Files::default();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.extension().is_some_and(|found| found == extension) {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                files.0.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
        files
    }

    /// Files that are on no disk.
    pub fn made_up(files: &[(&str, &str)]) -> Files {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Files(files.iter().map(owned).collect())
    }

    /// Puts other files below a folder.
    pub fn add(&mut self, folder: &str, others: Files) {
        let moved = others.0.into_iter();
        self.0
            .extend(moved.map(|(path, text)| (format!("{folder}/{path}"), text)));
    }

    /// The files but for those whose paths begin so.
    pub fn without(mut self, beginning: &str) -> Files {
        self.0.retain(|path, _| !path.starts_with(beginning));
        self
    }

    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(_, text)| text)
    }
}

/// Where the text has the word, and not as a part of a longer one.
pub fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let places = text.match_indices(word).map(|(at, _)| at);
    places.filter(move |at| {
        !text[..*at].ends_with(of_a_word) && !text[at + word.len()..].starts_with(of_a_word)
    })
}

/// The line of a text that a place is in.
pub fn line_at(text: &str, place: usize) -> &str {
    let first = text[..place].rfind('\n').map_or(0, |end| end + 1);
    text[first..].lines().next().unwrap_or_default()
}

pub fn has_word(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

/// What follows the beginning, if the text begins with it and then the word ends.
pub fn after_word<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(beginning)?;
    (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(rest)
}

/// The lines from one on to the one that closes its block: as far to the left, and nothing but `end`.
pub fn block<'a>(lines: &[&'a str], first: usize, end: &str) -> Vec<&'a str> {
    let line = lines[first];
    let indent = &line[..line.len() - line.trim_start().len()];
    let closes = |line: &&str| line.strip_prefix(indent).is_some_and(|rest| rest == end);
    let length = lines[first..].iter().position(closes);
    lines[first..=length.map_or(first, |length| first + length)].to_vec()
}
