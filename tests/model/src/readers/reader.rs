//! `QueueReader`: what a reader knows, and where in a call it is.

use super::NAMES;
use super::hub::Names;

/// What a program does with a reader, call by call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `dequeue`: waits.
    Dequeue,
    /// `dequeue_available`.
    Available,
    /// Waits until `fd` is readable, and calls `dequeue_available` then.
    Poll,
}

/// What it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reader {
    pub at: At,
    /// The calls begun so far.
    pub calls: u8,
    pub subscribed: bool,
    /// The epoch that the listing in hand is of: `Listed`.
    pub listed: Option<u8>,
    /// The names of the listing that are not tried yet.
    pub listing: Names,
    pub busy: Names,
    /// `GivenBack`: the names that rest, and those that have rested enough.
    pub resting: Names,
    pub rested: Names,
    /// Those of them that were bad, not given back.
    pub bad: Names,
    /// Those that this pass has had.
    pub pass: Names,
    /// Those that still rested when what had rested enough was tried last.
    pub untried: Names,
    /// A time until which it sleeps is set.
    pub timer: bool,
    pub leads: bool,
    /// Names that are still to be tried in this part of a look.
    pub left: Names,
    /// What its caller does with each entry that it was given, in a thread of its own.
    pub hands: [Hand; NAMES],
}

/// An entry in the hands of a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hand {
    #[default]
    Empty,
    /// It works on it, for as long as it likes.
    Holds,
    /// `Checkout::release` has noted the name, and not moved the entry yet.
    Returns,
    /// The entry is in its queue, or gone, and the name is still locked: `Ownership::drop` is next.
    Unlocks,
}

/// Where in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Between calls, or after the last.
    Idle,
    /// `QueueReader::drop` is done, `Subscription::drop` is not.
    Dropping,
    Dropped,
    /// `subscribe`.
    Subscribe,
    /// `look_at_listing`: the epoch, the directory, the names.
    Listing,
    ReadDirectory,
    ListedNames,
    /// `look_at_arrivals`.
    Arrivals,
    /// `look_at_busy`: what is due, is it still there.
    Busy,
    BusyNames,
    /// `look_at_rested`.
    Rested,
    RestedNames,
    /// The end of `look`.
    More,
    HandBackMore(u8),
    CompareEpoch,
    /// `attempt`: `checkout::take` of a name.
    Attempt(u8, Part, Take),
    /// `wait` after a look that found nothing, and `Subscription::sleep`.
    Nothing,
    Sleeping,
    GetUp {
        ends: bool,
    },
    /// A program that polls waits until its descriptor is readable.
    Polling,
    /// The end of a call: `hand_back` and `leave`.
    HandBack,
    Leave,
}

/// Which part of a look an attempt belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Listing,
    Arrivals,
    Busy,
    Rested,
}

/// Where in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// `registry::own`.
    Lock,
    /// `checkout::unreserved`.
    Unreserved,
    /// `take_owned`.
    Move,
    /// It was not there.
    Unlock,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            at: At::Idle,
            calls: 0,
            subscribed: false,
            listed: None,
            listing: 0,
            busy: 0,
            resting: 0,
            rested: 0,
            bad: 0,
            pass: 0,
            untried: 0,
            timer: false,
            leads: false,
            left: 0,
            hands: [Hand::Empty; NAMES],
        }
    }
}

/// The first of these names.
pub fn first(names: Names) -> Option<u8> {
    (0..NAMES as u8).find(|name| names & (1 << name) != 0)
}

impl Reader {
    /// `GivenBack::note`.
    pub fn note(&mut self, name: u8) {
        self.resting |= 1 << name;
        self.rested &= !(1 << name);
        self.pass |= 1 << name;
        self.untried |= 1 << name;
    }

    /// `GivenBack::forget`.
    pub fn forget(&mut self, name: u8) {
        let sets = [
            &mut self.resting,
            &mut self.rested,
            &mut self.bad,
            &mut self.pass,
            &mut self.untried,
        ];
        for set in sets {
            *set &= !(1 << name);
        }
    }

    /// `Busy::settle`.
    pub fn settle(&mut self, name: u8) {
        self.busy &= !(1 << name);
    }

    /// The names that a call leaves alone.
    pub fn leaves(&self, call: Call) -> Names {
        match call {
            Call::Available => self.pass,
            Call::Dequeue | Call::Poll => self.resting,
        }
    }

    /// Whether it waits for a bell, a timer or the kernel.
    pub fn waits(&self) -> bool {
        matches!(self.at, At::Sleeping | At::Polling)
    }

    /// Whether it is its caller's turn.
    pub fn is_with_its_caller(&self) -> bool {
        matches!(self.at, At::Idle | At::Dropped)
    }

    /// Whether its caller is in the middle of giving something back.
    pub fn gives_back(&self) -> bool {
        self.hands
            .iter()
            .any(|hand| matches!(hand, Hand::Returns | Hand::Unlocks))
    }

    /// Whether the kernel's news would wake it.
    pub fn leads(&self) -> bool {
        self.leads && self.at == At::Sleeping
    }
}
