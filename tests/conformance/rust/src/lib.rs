//! The lines that a judge and an agent exchange: words with one space between, the first one a verb or a
//! status, each other one `key=value`. A value is bytes, percent-encoded; a key may come several times.

use std::fmt;

use anyhow::{Context, Result, bail};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The verb of a step, or the status of an answer.
    pub word: String,
    /// What follows it, in order.
    pub values: Vec<(String, Vec<u8>)>,
}

impl Line {
    pub fn new(word: impl Into<String>) -> Line {
        Line {
            word: word.into(),
            values: Vec::new(),
        }
    }

    pub fn with(mut self, key: &str, value: impl AsRef<[u8]>) -> Line {
        self.push(key, value);
        self
    }

    pub fn push(&mut self, key: &str, value: impl AsRef<[u8]>) {
        self.values.push((key.to_owned(), value.as_ref().to_vec()));
    }

    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// A word that is no `key=value`, or a `%` that no two hexadecimal digits follow.
    pub fn parse(text: &str) -> Result<Line> {
        let mut words = text.split(' ');
        let mut line = Line::new(words.next().unwrap_or_default());
        for word in words {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("'{word}' is no key=value"))?;
            line.push(key, decode(value)?);
        }
        Ok(line)
    }

    /// The first value of that key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.values
            .iter()
            .find(|(its, _)| its == key)
            .map(|(_, value)| value.as_slice())
    }

    /// All values of that key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.values
            .iter()
            .filter(move |(its, _)| its == key)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a key that must be there.
    ///
    /// # Errors
    /// It is not there.
    pub fn need(&self, key: &str) -> Result<&[u8]> {
        self.get(key)
            .with_context(|| format!("{} needs {key}=", self.word))
    }

    /// The first value of that key, as a word.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        self.get(key)
            .map(|value| {
                std::str::from_utf8(value).with_context(|| format!("{key} is not UTF-8 text"))
            })
            .transpose()
    }

    /// A word that must be there.
    ///
    /// # Errors
    /// It is not there, or not UTF-8.
    pub fn word_of(&self, key: &str) -> Result<&str> {
        self.text(key)?
            .with_context(|| format!("{} needs {key}=", self.word))
    }

    /// The first value of that key, as a number.
    ///
    /// # Errors
    /// It is no number.
    pub fn number(&self, key: &str) -> Result<Option<i64>> {
        self.text(key)?
            .map(|text| text.parse().with_context(|| format!("{key}={text}")))
            .transpose()
    }

    /// Whether the key's value is `yes`.
    pub fn yes(&self, key: &str) -> bool {
        self.get(key) == Some(b"yes")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)?;
        for (key, value) in &self.values {
            write!(f, " {key}={}", encode(value))?;
        }
        Ok(())
    }
}

/// Bytes as a word: those that are not letters, digits or one of `._-/:,{}"` become `%XX`.
pub fn encode(bytes: &[u8]) -> String {
    let mut word = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"._-/:,{}\"".contains(byte) {
            word.push(char::from(*byte));
        } else {
            word.push_str(&format!("%{byte:02X}"));
        }
    }
    word
}

/// The bytes of a word: `%XX` is one byte, all else stands for itself.
///
/// # Errors
/// A `%` that no two hexadecimal digits follow.
pub fn decode(word: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail
            .get(..2)
            .filter(|two| two.iter().all(u8::is_ascii_hexdigit))
            .and_then(|two| std::str::from_utf8(two).ok());
        let Some(Ok(byte)) = digits.map(|two| u8::from_str_radix(two, 16)) else {
            bail!("'{word}' has a % without two hexadecimal digits");
        };
        bytes.push(byte);
        rest = &tail[2..];
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Line, decode};

    #[test]
    fn any_bytes_survive_a_line() {
        let all: Vec<u8> = (0..=255).collect();
        let line = Line::new("enqueue")
            .with("metadata", &all)
            .with("data", "")
            .with("queue", "a b=c");
        let text = line.to_string();
        assert!(text.is_ascii() && !text.contains('\n'));
        assert_eq!(Line::parse(&text).unwrap(), line);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert!(Line::parse("enqueue queue").is_err());
        assert!(decode("%4").is_err() && decode("%zz").is_err() && decode("%+1").is_err());
    }
}
