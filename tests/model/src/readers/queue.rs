//! The queue as its readers see it: which names wait in it, which are reserved, which are locked. Who owns
//! them is for the other models.

use super::hub::Names;

/// A queue's directory and the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Queue {
    waiting: Names,
    reserved: Names,
    locked: Names,
}

impl Queue {
    /// The names in the directory.
    pub fn listing(&self) -> Names {
        self.waiting
    }

    pub fn has(&self, name: u8) -> bool {
        self.waiting & (1 << name) != 0
    }

    pub fn put(&mut self, name: u8) {
        self.waiting |= 1 << name;
    }

    pub fn take(&mut self, name: u8) {
        self.waiting &= !(1 << name);
    }

    pub fn reserved(&self, name: u8) -> bool {
        self.reserved & (1 << name) != 0
    }

    pub fn reserve(&mut self, name: u8) {
        self.reserved |= 1 << name;
    }

    pub fn unreserve(&mut self, name: u8) {
        self.reserved &= !(1 << name);
    }

    pub fn locked(&self, name: u8) -> bool {
        self.locked & (1 << name) != 0
    }

    pub fn lock(&mut self, name: u8) {
        self.locked |= 1 << name;
    }

    pub fn unlock(&mut self, name: u8) {
        self.locked &= !(1 << name);
    }

    /// The names that a reader could have this moment.
    pub fn free(&self) -> Names {
        self.waiting & self.reserved & !self.locked
    }
}
