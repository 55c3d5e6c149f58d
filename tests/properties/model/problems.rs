//! What a scan names, and what is counted.

use std::ffi::OsString;
use std::time::Duration;

use multispool::{Dir, Limits, QueueName};

use super::{Model, Scope, dir};
use crate::operation::{Age, Ages, Bytes, Part};

/// A problem, as far as a model without clocks can know it: kind, file, places.
pub type Problem = (&'static str, Bytes, Vec<Dir>);

/// One queue's numbers: entries, owners alive and dead, whether the oldest has an age, bytes of metadata and data.
pub type Counts = (Bytes, [u64; 3], bool, u64, u64);

impl Age {
    pub fn duration(self) -> Duration {
        match self {
            Age::Zero => Duration::ZERO,
            Age::Hour => Duration::from_secs(3600),
        }
    }
}

impl Ages {
    /// The library's own limits for these. A full disk is no affair of the model's.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::new()
            .max_checked_out_age(self.checked_out.duration())
            .max_tmp_file_age(self.temporary.duration())
            .max_reservation_age(self.reservation.duration())
            .min_free_bytes(0)
            .min_free_inodes(0);
        if let Some((queue, age)) = &self.queue
            && let Ok(queue) = QueueName::new(queue.os())
        {
            limits = limits.max_queue_age(queue, age.duration());
        }
        limits
    }

    fn of_queue(&self, queue: &Bytes) -> Age {
        match &self.queue {
            Some((limited, age)) if limited == queue => *age,
            _ => Age::Hour,
        }
    }
}

impl Model {
    /// All that is wrong, in order.
    pub fn problems(&self, ages: &Ages) -> Vec<Problem> {
        let mut problems = Vec::new();
        for temporary in self.tmp.values() {
            let Some(name) = &temporary.name else {
                continue;
            };
            let mut problem = |kind| problems.push((kind, name.clone(), vec![Dir::Tmp]));
            if ages.temporary == Age::Zero {
                problem("too_old");
            }
            if self.owner_of_temporary(name).is_none() {
                problem("orphaned");
            }
        }
        for name in self.data.keys() {
            if !self.registry.contains_key(name) {
                problems.push(("orphaned", name.clone(), vec![Dir::Data]));
            }
        }
        for name in self.registry.keys() {
            let is_unused = self.places(name).is_empty() && !self.is_owned(name);
            if is_unused && ages.reservation == Age::Zero {
                problems.push(("orphaned", name.clone(), vec![Dir::Registry]));
            }
        }
        for (queue, contents) in &self.queues {
            for name in contents.waiting.keys() {
                self.problems_of_entry(queue, false, name, ages.of_queue(queue), &mut problems);
            }
            for name in contents.checkout.keys() {
                self.problems_of_entry(queue, true, name, ages.checked_out, &mut problems);
            }
        }
        problems.sort();
        problems
    }

    fn problems_of_entry(
        &self,
        queue: &Bytes,
        checked_out: bool,
        name: &Bytes,
        limit: Age,
        problems: &mut Vec<Problem>,
    ) {
        let mut problem = |kind| problems.push((kind, name.clone(), vec![dir(queue, checked_out)]));
        if limit == Age::Zero {
            problem("too_old");
        }
        if !self.registry.contains_key(name) {
            problem("orphaned");
        } else if checked_out && self.is_locking && !self.is_owned(name) {
            problem("dead_owner");
        }
        if !self.data.contains_key(name) {
            problem("data_missing");
        }
        let places = self.places(name);
        if places.len() > 1 && places[0] == (queue, checked_out) {
            let dirs = places
                .iter()
                .map(|(queue, checked_out)| dir(queue, *checked_out));
            problems.push(("duplicated", name.clone(), dirs.collect()));
        }
    }

    /// The reserved name that a temporary file begins with.
    pub fn owner_of_temporary(&self, temporary: &Bytes) -> Option<Bytes> {
        let mut name = &temporary.0[..];
        while !name.is_empty() {
            let owner = Bytes::from(name);
            if self.registry.contains_key(&owner) {
                return Some(owner);
            }
            let dot = name.iter().rposition(|byte| *byte == b'.').unwrap_or(0);
            name = &name[..dot];
        }
        None
    }

    /// A file of the entry is gone: from this directory, if it was there.
    pub fn lose(&mut self, queue: &Bytes, name: &Bytes, part: Part) -> Option<OsString> {
        let dir = match part {
            Part::Data => self.data.remove(name).map(|_| Dir::Data),
            Part::Reservation => self.registry.remove(name).map(|_| Dir::Registry),
            Part::Metadata => {
                let contents = self.queues.get_mut(queue)?;
                let waiting = contents.waiting.remove(name).map(|_| false);
                let place = waiting.or_else(|| contents.checkout.remove(name).map(|_| true));
                place.map(|checked_out| dir(queue, checked_out))
            }
        };
        dir.map(|dir| dir.name_on_disk())
    }

    pub fn stats(&self, scope: &Scope) -> Vec<Counts> {
        let counts = |queue: &Bytes| {
            let contents = &self.queues[queue];
            let names = || contents.waiting.keys().chain(contents.checkout.keys());
            let metadata = contents.waiting.values().chain(contents.checkout.values());
            let data = names().filter_map(|name| self.data.get(name));
            let alive = contents
                .checkout
                .keys()
                .filter(|name| self.is_owned(name))
                .count();
            let numbers = [
                contents.waiting.len(),
                alive,
                contents.checkout.len() - alive,
            ];
            (
                queue.clone(),
                numbers.map(|number| number as u64),
                !contents.waiting.is_empty(),
                metadata.map(|metadata| metadata.0.len() as u64).sum(),
                data.map(|data| data.bytes.0.len() as u64).sum(),
            )
        };
        scope.queues.iter().map(counts).collect()
    }
}
