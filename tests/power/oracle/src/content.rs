//! Which version of metadata or data some bytes are: the counterpart of content.h.

use std::fmt;

/// What the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The version of this token, whole.
    Whole(String),
    /// No version, or not all of one: in words.
    Torn(String),
    /// There is no such file.
    Missing,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Whole(token) => f.write_str(token),
            Version::Torn(how) => f.write_str(how),
            Version::Missing => f.write_str("missing"),
        }
    }
}

impl Version {
    pub fn of(bytes: &[u8]) -> Version {
        let torn = |how: String| Version::Torn(format!("torn ({} bytes, {how})", bytes.len()));
        let Some(end) = bytes.iter().take(64).position(|byte| *byte == b'\n') else {
            return torn("no token".to_owned());
        };
        let Ok(token) = std::str::from_utf8(&bytes[..end]) else {
            return torn("no token".to_owned());
        };
        let Some(len) = token
            .rsplit_once('.')
            .and_then(|(_, len)| len.parse::<usize>().ok())
        else {
            return torn("no token".to_owned());
        };
        if len != bytes.len() {
            return torn(format!("of {token}"));
        }
        let wrong = bytes[end + 1..]
            .iter()
            .zip(noise(token))
            .position(|(byte, expected)| *byte != expected);
        match wrong {
            Some(at) => torn(format!("of {token}, other bytes from {}", end + 1 + at)),
            None => Version::Whole(token.to_owned()),
        }
    }
}

fn noise(token: &str) -> impl Iterator<Item = u8> {
    let mut state = token
        .bytes()
        .fold(14_695_981_039_346_656_037_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
        });
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    })
}
