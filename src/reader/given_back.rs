//! The names that a reader gave back or found bad: others come first.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::name::EntryName;
use crate::ownership::BUSY_PAUSE_MAX;
use crate::sys::sync::lock;

/// Above this many names, those that have long been due are forgotten.
const MANY: usize = 1024;

/// Shared by a reader, its checkouts, and the bell that wakes it.
#[derive(Debug)]
pub(crate) struct GivenBack {
    shortest: Duration,
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pass: u64,
    names: HashMap<EntryName, Rest>,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    /// What the next rest doubles; zero for a name that was saved back, and need not rest.
    pause: Duration,
    /// The pass in which it was had last.
    pass: u64,
}

impl GivenBack {
    pub(crate) fn new(shortest: Duration, longest: Duration) -> GivenBack {
        GivenBack {
            shortest,
            longest: longest.max(shortest),
            state: Mutex::default(),
        }
    }

    /// The name was given back, or is bad: it rests, each time twice as long.
    pub(crate) fn note(&self, name: &EntryName) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        if state.names.len() >= MANY {
            let longest = self.longest;
            state.names.retain(|_, rest| rest.until + longest > now);
        }
        let pass = state.pass;
        let rest = state.names.entry(name.clone()).or_insert(Rest {
            until: now,
            pause: Duration::ZERO,
            pass,
        });
        rest.pause = (rest.pause * 2).clamp(self.shortest, self.longest);
        rest.until = now + rest.pause;
        rest.pass = pass;
    }

    /// The name was saved to the queue that it came from: this pass has had it.
    pub(crate) fn note_saved_back(&self, name: &EntryName) {
        let mut state = lock(&self.state);
        let rest = Rest {
            until: Instant::now(),
            pause: Duration::ZERO,
            pass: state.pass,
        };
        state.names.insert(name.clone(), rest);
    }

    /// The name has left the queue.
    pub(crate) fn forget(&self, name: &EntryName) {
        let mut state = lock(&self.state);
        if !state.names.is_empty() {
            state.names.remove(name);
        }
    }

    /// Whether the name is to rest for a while yet.
    pub(crate) fn must_rest(&self, name: &EntryName) -> bool {
        let state = lock(&self.state);
        state
            .names
            .get(name)
            .is_some_and(|rest| rest.until > Instant::now())
    }

    /// Whether this pass has had the name.
    pub(crate) fn had_in_this_pass(&self, name: &EntryName) -> bool {
        let state = lock(&self.state);
        state
            .names
            .get(name)
            .is_some_and(|rest| rest.pass == state.pass)
    }

    /// A new pass begins.
    pub(crate) fn end_pass(&self) {
        lock(&self.state).pass += 1;
    }

    /// The names that have rested enough by `now`, the longest rested first.
    pub(crate) fn rested(&self, now: Instant) -> Vec<EntryName> {
        self.those(|rest, _| rest.until <= now)
    }

    /// All of the names.
    pub(crate) fn all(&self) -> Vec<EntryName> {
        self.those(|_, _| true)
    }

    /// The names that an earlier pass had.
    pub(crate) fn of_earlier_passes(&self) -> Vec<EntryName> {
        self.those(|rest, pass| rest.pass < pass)
    }

    fn those(&self, chosen: impl Fn(&Rest, u64) -> bool) -> Vec<EntryName> {
        let state = lock(&self.state);
        let mut names: Vec<(&EntryName, Instant)> = state
            .names
            .iter()
            .filter(|(_, rest)| chosen(rest, state.pass))
            .map(|(name, rest)| (name, rest.until))
            .collect();
        names.sort_unstable_by_key(|(_, until)| *until);
        names.into_iter().map(|(name, _)| name.clone()).collect()
    }

    /// When the next name has rested enough, of those that had not by `tried`: that time may have come.
    pub(crate) fn next_rested(&self, tried: Instant) -> Option<Instant> {
        let state = lock(&self.state);
        let due = state.names.values().map(|rest| match rest.pause {
            // Whoever waits for a bad name that need not rest must not spin.
            Duration::ZERO => rest.until + BUSY_PAUSE_MAX,
            _ => rest.until,
        });
        due.filter(|due| *due > tried).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EntryName {
        EntryName::new(text).expect("a name")
    }

    #[test]
    fn a_name_given_back_again_rests_twice_as_long_up_to_the_limit() {
        let given_back = GivenBack::new(Duration::from_secs(1), Duration::from_secs(5));
        let rest_of = |name: &EntryName| lock(&given_back.state).names[name].pause.as_secs();
        let a = name("a");
        let rests: Vec<u64> = (0..5)
            .map(|_| {
                given_back.note(&a);
                rest_of(&a)
            })
            .collect();
        assert_eq!(rests, [1, 2, 4, 5, 5]);
        assert!(given_back.must_rest(&a));
        assert!(!given_back.must_rest(&name("b")));
        given_back.forget(&a);
        assert!(!given_back.must_rest(&a));
        given_back.note(&a);
        assert_eq!(rest_of(&a), 1);
    }

    #[test]
    fn a_pass_has_a_name_once_and_the_next_pass_may_have_it_again() {
        let given_back = GivenBack::new(Duration::from_secs(1), Duration::from_secs(60));
        let (a, b) = (name("a"), name("b"));
        given_back.note(&a);
        given_back.note_saved_back(&b);
        assert!(given_back.had_in_this_pass(&a) && given_back.had_in_this_pass(&b));
        assert!(!given_back.must_rest(&b), "saved, not given back");
        assert!(given_back.of_earlier_passes().is_empty());
        given_back.end_pass();
        assert!(!given_back.had_in_this_pass(&a));
        assert_eq!(given_back.of_earlier_passes().len(), 2);
    }
}
