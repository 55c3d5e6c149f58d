//! What is wrong with a name, told from where it is.

use std::time::Duration;

use super::limits::Limits;
use super::place::{Places, Seen};
use super::problem::{Dir, Problem};
use crate::name::EntryName;

/// How long half of an entry may be seen without an owner: a direct removal works without a lock.
const HALF_MADE_AGE: Duration = Duration::from_secs(10);

/// By what the places of a name are judged.
pub(super) struct Judge<'a> {
    pub(super) limits: &'a Limits,
    /// Whether every owner holds a lock, so that a free lock proves a dead owner.
    pub(super) is_locking: bool,
    /// Whether there is a directory for data. Without it the lack of each entry's is no news.
    pub(super) has_data: bool,
}

impl Judge<'_> {
    /// How long a file may lie in the directory; `None` for ever.
    pub(super) fn limit_of(&self, dir: &Dir) -> Option<Duration> {
        match dir {
            Dir::Queue(queue) => self.limits.of_queue(queue),
            Dir::QueueCheckout(_) => Some(self.limits.max_checked_out_age),
            Dir::Registry | Dir::Tmp | Dir::Data => None,
        }
    }

    /// Whether a reservation whose name is in no queue is too young to be a problem.
    pub(super) fn is_fresh_reservation(&self, registry: &Seen, has_data: bool) -> bool {
        !registry.is_older_than(self.limits.max_reservation_age)
            && (!has_data || !self.is_half_made(registry))
    }

    fn is_half_made(&self, registry: &Seen) -> bool {
        self.is_locking && registry.is_older_than(HALF_MADE_AGE)
    }

    /// All that is wrong with a name that holds still, but what is too old.
    pub(super) fn problems(
        &self,
        name: &EntryName,
        places: &Places,
        unreadable: &[Dir],
    ) -> Vec<Problem> {
        let named = |seen: &Seen| seen.named(name.as_os_str());
        let mut problems = Vec::new();
        if let Some(registry) = &places.registry {
            if !registry.is_regular {
                problems.push(Problem::Damaged(named(registry), Dir::Registry));
            }
            if places.entry.is_empty() && !places.is_owned {
                if registry.is_older_than(self.limits.max_reservation_age) {
                    problems.push(Problem::Orphaned(named(registry), Dir::Registry));
                }
                if let Some(data) = &places.data
                    && self.is_half_made(registry)
                {
                    problems.push(Problem::HalfMade(named(data), Dir::Data));
                }
            }
        }
        if let Some(data) = &places.data {
            if !data.is_regular {
                problems.push(Problem::Damaged(named(data), Dir::Data));
            }
            if places.registry.is_none() {
                problems.push(Problem::Orphaned(named(data), Dir::Data));
            }
        }
        for (dir, seen) in &places.entry {
            if !seen.is_regular || unreadable.contains(dir) {
                problems.push(Problem::Damaged(named(seen), dir.clone()));
            }
            if places.registry.is_none() {
                problems.push(Problem::Orphaned(named(seen), dir.clone()));
            } else if matches!(dir, Dir::QueueCheckout(_)) && self.is_locking && !places.is_owned {
                problems.push(Problem::DeadOwner(named(seen), dir.clone()));
            }
            if places.data.is_none() && self.has_data {
                problems.push(Problem::DataMissing(named(seen), dir.clone()));
            }
        }
        if let [(_, first), _, ..] = &places.entry[..] {
            let dirs = places.entry.iter().map(|(dir, _)| dir.clone()).collect();
            problems.push(Problem::Duplicated(named(first), dirs));
        }
        problems
    }
}
