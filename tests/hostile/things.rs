//! What may lie in the place of a file of the spool: each thing is planted by a user who may write there.

use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::yard::{Yard, am_root};

/// What the planter keeps open.
pub type Held = Option<Box<dyn Any>>;

pub struct Thing {
    pub name: &'static str,
    /// Planted by root alone.
    pub needs_root: bool,
    /// What a worker makes of an entry that has it in the place of its metadata, data or registry file.
    pub as_metadata: Verdict,
    pub as_data: Verdict,
    pub as_registry: Verdict,
    /// Though no worker can have it as metadata: whether it can be read, and whether it can be moved.
    pub can_be_read: bool,
    pub can_be_moved: bool,
    /// Though a worker takes it as data: whether it can be opened.
    pub can_be_opened: bool,
    /// Whether it is something for the place of metadata alone.
    pub is_for_metadata: bool,
    /// Whether fsck must name it where it is metadata, data, or a registry file.
    pub is_named: [bool; 3],
    pub plant: fn(&Yard, &Path) -> Held,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken like any other.
    Taken,
    /// It stays where it is, and is reported by the path of what is wrong.
    Bad,
    /// It stays where it is without a word: somebody seems to be at work on it.
    Busy,
}
use Verdict::{Bad, Busy, Taken};

const EVERYWHERE: [bool; 3] = [true; 3];
const NOWHERE: [bool; 3] = [false; 3];

/// A thing that is no regular file of one name.
const fn odd(name: &'static str, plant: fn(&Yard, &Path) -> Held) -> Thing {
    Thing {
        name,
        needs_root: false,
        as_metadata: Bad,
        as_data: Bad,
        as_registry: Bad,
        can_be_read: false,
        can_be_moved: false,
        can_be_opened: true,
        is_for_metadata: false,
        is_named: EVERYWHERE,
        plant,
    }
}

pub const TERABYTE: u64 = 1 << 40;

#[rustfmt::skip]
pub const THINGS: &[Thing] = &[
    odd("a-link-to-a-file", |yard, at| link(yard.victim(), at)),
    odd("a-link-to-a-directory", |yard, at| link(yard.outer_directory(), at)),
    odd("a-link-to-nothing", |yard, at| link(yard.path("outside/nothing"), at)),
    odd("a-link-to-itself", |_, at| link(at.file_name().unwrap(), at)),
    odd("a-link-to-zeros-without-end", |_, at| link("/dev/zero", at)),
    odd("a-link-to-another-entry", |_, at| link(at.with_file_name("000-good"), at)),
    odd("a-second-name-of-a-file", |yard, at| done(fs::hard_link(yard.victim(), at))),
    odd("a-second-name-of-another-entry", |yard, at| {
        let other = yard.path("staging/other");
        fs::write(&other, "of another entry").unwrap();
        done(fs::hard_link(other, at))
    }),
    odd("a-fifo", |_, at| done(fifo(at))),
    odd("a-fifo-with-a-silent-writer", |_, at| {
        fifo(at).unwrap();
        Some(Box::new(OpenOptions::new().read(true).write(true).open(at).unwrap()))
    }),
    odd("a-socket", |_, at| Some(Box::new(UnixListener::bind(at).unwrap()))),
    odd("a-directory", |_, at| done(fs::create_dir(at))),
    odd("a-full-directory", |_, at| {
        fs::create_dir(at).unwrap();
        done(fs::write(at.join("inner"), "not an entry"))
    }),
    Thing {
        as_data: Taken,
        as_registry: Taken,
        can_be_moved: true,
        is_named: NOWHERE,
        ..odd("a-sparse-terabyte", |_, at| done(File::create(at).and_then(|file| file.set_len(TERABYTE))))
    },
    // There is memory for it, but not for one in each of many workers.
    Thing {
        can_be_moved: true,
        is_for_metadata: true,
        is_named: NOWHERE,
        ..odd("a-little-too-much", |_, at| done(File::create(at).and_then(|file| file.set_len(64 * 1024 * 1024 + 1))))
    },
    Thing {
        as_data: Taken,
        can_be_opened: false,
        is_named: [true, false, false],
        ..odd("a-file-for-nobody", |_, at| {
            fs::write(at, "for nobody").unwrap();
            done(fs::set_permissions(at, fs::Permissions::from_mode(0o000)))
        })
    },
    Thing {
        as_data: Taken,
        as_registry: Busy,
        can_be_opened: false,
        is_named: NOWHERE,
        ..odd("a-file-with-a-lease", |_, at| lease(at))
    },
    Thing {
        as_metadata: Taken,
        as_data: Taken,
        as_registry: Taken,
        is_named: NOWHERE,
        ..odd("a-file-from-before-1970", |_, at| done(dated(at, -4_000_000_000)))
    },
    Thing {
        as_metadata: Taken,
        as_data: Taken,
        as_registry: Taken,
        is_named: NOWHERE,
        ..odd("a-file-from-far-away", |_, at| done(dated(at, 300_000_000_000)))
    },
    Thing {
        needs_root: true,
        ..odd("a-character-device", |_, at| done(device(at, libc::S_IFCHR, 1, 5)))
    },
    Thing {
        needs_root: true,
        ..odd("a-block-device", |_, at| done(device(at, libc::S_IFBLK, 7, 255)))
    },
    // Of another user, who lets the group only read it: its times cannot be set, and it cannot be locked.
    Thing {
        needs_root: true,
        as_data: Taken,
        can_be_read: true,
        is_named: NOWHERE,
        ..odd("a-file-to-be-read-only", |_, at| {
            fs::write(at, "to be read only").unwrap();
            done(fs::set_permissions(at, fs::Permissions::from_mode(0o644)))
        })
    },
];

/// Those that can be planted here.
pub fn things() -> impl Iterator<Item = &'static Thing> {
    let root = am_root();
    THINGS.iter().filter(move |thing| root || !thing.needs_root)
}

fn done(planted: io::Result<()>) -> Held {
    planted.unwrap();
    None
}

pub fn link(target: impl AsRef<Path>, at: &Path) -> Held {
    done(symlink(target, at))
}

fn c_path(path: &Path) -> std::ffi::CString {
    std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap()
}

fn answered(answer: libc::c_int) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub fn fifo(at: &Path) -> io::Result<()> {
    // SAFETY: the path is valid for the call.
    answered(unsafe { libc::mkfifo(c_path(at).as_ptr(), 0o666) })
}

fn device(at: &Path, kind: libc::mode_t, major: u32, minor: u32) -> io::Result<()> {
    // SAFETY: the path is valid for the call.
    answered(unsafe {
        libc::mknod(
            c_path(at).as_ptr(),
            kind | 0o666,
            libc::makedev(major, minor),
        )
    })?;
    fs::set_permissions(at, fs::Permissions::from_mode(0o666))
}

/// A file whose owner must be asked before anybody else may open it, and does not answer.
fn lease(at: &Path) -> Held {
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o660)
        .open(at)
        .unwrap();
    // SAFETY: the descriptor is open. The signal that asks is ignored: its default is death.
    unsafe {
        libc::signal(libc::SIGIO, libc::SIG_IGN);
        answered(libc::fcntl(
            file.as_raw_fd(),
            libc::F_SETLEASE,
            libc::F_WRLCK,
        ))
        .unwrap();
    }
    Some(Box::new(file))
}

/// A file with a time that its owner chose.
fn dated(at: &Path, seconds: i64) -> io::Result<()> {
    fs::write(at, "of another time")?;
    fs::set_permissions(at, fs::Permissions::from_mode(0o660))?;
    let time = libc::timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    // SAFETY: path and times are valid for the call.
    answered(unsafe { libc::utimensat(libc::AT_FDCWD, c_path(at).as_ptr(), [time; 2].as_ptr(), 0) })
}
