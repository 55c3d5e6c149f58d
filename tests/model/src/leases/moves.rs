//! `moves::without_clobbering`, of an entry into `.checkout/` or out of it.

use super::model::{At, Departure, Disk, Entry, Kind, Steps, Why};
use crate::reached::Reached;

impl Steps<'_> {
    fn ends(&self, disk: &Disk) -> (Option<Entry>, Option<Entry>) {
        match self.process().out {
            true => (disk.checkout, disk.queue),
            false => (disk.queue, disk.checkout),
        }
    }

    pub fn moves(&mut self) {
        let out = self.process().out;
        let (source, target) = self.ends(self.disk());
        match self.process().at {
            At::Touch => match source {
                None => self.gone("touch the entry: ENOENT"),
                Some(entry) => self.step("touch the entry", At::MoveFrom, |state, _| {
                    let touched = Some(Entry::new(entry.of));
                    match out {
                        true => state.disk.checkout = touched,
                        false => state.disk.queue = touched,
                    }
                }),
            },
            At::MoveFrom => match source {
                None => self.gone("look at the source: ENOENT"),
                Some(entry) => self.look("look at the source", At::MoveTo(entry.of)),
            },
            At::MoveTo(of) => match target {
                Some(there) if there.of != of => {
                    self.look("look at the target: EEXIST", At::GiveUp)
                }
                _ => self.look("look at the target", At::Rename(of)),
            },
            At::Rename(of) => self.rename_entry(of),
            At::Moved => self.moved("the answer is yes"),
            At::Source(of) => match source {
                // It is made again, or given up later.
                Some(_) => self.look("look at the source: still there", At::Rename(of)),
                None => self.look("look at the source: gone", At::Target(of)),
            },
            At::Target(of) => match target {
                Some(there) if there.of == of => self.moved("look at the target: it"),
                _ => self.gone("look at the target: not it"),
            },
            _ => unreachable!("no step of a move"),
        }
    }

    fn rename_entry(&mut self, of: u8) {
        let (out, late) = (self.process().out, self.is_late());
        let (source, _) = self.ends(self.disk());
        let believes = self.departs(Departure::RenameIsClaim);
        let Some(moving) = source else {
            return match believes {
                true => self.gone("rename the entry: ENOENT"),
                false => self.look("rename the entry: ENOENT", At::Source(of)),
            };
        };
        if out && late {
            Reached::CarriedOutLate.mark();
        }
        let next = match (believes, out) {
            (false, _) => At::Source(of),
            (true, true) => At::GiveUp,
            (true, false) => At::Moved,
        };
        self.rename("rename the entry", next, |disk| match out {
            true => {
                disk.checkout = None;
                disk.queue = Some(moving);
            }
            false => {
                disk.queue = None;
                disk.checkout = Some(moving);
            }
        });
    }

    fn moved(&mut self, call: &'static str) {
        let out = self.process().out;
        match self.process().kind {
            Kind::Recover => {
                Reached::Recovered.mark();
                self.look(call, At::GiveUp);
            }
            _ if out => self.finished(call, At::GiveUp),
            _ if self.departs(Departure::TakeWithoutHold)
                || self.departs(Departure::RenameIsClaim) =>
            {
                self.handed(call);
            }
            _ => self.look(call, At::Hold(Why::Take)),
        }
    }

    /// The entry is not there: a holder's is lost.
    pub fn gone(&mut self, call: &'static str) {
        if self.process().holds {
            Reached::ToldLost.mark();
        }
        self.step(call, At::GiveUp, |_, process| process.holds = false);
    }
}
