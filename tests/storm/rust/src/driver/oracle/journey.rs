//! Where an entry may be, step by step. A death between a step's two records leaves several possibilities; what the next
//! owner finds, or what lies on disk at the end, must be one of them.

use std::collections::HashMap;

use storm::record::{Event, Record, sum};

use super::story::{Attempt, Session};
use super::{Story, Violation};
use crate::spool::{DONE, Entry};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    In { queue: String, metadata: u32 },
    Gone,
}

/// All that may be true of an entry at one time.
struct Possible {
    places: Vec<Place>,
    data: Vec<u32>,
}

impl Place {
    fn of(record: &Record) -> Place {
        Place::In {
            queue: record.queue.clone(),
            metadata: record.metadata,
        }
    }
}

impl Possible {
    fn after(attempt: &Attempt) -> Possible {
        let made = Place::of(&attempt.begun);
        Possible {
            places: match attempt.outcome.as_ref().map(|outcome| outcome.event) {
                Some(Event::Enqueued) => vec![made],
                Some(_) => vec![Place::Gone],
                None => vec![made, Place::Gone],
            },
            data: vec![attempt.begun.data],
        }
    }

    /// Follows a step; an error says why it cannot be.
    fn step(&mut self, record: &Record, taken: &Record) -> Result<(), String> {
        let here = Place::of(taken);
        match record.event {
            Event::Taken => {
                if !self.places.contains(&here) {
                    return Err(format!("found as {here:?}, not as {:?}", self.places));
                }
                self.places = vec![here];
            }
            Event::Read => {
                if !self.data.contains(&record.data) {
                    return Err(format!(
                        "found with data {:08x}, not {:08x?}",
                        record.data, self.data
                    ));
                }
                self.data = vec![record.data];
            }
            Event::Writing => self.data.push(record.data),
            Event::Written => self.data = vec![record.data],
            // The metadata is exchanged before the entry moves.
            Event::Saving => {
                self.places = vec![
                    here,
                    Place::In {
                        queue: taken.queue.clone(),
                        metadata: record.metadata,
                    },
                    Place::of(record),
                ];
            }
            Event::Saved => self.places = vec![Place::of(record)],
            Event::Removing => self.places.push(Place::Gone),
            Event::Removed => self.places = vec![Place::Gone],
            _ => {}
        }
        Ok(())
    }
}

fn walk(attempt: &Attempt, sessions: &[&Session]) -> Result<Possible, Violation> {
    let mut possible = Possible::after(attempt);
    let mut name = &attempt.begun.name;
    if let Some(outcome) = &attempt.outcome {
        name = &outcome.name;
    }
    for session in sessions {
        let taken = session.taken();
        let wrong = |what: String| {
            let who = format!("{} by {}.{}", taken.serial, taken.process, taken.session);
            Violation::of(&taken.name, format!("{who}: {what}"))
        };
        if !name.is_empty() && *name != taken.name {
            return Err(wrong(format!("it was enqueued as {name}")));
        }
        name = &taken.name;
        for record in &session.records {
            possible.step(record, taken).map_err(wrong)?;
        }
    }
    Ok(possible)
}

/// Whether each step follows from the one before.
pub fn follow(attempt: &Attempt, sessions: &[&Session]) -> Result<(), Violation> {
    walk(attempt, sessions).map(drop)
}

/// Whether what lies in `done` is what the steps lead to: nothing less, nothing more, nothing else.
pub fn at_the_end(story: &Story, entries: &[Entry]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut found: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        let serial = entry.metadata.lines().next().unwrap_or_default();
        if let Some(twin) = found.insert(serial, entry) {
            let what = format!("{serial} is there twice, as {} too", twin.name);
            violations.push(Violation::of(&entry.name, what));
        }
        if !story.attempts.contains_key(serial) {
            let what = format!("there, and never enqueued: {serial:?}");
            violations.push(Violation::of(&entry.name, what));
        }
    }
    for (attempt, sessions) in story.journeys() {
        // One that cannot be followed is told of where it is followed.
        if let Ok(possible) = walk(attempt, &sessions) {
            let entry = found.get(&*attempt.begun.serial).copied();
            violations.extend(ends_well(attempt, &sessions, &possible, entry).err());
        }
    }
    violations
}

fn ends_well(
    attempt: &Attempt,
    sessions: &[&Session],
    possible: &Possible,
    entry: Option<&Entry>,
) -> Result<(), Violation> {
    let serial = &attempt.begun.serial;
    let Some(entry) = entry else {
        if possible.places.contains(&Place::Gone) {
            return Ok(());
        }
        let told = attempt.outcome.as_ref().unwrap_or(&attempt.begun);
        let what = format!("{serial} is lost; it was {:?}", possible.places);
        return Err(Violation::of(&told.name, what));
    };
    let wrong = |what: String| Err(Violation::of(&entry.name, format!("{serial}: {what}")));
    let place = Place::In {
        queue: DONE.to_owned(),
        metadata: sum(entry.metadata.as_bytes()),
    };
    if !possible.places.contains(&place) {
        return wrong(format!("ends as {place:?}, not as {:?}", possible.places));
    }
    if !possible.data.contains(&entry.data_sum) {
        return wrong(format!(
            "ends with data {:08x}, not {:08x?}",
            entry.data_sum, possible.data
        ));
    }
    hops(&entry.metadata, sessions).or_else(wrong)
}

/// Whether the hops in the metadata are those of the sessions, in their order: each save that was acknowledged, and none
/// that was not begun.
fn hops(metadata: &str, sessions: &[&Session]) -> Result<(), String> {
    let mut hops = metadata.lines().skip(1).peekable();
    for session in sessions {
        let taken = session.taken();
        let step = |event| session.records.iter().find(|record| record.event == event);
        let Some(saving) = step(Event::Saving) else {
            continue;
        };
        let hop = format!(
            "{}.{} {} {}",
            taken.process, taken.session, taken.queue, saving.queue
        );
        if hops.next_if_eq(&hop.as_str()).is_none() && step(Event::Saved).is_some() {
            return Err(format!("the hop {hop:?} is missing in its metadata"));
        }
    }
    match hops.next() {
        Some(hop) => Err(format!("the hop {hop:?} in its metadata was nobody's")),
        None => Ok(()),
    }
}
