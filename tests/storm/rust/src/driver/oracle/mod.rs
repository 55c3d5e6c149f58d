//! What must be true of a storm, from the logs of all who took part and the times of their deaths.

mod journey;
mod ownership;
mod story;
#[cfg(test)]
mod tests;

pub use journey::at_the_end;
pub use ownership::{Hold, holds};
pub use story::Story;

use crate::chronicle::Chronicle;

/// What went wrong, and the name of the entry that it is about, if it is about one.
#[derive(Debug)]
pub struct Violation {
    pub name: Option<String>,
    pub what: String,
}

impl Violation {
    pub fn of(name: &str, what: String) -> Violation {
        Violation {
            name: Some(name.to_owned()),
            what,
        }
    }
}

/// Whether every entry had one living owner at most, and nobody was taken for dead who lived.
pub fn ownership(story: &Story, chronicle: &Chronicle) -> Vec<Violation> {
    let holds = holds(story, chronicle);
    let mut violations = ownership::overlaps(&holds);
    let sightings = chronicle.sightings.iter().chain(&story.returned);
    violations.extend(ownership::taken_for_dead(&holds, sightings));
    violations.extend(ownership::voices_of_the_dead(story, chronicle));
    violations
}

/// Whether every step of every entry follows from the one before.
pub fn steps(story: &Story) -> Vec<Violation> {
    let mut violations = story.invented();
    for (attempt, sessions) in story.journeys() {
        violations.extend(journey::follow(attempt, &sessions).err());
    }
    violations
}
