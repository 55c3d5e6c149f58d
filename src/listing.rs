//! The names in a directory, in the order of their bytes, in bounded memory however many there are.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::error::{At, Result};
use crate::layout::Dir;
use crate::name::EntryName;
use crate::sys::dir;

/// How many names are held at once.
pub(crate) const HELD: usize = 131_072;

/// A cursor over the names of a directory. Each refill reads the directory anew and keeps the smallest
/// names after the last one given.
#[derive(Debug)]
pub(crate) struct Listing {
    operation: &'static str,
    held: usize,
    names: VecDeque<EntryName>,
    /// The last name given.
    after: Option<EntryName>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Unread,
    /// Names were left out for want of room: there is more to read.
    Incomplete,
    Complete,
}

impl Listing {
    pub(crate) fn new(operation: &'static str) -> Listing {
        Listing::holding(HELD, operation)
    }

    fn holding(held: usize, operation: &'static str) -> Listing {
        Listing {
            operation,
            held,
            names: VecDeque::new(),
            after: None,
            state: State::Unread,
        }
    }

    /// The next name; `step` runs each reading of the directory.
    pub(crate) fn next(
        &mut self,
        dir: &Dir,
        step: impl Fn(&mut dyn FnMut()),
    ) -> Result<Option<EntryName>> {
        while self.names.is_empty() && self.state != State::Complete {
            let mut read = Ok(());
            step(&mut || read = self.refill(dir));
            read?;
        }
        let name = self.names.pop_front();
        if name.is_some() {
            self.after.clone_from(&name);
        }
        Ok(name)
    }

    /// Puts the name that was given last back to the front.
    pub(crate) fn put_back(&mut self, name: EntryName) {
        self.names.push_front(name);
    }

    /// As [`next`](Listing::next), for an iterator: a directory that cannot be read ends it.
    pub(crate) fn next_or_end(
        &mut self,
        dir: &Dir,
        step: impl Fn(&mut dyn FnMut()),
    ) -> Option<Result<EntryName>> {
        let next = self.next(dir, step);
        if next.is_err() {
            self.state = State::Complete;
        }
        next.transpose()
    }

    fn refill(&mut self, dir: &Dir) -> Result<()> {
        let mut names: Vec<EntryName> = Vec::new();
        let mut complete = true;
        // Once names were left out, none greater than the greatest that was kept can be next.
        let mut greatest: Option<EntryName> = None;
        dir::for_each_name(dir.fd(self.operation)?, |name| {
            let is_past = self
                .after
                .as_ref()
                .is_none_or(|after| name > after.as_bytes());
            let fits = greatest
                .as_ref()
                .is_none_or(|greatest| name < greatest.as_bytes());
            if is_past && fits {
                names.extend(EntryName::found(name));
            } else if is_past {
                complete = false;
            }
            if names.len() >= self.held * 2 {
                names.select_nth_unstable(self.held - 1);
                names.truncate(self.held);
                greatest = names.last().cloned();
                complete = false;
            }
            ControlFlow::Continue(())
        })
        .at(self.operation, || dir.path().to_owned())?;
        names.sort_unstable();
        if names.len() > self.held {
            names.truncate(self.held);
            complete = false;
        }
        self.names = names.into();
        self.state = if complete {
            State::Complete
        } else {
            State::Incomplete
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn a_listing_gives_every_name_once_in_order_however_few_it_may_hold() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut expected: Vec<String> = (0..500)
            .map(|i| format!("n{:03}", i * 7919 % 1000))
            .collect();
        for name in &expected {
            std::fs::write(dir.path().join(name), "").expect("a file");
        }
        std::fs::write(dir.path().join(".hidden"), "").expect("a file");
        expected.sort();
        let layout = Layout::new(dir.path().to_owned(), []);
        for held in [1, 7, 250, 499, 500, 501, 5000] {
            let mut listing = Listing::holding(held, "list");
            let mut given = Vec::new();
            while let Some(name) = listing.next(&layout.root, |step| step()).expect("readable") {
                assert!(listing.names.len() < held.max(1));
                given.push(name.to_string());
            }
            assert_eq!(given, expected, "holding {held}");
        }
    }
}
