//! The steps that the judge does by hand: what other processes do, damage, and the passage of time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;

use crate::case::{Step, Variables, bytes};
use crate::disk::{Listing, Thing, path};

/// The locks that the judge holds, as another process that owns entries would.
#[derive(Default)]
pub struct Hand {
    held: Vec<(Vec<u8>, File)>,
}

impl Hand {
    /// Does the step, and notes in the listing what it changes.
    ///
    /// # Errors
    /// It cannot be done, which is a mistake in the case.
    pub fn act(
        &mut self,
        step: &Step,
        work: &Path,
        variables: &Variables,
        listing: &mut Listing,
    ) -> Result<()> {
        let argument = |key: &str| {
            let value = step
                .arguments
                .get(key)
                .with_context(|| format!("no '{key}'"))?;
            bytes(value, variables)
        };
        let at = |key: &str| argument(key).map(|key| path(work, &key));
        match step.verb.as_str() {
            "file" => {
                let contents = argument("contents")?;
                fs::write(at("path")?, &contents)?;
                listing.insert(argument("path")?, Thing::File(contents));
            }
            "directory" => {
                fs::create_dir(at("path")?)?;
                listing.insert(
                    [argument("path")?, b"/".to_vec()].concat(),
                    Thing::Directory,
                );
            }
            "symlink" => {
                let to = argument("to")?;
                symlink(std::ffi::OsStr::from_bytes(&to), at("path")?)?;
                listing.insert(argument("path")?, Thing::Link(to));
            }
            "hardlink" => {
                fs::hard_link(at("to")?, at("path")?)?;
                let same = listing.get(&argument("to")?).context("a link to nothing")?;
                listing.insert(argument("path")?, same.clone());
            }
            "fifo" => {
                mkfifo(&at("path")?, Mode::from_bits_truncate(0o600))?;
                listing.insert(argument("path")?, Thing::Fifo);
            }
            "erase" => erase(&at("path")?, &argument("path")?, listing)?,
            "rename" => rename(
                &at("path")?,
                &at("to")?,
                &argument("path")?,
                &argument("to")?,
                listing,
            )?,
            "mode" => {
                let mode = u32::from_str_radix(step.text("mode").context("no mode")?, 8)?;
                fs::set_permissions(at("path")?, Permissions::from_mode(mode))?;
            }
            "age" => {
                let seconds = step.arguments.get("seconds").and_then(Value::as_u64);
                let age = Duration::from_secs(seconds.context("no seconds")?);
                for written in paths(step.arguments.get("path").context("no path")?) {
                    let old = path(work, &bytes(written, variables)?);
                    File::open(&old)
                        .and_then(|file| file.set_modified(SystemTime::now() - age))
                        .with_context(|| old.display().to_string())?;
                }
            }
            "hold" => {
                let name = argument("name")?;
                let file = path(work, &[b".registry/", name.as_slice()].concat());
                let file = OpenOptions::new().read(true).write(true).open(file)?;
                lock(&file)?;
                self.held.push((name, file));
            }
            "let_go" => {
                let name = argument("name")?;
                let before = self.held.len();
                // Closing it lets go of the lock, as the death of its owner does.
                self.held.retain(|(held, _)| *held != name);
                if self.held.len() == before {
                    bail!("it is not held");
                }
            }
            other => bail!("'{other}' is no step of the judge's"),
        }
        Ok(())
    }
}

/// One value, or each of several.
fn paths(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    }
}

/// As docs/format.md says: an open file description lock, for writing, on the whole file.
fn lock(file: &File) -> Result<()> {
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole)).context("somebody else has the lock")?;
    Ok(())
}

fn erase(path: &Path, key: &[u8], listing: &mut Listing) -> Result<()> {
    let below = [key, b"/"].concat();
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)?;
        listing.retain(|other, _| !other.starts_with(&below));
    } else {
        fs::remove_file(path)?;
        listing.remove(key).context("it was not expected there")?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path, key: &[u8], new: &[u8], listing: &mut Listing) -> Result<()> {
    let is_dir = fs::symlink_metadata(from)?.is_dir();
    fs::rename(from, to)?;
    let prefix = if is_dir {
        [key, b"/"].concat()
    } else {
        key.to_vec()
    };
    let moved: Vec<_> = listing
        .keys()
        .filter(|other| *other == key || (is_dir && other.starts_with(&prefix)))
        .cloned()
        .collect();
    for old in moved {
        let thing = listing.remove(&old).context("it was there")?;
        listing.insert([new, &old[key.len()..]].concat(), thing);
    }
    Ok(())
}
