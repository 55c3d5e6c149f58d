//! What can be done to a spool, as plain data: a sequence that fails can be printed, and made smaller.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use multispool::Durability;

/// Any bytes: a name, metadata or data.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn os(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl From<&OsStr> for Bytes {
    fn from(name: &OsStr) -> Bytes {
        Bytes(name.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes(bytes.to_vec())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        let shown = &self.0[..self.0.len().min(SHOWN)];
        write!(f, "b\"{}\"", shown.escape_ascii())?;
        match self.0.len() {
            0..=SHOWN => Ok(()),
            length => write!(f, "… ({length} bytes)"),
        }
    }
}

/// One of those that there are, whatever their number.
#[derive(Clone, Copy, Debug)]
pub struct Pick(pub u8);

impl Pick {
    /// The index of one of so many; `None` if there are none.
    pub fn of(self, count: usize) -> Option<usize> {
        usize::from(self.0).checked_rem(count)
    }

    /// The index of one that fits; but now and then, and if none fits, of any.
    pub fn mostly<T>(self, items: &[T], fits: impl Fn(&T) -> bool) -> Option<usize> {
        let fitting = items.iter().enumerate().filter(|(_, item)| fits(item));
        let fitting: Vec<usize> = fitting.map(|(index, _)| index).collect();
        match self.0 % 8 {
            7 => self.of(items.len()),
            _ => match Pick(self.0 / 8).of(fitting.len()) {
                Some(chosen) => Some(fitting[chosen]),
                None => self.of(items.len()),
            },
        }
    }
}

#[derive(Clone, Debug)]
pub enum Op {
    Create {
        queues: Vec<Bytes>,
        durability: Durability,
    },
    Load {
        queues: Vec<Bytes>,
        durability: Durability,
        access: Access,
    },
    Discover,
    CloseSpool(Pick),
    List {
        spool: Pick,
        queue: Bytes,
    },
    Stats(Pick),
    Reserve {
        spool: Pick,
        naming: Naming,
    },
    Enqueue {
        spool: Pick,
        enqueue: Enqueue,
        source: Source,
        metadata: Bytes,
    },
    Begin {
        spool: Pick,
        enqueue: Enqueue,
    },
    Draft(Pick, DraftOp),
    Entry {
        spool: Pick,
        target: Target,
        op: EntryOp,
    },
    Held(Pick, HeldOp),
    ListCheckouts {
        spool: Pick,
        queue: Bytes,
        keep: Option<Pick>,
    },
    Writer(Pick, WriterOp),
    OpenReader {
        spool: Pick,
        queue: Bytes,
        rests: bool,
    },
    Reader(Pick, ReaderOp),
    Recover {
        spool: Pick,
        min_age: Option<Age>,
    },
    Problems {
        spool: Pick,
        by_monitor: bool,
        limits: Ages,
    },
    Plan {
        spool: Pick,
        min_age: Age,
    },
    Apply(Pick),
    /// A file is gone, as by a crash or by hand.
    Lose(Target, Part),
    Fork(Fork),
}

/// What an entry consists of.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    Metadata,
    Data,
    Reservation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
    /// Nothing on disk is checked.
    Unchecked,
}

#[derive(Clone, Debug)]
pub struct Enqueue {
    pub queue: Bytes,
    pub naming: Naming,
    pub durability: Option<Durability>,
}

#[derive(Clone, Debug)]
pub enum Naming {
    ByTime,
    /// A generator that gives these names again and again.
    Generator(Vec<Bytes>),
    /// A name that may have been reserved; for a reservation, the one name to reserve.
    Use(Bytes),
    /// As `Use`, of a name that is reserved.
    UseReserved(Pick),
}

/// Where the data of an enqueue comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Bytes(Bytes),
    File(Bytes),
    MissingFile,
    Directory,
    /// Interrupted once before each piece.
    Reader(Vec<Bytes>),
    FailingReader(Bytes),
}

#[derive(Clone, Debug)]
pub enum DraftOp {
    Append(Bytes),
    Commit(Bytes),
    Drop,
}

/// A name in a queue.
#[derive(Clone, Debug)]
pub enum Target {
    Waiting(Pick),
    CheckedOut(Pick),
    Named(Bytes, Bytes),
}

#[derive(Clone, Debug)]
pub enum EntryOp {
    Stat,
    Contents,
    Save(Bytes),
    Remove,
    Data(DataOp),
    Checkout,
    TryCheckout,
    With(Handler),
    TryWith(Handler),
}

#[derive(Clone, Debug)]
pub enum DataOp {
    Load,
    /// Read through a descriptor.
    Open,
    Stat,
    Save(Bytes),
    Write,
}

/// What a caller's function does with the entry in its hands.
#[derive(Clone, Debug)]
pub struct Handler {
    pub save_data: Option<Bytes>,
    pub then: Then,
}

#[derive(Clone, Debug)]
pub enum Then {
    Decide(Decision),
    Fail,
    Panic,
}

#[derive(Clone, Debug)]
pub enum Decision {
    Save(Bytes, Option<Bytes>),
    Remove,
    Release,
}

#[derive(Clone, Debug)]
pub enum HeldOp {
    Update(Bytes),
    Save(Bytes, Option<Durability>),
    Release,
    Remove,
    Finish(Decision),
    SetDurability(Durability),
    Data(DataOp),
    Drop,
}

#[derive(Clone, Debug)]
pub enum WriterOp {
    Append(Bytes),
    Commit,
    Drop,
}

#[derive(Clone, Debug)]
pub enum ReaderOp {
    DequeueAvailable,
    DequeueNow,
    DequeueStopped,
    IterAvailable(Vec<Handler>),
    IterStopped,
    Drop,
}

/// An age that everything has, or that nothing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Zero,
    Hour,
}

/// The limits of a scan.
#[derive(Clone, Debug)]
pub struct Ages {
    pub checked_out: Age,
    pub temporary: Age,
    pub reservation: Age,
    pub queue: Option<(Bytes, Age)>,
}

/// A forked child, and all that happens while it lives.
#[derive(Clone, Debug)]
pub struct Fork {
    /// What the child does first.
    pub ops: Vec<Op>,
    /// Whether the child then drops all that it inherited.
    pub drops_inherited: bool,
    /// What a child of the child does next: then the child dies, and the grandchild lives on.
    pub grandchild: Option<Vec<Op>>,
    /// What the parent does while the last of them lives and does nothing.
    pub meanwhile: Vec<Op>,
    /// Whether that one is killed; else it leaves by `_exit`, with all that it holds.
    pub killed: bool,
}
