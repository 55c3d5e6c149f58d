//! What is on disk under one name, and what the kernel knows of open files. One name is enough: names do
//! not meet each other, and a name that is used again and again is the hardest case.

/// The queues that an entry can move between.
pub const QUEUES: usize = 2;
/// The processes of the largest model.
pub const PROCESSES: usize = 6;

/// Which enqueue made something: the number of its producer.
pub type Id = u8;
/// A registry file's inode number.
pub type Inode = u8;

/// `.registry/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reservation {
    pub inode: Inode,
    /// The process that made it.
    pub by: u8,
    /// Last touched longer ago than the age that clean-up and recovery ask for.
    pub old: bool,
    /// Changes at each touch, where a model asks for that; else stays.
    pub stamp: u8,
}

/// `.data/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Data {
    pub of: Id,
    pub old: bool,
}

/// A metadata file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    pub of: Id,
    /// A save of new metadata puts another file in its place.
    pub inode: Inode,
    /// Counts the saves of new metadata, up to where it does not matter any more.
    pub contents: u8,
    pub old: bool,
}

impl Entry {
    /// The same, touched.
    pub fn touched(self) -> Entry {
        Entry { old: false, ..self }
    }

    /// Whether it is the same file, whatever is in it.
    pub fn is(self, other: Entry) -> bool {
        self.inode == other.inode
    }
}

/// All that the processes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    pub registry: Option<Reservation>,
    pub data: Option<Data>,
    pub waiting: [Option<Entry>; QUEUES],
    pub checkout: [Option<Entry>; QUEUES],
    /// One for each process that made it, dead or alive: their names are random, nobody else's.
    pub temporary: [Option<Entry>; PROCESSES],
    /// The registry file that each process has open.
    pub open: [Option<Inode>; PROCESSES],
    /// Whether it has the lock on it.
    pub locked: [bool; PROCESSES],
    /// The metadata file that each process has open.
    pub reading: [Option<Inode>; PROCESSES],
}

/// A queue's directory or its `.checkout/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Waiting(u8),
    Checkout(u8),
}

/// The order in which all queues are looked through: `enqueue::find_in`.
pub const PLACES: [Place; 2 * QUEUES] = [
    Place::Waiting(0),
    Place::Checkout(0),
    Place::Waiting(1),
    Place::Checkout(1),
];

impl Disk {
    pub const EMPTY: Disk = Disk {
        registry: None,
        data: None,
        waiting: [None; QUEUES],
        checkout: [None; QUEUES],
        temporary: [None; PROCESSES],
        open: [None; PROCESSES],
        locked: [false; PROCESSES],
        reading: [None; PROCESSES],
    };

    /// An entry that waits in the first queue, whole.
    pub fn with_entry(of: Id) -> Disk {
        let mut disk = Disk::EMPTY;
        disk.reserve(PROCESSES);
        disk.data = Some(Data { of, old: false });
        disk.waiting[0] = Some(Entry {
            of,
            inode: 0,
            contents: 0,
            old: false,
        });
        disk
    }

    /// Only a reservation.
    pub fn reserved() -> Disk {
        let mut disk = Disk::EMPTY;
        disk.reserve(PROCESSES);
        disk
    }

    /// The same without the registry file.
    pub fn orphaned(self) -> Disk {
        Disk {
            registry: None,
            ..self
        }
    }

    /// A new metadata file: as file systems do, it gets a number that no name and no open file has.
    pub fn new_metadata(&self, of: Id, contents: u8) -> Entry {
        let temporary = self.temporary.iter().flatten().copied();
        let named: Vec<Inode> = self
            .places()
            .map(|(_, entry)| entry)
            .chain(temporary)
            .map(|entry| entry.inode)
            .collect();
        let is_free =
            |inode: &Inode| !named.contains(inode) && !self.reading.contains(&Some(*inode));
        Entry {
            of,
            inode: (0..).find(is_free).expect("fewer files than numbers"),
            contents,
            old: false,
        }
    }

    /// Creates the reservation. An inode number is used again as soon as no name and no open file has it.
    pub fn reserve(&mut self, process: usize) -> Inode {
        let inode = (0..).find(|inode| !self.open.contains(&Some(*inode)));
        let inode = inode.expect("fewer processes than numbers");
        self.registry = Some(Reservation {
            inode,
            by: process as u8,
            old: false,
            stamp: 0,
        });
        inode
    }

    pub fn at(&self, place: Place) -> Option<Entry> {
        match place {
            Place::Waiting(queue) => self.waiting[queue as usize],
            Place::Checkout(queue) => self.checkout[queue as usize],
        }
    }

    /// The places that have the name.
    pub fn places(&self) -> impl Iterator<Item = (Place, Entry)> {
        PLACES
            .into_iter()
            .filter_map(|place| self.at(place).map(|entry| (place, entry)))
    }

    /// Whether anybody has the lock on this registry file.
    pub fn is_locked(&self, inode: Inode) -> bool {
        (0..PROCESSES).any(|process| self.locked[process] && self.open[process] == Some(inode))
    }

    /// Whether this process has the lock on the file that has the name now.
    pub fn owns(&self, process: usize) -> bool {
        let named = self.registry.map(|registry| registry.inode);
        self.locked[process] && named.is_some() && self.open[process] == named
    }

    /// Closes the registry file; with it goes the lock.
    pub fn close(&mut self, process: usize) {
        self.open[process] = None;
        self.locked[process] = false;
        self.reading[process] = None;
    }

    /// Time passes, more of it than the age that clean-up and recovery ask for.
    pub fn grow_old(&mut self) {
        if let Some(registry) = &mut self.registry {
            registry.old = true;
        }
        if let Some(data) = &mut self.data {
            data.old = true;
        }
        let entries = self.waiting.iter_mut().chain(&mut self.checkout);
        for entry in entries.chain(&mut self.temporary).flatten() {
            entry.old = true;
        }
    }

    /// Whether more time would change nothing.
    pub fn is_all_old(&self) -> bool {
        let mut aged = *self;
        aged.grow_old();
        aged == *self
    }
}
