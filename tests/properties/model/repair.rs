//! What is brought back, and what is cleared away.

use multispool::{Dir, ErrorKind, RepairAction};

use super::{Claim, Life, Model, Scope};
use crate::operation::{Age, Ages, Bytes};

/// One step of a repair.
pub type Step = (RepairAction, Dir, Bytes);

/// What a recover answers: the entries returned, and why others were not.
pub type Recovered = (Vec<(Bytes, Bytes)>, Vec<ErrorKind>);

/// A name that a repair has locked.
struct Hold {
    name: Bytes,
    reserved_here: bool,
}

impl Model {
    pub fn recover(&mut self, scope: &Scope, min_age: Option<Age>) -> Result<Recovered, ErrorKind> {
        scope.may_write()?;
        let min_age = min_age.unwrap_or(match self.is_locking {
            true => Age::Zero,
            false => Age::Hour,
        });
        let (mut entries, mut failures) = (Vec::new(), Vec::new());
        for queue in &scope.queues {
            let names: Vec<Bytes> = self.queues[queue].checkout.keys().cloned().collect();
            for name in names {
                if !matches!(self.claim(&name), Claim::Free(_)) || min_age == Age::Hour {
                    continue;
                }
                if self.waiting(queue).contains_key(&name) {
                    failures.push(ErrorKind::NameTaken);
                    continue;
                }
                let contents = self.queue_mut(queue);
                let metadata = contents.checkout.remove(&name).unwrap_or_default();
                contents.waiting.insert(name.clone(), metadata);
                entries.push((queue.clone(), name));
            }
        }
        Ok((entries, failures))
    }

    /// The steps of a plan, in order.
    pub fn plan(&self, min_age: Age) -> Vec<Step> {
        if min_age == Age::Hour {
            return Vec::new();
        }
        let ages = Ages {
            checked_out: Age::Hour,
            temporary: min_age,
            reservation: min_age,
            queue: None,
        };
        let mut steps: Vec<Step> = self
            .problems(&ages)
            .into_iter()
            .filter_map(|(kind, name, dirs)| {
                let dir = dirs.into_iter().next()?;
                let action = match (kind, &dir) {
                    ("too_old" | "orphaned", Dir::Tmp) => RepairAction::RemoveTemporary,
                    ("orphaned", Dir::Data) if self.places(&name).is_empty() => {
                        RepairAction::RemoveData
                    }
                    ("orphaned", Dir::Registry) => RepairAction::RemoveReservation,
                    ("orphaned", Dir::Queue(_) | Dir::QueueCheckout(_))
                        if self.data.contains_key(&name) =>
                    {
                        RepairAction::Adopt
                    }
                    _ => return None,
                };
                Some((action, dir, name))
            })
            .collect();
        steps.sort();
        steps.dedup();
        steps
    }

    /// Does the steps of a plan that are still needed, and answers which those were.
    pub fn apply(&mut self, plan: &[Step]) -> Vec<Step> {
        let is_done = |step: &&Step| {
            let (action, dir, name) = step;
            match action {
                RepairAction::RemoveTemporary => self.remove_temporary(name),
                RepairAction::RemoveData => self.remove_orphaned_data(name),
                RepairAction::Adopt => self.adopt_orphan(dir, name),
                RepairAction::RemoveReservation => self.remove_reservation(name),
                other => unreachable!("{other:?} is in no plan"),
            }
        };
        plan.iter().filter(is_done).cloned().collect()
    }

    fn remove_temporary(&mut self, temporary: &Bytes) -> bool {
        let owner = self.owner_of_temporary(temporary);
        let Some(hold) = self.hold(&owner.unwrap_or_else(|| made_for(temporary))) else {
            return false;
        };
        let is_it = |life: &Life| self.tmp[life].name.as_ref() == Some(temporary);
        let found = self.tmp.keys().copied().find(is_it);
        if let Some(life) = found {
            self.tmp.remove(&life);
        }
        self.take_back(hold);
        found.is_some()
    }

    fn remove_orphaned_data(&mut self, name: &Bytes) -> bool {
        let Some(hold) = self.hold(name).filter(|hold| hold.reserved_here) else {
            return false;
        };
        if !self.places(name).is_empty() {
            // An entry's by now, which keeps the reservation.
            return false;
        }
        let is_garbage = self.data.contains_key(name);
        if is_garbage {
            self.data.remove(name);
        }
        self.take_back(hold);
        is_garbage
    }

    fn adopt_orphan(&mut self, dir: &Dir, name: &Bytes) -> bool {
        let Some(hold) = self.hold(name).filter(|hold| hold.reserved_here) else {
            return false;
        };
        let (queue, checked_out) = match dir {
            Dir::Queue(queue) => (queue, false),
            Dir::QueueCheckout(queue) => (queue, true),
            other => unreachable!("{other:?} holds no entries"),
        };
        let place = (&Bytes::from(queue.as_os_str()), checked_out);
        let is_whole = self.places(name).contains(&place) && self.data.contains_key(name);
        // An entry that is elsewhere keeps the reservation.
        if !is_whole && self.places(name).is_empty() {
            self.take_back(hold);
        }
        is_whole
    }

    fn remove_reservation(&mut self, name: &Bytes) -> bool {
        if !matches!(self.claim(name), Claim::Free(_)) || !self.places(name).is_empty() {
            return false;
        }
        self.remove_rest(name);
        true
    }

    /// `None` if somebody works with the name.
    fn hold(&mut self, name: &Bytes) -> Option<Hold> {
        let reserved_here = match self.claim(name) {
            Claim::Busy => return None,
            Claim::Free(_) => false,
            Claim::Unreserved => {
                self.reserve_free(name);
                true
            }
        };
        Some(Hold {
            name: name.clone(),
            reserved_here,
        })
    }

    fn take_back(&mut self, hold: Hold) {
        if hold.reserved_here {
            self.registry.remove(&hold.name);
        }
    }
}

/// The name that a temporary file whose owner nobody has reserved was made for.
fn made_for(temporary: &Bytes) -> Bytes {
    let end = temporary.0.len() - ".tmp.RRRRRR".len();
    Bytes::from(&temporary.0[..end])
}
