//! The names in a directory, in the order of their bytes, in bounded memory however many there are.

use std::ops::{ControlFlow, Range};

use crate::error::{At, Result};
use crate::layout::Dir;
use crate::name::EntryName;
use crate::sys::{dir, random};

/// How many names are held at once.
pub(crate) const HELD: usize = 131_072;

/// A cursor over the names of a directory. Each refill reads the directory anew and keeps the smallest
/// names after those held before.
#[derive(Debug)]
pub(crate) struct Listing {
    operation: &'static str,
    held: usize,
    /// In order.
    names: Vec<EntryName>,
    /// What of them was not given yet: more than one span once [`leap`](Listing::leap) left some out. None is empty.
    left: Vec<Range<usize>>,
    /// The span that is given from.
    at: usize,
    /// The place of the last name given.
    given: usize,
    /// How many names the directory had when it was read last.
    read: usize,
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
            names: Vec::new(),
            left: Vec::new(),
            at: 0,
            given: 0,
            read: 0,
            state: State::Unread,
        }
    }

    /// The next name; `step` runs each reading of the directory.
    pub(crate) fn next(
        &mut self,
        dir: &Dir,
        step: impl Fn(&mut dyn FnMut()),
    ) -> Result<Option<EntryName>> {
        while self.left.is_empty() && self.state != State::Complete {
            let mut read = Ok(());
            step(&mut || read = self.refill(dir));
            read?;
        }
        let Some(span) = self.left.get_mut(self.at) else {
            return Ok(None);
        };
        self.given = span.start;
        span.start += 1;
        if span.start == span.end {
            self.left.remove(self.at);
            self.at = 0;
        }
        Ok(Some(self.names[self.given].clone()))
    }

    /// Gives the name that was given last once more.
    pub(crate) fn put_back(&mut self) {
        self.at = self.left.partition_point(|span| span.end <= self.given);
        self.left.insert(self.at, self.given..self.given + 1);
    }

    /// Goes on at another place, by chance; what is left out is given later.
    pub(crate) fn leap(&mut self) {
        let mut place = random::below(self.left.iter().map(Range::len).sum());
        let Some(at) = self.left.iter().position(|span| {
            let is_here = place < span.len();
            place -= if is_here { 0 } else { span.len() };
            is_here
        }) else {
            return;
        };
        self.at = at;
        if place > 0 {
            let span = &mut self.left[at];
            let (begin, end) = (span.start, span.end);
            *span = begin..begin + place;
            self.at += 1;
            self.left.insert(self.at, begin + place..end);
        }
    }

    /// Goes on with the first of the names that were left out.
    pub(crate) fn return_to_first(&mut self) {
        self.at = 0;
    }

    /// Reads the directory anew, if names are left that may be gone by now.
    pub(crate) fn begin_again(&mut self) {
        if !self.left.is_empty() {
            *self = Listing::holding(self.held, self.operation);
        }
    }

    /// How many stretches of names are left.
    #[cfg(test)]
    pub(crate) fn spans(&self) -> usize {
        self.left.len()
    }

    /// How many names are left where it goes on.
    #[cfg(test)]
    pub(crate) fn left_here(&self) -> usize {
        self.left[self.at].len()
    }

    /// How many names the directory had when it was read last.
    pub(crate) fn read(&self) -> usize {
        self.read
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
        let after = self.names.last().cloned();
        let mut names: Vec<EntryName> = Vec::new();
        let mut complete = true;
        self.read = 0;
        // Once names were left out, none greater than the greatest that was kept can be next.
        let mut greatest: Option<EntryName> = None;
        dir::for_each_name(dir.fd(self.operation)?, |name| {
            self.read += 1;
            let is_past = after.as_ref().is_none_or(|after| name > after.as_bytes());
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
        if !names.is_empty() {
            self.left.push(0..names.len());
            self.names = names;
        }
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
                assert!(listing.names.len() <= held);
                given.push(name.to_string());
            }
            assert_eq!(given, expected, "holding {held}");
        }
    }

    #[test]
    fn whatever_is_left_out_by_leaps_is_given_later_and_nothing_twice() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let expected: Vec<String> = (0..300).map(|i| format!("n{i:03}")).collect();
        for name in &expected {
            std::fs::write(dir.path().join(name), "").expect("a file");
        }
        let layout = Layout::new(dir.path().to_owned(), []);
        for held in [1, 7, 299, 5000] {
            let mut listing = Listing::holding(held, "list");
            let mut given = Vec::new();
            while let Some(name) = listing.next(&layout.root, |step| step()).expect("readable") {
                match given.len() % 7 {
                    0 => listing.return_to_first(),
                    3 => {
                        listing.put_back();
                        let again = listing.next(&layout.root, |step| step());
                        assert_eq!(again.expect("readable"), Some(name.clone()));
                    }
                    _ => listing.leap(),
                }
                given.push(name.to_string());
            }
            assert_eq!(given.is_sorted(), held == 1, "holding {held}");
            given.sort();
            assert_eq!(given, expected, "holding {held}");
        }
    }
}
