//! What is in a spool's directory: every file of it, read without the library.
#![allow(unsafe_code, reason = "a lock is asked for by fcntl")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::operation::Bytes;
use crate::verdict::Wrong;

#[derive(Debug, Default)]
pub struct Disk {
    pub registry: BTreeMap<Bytes, Reserved>,
    pub data: BTreeMap<Bytes, Data>,
    pub tmp: BTreeMap<Bytes, Bytes>,
    pub queues: BTreeMap<Bytes, Queue>,
}

#[derive(Debug)]
pub struct Reserved {
    pub inode: u64,
    pub is_locked: bool,
}

#[derive(Debug)]
pub struct Data {
    pub inode: u64,
    pub bytes: Bytes,
}

/// Names and metadata.
#[derive(Debug, Default)]
pub struct Queue {
    pub waiting: BTreeMap<Bytes, Bytes>,
    pub checkout: BTreeMap<Bytes, Bytes>,
}

impl Disk {
    /// Reads all of it; whatever does not belong into a spool is wrong.
    pub fn read(root: &Path) -> Result<Disk, Wrong> {
        let mut disk = Disk::default();
        for (name, is_dir) in names(root)? {
            let path = root.join(name.os());
            match (&name.0[..], is_dir) {
                (b".multispool", true) => must_hold_the_format_alone(&path)?,
                (b".registry", true) => disk.registry = each(&path, reserved)?,
                (b".data", true) => disk.data = each(&path, data)?,
                (b".tmp", true) => disk.tmp = each(&path, |file| Ok(regular(file)?.1))?,
                ([b'.', ..], _) | (_, false) => return Err(stray(&path)),
                (_, true) => drop(disk.queues.insert(name, queue(&path)?)),
            }
        }
        Ok(disk)
    }
}

fn queue(path: &Path) -> Result<Queue, Wrong> {
    let mut queue = Queue::default();
    let mut has_checkout = false;
    for (name, is_dir) in names(path)? {
        let path = path.join(name.os());
        match (&name.0[..], is_dir) {
            (b".checkout", true) => {
                has_checkout = true;
                queue.checkout = each(&path, |file| Ok(regular(file)?.1))?;
            }
            ([b'.', ..], _) | (_, true) => return Err(stray(&path)),
            (_, false) => drop(queue.waiting.insert(name, regular(&path)?.1)),
        }
    }
    match has_checkout {
        true => Ok(queue),
        false => Err(Wrong(format!("{} has no .checkout", path.display()))),
    }
}

fn must_hold_the_format_alone(path: &Path) -> Result<(), Wrong> {
    let files = each(path, |file| Ok(regular(file)?.1))?;
    let names: Vec<&Bytes> = files.keys().collect();
    match names[..] {
        [name] if name.0 == b"format" => Ok(()),
        _ => Err(Wrong(format!("{} holds {names:?}", path.display()))),
    }
}

/// The files in a directory that holds files alone.
fn each<T>(
    path: &Path,
    read: impl Fn(&Path) -> Result<T, Wrong>,
) -> Result<BTreeMap<Bytes, T>, Wrong> {
    let mut files = BTreeMap::new();
    for (name, is_dir) in names(path)? {
        let path = path.join(name.os());
        if is_dir || name.0.starts_with(b".") {
            return Err(stray(&path));
        }
        files.insert(name, read(&path)?);
    }
    Ok(files)
}

fn names(path: &Path) -> Result<Vec<(Bytes, bool)>, Wrong> {
    let read = || -> io::Result<Vec<(Bytes, bool)>> {
        fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                Ok((
                    Bytes::from(&*entry.file_name()),
                    entry.file_type()?.is_dir(),
                ))
            })
            .collect()
    };
    read().map_err(|error| unreadable(path, &error))
}

fn reserved(path: &Path) -> Result<Reserved, Wrong> {
    let look = || -> io::Result<(fs::Metadata, bool)> {
        let file = File::open(path)?;
        Ok((file.metadata()?, is_locked(&file)?))
    };
    let (status, is_locked) = look().map_err(|error| unreadable(path, &error))?;
    match status.is_file() && status.nlink() == 1 && status.len() == 0 {
        true => Ok(Reserved {
            inode: status.ino(),
            is_locked,
        }),
        false => Err(stray(path)),
    }
}

fn data(path: &Path) -> Result<Data, Wrong> {
    let (inode, bytes) = regular(path)?;
    Ok(Data { inode, bytes })
}

/// The inode and the contents of a regular file of one name.
fn regular(path: &Path) -> Result<(u64, Bytes), Wrong> {
    let read = || -> io::Result<(fs::Metadata, Vec<u8>)> {
        let file = File::open(path)?;
        let status = file.metadata()?;
        let size = usize::try_from(status.len()).unwrap_or(0);
        let mut contents = Vec::with_capacity(size + 1);
        file.take(u64::MAX).read_to_end(&mut contents)?;
        Ok((status, contents))
    };
    let (status, contents) = read().map_err(|error| unreadable(path, &error))?;
    match status.is_file() && status.nlink() == 1 {
        true => Ok((status.ino(), Bytes(contents))),
        false => Err(stray(path)),
    }
}

/// Whether any process holds the lock of a registry file.
fn is_locked(file: &File) -> io::Result<bool> {
    // SAFETY: flock is plain data; zero is "from the start, to the end" and the pid that these locks ask for.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    // SAFETY: the descriptor is open and `lock` is valid for the call.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) } {
        0 => Ok(i32::from(lock.l_type) != libc::F_UNLCK),
        _ => Err(io::Error::last_os_error()),
    }
}

fn stray(path: &Path) -> Wrong {
    Wrong(format!("{} does not belong there", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> Wrong {
    Wrong(format!("{} cannot be read: {error}", path.display()))
}
