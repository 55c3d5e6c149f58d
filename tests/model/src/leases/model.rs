//! The moments of a shared spool, and what leads from one to the next.

use stateright::{Model, Property};

use super::promises;
use crate::check::Labelled;
use crate::reached::Reached;

pub const PROCESSES: usize = 4;

/// One thing that a known-bad protocol does differently from the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Whose rename into `.checkout/` is answered has the entry.
    RenameIsClaim,
    /// Who has moved an entry there has it, whoever holds the claim by then.
    TakeWithoutHold,
    /// What a late remove got is linked back: a link can be made twice.
    PutBackByLink,
    /// A checkout is ended without a look at its claim.
    EndWithoutHold,
    /// A remove unlinks what lies in `.checkout/`.
    PlainRemove,
    /// An enqueue renames its metadata into the queue.
    PublishByRename,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Worker,
    Recover,
    Producer,
}

/// What a model is made of.
#[derive(Clone)]
pub struct Shared {
    pub kinds: Vec<Kind>,
    pub begin: Disk,
    /// After so many ticks without a renewal a lease has run out.
    pub lease: u8,
    pub crashes: u8,
    pub ticks: u8,
    /// How many replies may be lost, so that the request is made again.
    pub lost_replies: u8,
    /// How many renames a host may answer from memory.
    pub stale: u8,
    /// What the protocol does not promise is looked at too.
    pub is_limit: bool,
    pub departure: Option<Departure>,
}

impl Shared {
    pub fn empty() -> Shared {
        Shared {
            kinds: Vec::new(),
            begin: Disk::EMPTY,
            lease: 1,
            crashes: 0,
            ticks: 0,
            lost_replies: 0,
            stale: 0,
            is_limit: false,
            departure: None,
        }
    }

    /// The same with one step done differently.
    pub fn departing(&self, departure: Departure) -> Shared {
        Shared {
            departure: Some(departure),
            ..self.clone()
        }
    }
}

/// The metadata file of an entry: whose it is, and the ticks since it was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    pub of: u8,
    pub age: u8,
}

impl Entry {
    pub fn new(of: u8) -> Entry {
        Entry { of, age: 0 }
    }
}

/// A process's token; the process is its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// It has its own name.
    pub named: bool,
    pub age: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    /// `QUEUE/NAME`.
    pub queue: Option<Entry>,
    /// `QUEUE/.checkout/NAME`.
    pub checkout: Option<Entry>,
    /// Entries under names of a process's own.
    pub own: [Option<Entry>; PROCESSES],
    /// `claims/NAME`: whose token that is.
    pub claim: Option<u8>,
    /// Claims under names of a process's own.
    pub away: [Option<u8>; PROCESSES],
    pub tokens: [Token; PROCESSES],
    /// `.data/NAME`: whose that is.
    pub data: Option<u8>,
}

impl Disk {
    pub const EMPTY: Disk = Disk {
        queue: None,
        checkout: None,
        own: [None; PROCESSES],
        claim: None,
        away: [None; PROCESSES],
        tokens: [Token {
            named: false,
            age: 0,
        }; PROCESSES],
        data: None,
    };

    /// Of an entry that was there before.
    pub const BEFORE: u8 = PROCESSES as u8;

    pub fn with_entry() -> Disk {
        let queue = Some(Entry {
            of: Disk::BEFORE,
            age: 0,
        });
        Disk {
            queue,
            data: Some(Disk::BEFORE),
            ..Disk::EMPTY
        }
    }

    fn grow_older(&mut self, lease: u8) {
        let entries = [&mut self.queue, &mut self.checkout].into_iter();
        for entry in entries.chain(&mut self.own).flatten() {
            entry.age = lease.min(entry.age + 1);
        }
        for token in &mut self.tokens {
            token.age = lease.min(token.age + 1);
        }
    }
}

/// What a hold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    Take,
    Renew,
    Release,
    Remove,
    Removed,
    RemoveRest,
    Publish,
    Undo,
}

/// Where a process is in what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    Begin,
    Done,
    Dead,
    // A claim.
    Claim,
    ClaimLink,
    ClaimSettle,
    // A hold.
    Hold(Why),
    HoldLink(Why),
    HoldSettle(Why),
    // The end of a claim.
    GiveUp,
    GaveUp,
    GiveBack,
    RemoveAway,
    RemoveToken,
    // A move, out of `.checkout/` or into it.
    Touch,
    MoveFrom,
    MoveTo(u8),
    Rename(u8),
    Source(u8),
    Target(u8),
    Moved,
    // A worker.
    Taken,
    Has,
    RenewEntry,
    TakeOut,
    TookOut,
    Unlink,
    PutBack,
    HasPutBack,
    RemoveData,
    // A recover.
    Judged(u8),
    Away(u8),
    BreakToken(u8),
    Broken,
    Left,
    LeftStill,
    // A producer.
    MustBeNowhere,
    MustBeNowhereElse,
    Data,
    Link,
    LinkSettle,
    UnlinkOwn,
    UndoData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pub kind: Kind,
    pub at: At,
    /// Ticks since its last renewal was begun, by its own clock.
    pub renewed: u8,
    /// Ticks since it began the renewal that it is in.
    pub begun: u8,
    /// It has an entry, as far as it knows.
    pub holds: bool,
    /// Its move is out of `.checkout/`.
    pub out: bool,
    /// Another has taken what it holds.
    pub taken: bool,
    /// That was so before its present call began.
    pub was_taken: bool,
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub disk: Disk,
    pub processes: [Process; PROCESSES],
    /// The entries that were acknowledged, and whose removal was not: a bit each.
    pub entries: u8,
    pub crashes: u8,
    pub ticks: u8,
    pub lost_replies: u8,
    pub stale: u8,
    /// A late holder was told that all was well.
    pub not_told: bool,
    /// Somebody was handed what another had under a lease that lasted.
    pub handed_twice: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    who: Option<(Kind, usize)>,
    call: &'static str,
    how: &'static str,
    next: State,
}

impl Labelled for Action {
    fn label(&self) -> String {
        match self.who {
            Some((kind, number)) => format!("{kind:?} {number}: {}{}", self.call, self.how),
            None => self.call.to_owned(),
        }
    }
}

/// Where a process's next steps go.
pub struct Steps<'a> {
    pub model: &'a Shared,
    pub state: &'a State,
    pub me: usize,
    pub actions: &'a mut Vec<Action>,
}

impl Steps<'_> {
    pub fn disk(&self) -> &Disk {
        &self.state.disk
    }

    pub fn process(&self) -> Process {
        self.state.processes[self.me]
    }

    pub fn departs(&self, departure: Departure) -> bool {
        self.model.departure == Some(departure)
    }

    pub fn is_late(&self) -> bool {
        self.process().renewed >= self.model.lease
    }

    fn push(&mut self, call: &'static str, how: &'static str, next: State) {
        let who = Some((self.process().kind, self.me));
        self.actions.push(Action {
            who,
            call,
            how,
            next,
        });
    }

    /// A look, after which the process is there.
    pub fn look(&mut self, call: &'static str, at: At) {
        self.step(call, at, |_, _| {});
    }

    /// A step whose reply cannot be lost in a way that matters.
    pub fn step(
        &mut self,
        call: &'static str,
        at: At,
        change: impl FnOnce(&mut State, &mut Process),
    ) {
        let mut next = *self.state;
        let mut process = self.process();
        process.at = at;
        change(&mut next, &mut process);
        next.processes[self.me] = process;
        self.push(call, "", next);
    }

    /// A request that changes the disk, and whose reply may be lost: then it is made again.
    pub fn request(&mut self, call: &'static str, at: At, change: impl Fn(&mut Disk)) {
        let mut next = *self.state;
        change(&mut next.disk);
        if self.state.lost_replies > 0 && next.disk != self.state.disk {
            Reached::ReplyLost.mark();
            let mut again = next;
            again.lost_replies -= 1;
            self.push(call, ", and the reply is lost", again);
        }
        next.processes[self.me].at = at;
        self.push(call, "", next);
    }

    /// A rename that a host may answer without asking anybody.
    pub fn rename(&mut self, call: &'static str, at: At, change: impl Fn(&mut Disk)) {
        if self.state.stale > 0 {
            Reached::NotAsked.mark();
            let mut next = *self.state;
            next.stale -= 1;
            next.processes[self.me].at = at;
            self.push(call, ", answered from memory", next);
        }
        self.request(call, at, change);
    }

    /// The claim is lost: the process is told, and leaves all as it is.
    pub fn told_lost(&mut self, call: &'static str) {
        Reached::ToldLost.mark();
        self.step(call, At::RemoveToken, |_, process| process.holds = false);
    }

    fn steps(&mut self) {
        match self.process().at {
            At::Done | At::Dead => {}
            At::Begin => match self.process().kind {
                Kind::Worker => self.begin_take(),
                Kind::Recover => self.begin_recover(),
                Kind::Producer => self.look("begins", At::Claim),
            },
            At::Claim | At::ClaimLink | At::ClaimSettle => self.claim(),
            At::Hold(_) | At::HoldLink(_) | At::HoldSettle(_) => self.hold(),
            At::GiveUp | At::GaveUp | At::GiveBack | At::RemoveAway | At::RemoveToken => {
                self.give_up();
            }
            At::Touch
            | At::MoveFrom
            | At::MoveTo(_)
            | At::Rename(_)
            | At::Source(_)
            | At::Target(_)
            | At::Moved => self.moves(),
            At::Taken
            | At::Has
            | At::RenewEntry
            | At::TakeOut
            | At::TookOut
            | At::Unlink
            | At::PutBack
            | At::HasPutBack
            | At::RemoveData => self.work(),
            At::Judged(_)
            | At::Away(_)
            | At::BreakToken(_)
            | At::Broken
            | At::Left
            | At::LeftStill => self.recover(),
            At::MustBeNowhere
            | At::MustBeNowhereElse
            | At::Data
            | At::Link
            | At::LinkSettle
            | At::UnlinkOwn
            | At::UndoData => self.enqueue(),
        }
    }

    fn dies(&mut self) {
        let mut next = *self.state;
        next.crashes -= 1;
        // What it had taken out was to be removed: what is left then is garbage, as after any remove cut short.
        if let (Kind::Worker, Some(entry)) = (self.process().kind, self.disk().own[self.me]) {
            next.entries &= !(1 << entry.of);
        }
        let process = &mut next.processes[self.me];
        *process = Process {
            at: At::Dead,
            ..Process::of(process.kind)
        };
        self.push("dies", "", next);
    }
}

impl Process {
    pub fn of(kind: Kind) -> Process {
        Process {
            kind,
            at: At::Begin,
            renewed: 0,
            begun: 0,
            holds: false,
            out: false,
            taken: false,
            was_taken: false,
        }
    }

    /// Whether it has an entry, as far as it knows, and has not begun to take it away.
    pub fn works(&self) -> bool {
        let is_ending =
            self.out && !matches!(self.at, At::Hold(_) | At::HoldLink(_) | At::HoldSettle(_));
        let is_removing = matches!(
            self.at,
            At::TakeOut
                | At::TookOut
                | At::Hold(Why::Removed)
                | At::HoldLink(Why::Removed)
                | At::HoldSettle(Why::Removed)
                | At::Unlink
                | At::PutBack
                | At::HasPutBack
        );
        self.holds && !is_ending && !is_removing
    }

    fn grow_older(&mut self, lease: u8) {
        self.renewed = lease.min(self.renewed + 1);
        if matches!(
            self.at,
            At::RenewEntry
                | At::Hold(Why::Renew)
                | At::HoldLink(Why::Renew)
                | At::HoldSettle(Why::Renew)
        ) {
            self.begun = lease.min(self.begun + 1);
        }
    }
}

impl Model for Shared {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut processes = [Process {
            at: At::Done,
            ..Process::of(Kind::Worker)
        }; PROCESSES];
        for (process, kind) in processes.iter_mut().zip(&self.kinds) {
            *process = Process::of(*kind);
        }
        vec![State {
            disk: self.begin,
            processes,
            entries: self.begin.queue.map_or(0, |entry| 1 << entry.of),
            crashes: self.crashes,
            ticks: self.ticks,
            lost_replies: self.lost_replies,
            stale: self.stale,
            not_told: false,
            handed_twice: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for me in 0..self.kinds.len() {
            let mut steps = Steps {
                model: self,
                state,
                me,
                actions,
            };
            steps.steps();
            let rests = matches!(state.processes[me].at, At::Begin | At::Done | At::Dead);
            if state.crashes > 0 && !rests {
                steps.dies();
            }
        }
        if state.ticks > 0 {
            let mut next = *state;
            next.ticks -= 1;
            next.disk.grow_older(self.lease);
            for process in &mut next.processes {
                if !matches!(process.at, At::Begin | At::Done | At::Dead) {
                    process.grow_older(self.lease);
                }
            }
            actions.push(Action {
                who: None,
                call: "time passes",
                how: "",
                next,
            });
        }
    }

    fn next_state(&self, _: &State, action: Action) -> Option<State> {
        Some(action.next)
    }

    fn properties(&self) -> Vec<Property<Shared>> {
        promises::of(self)
    }
}
