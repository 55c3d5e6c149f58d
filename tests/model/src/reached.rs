//! What a model has come by. A promise that holds because nothing happens is none: each model says what it
//! is there to reach, and fails if it does not.

use std::sync::atomic::{AtomicU32, Ordering};

/// A thing that happens in some order of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reached {
    Taken,
    Removed,
    /// A recover has returned an entry.
    Recovered,
    /// A lock was held by another.
    Busy,
    /// A lock was on a file that had lost its name.
    Ghost,
    /// A command has outlived its worker.
    CommandAlone,
    /// An enqueue was undone.
    Undone,
    /// Data of an attempt that died made room.
    LeftoverGone,
    /// A name was in use.
    NameTaken,
    /// A repair has removed data or a temporary file.
    Cleared,
    /// A repair has removed a reservation.
    NameCleared,
    /// A repair has given an entry its registry file again.
    Adopted,
    /// What was moved was not what had been read.
    ReadAgain,
    /// An entry in a queue had no registry file.
    Orphaned,
    /// Another process had an entry first.
    Gone,
    /// A claim that had run out was taken away.
    TakenOver,
    /// A holder was told that it had lost its entry.
    ToldLost,
    /// A claim that was renamed away was given back.
    LinkedBack,
    /// A holder has linked its claim again.
    LinkedAgain,
    /// A request was carried out, and its reply lost.
    ReplyLost,
    /// A rename out of `.checkout/` was carried out after its lease.
    CarriedOutLate,
    /// A host has answered a rename from memory.
    NotAsked,
}

static REACHED: AtomicU32 = AtomicU32::new(0);

impl Reached {
    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// It has happened.
    pub fn mark(self) {
        if REACHED.load(Ordering::Relaxed) & self.bit() == 0 {
            REACHED.fetch_or(self.bit(), Ordering::Relaxed);
        }
    }

    /// Whether it has happened since they were forgotten.
    pub fn is_marked(self) -> bool {
        REACHED.load(Ordering::Relaxed) & self.bit() != 0
    }

    /// Begins anew, for another model.
    pub fn forget_all() {
        REACHED.store(0, Ordering::Relaxed);
    }
}
