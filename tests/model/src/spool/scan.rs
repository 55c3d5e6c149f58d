//! `Spool::repair`: the looks at the spool that put a step into a plan (`monitor::scan`, and the two looks of
//! `Places::settled` that must agree).

use super::disk::{Inode, PLACES};
use super::repair::Task;
use super::{Process, Steps};

/// What has been seen of the name so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Places {
    /// Inode, age and times.
    registry: Option<(Inode, bool, u8)>,
    is_owned: bool,
    /// Which of the places have it.
    entries: u8,
    data: Option<u8>,
}

/// Where in the scan: two looks, each of a call for each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    calls: u8,
    first: Places,
    second: Places,
}

const REGISTRY: u8 = 0;
const OWNER: u8 = 1;
const ENTRIES: u8 = 2;

impl Scan {
    pub const BEGIN: Scan = Scan {
        calls: 0,
        first: Places {
            registry: None,
            is_owned: false,
            entries: 0,
            data: None,
        },
        second: Places {
            registry: None,
            is_owned: false,
            entries: 0,
            data: None,
        },
    };

    /// Whether it has ended, and the task is in the plan.
    pub fn has_planned(self, s: &Steps) -> bool {
        self.calls == 2 * calls_of_a_look(s)
    }

    /// The next look; `None` if the scan sees no need for the task.
    pub fn steps(mut self, s: &mut Steps, task: Task, next: impl Fn(Option<Scan>) -> Process) {
        let disk = s.disk();
        let look = calls_of_a_look(s);
        let places = match self.calls < look {
            true => &mut self.first,
            false => &mut self.second,
        };
        let registry = disk.registry;
        match self.calls % look {
            REGISTRY => {
                places.registry = registry.map(|file| (file.inode, file.old, file.stamp));
            }
            OWNER => places.is_owned = registry.is_some_and(|file| disk.is_locked(file.inode)),
            call if call + 1 == look => places.data = disk.data.map(|data| data.of),
            entry => {
                let place = (entry - ENTRIES) as usize;
                places.entries |= u8::from(disk.at(PLACES[place]).is_some()) << place;
            }
        }
        let data_is_old = disk.data.is_some_and(|data| data.old);
        self.calls += 1;
        let seen = self.second;
        let goes_on = match task {
            _ if self.calls < 2 * look => true,
            _ if self.first != seen => false,
            Task::RemoveReservation => {
                let is_old = seen.registry.is_some_and(|(_, old, _)| old);
                is_old && !seen.is_owned && seen.entries == 0
            }
            Task::RemoveData => {
                seen.registry.is_none() && seen.entries == 0 && seen.data.is_some() && data_is_old
            }
            Task::Adopt(place) => {
                let bit = PLACES.iter().position(|other| *other == place);
                let is_there = bit.is_some_and(|bit| seen.entries & (1 << bit) != 0);
                seen.registry.is_none() && is_there && seen.data.is_some()
            }
            Task::RemoveTemporary(_) | Task::Any => true,
        };
        s.look("scan", next(goes_on.then_some(self)));
    }
}

/// The registry, its owner, each place, the data.
fn calls_of_a_look(s: &Steps) -> u8 {
    ENTRIES + s.places().len() as u8 + 1
}
