//! A yard: a spool that several users of a group share, and beside it what is none of its workers' business.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use multispool::{Durability, EnqueueOptions, Spool, SpoolOptions};
use tempfile::TempDir;

/// What no worker may ever get hold of.
pub const SECRET: &[u8] = b"a secret from outside";

/// The workers' user and group, where root runs this.
pub const WORKER: u32 = 65534;

pub fn am_root() -> bool {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// As the group's members open it: files for all of them, and no waiting for a disk.
pub fn options() -> SpoolOptions {
    Spool::options()
        .durability(Durability::None)
        .file_mode(0o660)
        .dir_mode(0o2770)
}

pub struct Yard {
    dir: TempDir,
    victims: Cell<u32>,
    sealed: Vec<Sealed>,
    /// A planter gives what is outside ever new names.
    pub links_grow: bool,
}

/// Something outside, as it was before the workers came.
struct Sealed {
    path: PathBuf,
    mode: u32,
    size: u64,
    links: u64,
    contents: Option<Vec<u8>>,
}

impl Yard {
    /// With a new spool of these queues.
    pub fn new(queues: &[&str]) -> Yard {
        let dir = match std::env::var_os("HOSTILE_DIR") {
            Some(parent) => tempfile::tempdir_in(parent),
            None => tempfile::tempdir(),
        }
        .unwrap();
        open_to_all(dir.path());
        let yard = Yard {
            victims: Cell::new(0),
            sealed: Vec::new(),
            links_grow: false,
            dir,
        };
        for name in ["outside", "tmp", "staging"] {
            fs::create_dir(yard.path(name)).unwrap();
            open_to_all(&yard.path(name));
        }
        options().create(yard.spool_dir(), queues).unwrap();
        yard.share();
        yard
    }

    pub fn path(&self, inner: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(inner)
    }

    pub fn spool_dir(&self) -> PathBuf {
        self.path("spool")
    }

    pub fn inside(&self, inner: impl AsRef<Path>) -> PathBuf {
        self.spool_dir().join(inner)
    }

    pub fn open(&self) -> Spool {
        let queues = Spool::discover(self.spool_dir()).unwrap();
        options().load(self.spool_dir(), queues).unwrap()
    }

    /// An entry in queue `in`: metadata `about NAME`, data `data of NAME`.
    pub fn enqueue(&self, spool: &Spool, name: &OsStr) {
        // A name may be longer than those that are made: then it is given afterwards.
        let short = &name.as_bytes()[..name.len().min(multispool::MAX_NAME_BYTES)];
        let short = OsStr::from_bytes(short);
        let reserved = spool.reserve_name(short).unwrap();
        let (about, data) = contents_of(name);
        let options = EnqueueOptions::new().name(&reserved);
        spool.enqueue_with("in", about, &data, &options).unwrap();
        if short != name {
            for place in [".registry", ".data", "in"] {
                let place = self.inside(place);
                fs::rename(place.join(short), place.join(name)).unwrap();
            }
        }
    }

    /// Gives all of the spool to the group, as if its other members had made it.
    pub fn share(&self) {
        if am_root() {
            give(&self.spool_dir());
        }
    }

    /// A new file outside, which whoever gets there could read and change.
    pub fn victim(&self) -> PathBuf {
        let number = self.victims.replace(self.victims.get() + 1);
        let path = self.path(format!("outside/{number}"));
        fs::write(&path, SECRET).unwrap();
        open_to_all(&path);
        path
    }

    /// A new directory outside, with a file in it.
    pub fn outer_directory(&self) -> PathBuf {
        let number = self.victims.replace(self.victims.get() + 1);
        let path = self.path(format!("outside/{number}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inner"), SECRET).unwrap();
        for path in [&path, &path.join("inner")] {
            open_to_all(path);
        }
        path
    }

    pub fn open_to_all(&self, path: &Path) {
        open_to_all(path);
    }

    /// Notes how all is outside, with times long gone: even a file that was only read shows it then.
    pub fn seal(&mut self) {
        let mut paths = vec![self.path("outside")];
        collect(&self.path("outside"), &mut paths);
        self.sealed = paths
            .into_iter()
            .map(|path| {
                let status = fs::symlink_metadata(&path).unwrap();
                Sealed {
                    contents: status.is_file().then(|| contents(&path)).flatten(),
                    mode: status.mode(),
                    size: status.size(),
                    links: status.nlink(),
                    path,
                }
            })
            .collect();
        for sealed in &self.sealed {
            if let Ok(file) = File::open(&sealed.path) {
                let times = fs::FileTimes::new()
                    .set_accessed(at(READ))
                    .set_modified(at(WRITTEN));
                file.set_times(times).unwrap();
            }
        }
    }

    /// What is not outside any more as it was.
    pub fn changes(&self) -> Vec<String> {
        let mut changes = Vec::new();
        for sealed in &self.sealed {
            let path = &sealed.path;
            let Ok(now) = fs::symlink_metadata(path) else {
                changes.push(format!("{} is gone", path.display()));
                continue;
            };
            let mut must = |is_so: bool, what: &str| {
                if !is_so {
                    changes.push(format!("{} {what}", path.display()));
                }
            };
            must(now.mode() == sealed.mode, "has another mode");
            // A name inside the spool may be removed, and of a directory outside nothing is.
            let links = match now.is_file() {
                true if self.links_grow => 1..=u64::MAX,
                true => 1..=sealed.links,
                false => sealed.links..=sealed.links,
            };
            must(links.contains(&now.nlink()), "has other links");
            must(now.accessed().unwrap() == at(READ), "was read");
            must(
                now.modified().unwrap() == at(WRITTEN),
                "was written or touched",
            );
            if now.is_file() {
                let same = now.size() == sealed.size && contents(path) == sealed.contents;
                must(same, "has other contents");
            }
        }
        let mut paths = vec![self.path("outside")];
        collect(&self.path("outside"), &mut paths);
        for path in paths {
            if !self.sealed.iter().any(|sealed| sealed.path == path) {
                changes.push(format!("{} is new", path.display()));
            }
        }
        changes
    }
}

/// When all outside was last read and written, in seconds since 1970. A read after both shows even where a
/// file system keeps the time of a read only if it is older than the time of the last write.
const READ: u64 = 900_000_000;
const WRITTEN: u64 = 1_000_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub fn contents_of(name: &OsStr) -> (Vec<u8>, Vec<u8>) {
    let with = |words: &[u8]| [words, name.as_bytes()].concat();
    (with(b"about "), with(b"data of "))
}

/// What is in a file, which does not count as reading it.
fn contents(path: &Path) -> Option<Vec<u8>> {
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NOATIME);
    let mut contents = Vec::new();
    let read = options.open(path).ok()?.read_to_end(&mut contents);
    read.ok().map(|_| contents)
}

fn open_to_all(path: &Path) {
    let mode = if path.is_dir() { 0o777 } else { 0o666 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for found in fs::read_dir(dir).unwrap() {
        let found = found.unwrap();
        paths.push(found.path());
        if found.file_type().unwrap().is_dir() {
            collect(&found.path(), paths);
        }
    }
}

fn give(path: &Path) {
    chown(path, None, Some(WORKER)).unwrap();
    let status = fs::symlink_metadata(path).unwrap();
    if !status.is_dir() {
        return;
    }
    // A change of the group may take the bit away by which the group is handed down.
    fs::set_permissions(path, Permissions::from_mode(0o2770)).unwrap();
    for found in fs::read_dir(path).unwrap() {
        let found = found.unwrap();
        let kind = found.file_type().unwrap();
        if kind.is_dir() || kind.is_file() {
            give(&found.path());
        }
    }
}
