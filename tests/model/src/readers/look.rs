//! `QueueReader::look`: tries everything that may be in the queue, once.

use super::hub::Names;
use super::reader::{At, Call, Hand, Part, Reader, Take, first};
use super::steps::Steps;
use super::{Departure, State};
use crate::reached::Reached;

impl Steps<'_> {
    pub fn look(&mut self) {
        let reader = self.reader();
        let leaves = reader.leaves(self.call());
        match reader.at {
            At::Subscribe => self.subscribe(),
            At::Listing => self.step("compares the epoch", |state, reader| {
                let epoch = Some(state.hub.epoch());
                reader.at = match reader.listed == epoch {
                    true => At::ListedNames,
                    false => At::ReadDirectory,
                };
                reader.listed = epoch;
            }),
            At::ReadDirectory => self.step("reads QUEUE", |state, reader| {
                reader.listing = state.queue.listing();
                reader.at = At::ListedNames;
            }),
            At::ListedNames => match first(reader.listing & !leaves) {
                Some(name) => self.attempt(name, Part::Listing, Take::Lock),
                None => {
                    self.step("pops", |state, reader| {
                        reader.listing = 0;
                        pop(state, reader, leaves);
                    });
                }
            },
            At::Arrivals => self.step("pops", |state, reader| pop(state, reader, leaves)),
            At::Busy => {
                if reader.busy != 0 {
                    self.step("what is busy is due", |_, reader| {
                        reader.left = reader.busy;
                        reader.at = At::BusyNames;
                    });
                }
                self.step("nothing busy is due", |_, reader| reader.at = At::Rested);
            }
            At::BusyNames => match first(reader.left) {
                Some(name) if leaves & (1 << name) != 0 => {
                    self.step("its caller has given it back", |_, reader| {
                        reader.left &= !(1 << name);
                        reader.settle(name);
                    });
                }
                Some(name) => self.step("stat QUEUE/NAME", |state, reader| {
                    reader.left &= !(1 << name);
                    if state.queue.has(name) {
                        reader.at = At::Attempt(name, Part::Busy, Take::Lock);
                    } else {
                        reader.settle(name);
                        reader.forget(name);
                    }
                }),
                None => self.step("no more busy is due", |_, reader| reader.at = At::Rested),
            },
            At::Rested => self.list_rested(),
            At::RestedNames => match first(reader.left) {
                Some(name) => self.attempt(name, Part::Rested, Take::Lock),
                None => self.drain(),
            },
            At::More => self.step("pops, to see whether there is more", |state, reader| {
                reader.at = match state.hub.pop(leaves) {
                    Some(name) => At::HandBackMore(name),
                    None => At::CompareEpoch,
                };
            }),
            At::HandBackMore(name) => self.step("hands it back", |state, reader| {
                state.hub.hand_back(1 << name);
                reader.at = At::Listing;
            }),
            At::CompareEpoch => self.step("compares the epoch at the end", |state, reader| {
                let is_same = reader.listed == Some(state.hub.epoch());
                reader.at = if is_same { At::Nothing } else { At::Listing };
            }),
            _ => unreachable!("not a part of a look"),
        }
    }

    fn subscribe(&mut self) {
        if self.departs(Departure::ListsFirst) && self.reader().listed.is_none() {
            return self.step("reads QUEUE, before it watches", |state, reader| {
                reader.listing = state.queue.listing();
                reader.listed = Some(0);
            });
        }
        let lists_first = self.departs(Departure::ListsFirst);
        self.step("subscribes", |state, reader| {
            state.hub.subscribe();
            reader.subscribed = true;
            reader.listed = lists_first.then(|| state.hub.epoch());
            reader.at = At::Listing;
        });
    }

    fn list_rested(&mut self) {
        let call = self.call();
        self.step("lists what has rested", |_, reader| {
            reader.left = match call {
                Call::Available => (reader.resting | reader.rested) & !reader.pass,
                Call::Dequeue | Call::Poll => reader.rested,
            };
            reader.untried = reader.resting;
            reader.at = At::RestedNames;
        });
    }

    fn drain(&mut self) {
        let (held, departure) = (self.model.arrivals_held, self.model.departure);
        self.step("drains", |state, reader| {
            let resting = state.resting();
            state.hub.drain(None, &resting, held, departure);
            reader.at = At::More;
        });
    }

    /// `attempt`: `None` from it goes on with the part of the look that it belongs to.
    pub fn attempt(&mut self, name: u8, part: Part, take: Take) {
        let queue = self.state.queue;
        let next = move |take| At::Attempt(name, part, take);
        let goes_on = match part {
            Part::Listing => At::ListedNames,
            Part::Arrivals => At::Arrivals,
            Part::Busy => At::BusyNames,
            Part::Rested => At::RestedNames,
        };
        let begun = move |reader: &mut Reader| {
            reader.listing &= !(u8::from(part == Part::Listing) << name);
            reader.left &= !(u8::from(part == Part::Rested) << name);
        };
        let retries = !self.departs(Departure::BusyForgotten);
        match take {
            Take::Lock if !queue.reserved(name) => {
                self.step("open .registry/NAME: ENOENT", |_, reader| {
                    begun(reader);
                    reader.at = next(Take::Unreserved);
                });
            }
            Take::Lock if queue.locked(name) => {
                Reached::Busy.mark();
                self.step("lock NAME: EAGAIN", |_, reader| {
                    begun(reader);
                    if retries {
                        reader.busy |= 1 << name;
                    }
                    reader.at = goes_on;
                });
            }
            Take::Lock => self.step("lock NAME", |state, reader| {
                begun(reader);
                state.queue.lock(name);
                reader.at = next(Take::Move);
            }),
            Take::Unreserved => self.step("stat QUEUE/NAME and .registry/NAME", |_, reader| {
                if !queue.has(name) {
                    reader.settle(name);
                    reader.forget(name);
                } else if queue.reserved(name) {
                    reader.busy |= 1 << name;
                } else {
                    Reached::Orphaned.mark();
                    reader.settle(name);
                    reader.note(name);
                    reader.bad |= 1 << name;
                }
                reader.at = goes_on;
            }),
            Take::Move if queue.has(name) => {
                Reached::Taken.mark();
                let hoards = self.departs(Departure::KeepsBusy) && self.call() != Call::Dequeue;
                self.step("rename QUEUE/NAME -> .checkout", |state, reader| {
                    state.queue.take(name);
                    reader.settle(name);
                    reader.bad &= !(1 << name);
                    reader.hands[name as usize] = Hand::Holds;
                    reader.at = if hoards { At::Idle } else { At::HandBack };
                });
            }
            Take::Move => {
                Reached::Gone.mark();
                self.step("open QUEUE/NAME: ENOENT", |_, reader| {
                    reader.settle(name);
                    reader.forget(name);
                    reader.at = next(Take::Unlock);
                });
            }
            Take::Unlock => self.step("unlock", |state, reader| {
                state.queue.unlock(name);
                reader.at = goes_on;
            }),
        }
    }
}

fn pop(state: &mut State, reader: &mut Reader, leaves: Names) {
    reader.at = match state.hub.pop(leaves) {
        Some(name) => At::Attempt(name, Part::Arrivals, Take::Lock),
        None => At::Busy,
    };
}
