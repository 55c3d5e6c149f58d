//! Where the next steps of a reader go.

use super::reader::{Call, Reader};
use super::{Action, Departure, Readers, State};

/// One reader at one moment.
pub struct Steps<'a> {
    pub model: &'a Readers,
    pub state: &'a State,
    pub me: usize,
    pub actions: &'a mut Vec<Action>,
}

impl Steps<'_> {
    pub fn reader(&self) -> Reader {
        self.state.readers[self.me]
    }

    pub fn departs(&self, departure: Departure) -> bool {
        self.model.departure == Some(departure)
    }

    /// A step, which may be a stretch under the hub's lock or one system call.
    pub fn step(&mut self, call: &'static str, change: impl FnOnce(&mut State, &mut Reader)) {
        let mut state = self.state.clone();
        let mut reader = self.reader();
        change(&mut state, &mut reader);
        state.readers[self.me] = reader;
        self.actions.push(Action {
            who: "reader",
            number: self.me,
            call,
            next: state,
        });
    }

    /// The call that it is in.
    pub fn call(&self) -> Call {
        self.model.calls[self.me][self.reader().calls as usize - 1]
    }
}
