//! `ownership::lease`: a claim, a hold, and the end of a claim.

use super::model::{At, Kind, Process, Steps, Token, Why};
use crate::reached::Reached;

impl Steps<'_> {
    pub fn claim(&mut self) {
        let (me, mine) = (self.me, self.me as u8);
        let claimed = match self.process().kind {
            Kind::Worker => At::Touch,
            Kind::Recover => At::LeftStill,
            Kind::Producer => At::MustBeNowhere,
        };
        match (self.process().at, self.disk().claim) {
            // A worker and an enqueue come again; so they may as well wait.
            (At::Claim, Some(_)) if self.process().kind != Kind::Recover => {}
            (At::Claim, Some(_)) => self.look("look at the claim: busy", At::Done),
            (At::Claim, None) => {
                self.step("make a token", At::ClaimLink, |state, process| {
                    state.disk.tokens[me] = Token {
                        named: true,
                        age: 0,
                    };
                    process.renewed = 0;
                });
            }
            (At::ClaimLink, None) => self.request("link the claim", claimed, |disk| {
                disk.claim = Some(mine);
            }),
            (At::ClaimLink, Some(_)) => self.look("link the claim: EEXIST", At::ClaimSettle),
            (_, Some(claim)) if claim == mine => self.look("look at the claim: own", claimed),
            (_, _) => self.look("look at the claim: another's", At::RemoveToken),
        }
    }

    /// `Held::still_has`.
    pub fn hold(&mut self) {
        let mine = self.me as u8;
        let claim = self.disk().claim;
        match self.process().at {
            At::Hold(why) => match claim {
                Some(claim) if claim == mine => self.held("hold: own", why),
                None if self.is_late() => {
                    self.not_held("hold: none, and late", why);
                }
                None => self.look("hold: none", At::HoldLink(why)),
                // While its lease lasts it looks again: by making this step later.
                Some(_) => self.not_held("hold: another's", why),
            },
            At::HoldLink(why) => match claim {
                _ if !self.disk().tokens[self.me].named => {
                    self.look("link the claim again: ENOENT", At::HoldSettle(why));
                }
                Some(_) => self.look("link the claim again: EEXIST", At::HoldSettle(why)),
                None => {
                    Reached::LinkedAgain.mark();
                    // What follows a hold is no request of its own.
                    self.request("link the claim again", At::Hold(why), |disk| {
                        disk.claim = Some(mine);
                    });
                }
            },
            At::HoldSettle(why) => {
                if claim == Some(mine) {
                    return self.held("hold: own after all", why);
                }
                if !self.is_late() {
                    self.look("hold: not yet", At::Hold(why));
                }
                self.not_held("hold: lost", why);
            }
            _ => unreachable!("no step of a hold"),
        }
    }

    fn held(&mut self, call: &'static str, why: Why) {
        let at = match why {
            Why::Take => return self.handed(call),
            Why::Renew => return self.renewed(call),
            Why::Release => At::Touch,
            Why::Remove => At::TakeOut,
            Why::Removed => At::Unlink,
            Why::RemoveRest => At::RemoveData,
            Why::Publish => At::Link,
            Why::Undo => At::UndoData,
        };
        self.look(call, at);
    }

    fn not_held(&mut self, call: &'static str, why: Why) {
        match why {
            Why::Removed => self.look(call, At::PutBack),
            _ => self.told_lost(call),
        }
    }

    pub fn give_up(&mut self) {
        let (me, mine) = (self.me, self.me as u8);
        match self.process().at {
            At::GiveUp => self.take_claim_away("rename the claim away", At::GaveUp),
            At::GaveUp => match self.disk().away[me] {
                Some(away) if away != mine => self.look("it is another's", At::GiveBack),
                Some(_) => self.look("it is the token", At::RemoveAway),
                None => self.look("there was none", At::RemoveToken),
            },
            At::GiveBack => {
                let away = self.disk().away[me];
                if self.disk().claim.is_none() {
                    Reached::LinkedBack.mark();
                }
                self.request("link the claim back", At::RemoveAway, |disk| {
                    disk.claim = disk.claim.or(away);
                });
            }
            At::RemoveAway => {
                let recovers =
                    self.process().kind == Kind::Recover && !self.disk().tokens[me].named;
                let next = if recovers { At::Left } else { At::RemoveToken };
                self.step("unlink the claim's other name", next, |state, _| {
                    state.disk.away[me] = None;
                });
            }
            _ => self.step("unlink the token's own name", At::Done, |state, process| {
                state.disk.tokens[me].named = false;
                *process = Process {
                    at: At::Done,
                    ..Process::of(process.kind)
                };
            }),
        }
    }

    /// `Away::take`'s rename. A claim that is there already, by a request whose reply was lost, is replaced.
    pub fn take_claim_away(&mut self, call: &'static str, at: At) {
        let me = self.me;
        match self.disk().claim {
            None => self.look(call, at),
            Some(claim) => self.request(call, at, |disk| {
                disk.claim = None;
                disk.away[me] = Some(claim);
            }),
        }
    }
}
