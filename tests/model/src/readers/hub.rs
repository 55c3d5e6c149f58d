//! `watch::inotify` and `watch::watcher`: what the readers of one process share. Each function is one stretch
//! under the hub's lock, and so one step.

use super::{Departure, NAMES, READERS};

/// A set of names, a bit each.
pub type Names = u8;

/// What the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    Arrival(u8),
    Overflow,
}

/// `State` of `watch::inotify`, with the one queue that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hub {
    /// What the kernel has to tell and nobody has drained yet.
    pub kernel: Vec<Happening>,
    pub source: Option<Source>,
    /// Some thread waits for the kernel.
    pub leading: bool,
    pub followers: Vec<usize>,
    /// Whether each reader's bell rings.
    pub bells: [bool; READERS],
    /// How many readers have a descriptor: the watcher thread runs while there are some.
    pub watched: u8,
    /// The readers that the watcher thread is to ring at some time.
    pub timers: [bool; READERS],
}

/// The arrivals of the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    pub readers: u8,
    pub arrivals: Vec<u8>,
    pub epoch: u8,
    pub waiting: Vec<usize>,
}

/// What each reader does not want now: the names that rest.
pub type Resting = [Names; READERS];

pub fn wants(resting: &Resting, reader: usize, name: u8) -> bool {
    resting[reader] & (1 << name) == 0
}

impl Hub {
    /// The kernel tells of a name that came, if there is a watch; it forgets what is too much.
    pub fn tell(&mut self, name: u8, kernel_holds: usize) {
        if self.source.is_none() || self.kernel.last() == Some(&Happening::Overflow) {
            return;
        }
        match self.kernel.len() < kernel_holds {
            true => self.kernel.push(Happening::Arrival(name)),
            false => self.kernel.push(Happening::Overflow),
        }
    }

    /// `State::drain`; whether the leader is rung.
    pub fn drain(
        &mut self,
        leader: Option<usize>,
        resting: &Resting,
        held: usize,
        departure: Option<Departure>,
    ) -> bool {
        let mut leader_rung = false;
        for happening in std::mem::take(&mut self.kernel) {
            let Some(source) = &mut self.source else {
                continue;
            };
            let rung = match happening {
                Happening::Arrival(_) if source.arrivals.len() >= held => source.lose_arrivals(),
                Happening::Arrival(name) => source.arrived(name, leader, resting),
                Happening::Overflow if departure == Some(Departure::OverflowForgotten) => vec![],
                Happening::Overflow => source.lose_arrivals(),
            };
            for bell in rung {
                match Some(bell) == leader {
                    true => leader_rung = true,
                    false => self.bells[bell] = true,
                }
            }
        }
        leader_rung
    }

    /// `State::promote`.
    pub fn promote(&mut self) {
        if !self.leading
            && self.watched == 0
            && let Some(bell) = self.followers.pop()
        {
            self.bells[bell] = true;
        }
    }

    /// `Source::offer`.
    pub fn offer(&mut self, resting: &Resting) {
        if let Some(source) = &mut self.source
            && let Some(chosen) = source.wanting(resting)
        {
            let bell = source.waiting.remove(chosen);
            self.bells[bell] = true;
        }
    }

    /// `State::has_offers`.
    pub fn has_offers(&self, resting: &Resting) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| source.wanting(resting).is_some())
    }

    /// `Subscription::new`.
    pub fn subscribe(&mut self) {
        self.source.get_or_insert_default().readers += 1;
    }

    /// `Subscription::drop`.
    pub fn unsubscribe(&mut self, reader: usize, resting: &Resting) {
        let Some(source) = &mut self.source else {
            return;
        };
        source.waiting.retain(|bell| *bell != reader);
        source.readers -= 1;
        match source.readers {
            0 => {
                self.source = None;
                self.kernel.clear();
            }
            _ => self.offer(resting),
        }
    }

    pub fn epoch(&self) -> u8 {
        self.source.as_ref().map_or(0, |source| source.epoch)
    }

    /// `Subscription::pop`: the first that is not to rest.
    pub fn pop(&mut self, rest: Names) -> Option<u8> {
        let source = self.source.as_mut()?;
        let mut arrivals = source.arrivals.iter();
        let first = arrivals.position(|name| rest & (1 << name) == 0)?;
        Some(source.arrivals.remove(first))
    }

    /// `Subscription::hand_back`.
    pub fn hand_back(&mut self, names: Names) {
        if let Some(source) = &mut self.source {
            for name in (0..NAMES as u8).filter(|name| names & (1 << name) != 0) {
                source.arrivals.insert(0, name);
            }
        }
    }

    /// The first stretch of `Subscription::sleep`; false if there is news.
    pub fn lie_down(&mut self, reader: usize, seen: u8, resting: &Resting) -> bool {
        let Some(source) = &mut self.source else {
            return false;
        };
        if source.has_news(reader, seen, resting) {
            return false;
        }
        source.waiting.push(reader);
        match !self.leading && self.watched == 0 {
            true => self.leading = true,
            false => self.followers.push(reader),
        }
        true
    }

    /// The last stretch of `Subscription::sleep`.
    pub fn get_up(&mut self, reader: usize, leads: bool, departure: Option<Departure>) {
        self.bells[reader] = false;
        if let Some(source) = &mut self.source {
            source.waiting.retain(|bell| *bell != reader);
        }
        self.followers.retain(|bell| *bell != reader);
        if leads {
            self.leading = false;
        }
        if departure != Some(Departure::NobodyPromoted) {
            self.promote();
        }
    }

    /// `Subscription::arm`.
    pub fn arm(&mut self, reader: usize, seen: u8, timer: bool, resting: &Resting) {
        self.timers[reader] = timer;
        let Some(source) = &mut self.source else {
            return;
        };
        source.waiting.retain(|bell| *bell != reader);
        let has_news = source.has_news(reader, seen, resting);
        if !has_news {
            source.waiting.push(reader);
        }
        self.bells[reader] = has_news;
    }
}

impl Source {
    /// Whose bell is to ring for a name that came.
    fn arrived(&mut self, name: u8, leader: Option<usize>, resting: &Resting) -> Vec<usize> {
        let wanting = |bell: &usize| wants(resting, *bell, name);
        let is_leader = |bell: &usize| Some(*bell) == leader && wanting(bell);
        let chosen = self.waiting.iter().position(is_leader);
        let chosen = chosen.or_else(|| self.waiting.iter().position(wanting));
        self.arrivals.push(name);
        let bell = chosen.map(|chosen| self.waiting.remove(chosen));
        bell.into_iter().collect()
    }

    fn lose_arrivals(&mut self) -> Vec<usize> {
        self.arrivals.clear();
        self.epoch += 1;
        std::mem::take(&mut self.waiting)
    }

    fn wanting(&self, resting: &Resting) -> Option<usize> {
        let wanted = |bell: &usize| self.is_wanted_by(*bell, resting);
        self.waiting.iter().position(wanted)
    }

    fn is_wanted_by(&self, reader: usize, resting: &Resting) -> bool {
        let mut arrivals = self.arrivals.iter();
        arrivals.any(|name| wants(resting, reader, *name))
    }

    fn has_news(&self, reader: usize, seen: u8, resting: &Resting) -> bool {
        self.epoch != seen || self.is_wanted_by(reader, resting)
    }
}
