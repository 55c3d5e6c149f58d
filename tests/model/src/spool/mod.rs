//! A spool, as far as one name sees it, and the processes that work on it. Each step is one system call on
//! what they share; what only the process itself can see (its memory, writes to its own temporary file,
//! syncs) is part of the step before it.

pub mod disk;
mod ending;
mod original;
mod own;
mod producer;
mod promises;
mod recover;
mod repair;
mod scan;
mod worker;

use stateright::{Model, Property};

use crate::check::Labelled;
use crate::reached::Reached;
use disk::{Disk, Id, PROCESSES};
pub use ending::End;
pub use original::{Original, OriginalProducer};
pub use producer::{Naming, Producer};
pub use recover::Recover;
pub use repair::{Repair, Task};
pub use worker::Worker;

/// One thing that a known-bad protocol does differently from the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// A checkout moves the entry first, and takes the lock then.
    LockAfterMove,
    /// A lock is good on whatever file was opened, also on one that has lost its name.
    NoCompare,
    /// A remove takes the data and the reservation before the entry.
    DataFirst,
    /// A recover takes no lock.
    RecoverWithoutLock,
    /// A recover takes a free lock for a dead owner although owners may hold none.
    RecoverWithoutAge,
    /// An undo of an enqueue gives the name up first.
    ReservationFirst,
    /// A `Use` of a name does not look whether an entry has it.
    UseWithoutLook,
    /// An enqueue that finds data under the name it has reserved takes the reservation back when it fails.
    UnreserveTaken,
    /// An enqueue that could not lock its reservation takes it back. The real one does that where the lock call
    /// itself fails, which is a known limit.
    UnreserveUnlocked,
    /// A reservation's file is opened anew to be locked, and may be another's by then.
    ReopenReservation,
    /// A repair goes on when it does not get the lock.
    RepairWithoutLock,
    /// A repair of a name that nobody has reserved does not reserve it.
    RepairWithoutReserving,
    /// An adoption that is not needed takes its reservation back, whether somebody has used it or not.
    TakeBackWithoutLook,
    /// A repair reserves the name of a temporary file, to remove that.
    ReservesForTemporary,
    /// A repair trusts its plan, and does not look again.
    RepairWithoutLook,
    /// A repair looks at a reservation's age only before it looks for its entry.
    AgeOnlyFirst,
    /// A repair looks at a reservation's age only after it has looked for its entry.
    AgeOnlyLast,
    /// What was moved is not compared with what was read.
    NoSecondRead,
    /// The file that was read is closed before what was moved is compared with it.
    ClosesWhatItRead,
}

/// What a model is made of.
#[derive(Clone)]
pub struct Spool {
    /// One queue, or two.
    pub queues: u8,
    /// What may be on disk to begin with; an entry that waits there has been acknowledged.
    pub disks: Vec<Disk>,
    pub processes: Vec<Process>,
    /// What workers do with what they took.
    pub ends: &'static [End],
    /// How many processes may die.
    pub crashes: u8,
    /// A worker runs a command that has a share in its lock, and may outlive it.
    pub commands: bool,
    /// How many steps of an enqueue may fail.
    pub failures: u8,
    /// How often all that is on disk grows old. With none, nobody touches files.
    pub ages: u8,
    /// Processes without locks share the spool.
    pub mixed: bool,
    /// A repair's plan comes from a scan of its own. Without, it is any plan, made whenever.
    pub scans: bool,
    /// Something has removed registry files that it should not have.
    pub orphans: bool,
    pub departure: Option<Departure>,
}

impl Spool {
    /// Nothing on disk, nobody there, no misfortunes, and the promises that always hold.
    pub fn empty() -> Spool {
        Spool {
            queues: 1,
            disks: Vec::new(),
            processes: Vec::new(),
            ends: &[],
            crashes: 0,
            commands: false,
            failures: 0,
            ages: 0,
            mixed: false,
            scans: false,
            orphans: false,
            departure: None,
        }
    }

    /// The same with one step done differently.
    pub fn departing(&self, departure: Departure) -> Spool {
        Spool {
            departure: Some(departure),
            ..self.clone()
        }
    }
}

/// A process, and where it is in what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// Has ended well, or is none.
    Done,
    Dead,
    /// A command of a dead worker, with what that had taken from this queue.
    Command {
        queue: u8,
    },
    Producer(Producer),
    Worker(Worker),
    Recover(Recover),
    Repair(Repair),
    Original(Original),
    OriginalProducer(OriginalProducer),
}

impl Process {
    /// Whether it is in the middle of nothing.
    fn is_at_rest(&self) -> bool {
        match self {
            Process::Done | Process::Dead => true,
            Process::Command { .. } => false,
            Process::Producer(producer) => producer.is_at_rest(),
            Process::Worker(worker) => worker.is_at_rest(),
            Process::Recover(recover) => recover.is_at_rest(),
            Process::Repair(repair) => repair.is_at_rest(),
            Process::Original(original) => original.is_at_rest(),
            Process::OriginalProducer(producer) => producer.is_at_rest(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Process::Done | Process::Dead => "nobody",
            Process::Command { .. } => "command",
            Process::Producer(_) => "producer",
            Process::Worker(_) => "worker",
            Process::Recover(_) => "recover",
            Process::Repair(_) => "repair",
            Process::Original(_) => "original worker",
            Process::OriginalProducer(_) => "original producer",
        }
    }
}

/// What a process met that it must never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// Something was in the place that an entry moved to.
    Clobbered,
    /// An entry was published while another of its name was there.
    TwoEntries,
    /// An entry that was owned had gone.
    LostOwnership,
    /// An entry in a queue had no reservation.
    Orphan,
    /// An entry in a queue had no data.
    DataMissing,
    /// What a worker read is not the metadata that it owns.
    StaleMetadata,
    /// A reservation was taken back by who had not made it.
    OtherReservation,
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub disk: Disk,
    pub processes: [Process; PROCESSES],
    /// The entry that was acknowledged, and whose removal was not.
    pub entry: Option<Id>,
    pub crashes: u8,
    pub failures: u8,
    pub ages: u8,
    pub wrong: Option<Wrong>,
}

impl State {
    pub fn is_at_rest(&self) -> bool {
        self.processes.iter().all(Process::is_at_rest)
    }

    pub fn goes_wrong(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }
}

/// A step of a process, with the moment that it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    who: &'static str,
    number: usize,
    call: &'static str,
    next: State,
}

impl Labelled for Action {
    fn label(&self) -> String {
        format!("{} {}: {}", self.who, self.number, self.call)
    }
}

/// Where a process's next steps go.
pub struct Steps<'a> {
    pub model: &'a Spool,
    pub state: &'a State,
    pub me: usize,
    pub actions: &'a mut Vec<Action>,
}

impl Steps<'_> {
    /// A step that changes something, after which the process is as `next` says.
    pub fn step(&mut self, call: &'static str, next: Process, change: impl FnOnce(&mut State)) {
        let mut state = *self.state;
        change(&mut state);
        state.processes[self.me] = next;
        self.actions.push(Action {
            who: self.state.processes[self.me].name(),
            number: self.me,
            call,
            next: state,
        });
    }

    /// A step that changes nothing but the process.
    pub fn look(&mut self, call: &'static str, next: Process) {
        self.step(call, next, |_| {});
    }

    pub fn disk(&self) -> &Disk {
        &self.state.disk
    }

    /// The places that are looked through for an entry of a name, in this order.
    pub fn places(&self) -> &'static [disk::Place] {
        &disk::PLACES[..2 * self.model.queues as usize]
    }

    pub fn departs(&self, departure: Departure) -> bool {
        self.model.departure == Some(departure)
    }

    /// Whether ages matter: else touching is left out.
    pub fn has_ages(&self) -> bool {
        self.model.ages > 0
    }

    /// Touches the registry file that is open.
    pub fn touch_registry(&mut self, next: Process) {
        self.touch(self.disk().open[self.me], next);
    }

    /// Touches the registry file that has the name.
    pub fn touch_registry_by_name(&mut self, next: Process) {
        self.touch(self.disk().registry.map(|registry| registry.inode), next);
    }

    fn touch(&mut self, inode: Option<disk::Inode>, next: Process) {
        let stamps = self.model.scans || self.model.mixed;
        self.step("touch .registry/NAME", next, |state| {
            if let Some(registry) = &mut state.disk.registry
                && inode == Some(registry.inode)
            {
                registry.old = false;
                registry.stamp = (registry.stamp + u8::from(stamps)) % 8;
            }
        });
    }
}

fn steps_of(model: &Spool, state: &State, me: usize, actions: &mut Vec<Action>) {
    let mut steps = Steps {
        model,
        state,
        me,
        actions,
    };
    match state.processes[me] {
        Process::Done | Process::Dead => {}
        Process::Command { .. } => {
            steps.step("ends", Process::Dead, |state| state.disk.close(me));
        }
        Process::Producer(producer) => producer.steps(&mut steps),
        Process::Worker(worker) => worker.steps(&mut steps),
        Process::Recover(recover) => recover.steps(&mut steps),
        Process::Repair(repair) => repair.steps(&mut steps),
        Process::Original(original) => original.steps(&mut steps),
        Process::OriginalProducer(producer) => producer.steps(&mut steps),
    }
}

impl Spool {
    /// Where processes without locks share the spool, only time tells the dead from the slow: whoever is in
    /// the middle of something must be quicker than the age that is asked for, unless it has the name's lock.
    fn hurries(&self, state: &State) -> bool {
        let mut processes = state.processes.iter().enumerate();
        self.mixed && processes.any(|(me, process)| !process.is_at_rest() && !state.disk.owns(me))
    }
}

/// A process dies: its locks are free, and all else stays as it is.
fn crash(
    state: &State,
    me: usize,
    call: &'static str,
    actions: &mut Vec<Action>,
    leaves: impl FnOnce(&mut State) -> Process,
) {
    let mut next = *state;
    next.crashes -= 1;
    next.processes[me] = leaves(&mut next);
    actions.push(Action {
        who: state.processes[me].name(),
        number: me,
        call,
        next,
    });
}

impl Model for Spool {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut processes = [Process::Done; PROCESSES];
        processes[..self.processes.len()].copy_from_slice(&self.processes);
        let state = |disk: &Disk| State {
            disk: *disk,
            processes,
            entry: disk.waiting[0].map(|entry| entry.of),
            crashes: self.crashes,
            failures: self.failures,
            ages: self.ages,
            wrong: None,
        };
        self.disks.iter().map(state).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for me in 0..self.processes.len() {
            let process = state.processes[me];
            steps_of(self, state, me, actions);
            if state.crashes > 0 && !process.is_at_rest() {
                crash(state, me, "dies", actions, |next| {
                    next.disk.close(me);
                    Process::Dead
                });
                if let Process::Worker(worker) = process
                    && worker.has_command()
                    && self.commands
                {
                    let queue = worker.queue;
                    Reached::CommandAlone.mark();
                    crash(state, me, "dies, its command lives on", actions, |_| {
                        Process::Command { queue }
                    });
                }
            }
        }
        if state.ages > 0 && !state.disk.is_all_old() && !self.hurries(state) {
            let mut next = *state;
            next.ages -= 1;
            next.disk.grow_old();
            actions.push(Action {
                who: "time",
                number: 0,
                call: "passes: all that is there is old now",
                next,
            });
        }
    }

    fn next_state(&self, _: &State, action: Action) -> Option<State> {
        Some(action.next)
    }

    fn properties(&self) -> Vec<Property<Spool>> {
        promises::always()
    }
}
