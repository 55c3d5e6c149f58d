//! The kinds of things that can be wrong, by queue.

use std::ffi::OsString;
use std::fmt;

use super::super::Queue;
use super::limits::queue_of;
use crate::monitor::problem::{FileWithMtime, Mend, Severity};
use crate::name::QueueName;

/// A directory of a spool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dir<Q> {
    /// `.registry`
    Registry,
    /// `.tmp`
    Tmp,
    /// `.data`
    Data,
    /// A queue's own directory.
    Queue(Q),
    /// A queue's `.checkout`.
    QueueCheckout(Q),
    /// The directory of a queue that the spool has on disk and that is none of `Q`.
    OtherQueue(QueueName),
    /// The `.checkout` of such a queue.
    OtherQueueCheckout(QueueName),
}

impl<Q: Queue> Dir<Q> {
    fn of(untyped: crate::Dir) -> Dir<Q> {
        match untyped {
            crate::Dir::Registry => Dir::Registry,
            crate::Dir::Tmp => Dir::Tmp,
            crate::Dir::Data => Dir::Data,
            crate::Dir::Queue(name) => match queue_of(&name) {
                Some(queue) => Dir::Queue(queue),
                None => Dir::OtherQueue(name),
            },
            crate::Dir::QueueCheckout(name) => match queue_of(&name) {
                Some(queue) => Dir::QueueCheckout(queue),
                None => Dir::OtherQueueCheckout(name),
            },
        }
    }

    /// The same directory, by the name of its queue.
    pub fn to_untyped(&self) -> crate::Dir {
        let name = |queue: &Q| QueueName::checked_before(queue.to_dirname());
        match self {
            Dir::Registry => crate::Dir::Registry,
            Dir::Tmp => crate::Dir::Tmp,
            Dir::Data => crate::Dir::Data,
            Dir::Queue(queue) => crate::Dir::Queue(name(queue)),
            Dir::QueueCheckout(queue) => crate::Dir::QueueCheckout(name(queue)),
            Dir::OtherQueue(name) => crate::Dir::Queue(name.clone()),
            Dir::OtherQueueCheckout(name) => crate::Dir::QueueCheckout(name.clone()),
        }
    }

    /// Its path below the spool's root.
    pub fn name_on_disk(&self) -> OsString {
        self.to_untyped().name_on_disk()
    }
}

/// Something that is wrong with a spool; see [`Problem`](crate::Problem).
///
/// The same name with another time is another problem: the file was moved in between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Problem<Q> {
    /// The file has been where it is for longer than its limit.
    TooOld(FileWithMtime, Dir<Q>),
    /// The file's name is not reserved; or, in the registry, the name is in no queue, owned by nobody, and
    /// older than its limit.
    Orphaned(FileWithMtime, Dir<Q>),
    /// The name lies in several places of which it may have one.
    Duplicated(FileWithMtime, Vec<Dir<Q>>),
    /// The entry is checked out and nobody owns it: its owner died, or let go of it.
    DeadOwner(FileWithMtime, Dir<Q>),
    /// The entry has no data.
    DataMissing(FileWithMtime, Dir<Q>),
    /// What lies there is not a readable regular file with one name.
    Damaged(FileWithMtime, Dir<Q>),
    /// Data under a reserved name that is in no queue: whoever enqueued or removed it died on the way.
    HalfMade(FileWithMtime, Dir<Q>),
    /// A name that no entry can have, since it begins with a dot: no operation sees it.
    ImpossibleName(FileWithMtime, Dir<Q>),
    /// The directory itself is missing. The file is the spool's root.
    DirectoryMissing(FileWithMtime, Dir<Q>),
    /// Less room for bytes or for files is left than the limits ask for. The file is the spool's root.
    LowSpace(FileWithMtime),
}

impl<Q: Queue> Problem<Q> {
    pub(super) fn of(untyped: crate::Problem) -> Problem<Q> {
        use crate::Problem as Untyped;
        match untyped {
            Untyped::TooOld(file, dir) => Problem::TooOld(file, Dir::of(dir)),
            Untyped::Orphaned(file, dir) => Problem::Orphaned(file, Dir::of(dir)),
            Untyped::Duplicated(file, dirs) => {
                Problem::Duplicated(file, dirs.into_iter().map(Dir::of).collect())
            }
            Untyped::DeadOwner(file, dir) => Problem::DeadOwner(file, Dir::of(dir)),
            Untyped::DataMissing(file, dir) => Problem::DataMissing(file, Dir::of(dir)),
            Untyped::Damaged(file, dir) => Problem::Damaged(file, Dir::of(dir)),
            Untyped::HalfMade(file, dir) => Problem::HalfMade(file, Dir::of(dir)),
            Untyped::ImpossibleName(file, dir) => Problem::ImpossibleName(file, Dir::of(dir)),
            Untyped::DirectoryMissing(file, dir) => Problem::DirectoryMissing(file, Dir::of(dir)),
            Untyped::LowSpace(file) => Problem::LowSpace(file),
        }
    }

    /// The same problem, by the names of the queues.
    pub fn to_untyped(&self) -> crate::Problem {
        use crate::Problem as Untyped;
        match self.clone() {
            Problem::TooOld(file, dir) => Untyped::TooOld(file, dir.to_untyped()),
            Problem::Orphaned(file, dir) => Untyped::Orphaned(file, dir.to_untyped()),
            Problem::Duplicated(file, dirs) => {
                Untyped::Duplicated(file, dirs.iter().map(Dir::to_untyped).collect())
            }
            Problem::DeadOwner(file, dir) => Untyped::DeadOwner(file, dir.to_untyped()),
            Problem::DataMissing(file, dir) => Untyped::DataMissing(file, dir.to_untyped()),
            Problem::Damaged(file, dir) => Untyped::Damaged(file, dir.to_untyped()),
            Problem::HalfMade(file, dir) => Untyped::HalfMade(file, dir.to_untyped()),
            Problem::ImpossibleName(file, dir) => Untyped::ImpossibleName(file, dir.to_untyped()),
            Problem::DirectoryMissing(file, dir) => {
                Untyped::DirectoryMissing(file, dir.to_untyped())
            }
            Problem::LowSpace(file) => Untyped::LowSpace(file),
        }
    }

    /// The kind's name; see [`Problem::kind`](crate::Problem::kind).
    pub fn kind(&self) -> &'static str {
        self.to_untyped().kind()
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.to_untyped().severity()
    }

    /// What mends it.
    pub fn mend(&self) -> Mend {
        self.to_untyped().mend()
    }
}

impl<Q: Queue> fmt::Display for Problem<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_untyped(), f)
    }
}
