//! Who owned which entry, and from when to when for certain: from the return of the dequeue to the record right before
//! the call that ends it, or to the moment right before the kill. A stopped owner is an owner.

use std::collections::HashMap;

use storm::record::{Event, Record};

use super::{Story, Violation};
use crate::chronicle::{Chronicle, Death};
use crate::tool::Sighting;

pub struct Hold<'a> {
    pub taken: &'a Record,
    pub until: u64,
    /// Whether its owner was killed while it had the entry.
    pub killed: bool,
}

/// All of them, in the order of names and times.
pub fn holds<'a>(story: &'a Story, chronicle: &Chronicle) -> Vec<Hold<'a>> {
    let deaths = deaths_of(chronicle);
    let mut holds: Vec<Hold> = story
        .sessions
        .iter()
        .map(|session| {
            let taken = session.taken();
            let death = deaths
                .get(&taken.process)
                .map_or(u64::MAX, |death| death.before);
            let mut records = session.records.iter();
            let end = records
                .find(|record| ends(record.event))
                .map(|end| end.time);
            Hold {
                taken,
                until: end.unwrap_or(death).min(death),
                killed: end.is_none(),
            }
        })
        .collect();
    holds.sort_by(|a, b| (&a.taken.name, a.taken.time).cmp(&(&b.taken.name, b.taken.time)));
    holds
}

fn deaths_of(chronicle: &Chronicle) -> HashMap<u32, &Death> {
    let deaths = chronicle.deaths.iter();
    deaths.map(|death| (death.process, death)).collect()
}

fn ends(event: Event) -> bool {
    matches!(
        event,
        Event::Saving | Event::Releasing | Event::Removing | Event::Dropping
    )
}

/// Two living owners of one name at once.
pub fn overlaps(holds: &[Hold]) -> Vec<Violation> {
    let mut violations = Vec::new();
    // The hold of the present name that lasts longest so far.
    let mut longest: Option<&Hold> = None;
    for hold in holds {
        match longest {
            Some(before) if before.taken.name == hold.taken.name => {
                if hold.taken.time < before.until && hold.taken.time < hold.until {
                    violations.push(Violation::of(
                        &hold.taken.name,
                        format!(
                            "two owners: {} took it at {} and had it until {}, {} took it at {}",
                            before.taken.process,
                            before.taken.time,
                            before.until,
                            hold.taken.process,
                            hold.taken.time
                        ),
                    ));
                }
                if hold.until > before.until {
                    longest = Some(hold);
                }
            }
            _ => longest = Some(hold),
        }
    }
    violations
}

/// Names that a recover, a repair or fsck has treated as nobody's while one and the same owner had them.
pub fn taken_for_dead<'a>(
    holds: &[Hold],
    sightings: impl Iterator<Item = &'a Sighting>,
) -> Vec<Violation> {
    let mut by_name: HashMap<&str, Vec<&Hold>> = HashMap::new();
    for hold in holds {
        by_name.entry(&hold.taken.name).or_default().push(hold);
    }
    let owner_of = |sighting: &Sighting| {
        let holds = by_name.get(&*sighting.name)?;
        holds
            .iter()
            .find(|hold| hold.taken.time < sighting.from && sighting.to < hold.until)
    };
    sightings
        .filter_map(|sighting| {
            let hold = owner_of(sighting)?;
            let Sighting {
                what,
                name,
                from,
                to,
            } = sighting;
            let (owner, taken, until) = (hold.taken.process, hold.taken.time, hold.until);
            let what = format!(
                "{what} between {from} and {to}, while {owner} had it from {taken} to {until}"
            );
            Some(Violation::of(name, what))
        })
        .collect()
}

/// Records of processes that were dead: then nothing could be concluded from the times of deaths.
pub fn voices_of_the_dead(story: &Story, chronicle: &Chronicle) -> Vec<Violation> {
    let deaths = deaths_of(chronicle);
    story
        .sessions
        .iter()
        .flat_map(|session| &session.records)
        .filter(|record| {
            deaths
                .get(&record.process)
                .is_some_and(|death| death.after < record.time)
        })
        .map(|record| Violation::of(&record.name, format!("told by the dead: {record}")))
        .collect()
}
