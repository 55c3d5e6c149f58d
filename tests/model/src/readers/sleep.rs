//! What comes when a look finds nothing: `wait` and `Subscription::sleep`, the `None` of `dequeue_available`, or
//! `arm` of a reader whose descriptor is polled.

use super::Departure;
use super::reader::{At, Call};
use super::steps::Steps;

impl Steps<'_> {
    pub fn sleep(&mut self) {
        let me = self.me;
        let reader = self.reader();
        let rung = self.state.hub.bells[me];
        let departure = self.model.departure;
        match reader.at {
            At::Nothing => self.nothing(),
            At::Sleeping => {
                if rung {
                    self.step("is rung", |_, reader| reader.at = At::GetUp { ends: false });
                }
                if reader.timer {
                    self.step("its timer fires", |_, reader| {
                        reader.at = At::GetUp { ends: false };
                    });
                }
                if reader.leads && !self.state.hub.kernel.is_empty() {
                    let held = self.model.arrivals_held;
                    self.step("leads: drains", |state, reader| {
                        let resting = state.resting();
                        if state.hub.drain(Some(me), &resting, held, departure) {
                            reader.at = At::GetUp { ends: false };
                        }
                    });
                }
                if self.state.stops > 0 {
                    self.step("is stopped", |state, reader| {
                        state.stops -= 1;
                        reader.at = At::GetUp { ends: true };
                    });
                }
            }
            At::GetUp { ends } => self.step("gets up", |state, reader| {
                state.hub.get_up(me, reader.leads, departure);
                reader.leads = false;
                reader.timer = false;
                reader.at = match ends {
                    true => At::HandBack,
                    false => At::Listing,
                };
            }),
            At::Polling => {
                if rung {
                    self.step("its descriptor is readable", |_, reader| {
                        reader.at = At::Listing;
                    });
                }
            }
            _ => unreachable!("not asleep"),
        }
    }

    /// A look found nothing.
    fn nothing(&mut self) {
        let me = self.me;
        let reader = self.reader();
        let hoards = self.departs(Departure::KeepsBusy);
        let looks_again = match self.departs(Departure::RestsEndUnseen) {
            true => reader.resting,
            false => reader.untried,
        };
        // `next_look`: whether something is to be tried that nobody rings for.
        let timer = reader.busy | looks_again != 0;
        let seen = reader.listed.unwrap_or_default();
        match self.call() {
            Call::Dequeue => self.step("lies down", |state, reader| {
                let resting = state.resting();
                let before = state.hub.leading;
                if state.hub.lie_down(me, seen, &resting) {
                    reader.leads = state.hub.leading && !before;
                    reader.timer = timer;
                    reader.at = At::Sleeping;
                } else {
                    reader.at = At::Listing;
                }
            }),
            Call::Available => {
                if reader.busy != 0 {
                    self.step("looks again for what is busy", |_, reader| {
                        reader.at = At::Listing;
                    });
                }
                self.step("answers: nothing", |_, reader| {
                    reader.pass = 0;
                    reader.at = match hoards {
                        true => At::Idle,
                        false => At::HandBack,
                    };
                });
            }
            Call::Poll => self.step("answers: nothing, and arms", |state, reader| {
                let resting = state.resting();
                reader.pass = 0;
                state.hub.arm(me, seen, timer, &resting);
                reader.at = At::Polling;
            }),
        }
    }
}
