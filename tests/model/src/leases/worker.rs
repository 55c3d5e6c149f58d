//! `checkout::take_owned`, and the calls of who has an entry.

use super::model::{At, Departure, Process, State, Steps, Why};
use crate::reached::Reached;

impl Steps<'_> {
    pub fn begin_take(&mut self) {
        let rename_claims = self.departs(Departure::RenameIsClaim);
        match self.disk().queue {
            None => {}
            Some(_) if rename_claims => {
                self.step("list the queue", At::Touch, |_, process| {
                    process.out = false
                });
            }
            Some(_) => self.look("list the queue", At::Claim),
        }
    }

    pub fn work(&mut self) {
        let me = self.me;
        match self.process().at {
            At::Taken => match self.disk().checkout {
                None => self.gone("look at what was moved: ENOENT"),
                Some(_) => {
                    Reached::Taken.mark();
                    self.look("look at what was moved", At::Has);
                }
            },
            At::Has => self.call(),
            At::RenewEntry => match self.disk().checkout {
                None => self.told_lost("touch the entry: ENOENT"),
                Some(_) => self.step(
                    "touch the entry's access time",
                    At::Hold(Why::Renew),
                    |state, _| {
                        if let Some(entry) = &mut state.disk.checkout {
                            entry.age = 0;
                        }
                    },
                ),
            },
            At::TakeOut => self.take_out(),
            At::TookOut => match self.disk().own[me] {
                None => self.told_lost("look at what was taken out: ENOENT"),
                Some(_) => self.look("look at what was taken out", At::Hold(Why::Removed)),
            },
            At::Unlink => {
                Reached::Removed.mark();
                let entry = self.disk().own[me];
                self.finishes("unlink it", At::Hold(Why::RemoveRest), |state, _| {
                    state.disk.own[me] = None;
                    if let Some(entry) = entry {
                        state.entries &= !(1 << entry.of);
                    }
                });
            }
            At::PutBack => {
                let back = self.disk().own[me];
                match self.departs(Departure::PutBackByLink) {
                    true => self.request("link it back", At::HasPutBack, |disk| {
                        disk.checkout = disk.checkout.or(back);
                    }),
                    // Made again, there is nothing to rename any more.
                    false => self.request("rename it back", At::HasPutBack, |disk| {
                        disk.checkout = disk.own[me].take().or(disk.checkout);
                    }),
                }
            }
            At::HasPutBack => {
                Reached::ToldLost.mark();
                self.step("unlink its own name", At::RemoveToken, |state, process| {
                    state.disk.own[me] = None;
                    process.holds = false;
                });
            }
            At::RemoveData => self.request("unlink the data", At::GiveUp, |disk| disk.data = None),
            _ => unreachable!("no step of a worker"),
        }
    }

    /// From here on it has the entry.
    pub fn handed(&mut self, call: &'static str) {
        let (me, lease) = (self.me, self.model.lease);
        self.step(call, At::Taken, |state, process| {
            for (other, before) in state.processes.iter_mut().enumerate() {
                if other != me && before.works() {
                    before.taken = true;
                    state.handed_twice |= before.renewed < lease;
                }
            }
            process.holds = true;
        });
    }

    /// Any call of who has an entry; or it drops it.
    fn call(&mut self) {
        let claims = !self.departs(Departure::RenameIsClaim);
        let holds = claims && !self.departs(Departure::EndWithoutHold);
        let (release, remove) = match holds {
            true => (At::Hold(Why::Release), At::Hold(Why::Remove)),
            false => (At::Touch, At::TakeOut),
        };
        if claims {
            let me = self.me;
            self.step(
                "renews: touch the token",
                At::RenewEntry,
                |state, process| {
                    state.disk.tokens[me].age = 0;
                    process.begun = 0;
                    process.was_taken = process.taken;
                },
            );
        }
        self.step("releases", release, |_, process| {
            process.out = true;
            process.was_taken = process.taken;
        });
        self.step("removes", remove, |_, process| {
            process.was_taken = process.taken;
        });
        self.step("drops it", At::GiveUp, |_, process| process.holds = false);
    }

    pub fn renewed(&mut self, call: &'static str) {
        self.step(call, At::Has, |state, process| {
            process.renewed = process.begun;
            process.begun = 0;
            state.not_told |= process.was_taken;
            process.was_taken = false;
        });
    }

    fn take_out(&mut self) {
        let me = self.me;
        let Some(entry) = self.disk().checkout else {
            return match self.departs(Departure::PlainRemove) {
                true => self.told_lost("unlink the entry: ENOENT"),
                false => self.look("rename the entry away: ENOENT", At::TookOut),
            };
        };
        if self.is_late() {
            Reached::CarriedOutLate.mark();
        }
        match self.departs(Departure::PlainRemove) {
            true => self.request("unlink the entry", At::Hold(Why::Removed), |disk| {
                disk.checkout = None;
            }),
            false => self.rename("rename the entry away", At::TookOut, |disk| {
                disk.checkout = None;
                disk.own[me] = Some(entry);
            }),
        }
    }

    /// The call that ends a checkout has succeeded.
    pub fn finished(&mut self, call: &'static str, at: At) {
        self.finishes(call, at, |_, _| {});
    }

    fn finishes(
        &mut self,
        call: &'static str,
        at: At,
        change: impl FnOnce(&mut State, &mut Process),
    ) {
        self.step(call, at, |state, process| {
            state.not_told |= process.was_taken;
            process.holds = false;
            change(state, process);
        });
    }
}
