//! The system calls that touch files or make descriptors: where each has its paths, and how it may fail.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::{EACCES, EAGAIN, EDQUOT, EINTR, EIO, EMFILE, ENOLCK, ENOSPC, EROFS};

/// How a call is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and answers this error.
    Errno(i32),
    /// It reads or writes only the first part of what it was told to.
    Short,
}

impl Fault {
    /// Whether the operation must go on as if nothing had been.
    pub fn is_to_be_retried(self) -> bool {
        matches!(self, Fault::Errno(EINTR) | Fault::Short)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Errno(errno) => f.write_str(errno_name(*errno)),
            Fault::Short => f.write_str("short"),
        }
    }
}

pub fn errno_name(errno: i32) -> &'static str {
    match errno {
        EACCES => "EACCES",
        EAGAIN => "EAGAIN",
        EDQUOT => "EDQUOT",
        EINTR => "EINTR",
        EIO => "EIO",
        EMFILE => "EMFILE",
        ENOLCK => "ENOLCK",
        ENOSPC => "ENOSPC",
        EROFS => "EROFS",
        libc::EFBIG => "EFBIG",
        _ => "another error",
    }
}

/// What a call does, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Open,
    Create,
    Look,
    Read,
    Write,
    Sync,
    Move,
    Remove,
    Change,
    Lock,
    Unlock,
    Descriptor,
    Watch,
    Wait,
    Thread,
    Close,
    Random,
}

/// A system call that an operation made.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: &'static str,
    pub sort: Sort,
    /// The files that it is about, absolute.
    pub paths: Vec<PathBuf>,
    faults: &'static [i32],
    /// The argument that counts bytes, where fewer may be read or written.
    pub count: Option<usize>,
}

impl Call {
    /// The ways in which it may fail.
    pub fn faults(&self) -> Vec<Fault> {
        let errnos = self.faults.iter().map(|errno| Fault::Errno(*errno));
        errnos.chain(self.count.map(|_| Fault::Short)).collect()
    }

    /// Whether it fails so whenever it is made while the cause lasts: a full disk keeps nobody from removing.
    pub fn fails_for_as_long_as(&self, fault: Fault) -> bool {
        let takes_room = matches!(self.sort, Sort::Create | Sort::Write);
        let is_room = matches!(fault, Fault::Errno(ENOSPC | EDQUOT));
        self.faults().contains(&fault) && (takes_room || !is_room)
    }

    /// It does its work whatever it answers: only its answer is changed.
    pub fn acts_though_it_fails(&self) -> bool {
        self.sort == Sort::Close
    }

    pub fn concerns(&self, path: &Path) -> bool {
        self.paths.iter().any(|own| own == path)
    }

    /// Whether an error of this call's with this number is told of the right path.
    pub fn is_told_of(&self, path: &Path, errno: i32) -> bool {
        // A file's room is missing where it is written.
        let room = [ENOSPC, EDQUOT, libc::EFBIG].contains(&errno);
        match &self.paths[..] {
            [.., target] if self.sort == Sort::Write && room => target == path,
            _ if self.sort == Sort::Descriptor => true,
            // It has none, or is not about a file: what it was for has one.
            paths if !paths.iter().all(|own| own.is_absolute()) || paths.is_empty() => true,
            _ => self.concerns(path) || self.concerns(&path.join(".checkout")),
        }
    }

    /// In words that are the same in every run.
    pub fn told(&self, root: &Path) -> String {
        let paths = self.paths.iter().map(|path| relative(root, path));
        let paths: Vec<String> = paths.collect();
        format!("{} {}", self.name, paths.join(" -> "))
            .trim_end()
            .to_owned()
    }
}

/// A path below `root`, with what is random in it left out.
pub fn relative(root: &Path, path: &Path) -> String {
    below(root, path, |part| match part.split_once(".tmp.") {
        Some((name, _)) => format!("{name}.tmp.R"),
        None => part,
    })
}

/// A path below `root`, with the one name left out that is another in each run.
pub fn below(root: &Path, path: &Path, shorten: impl Fn(String) -> String) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts = path.components().map(|part| {
        let part = part.as_os_str().as_bytes().escape_ascii().to_string();
        match part.as_bytes() {
            // The time, random letters, and a counter: of one length.
            [b'2', b'0', rest @ ..] if rest.len() >= BY_TIME - 2 => {
                shorten(format!("BY-TIME{}", &part[BY_TIME..]))
            }
            _ => shorten(part),
        }
    });
    let parts: Vec<String> = parts.collect();
    parts.join("/").replacen("//", "/", 1)
}

/// The length of a name by time.
const BY_TIME: usize = "20261124T032241.123456Z-k3j9x0a2b4c6d8ef-00000001".len();

/// Reads what a call's arguments point to.
pub trait Memory {
    fn string(&self, address: u64) -> Vec<u8>;
    fn short(&self, address: u64) -> i16;
    /// What a descriptor is open on.
    fn descriptor(&self, number: u64) -> PathBuf;
    fn current_directory(&self) -> PathBuf;
}

enum Paths {
    None,
    /// The argument is a descriptor.
    Of(usize),
    /// A path, and the descriptor that it begins at.
    At(usize, usize),
    /// Two descriptors.
    Both(usize, usize),
    /// Two paths, each with its descriptor.
    FromTo,
    /// The path in this argument, from the current directory.
    Path(usize),
}

const LOOKING: &[i32] = &[EIO, EACCES, EINTR];
const CHANGING: &[i32] = &[EIO, EACCES, EROFS, EINTR, ENOSPC, EDQUOT];
const OPENING: &[i32] = &[EIO, EACCES, EMFILE, EINTR];
const OPENING_TO_WRITE: &[i32] = &[EIO, EACCES, EMFILE, EINTR, EROFS];
const CREATING: &[i32] = &[EIO, EACCES, EMFILE, EINTR, EROFS, ENOSPC, EDQUOT];
const WRITING: &[i32] = &[EIO, ENOSPC, EDQUOT, EINTR];
const SYNCING: &[i32] = &[EIO, ENOSPC, EDQUOT, EROFS, EINTR];

/// What a call is; `None` for one that touches no file, and an error for one that is not known here.
pub fn known(
    number: i64,
    arguments: &[u64; 6],
    memory: &dyn Memory,
) -> Result<Option<Call>, String> {
    use Paths::{At, Both, FromTo, Of, Path};
    use Sort::*;
    let (name, sort, paths, faults, count) = match number {
        libc::SYS_openat => {
            let flags = arguments[2] as i32;
            let (name, sort, faults) = match flags & (libc::O_CREAT | libc::O_ACCMODE) {
                made if made & libc::O_CREAT != 0 => ("openat to create", Create, CREATING),
                libc::O_RDONLY => ("openat", Open, OPENING),
                _ => ("openat to write", Open, OPENING_TO_WRITE),
            };
            (name, sort, At(0, 1), faults, None)
        }
        libc::SYS_mkdirat => ("mkdirat", Create, At(0, 1), CHANGING, None),
        libc::SYS_mkdir => ("mkdir", Create, Path(0), CHANGING, None),
        libc::SYS_linkat => ("linkat", Move, FromTo, CHANGING, None),
        libc::SYS_renameat2 => ("renameat2", Move, FromTo, CHANGING, None),
        libc::SYS_renameat => ("renameat", Move, FromTo, CHANGING, None),
        libc::SYS_unlinkat => ("unlinkat", Remove, At(0, 1), CHANGING, None),
        libc::SYS_utimensat if arguments[1] == 0 => ("utimensat", Change, Of(0), CHANGING, None),
        libc::SYS_utimensat => ("utimensat", Change, At(0, 1), CHANGING, None),
        libc::SYS_fchmod => ("fchmod", Change, Of(0), CHANGING, None),
        libc::SYS_fchown => ("fchown", Change, Of(0), CHANGING, None),
        libc::SYS_newfstatat => ("newfstatat", Look, At(0, 1), LOOKING, None),
        libc::SYS_statx => ("statx", Look, At(0, 1), LOOKING, None),
        libc::SYS_fstat => ("fstat", Look, Of(0), &[EIO, EINTR][..], None),
        libc::SYS_fstatfs => ("fstatfs", Look, Of(0), &[EIO, EINTR][..], None),
        libc::SYS_faccessat => ("faccessat", Look, At(0, 1), LOOKING, None),
        libc::SYS_faccessat2 => ("faccessat2", Look, At(0, 1), LOOKING, None),
        libc::SYS_getdents64 => ("getdents64", Read, Of(0), &[EIO, EINTR][..], None),
        libc::SYS_lseek => ("lseek", Look, Of(0), &[EIO][..], None),
        libc::SYS_read => ("read", Read, Of(0), &[EIO, EINTR][..], Some(2)),
        libc::SYS_write => ("write", Write, Of(0), WRITING, Some(2)),
        libc::SYS_copy_file_range => ("copy_file_range", Write, Both(0, 2), WRITING, Some(4)),
        libc::SYS_sendfile => ("sendfile", Write, Both(1, 0), WRITING, Some(3)),
        libc::SYS_fsync => ("fsync", Sync, Of(0), SYNCING, None),
        libc::SYS_fdatasync => ("fdatasync", Sync, Of(0), SYNCING, None),
        libc::SYS_syncfs => ("syncfs", Sync, Of(0), SYNCING, None),
        libc::SYS_fcntl => match arguments[1] as i32 {
            libc::F_OFD_SETLK if i32::from(memory.short(arguments[2])) == libc::F_UNLCK => {
                ("fcntl unlock", Unlock, Of(0), &[EIO][..], None)
            }
            libc::F_OFD_SETLK => {
                let faults = &[EIO, ENOLCK, EINTR][..];
                ("fcntl lock", Lock, Of(0), faults, None)
            }
            libc::F_OFD_GETLK => ("fcntl is locked", Look, Of(0), &[EIO, EINTR][..], None),
            // The standard library makes sure of its descriptors where it is built to.
            libc::F_GETFD => return Ok(None),
            libc::F_DUPFD_CLOEXEC => ("fcntl dup", Descriptor, Of(0), &[EIO, EMFILE][..], None),
            _ => ("fcntl flags", Look, Of(0), &[EIO][..], None),
        },
        libc::SYS_eventfd2 => (
            "eventfd2",
            Descriptor,
            Paths::None,
            &[EIO, EMFILE][..],
            None,
        ),
        libc::SYS_inotify_init1 => (
            "inotify_init1",
            Watch,
            Paths::None,
            &[EIO, EMFILE][..],
            None,
        ),
        libc::SYS_inotify_add_watch => {
            let faults = &[EIO, EACCES, ENOSPC][..];
            ("inotify_add_watch", Watch, Path(1), faults, None)
        }
        libc::SYS_inotify_rm_watch => ("inotify_rm_watch", Watch, Paths::None, &[EIO][..], None),
        libc::SYS_poll => ("poll", Wait, Paths::None, &[EIO, EINTR][..], None),
        libc::SYS_ppoll => ("ppoll", Wait, Paths::None, &[EIO, EINTR][..], None),
        libc::SYS_clone3 | libc::SYS_clone => ("clone", Thread, Paths::None, &[EAGAIN][..], None),
        // It touches no device: only a signal can come in between.
        libc::SYS_getrandom => ("getrandom", Random, Paths::None, &[EINTR][..], None),
        // Not interrupted: the descriptor would be in doubt.
        libc::SYS_close => ("close", Close, Of(0), &[EIO][..], None),
        libc::SYS_mmap
        | libc::SYS_munmap
        | libc::SYS_mprotect
        | libc::SYS_mremap
        | libc::SYS_madvise
        | libc::SYS_brk
        | libc::SYS_futex
        | libc::SYS_rt_sigprocmask
        | libc::SYS_rt_sigaction
        | libc::SYS_sigaltstack
        | libc::SYS_getpid
        | libc::SYS_gettid
        | libc::SYS_getegid
        | libc::SYS_tgkill
        | libc::SYS_sched_yield
        | libc::SYS_sched_getaffinity
        | libc::SYS_nanosleep
        | libc::SYS_clock_nanosleep
        | libc::SYS_clock_gettime => return Ok(None),
        other => return Err(format!("system call {other} is not known to this test")),
    };
    let from = |descriptor: u64, address: u64| {
        let path = memory.string(address);
        let base = || match descriptor as i32 {
            libc::AT_FDCWD => memory.current_directory(),
            _ => memory.descriptor(descriptor),
        };
        match &path[..] {
            [] | b"." => base(),
            [b'/', ..] => std::ffi::OsStr::from_bytes(&path).into(),
            _ => base().join(std::ffi::OsStr::from_bytes(&path)),
        }
    };
    let paths = match paths {
        Paths::None => Vec::new(),
        Of(number) => vec![memory.descriptor(arguments[number])],
        At(descriptor, path) => vec![from(arguments[descriptor], arguments[path])],
        Both(one, other) => [one, other]
            .map(|number| memory.descriptor(arguments[number]))
            .into(),
        FromTo => [(0, 1), (2, 3)]
            .map(|(descriptor, path)| from(arguments[descriptor], arguments[path]))
            .into(),
        Path(path) => vec![from(libc::AT_FDCWD as u64, arguments[path])],
    };
    let count = count.filter(|count| arguments[*count] > 1);
    Ok(Some(Call {
        name,
        sort,
        paths,
        faults,
        count,
    }))
}
