//! The kinds of things that can be wrong.

use std::ffi::OsString;
use std::fmt;
use std::time::SystemTime;

use crate::layout::{CHECKOUT, DATA, REGISTRY, TMP};
use crate::name::QueueName;

/// A directory of a spool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dir {
    /// `.registry`
    Registry,
    /// `.tmp`
    Tmp,
    /// `.data`
    Data,
    /// A queue's own directory.
    Queue(QueueName),
    /// A queue's `.checkout`.
    QueueCheckout(QueueName),
}

impl Dir {
    /// Its path below the spool's root.
    pub fn name_on_disk(&self) -> OsString {
        match self {
            Dir::Registry => REGISTRY.into(),
            Dir::Tmp => TMP.into(),
            Dir::Data => DATA.into(),
            Dir::Queue(queue) => queue.as_os_str().to_owned(),
            Dir::QueueCheckout(queue) => {
                let mut name = queue.as_os_str().to_owned();
                name.push("/");
                name.push(CHECKOUT);
                name
            }
        }
    }
}

/// A file, and when it was touched last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileWithMtime {
    /// Its name in its directory.
    pub filename: OsString,
    /// Its time of last modification.
    pub mtime: SystemTime,
}

/// Something that is wrong with a spool.
///
/// The same name with another time is another problem: the file was moved in between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// The file has been where it is for longer than its limit.
    TooOld(FileWithMtime, Dir),
    /// The file's name is not reserved; or, in the registry, the name is in no queue, owned by nobody, and
    /// older than its limit.
    Orphaned(FileWithMtime, Dir),
    /// The name lies in several places of which it may have one.
    Duplicated(FileWithMtime, Vec<Dir>),
    /// The entry is checked out and nobody owns it: its owner died, or let go of it.
    DeadOwner(FileWithMtime, Dir),
    /// The entry has no data.
    DataMissing(FileWithMtime, Dir),
    /// What lies there is not a readable regular file with one name.
    Damaged(FileWithMtime, Dir),
    /// Data under a reserved name that is in no queue: whoever enqueued or removed it died on the way.
    HalfMade(FileWithMtime, Dir),
    /// A name that no entry can have, since it begins with a dot: no operation sees it.
    ImpossibleName(FileWithMtime, Dir),
    /// The directory itself is missing. The file is the spool's root.
    DirectoryMissing(FileWithMtime, Dir),
    /// Less room for bytes or for files is left than the limits ask for. The file is the spool's root.
    LowSpace(FileWithMtime),
}

impl Problem {
    /// The names of all kinds.
    pub const KINDS: [&'static str; 10] = [
        "too_old",
        "orphaned",
        "duplicated",
        "dead_owner",
        "data_missing",
        "damaged",
        "half_made",
        "impossible_name",
        "directory_missing",
        "low_space",
    ];

    /// The kind's name: `too_old`, `orphaned`, `duplicated`, `dead_owner`, `data_missing`, `damaged`,
    /// `half_made`, `impossible_name`, `directory_missing`, `low_space`.
    pub fn kind(&self) -> &'static str {
        match self {
            Problem::TooOld(..) => "too_old",
            Problem::Orphaned(..) => "orphaned",
            Problem::Duplicated(..) => "duplicated",
            Problem::DeadOwner(..) => "dead_owner",
            Problem::DataMissing(..) => "data_missing",
            Problem::Damaged(..) => "damaged",
            Problem::HalfMade(..) => "half_made",
            Problem::ImpossibleName(..) => "impossible_name",
            Problem::DirectoryMissing(..) => "directory_missing",
            Problem::LowSpace(..) => "low_space",
        }
    }

    /// The file that the problem is about.
    pub fn file(&self) -> &FileWithMtime {
        match self {
            Problem::TooOld(file, _)
            | Problem::Orphaned(file, _)
            | Problem::Duplicated(file, _)
            | Problem::DeadOwner(file, _)
            | Problem::DataMissing(file, _)
            | Problem::Damaged(file, _)
            | Problem::HalfMade(file, _)
            | Problem::ImpossibleName(file, _)
            | Problem::DirectoryMissing(file, _)
            | Problem::LowSpace(file) => file,
        }
    }

    /// Where it lies; nowhere for what concerns the whole spool.
    pub fn places(&self) -> &[Dir] {
        match self {
            Problem::Duplicated(_, dirs) => dirs,
            Problem::LowSpace(_) => &[],
            Problem::TooOld(_, dir)
            | Problem::Orphaned(_, dir)
            | Problem::DeadOwner(_, dir)
            | Problem::DataMissing(_, dir)
            | Problem::Damaged(_, dir)
            | Problem::HalfMade(_, dir)
            | Problem::ImpossibleName(_, dir)
            | Problem::DirectoryMissing(_, dir) => std::slice::from_ref(dir),
        }
    }
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Takes room, and nothing else.
    Garbage,
    /// Entries do not get on, or soon will not.
    Stuck,
    /// An entry, or the spool, is damaged.
    Damage,
}

impl Severity {
    /// In a word: `garbage`, `stuck`, `damage`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Garbage => "garbage",
            Severity::Stuck => "stuck",
            Severity::Damage => "damage",
        }
    }
}

/// What mends a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mend {
    /// [`Spool::repair`](crate::Spool::repair).
    Repair,
    /// [`Spool::recover`](crate::Spool::recover).
    Recover,
    /// More or faster workers, or a look at the one that has the entry.
    Workers,
    /// A person's look at the files.
    Inspect,
    /// More room on the file system.
    MakeRoom,
}

impl Mend {
    /// In a word: `repair`, `recover`, `workers`, `inspect`, `make_room`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mend::Repair => "repair",
            Mend::Recover => "recover",
            Mend::Workers => "workers",
            Mend::Inspect => "inspect",
            Mend::MakeRoom => "make_room",
        }
    }
}

impl Problem {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Problem::TooOld(_, Dir::Queue(_) | Dir::QueueCheckout(_)) | Problem::DeadOwner(..) => {
                Severity::Stuck
            }
            Problem::Orphaned(_, Dir::Queue(_) | Dir::QueueCheckout(_)) => Severity::Stuck,
            Problem::LowSpace(..) => Severity::Stuck,
            Problem::TooOld(..)
            | Problem::Orphaned(..)
            | Problem::HalfMade(..)
            | Problem::ImpossibleName(..) => Severity::Garbage,
            Problem::Duplicated(..)
            | Problem::DataMissing(..)
            | Problem::Damaged(..)
            | Problem::DirectoryMissing(..) => Severity::Damage,
        }
    }

    /// What mends it.
    pub fn mend(&self) -> Mend {
        match self {
            Problem::TooOld(_, Dir::Queue(_) | Dir::QueueCheckout(_)) => Mend::Workers,
            Problem::TooOld(..) | Problem::Orphaned(..) | Problem::HalfMade(..) => Mend::Repair,
            Problem::DeadOwner(..) => Mend::Recover,
            Problem::LowSpace(..) => Mend::MakeRoom,
            Problem::Duplicated(..)
            | Problem::DataMissing(..)
            | Problem::Damaged(..)
            | Problem::ImpossibleName(..)
            | Problem::DirectoryMissing(..) => Mend::Inspect,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file().filename.display();
        match self {
            Problem::DirectoryMissing(_, dir) => {
                return write!(
                    f,
                    "{}: the directory is missing",
                    dir.name_on_disk().display()
                );
            }
            Problem::LowSpace(_) => return f.write_str("little room is left on the file system"),
            _ => {}
        }
        for (number, dir) in self.places().iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(f, "{separator}{}/{name}", dir.name_on_disk().display())?;
        }
        f.write_str(match self {
            Problem::TooOld(_, Dir::Tmp) => ": a temporary file that nobody writes any more",
            Problem::TooOld(_, Dir::QueueCheckout(_)) => ": checked out for too long",
            Problem::TooOld(..) => ": waiting for too long",
            Problem::Orphaned(_, Dir::Registry) => ": reserved, and in no queue",
            Problem::Orphaned(..) => ": its name is not reserved",
            Problem::Duplicated(..) => ": the name is in several places",
            Problem::DeadOwner(..) => ": checked out, and its owner is dead",
            Problem::DataMissing(..) => ": the entry has no data",
            Problem::Damaged(..) => ": not a readable regular file of one name",
            Problem::HalfMade(..) => ": half of an entry, whose maker or remover died",
            Problem::ImpossibleName(..) => ": no entry's name begins with a dot",
            Problem::DirectoryMissing(..) | Problem::LowSpace(..) => "",
        })
    }
}
