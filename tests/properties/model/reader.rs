//! Which entries a reader may answer with, and when it may answer that there is none.
//!
//! A reader remembers the names that it gave back or found bad. Where it tried such a name and found it gone,
//! it has forgotten it; whether it tried is its own affair, so such a name is *doubtful*: it may be had and it
//! may be left alone. So is one that was damaged or without a registry file while it lay in the queue.

use std::collections::{BTreeMap, BTreeSet};

use multispool::ErrorKind;

use super::Model;
use super::checkout::{Attempt, Holding};
use crate::operation::Bytes;
use crate::verdict::{Verdict, Wrong, ensure};

/// What a reader remembers.
#[derive(Debug)]
pub struct Notes {
    pub queue: Bytes,
    /// Whether what it gave back rests for longer than any test takes; else not at all.
    rests: bool,
    /// Whether it has never been asked for an entry.
    is_fresh: bool,
    noted: BTreeMap<Bytes, Note>,
    doubtful: BTreeSet<Bytes>,
}

#[derive(Clone, Copy, Debug)]
struct Note {
    in_this_pass: bool,
    rests: bool,
}

/// Which names a call leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    HadInThisPass,
    Resting,
}

impl Notes {
    pub fn new(queue: &Bytes, rests: bool) -> Notes {
        Notes {
            queue: queue.clone(),
            rests,
            is_fresh: true,
            noted: BTreeMap::new(),
            doubtful: BTreeSet::new(),
        }
    }

    /// Whether it keeps the order of names whatever it meets.
    pub fn is_strict(&self) -> bool {
        !self.rests
    }

    /// Whether the name is left alone; `None` if that cannot be known.
    fn leaves_alone(&self, leaves: Leaves, name: &Bytes) -> Option<bool> {
        if self.doubtful.contains(name) {
            return None;
        }
        Some(self.noted.get(name).is_some_and(|note| match leaves {
            Leaves::HadInThisPass => note.in_this_pass,
            Leaves::Resting => note.rests,
        }))
    }

    fn note(&mut self, name: &Bytes, rests: bool) {
        let note = Note {
            in_this_pass: true,
            rests,
        };
        self.noted.insert(name.clone(), note);
        self.doubtful.remove(name);
    }
}

impl Model {
    fn notes_of(&mut self, holding: &Holding) -> Option<&mut Notes> {
        self.readers.get_mut(&holding.reader?)
    }

    pub(super) fn note_given_back(&mut self, holding: &Holding) {
        if let Some(notes) = self.notes_of(holding) {
            notes.note(&holding.name, notes.rests);
        }
    }

    /// What is saved to the queue that it came from need not rest, but this pass has had it.
    pub(super) fn note_saved_back(&mut self, holding: &Holding, target: &Bytes) {
        if *target == holding.queue
            && let Some(notes) = self.notes_of(holding)
        {
            notes.note(&holding.name, false);
        }
    }

    /// The entry has left the queue by its reader's hands. A doubt stays: the name may lie in the queue a second
    /// time, and the word of that have gone to another reader of this process, who found it bad.
    pub(super) fn forget(&mut self, holding: &Holding) {
        if let Some(notes) = self.notes_of(holding) {
            notes.noted.remove(&holding.name);
        }
    }

    /// Before a reader is asked: what it remembers and is gone, it may be about to forget.
    pub fn reader_begins(&mut self, id: u64) {
        let queues = &self.queues;
        let Some(notes) = self.readers.get_mut(&id) else {
            return;
        };
        let waiting = &queues[&notes.queue].waiting;
        let gone = notes
            .noted
            .keys()
            .filter(|name| !waiting.contains_key(*name));
        notes.doubtful.extend(gone.cloned());
    }

    /// The reader answered with an entry of this name.
    pub fn reader_took(&mut self, id: u64, leaves: Leaves, name: &Bytes) -> Result<Holding, Wrong> {
        let notes = &self.readers[&id];
        ensure(notes.leaves_alone(leaves, name) != Some(true), || {
            format!("the reader had {name:?} although it was to leave it alone: {notes:?}")
        })?;
        let queue = notes.queue.clone();
        if notes.is_fresh {
            let before = self
                .waiting(&queue)
                .keys()
                .take_while(|other| *other < name);
            // Where it finds a name busy it leaps, unless it is strict.
            let mut in_order = before.take_while(|other| {
                notes.is_strict() || !matches!(self.attempt(&queue, other), Attempt::Busy)
            });
            let passed =
                in_order.find(|other| matches!(self.attempt(&queue, other), Attempt::Had(_)));
            ensure(passed.is_none(), || {
                format!("a new reader had {name:?} before {passed:?}")
            })?;
        }
        let attempt = self.attempt(&queue, name);
        match self.take(&queue, name) {
            Ok(Some(mut holding)) => {
                holding.reader = Some(id);
                self.has_been_asked(id);
                Ok(holding)
            }
            _ => Err(Wrong(format!(
                "the reader had {name:?}, which the model says is {attempt:?}"
            ))),
        }
    }

    /// The reader reported one bad entry.
    pub fn reader_found_bad(
        &mut self,
        id: u64,
        leaves: Leaves,
        kind: ErrorKind,
        name: &Bytes,
    ) -> Verdict {
        let notes = &self.readers[&id];
        let attempt = self.attempt(&notes.queue, name);
        ensure(
            kind == ErrorKind::Corrupt && attempt == Attempt::Damaged,
            || format!("the reader says {kind:?} of {name:?}; the model says {attempt:?}"),
        )?;
        ensure(notes.leaves_alone(leaves, name) != Some(true), || {
            format!("the reader reported {name:?} again: {notes:?}")
        })?;
        self.has_been_asked(id);
        if let Some(notes) = self.readers.get_mut(&id) {
            notes.note(name, notes.rests);
        }
        Ok(())
    }

    /// The reader answered that there is nothing for it.
    pub fn reader_found_nothing(&mut self, id: u64, leaves: Leaves) -> Verdict {
        let notes = &self.readers[&id];
        for name in self.waiting(&notes.queue).keys() {
            let attempt = self.attempt(&notes.queue, name);
            let is_there = matches!(attempt, Attempt::Had(_) | Attempt::Damaged);
            ensure(
                !is_there || notes.leaves_alone(leaves, name) != Some(false),
                || {
                    format!(
                        "the reader found nothing; the model says {attempt:?} of {name:?}: {notes:?}"
                    )
                },
            )?;
        }
        self.has_been_asked(id);
        if leaves == Leaves::HadInThisPass
            && let Some(notes) = self.readers.get_mut(&id)
        {
            for note in notes.noted.values_mut() {
                note.in_this_pass = false;
            }
        }
        Ok(())
    }

    fn has_been_asked(&mut self, id: u64) {
        if let Some(notes) = self.readers.get_mut(&id) {
            notes.is_fresh = false;
        }
    }

    /// After each step: what no reader can have now, one may have tried, or not heard of for that reason.
    pub fn note_doubts(&mut self) {
        let mut doubts = Vec::new();
        for (id, notes) in &self.readers {
            for name in self.waiting(&notes.queue).keys() {
                let attempt = self.attempt(&notes.queue, name);
                if matches!(attempt, Attempt::Orphaned | Attempt::Damaged) {
                    doubts.push((*id, name.clone()));
                }
            }
        }
        for (id, name) in doubts {
            if let Some(notes) = self.readers.get_mut(&id) {
                notes.doubtful.insert(name);
            }
        }
    }
}
