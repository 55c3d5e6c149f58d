//! `Spool::recover`: `lease::end_if_over`, and `return_one`.

use super::model::{At, Steps};
use crate::reached::Reached;

impl Steps<'_> {
    pub fn begin_recover(&mut self) {
        match self.disk().claim {
            Some(judged) if self.is_over(judged) => {
                self.look("look at the claim: run out", At::Judged(judged));
            }
            Some(_) => {}
            None if self.disk().checkout.is_some() => {
                self.look("list claims and .checkout", At::Left);
            }
            None => {}
        }
    }

    fn is_over(&self, token: u8) -> bool {
        self.disk().tokens[token as usize].age >= self.model.lease
    }

    pub fn recover(&mut self) {
        let me = self.me;
        match self.process().at {
            At::Judged(judged) => {
                self.take_claim_away("rename the claim away", At::Away(judged));
            }
            At::Away(judged) => match self.disk().away[me] {
                None => self.look("there was none", At::Left),
                Some(away) if away == judged && self.is_over(away) => {
                    self.look("look at it anew: run out", At::BreakToken(away));
                }
                Some(_) => self.look("look at it anew: another's, or renewed", At::GiveBack),
            },
            At::BreakToken(token) => {
                self.request("unlink the token's own name", At::Broken, |disk| {
                    disk.tokens[token as usize].named = false;
                });
            }
            At::Broken => {
                Reached::TakenOver.mark();
                self.step("unlink the claim", At::Left, |state, _| {
                    state.disk.away[me] = None;
                });
            }
            At::Left => match self.has_been_left() {
                true => self.look("look at .checkout/NAME: left", At::Claim),
                false => self.look("look at .checkout/NAME: not left", At::Done),
            },
            At::LeftStill => match self.has_been_left() {
                true => self.step(
                    "look at .checkout/NAME again: left",
                    At::Touch,
                    |_, process| process.out = true,
                ),
                false => self.look("look at .checkout/NAME again: not left", At::GiveUp),
            },
            _ => unreachable!("no step of a recover"),
        }
    }

    fn has_been_left(&self) -> bool {
        let checkout = self.disk().checkout;
        checkout.is_some_and(|entry| entry.age >= self.model.lease)
    }
}
