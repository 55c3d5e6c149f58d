//! How much of a storm it was.

use std::collections::{HashMap, HashSet};
use std::fmt;

use storm::record::Event;

use crate::chronicle::{Chronicle, Pause, Runs};
use crate::options::Options;
use crate::oracle::{Hold, Story, holds};
use crate::tool::Tool;

pub struct Figures<'a> {
    chronicle: &'a Chronicle,
    enqueued: usize,
    /// Under a name that another entry had before.
    reused: usize,
    refused: usize,
    unanswered: usize,
    taken: usize,
    saved: usize,
    removed: usize,
    /// How often each language's workers took something.
    taken_by: HashMap<&'a str, usize>,
    kills: usize,
    /// Workers that were killed with an entry in hand.
    owners_killed: usize,
    stops: usize,
    owners_stopped: usize,
    recovered_by_workers: usize,
}

impl<'a> Figures<'a> {
    /// `kills` leaves out those after the storm, when whoever is left is killed.
    pub fn of(story: &'a Story, chronicle: &'a Chronicle, kills: usize) -> Figures<'a> {
        let mut of_event: HashMap<Event, usize> = HashMap::new();
        for record in story.sessions.iter().flat_map(|session| &session.records) {
            *of_event.entry(record.event).or_default() += 1;
        }
        let languages: HashMap<u32, &str> = chronicle
            .languages
            .iter()
            .map(|(process, language)| (*process, &**language))
            .collect();
        let holds = holds(story, chronicle);
        let mut taken_by = HashMap::new();
        for hold in &holds {
            let language = languages.get(&hold.taken.process).copied();
            *taken_by.entry(language.unwrap_or_default()).or_default() += 1;
        }
        let ended = |event| {
            let outcomes = story.attempts.values().map(|attempt| &attempt.outcome);
            let events = outcomes.map(|told| told.as_ref().map(|told| told.event));
            events.filter(|told| *told == event).count()
        };
        let acknowledged = story.attempts.values().filter_map(|attempt| {
            let outcome = attempt.outcome.as_ref();
            outcome.filter(|told| told.event == Event::Enqueued)
        });
        let different: HashSet<&str> = acknowledged.map(|told| &*told.name).collect();
        let enqueued = ended(Some(Event::Enqueued));
        let of = |event: Event| of_event.get(&event).copied().unwrap_or_default();
        let killed: HashSet<u32> = holds
            .iter()
            .filter(|hold| hold.killed)
            .map(|hold| hold.taken.process)
            .collect();
        Figures {
            chronicle,
            enqueued,
            reused: enqueued - different.len(),
            refused: ended(Some(Event::Refused)),
            unanswered: ended(None),
            taken: of(Event::Taken),
            saved: of(Event::Saved),
            removed: of(Event::Removed),
            taken_by,
            kills,
            owners_killed: killed.len(),
            stops: chronicle.pauses.len(),
            owners_stopped: owners_stopped(&holds, &chronicle.pauses),
            recovered_by_workers: story.returned.len(),
        }
    }

    fn tools(&self) -> [Runs; 3] {
        [Tool::Recover, Tool::Fsck, Tool::Repair].map(|tool| self.chronicle.runs(tool))
    }

    /// What must have happened, and has not so often as in any storm worth the name.
    pub fn too_weak(&self, options: &Options) -> Vec<String> {
        let [recover, fsck, repair] = self.tools();
        let mut least: Vec<(String, usize, f64)> = [
            ("owners killed", self.owners_killed, 0.5),
            ("producers killed within an enqueue", self.unanswered, 0.05),
            ("owners stopped", self.owners_stopped, 0.2),
            ("names used again", self.reused, 0.1),
            ("entries recovered by the command", recover.found, 0.2),
            (
                "entries recovered by workers",
                self.recovered_by_workers,
                0.05,
            ),
            ("runs of fsck", fsck.runs, 0.2),
            ("files that repairs removed", repair.found, 0.1),
        ]
        .map(|(what, had, per_second)| (what.to_owned(), had, per_second))
        .to_vec();
        for language in &options.languages {
            let taken = self.taken_by.get(&**language).copied();
            least.push((
                format!("taken by {language}"),
                taken.unwrap_or_default(),
                1.0,
            ));
        }
        let wanted = |per_second: f64| (options.length.as_secs_f64() * per_second).max(1.0);
        least
            .into_iter()
            .filter(|(_, had, per_second)| (*had as f64) < wanted(*per_second))
            .map(|(what, had, per_second)| format!("{what}: {had}, not {:.0}", wanted(per_second)))
            .collect()
    }
}

/// Stops that hit an owner, who kept its entry all the while.
fn owners_stopped(holds: &[Hold], pauses: &[Pause]) -> usize {
    let mut of_process: HashMap<u32, Vec<&Hold>> = HashMap::new();
    for hold in holds {
        of_process.entry(hold.taken.process).or_default().push(hold);
    }
    let hits = |pause: &&Pause| {
        let holds = of_process.get(&pause.process);
        holds.is_some_and(|holds| {
            holds
                .iter()
                .any(|hold| hold.taken.time < pause.from && pause.to <= hold.until)
        })
    };
    pauses.iter().filter(hits).count()
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [recover, fsck, repair] = self.tools();
        let mut languages: Vec<_> = self.taken_by.iter().collect();
        languages.sort();
        let languages: Vec<String> = languages
            .iter()
            .map(|(language, taken)| format!("{language} {taken}"))
            .collect();
        writeln!(
            f,
            "entries: {} acknowledged, {} under a name used before, {} refused, {} unanswered; {} times taken ({}), {} hops, {} removed",
            self.enqueued,
            self.reused,
            self.refused,
            self.unanswered,
            self.taken,
            languages.join(", "),
            self.saved,
            self.removed
        )?;
        writeln!(
            f,
            "processes: {} started; {} killed, {} with an entry in hand, {} within an enqueue; {} stops, {} with an entry \
             in hand",
            self.chronicle.starts,
            self.kills,
            self.owners_killed,
            self.unanswered,
            self.stops,
            self.owners_stopped
        )?;
        write!(
            f,
            "recover: {} runs returned {}, workers' own {}; fsck: {} runs named {}; repair: {} runs removed {}",
            recover.runs,
            recover.found,
            self.recovered_by_workers,
            fsck.runs,
            fsck.found,
            repair.runs,
            repair.found
        )
    }
}
