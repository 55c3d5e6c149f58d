//! What lies on disk: all that is below a case's folder, and how it is compared with what must lie there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use conformance::encode;
use serde_json::{Map, Value};

use crate::case::{Variables, bytes, resolve};

/// A thing on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Directory,
    File(Vec<u8>),
    Link(Vec<u8>),
    Fifo,
    Other,
}

/// What lies below the spool's directory, by its path there; what lies beside it begins with `../`. Directories
/// end with a slash, the spool's own is `./`.
pub type Listing = BTreeMap<Vec<u8>, Thing>;

/// The directory of a case's spool in its folder.
pub const SPOOL: &str = "spool";

/// What lies below a case's folder.
///
/// # Errors
/// Something that cannot be read.
pub fn listing(work: &Path) -> Result<Listing> {
    let mut listing = Listing::new();
    collect(work, work, &mut listing)?;
    Ok(listing)
}

fn collect(work: &Path, dir: &Path, listing: &mut Listing) -> Result<()> {
    for found in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = found?.path();
        let status = fs::symlink_metadata(&path).with_context(|| path.display().to_string())?;
        let mut key = key(path.strip_prefix(work)?);
        let kind = status.file_type();
        let thing = if kind.is_dir() {
            key.push(b'/');
            Thing::Directory
        } else if kind.is_symlink() {
            Thing::Link(fs::read_link(&path)?.into_os_string().into_encoded_bytes())
        } else if kind.is_fifo() {
            Thing::Fifo
        } else if kind.is_file() {
            Thing::File(fs::read(&path).with_context(|| path.display().to_string())?)
        } else {
            Thing::Other
        };
        listing.insert(key, thing);
        if kind.is_dir() {
            collect(work, &path, listing)?;
        }
    }
    Ok(())
}

/// A path below the case's folder, as listings have it.
fn key(below: &Path) -> Vec<u8> {
    match below.strip_prefix(SPOOL) {
        Ok(inside) if inside.as_os_str().is_empty() => b".".to_vec(),
        Ok(inside) => inside.as_os_str().as_bytes().to_vec(),
        Err(_) => [b"../", below.as_os_str().as_bytes()].concat(),
    }
}

/// Where a key of a listing lies.
pub fn path(work: &Path, key: &[u8]) -> PathBuf {
    match key {
        b"." | b"./" => work.join(SPOOL),
        // Not by way of the spool, which need not be there.
        [b'.', b'.', b'/', beside @ ..] => work.join(OsStr::from_bytes(beside)),
        inside => work.join(SPOOL).join(OsStr::from_bytes(inside)),
    }
}

/// Makes an entry by hand, at `QUEUE/NAME` or `QUEUE/.checkout/NAME`, and notes it in the listing.
///
/// # Errors
/// It cannot be made.
pub fn plant(
    work: &Path,
    place: &[u8],
    metadata: Vec<u8>,
    data: Vec<u8>,
    listing: &mut Listing,
) -> Result<()> {
    let name = place.rsplit(|byte| *byte == b'/').next().unwrap_or(place);
    for (key, contents) in [
        ([b".registry/", name].concat(), Vec::new()),
        ([b".data/", name].concat(), data),
        (place.to_vec(), metadata),
    ] {
        fs::write(path(work, &key), &contents)?;
        listing.insert(key, Thing::File(contents));
    }
    Ok(())
}

/// What a new spool with these queues is.
pub fn layout(queues: &[Vec<u8>], format: &str) -> Listing {
    let mut listing = Listing::new();
    let mut directory = |name: &[u8]| listing.insert(name.to_vec(), Thing::Directory);
    for name in ["./", ".multispool/", ".registry/", ".tmp/", ".data/"] {
        directory(name.as_bytes());
    }
    for queue in queues {
        directory(&[queue, b"/".as_slice()].concat());
        directory(&[queue, b"/.checkout/".as_slice()].concat());
    }
    let format = Thing::File(format.as_bytes().to_vec());
    listing.insert(b".multispool/format".to_vec(), format);
    listing
}

/// Applies what a case says of a step: `null` takes a thing away; `true` is a directory; `{"link": TO}` and
/// `{"fifo": true}` are those; anything else is a file's contents.
///
/// # Errors
/// A thing that is to go and is not there, or what stands for nothing.
pub fn change(
    listing: &mut Listing,
    changes: &Map<String, Value>,
    variables: &Variables,
) -> Result<()> {
    for (written, value) in changes {
        let key = resolve(written, variables)?;
        let thing = match value {
            Value::Null => {
                if listing.remove(&key).is_none() {
                    bail!("'{written}' is to go, and was not there");
                }
                continue;
            }
            Value::Bool(true) => Thing::Directory,
            Value::Object(object) if object.contains_key("link") => {
                Thing::Link(bytes(&object["link"], variables)?)
            }
            Value::Object(object) if object.contains_key("fifo") => Thing::Fifo,
            _ => Thing::File(bytes(value, variables)?),
        };
        listing.insert(key, thing);
    }
    Ok(())
}

/// Compares: a line for each thing that is not as it must be. In a path that must be there, `?` stands for a
/// letter or digit that is drawn at random.
pub fn differences(expected: &Listing, found: &Listing) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = found.clone();
    for (key, thing) in expected {
        let there = rest
            .keys()
            .find(|path| stands_for(key, path) && !(key != *path && expected.contains_key(*path)))
            .cloned();
        match there.and_then(|path| rest.remove(&path)) {
            Some(other) if other == *thing => {}
            Some(other) => lines.push(format!(
                "{}: {}, and not {}",
                encode(key),
                tell(&other),
                tell(thing)
            )),
            None => lines.push(format!("{}: missing ({})", encode(key), tell(thing))),
        }
    }
    for (key, thing) in &rest {
        lines.push(format!(
            "{}: {}, and nothing should be there",
            encode(key),
            tell(thing)
        ));
    }
    lines
}

fn stands_for(key: &[u8], path: &[u8]) -> bool {
    key.len() == path.len()
        && key
            .iter()
            .zip(path)
            .all(|(its, other)| its == other || (*its == b'?' && other.is_ascii_alphanumeric()))
}

fn tell(thing: &Thing) -> String {
    match thing {
        Thing::Directory => "a directory".to_owned(),
        Thing::File(contents) if contents.len() > 60 => format!("{} bytes", contents.len()),
        Thing::File(contents) => format!("\"{}\"", contents.escape_ascii()),
        Thing::Link(to) => format!("a link to {}", encode(to)),
        Thing::Fifo => "a FIFO".to_owned(),
        Thing::Other => "something else".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Listing, Thing, differences, layout};

    #[test]
    fn what_is_missing_more_or_other_is_told() {
        let expected = layout(&[b"in".to_vec()], "multispool 1\n");
        assert_eq!(differences(&expected, &expected), [""; 0]);

        let mut found = expected.clone();
        found.remove(b".tmp/".as_slice());
        found.insert(b"in/a".to_vec(), Thing::File(b"x".to_vec()));
        found.insert(b".data/".to_vec(), Thing::Fifo);
        assert_eq!(
            differences(&expected, &found),
            [
                ".data/: a FIFO, and not a directory",
                ".tmp/: missing (a directory)",
                "in/a: \"x\", and nothing should be there"
            ]
        );
    }

    #[test]
    fn a_question_mark_stands_for_one_letter_or_digit() {
        let listing = |name: &str| Listing::from([(name.as_bytes().to_vec(), Thing::Fifo)]);
        let same = |one: &str, other: &str| differences(&listing(one), &listing(other)).is_empty();
        assert!(same(".tmp/a.tmp.??????", ".tmp/a.tmp.x1Y2z3"));
        assert!(!same(".tmp/a.tmp.??????", ".tmp/a.tmp.x1Y2z"));
        assert!(!same(".tmp/a.tmp.??????", ".tmp/a.tmp.x1Y2z-"));
    }
}
