//! What the caller of a reader does: calls, drops, and what it likes with the entries that it was given.

use super::reader::{At, Call, Hand, Reader};
use super::steps::Steps;
use super::{Departure, NAMES};

impl Steps<'_> {
    /// All that the reader and its caller can do next.
    pub fn all(&mut self) {
        let reader = self.reader();
        for name in (0..NAMES as u8).filter(|name| reader.resting & (1 << name) != 0) {
            self.step("a rest ends", |_, reader| {
                reader.resting &= !(1 << name);
                reader.rested |= 1 << name;
            });
        }
        for name in 0..NAMES as u8 {
            self.hand(name);
        }
        match reader.at {
            At::Idle => self.idle(),
            At::Dropping => self.unsubscribe(),
            At::Dropped => {}
            At::HandBack => self.step("hands back what was busy", |state, reader| {
                state.hub.hand_back(std::mem::take(&mut reader.busy));
                reader.at = At::Leave;
            }),
            At::Leave => {
                let offers = !self.departs(Departure::NobodyOffered);
                self.step("leaves: rings another", |state, reader| {
                    let resting = state.resting();
                    if offers {
                        state.hub.offer(&resting);
                    }
                    reader.at = At::Idle;
                });
            }
            At::Nothing | At::Sleeping | At::GetUp { .. } | At::Polling => self.sleep(),
            At::Attempt(name, part, take) => self.attempt(name, part, take),
            _ => self.look(),
        }
    }

    fn idle(&mut self) {
        let me = self.me;
        let reader = self.reader();
        let next = self.model.calls[me].get(reader.calls as usize).copied();
        match next {
            Some(Call::Poll) if !reader.subscribed => {
                self.step("asks for its descriptor", |state, reader| {
                    state.hub.subscribe();
                    state.hub.watched += 1;
                    state.hub.bells[me] = true;
                    reader.subscribed = true;
                    reader.calls += 1;
                    reader.at = At::Polling;
                });
            }
            Some(Call::Poll) => self.step("polls", |_, reader| {
                reader.calls += 1;
                reader.at = At::Polling;
            }),
            Some(_) => self.step("calls", |_, reader| {
                reader.calls += 1;
                reader.at = match reader.subscribed {
                    true => At::Listing,
                    false => At::Subscribe,
                };
            }),
            None => {}
        }
        let polls = self.model.calls[me].contains(&Call::Poll);
        if self.model.drops && !polls && reader.subscribed {
            let keeps = self.departs(Departure::KeepsBadWhenDropped);
            self.step("dropped: hands back what it knows", |state, reader| {
                let given_back = reader.resting | reader.rested;
                let known = reader.busy | if keeps { 0 } else { given_back };
                state.hub.hand_back(known);
                *reader = Reader {
                    at: At::Dropping,
                    hands: reader.hands,
                    ..Reader::default()
                };
            });
        }
    }

    fn unsubscribe(&mut self) {
        let me = self.me;
        self.step("dropped: its subscription", |state, reader| {
            let resting = state.resting();
            state.hub.unsubscribe(me, &resting);
            reader.at = At::Dropped;
        });
    }

    fn hand(&mut self, name: u8) {
        let hand = name as usize;
        let holds = self.model.kernel_holds;
        match self.reader().hands[hand] {
            Hand::Empty => {}
            Hand::Holds => {
                if self.model.releases {
                    let (me, rings) = (self.me, !self.departs(Departure::ReleaseUnheard));
                    self.step("caller releases: notes the name", |state, reader| {
                        reader.note(name);
                        // The reader may be asleep, and is to set a timer for the end of the rest.
                        state.hub.bells[me] |= rings && reader.at != At::Dropped;
                        reader.hands[hand] = Hand::Returns;
                    });
                }
                self.step("caller removes the entry", |state, reader| {
                    state.queue.unreserve(name);
                    reader.forget(name);
                    reader.hands[hand] = Hand::Unlocks;
                });
            }
            Hand::Returns => self.step("caller moves it back to QUEUE", |state, reader| {
                state.queue.put(name);
                state.hub.tell(name, holds);
                reader.hands[hand] = Hand::Unlocks;
            }),
            Hand::Unlocks => self.step("caller unlocks", |state, reader| {
                state.queue.unlock(name);
                reader.hands[hand] = Hand::Empty;
            }),
        }
    }
}
