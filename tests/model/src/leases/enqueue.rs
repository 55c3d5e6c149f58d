//! `Draft::using`, `Written::move_in`: an enqueue that uses a name which is reserved.

use super::model::{At, Departure, Entry, Steps, Why};
use crate::reached::Reached;

impl Steps<'_> {
    pub fn enqueue(&mut self) {
        let (me, mine) = (self.me, self.me as u8);
        let queue = self.disk().queue;
        match self.process().at {
            At::MustBeNowhere if queue.is_some() => self.name_taken("look in the queue: EEXIST"),
            At::MustBeNowhere => self.look("look in the queue", At::MustBeNowhereElse),
            At::MustBeNowhereElse if self.disk().checkout.is_some() => {
                self.name_taken("look in .checkout: EEXIST");
            }
            At::MustBeNowhereElse => self.look("look in .checkout", At::Data),
            // Its own temporary file, with the metadata, is nobody else's.
            At::Data => self.step("make the data", At::Hold(Why::Publish), |state, _| {
                state.disk.data = Some(mine);
                state.disk.own[me] = Some(Entry::new(mine));
            }),
            At::Link if self.departs(Departure::PublishByRename) => match self.disk().own[me] {
                None => self.look("publish by rename: ENOENT", At::LinkSettle),
                Some(entry) => self.request("publish by rename", At::LinkSettle, |disk| {
                    disk.queue = Some(entry);
                    disk.own[me] = None;
                }),
            },
            At::Link => match queue {
                None => self.request("link the metadata to the queue", At::LinkSettle, |disk| {
                    disk.queue = Some(Entry::new(mine));
                }),
                Some(_) => self.look("link the metadata: EEXIST", At::LinkSettle),
            },
            At::LinkSettle => match queue {
                Some(there) if there.of == mine => self.look("published", At::UnlinkOwn),
                _ => self.name_taken("look in the queue: another's"),
            },
            At::UnlinkOwn => self.step("unlink the temporary name", At::GiveUp, |state, _| {
                state.disk.own[me] = None;
                state.entries |= 1 << mine;
            }),
            At::UndoData => self.step("undo: unlink the data", At::GiveUp, |state, _| {
                state.disk.data = None;
                state.disk.own[me] = None;
            }),
            _ => unreachable!("no step of an enqueue"),
        }
    }

    fn name_taken(&mut self, call: &'static str) {
        Reached::NameTaken.mark();
        let made = self.disk().own[self.me].is_some();
        let next = if made {
            At::Hold(Why::Undo)
        } else {
            At::GiveUp
        };
        self.look(call, next);
    }
}
