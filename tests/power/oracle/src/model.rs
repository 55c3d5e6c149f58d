//! What the log allows a spool to be after the cut: for each entry the states that it went through, and the
//! last of them that was acknowledged. What came before that must not be seen again.

use std::collections::HashMap;
use std::fmt;

use crate::content::Version;
use crate::disk::{Disk, Found};
use crate::log::{Record, Told};
use crate::verdict::Verdict;

/// What a file system that was cut answers: EIO, or EROFS where its journal has just been given up.
const CUT_OFF: [i32; 2] = [5, 30];

/// One state of an entry. Whether it is in its queue or checked out is not told apart, since a checkout is not
/// durable, but where an operation is half done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Present(Present),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Present {
    queue: String,
    metadata: String,
    data: String,
    /// A save has written the metadata, but has not moved the entry yet.
    only_checked_out: bool,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Absent => f.write_str("absent"),
            State::Present(present) => write!(f, "{present}"),
        }
    }
}

impl fmt::Display for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Present {
            queue,
            metadata,
            data,
            only_checked_out,
        } = self;
        let place = match only_checked_out {
            true => "/.checkout",
            false => "",
        };
        write!(
            f,
            "in {queue}{place} with metadata {metadata} and data {data}"
        )
    }
}

struct Entry {
    /// Unknown as long as it was made under the default generator's name and nobody has told that.
    name: Option<String>,
    states: Vec<State>,
    /// The first of the states that the cut may have left: the last that was acknowledged.
    durable: usize,
    was_found: bool,
}

impl Entry {
    fn allowed(&self) -> &[State] {
        &self.states[self.durable..]
    }

    /// In words.
    fn told_allowed(&self) -> String {
        let states: Vec<String> = self.allowed().iter().map(State::to_string).collect();
        states.join(", or ")
    }

    fn now(&self) -> Result<&Present, String> {
        match self.states.last() {
            Some(State::Present(present)) => Ok(present),
            _ => Err("the entry was removed before".to_owned()),
        }
    }
}

#[derive(Default)]
pub struct Model {
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    /// Entries without a name, by their first metadata.
    unnamed: HashMap<String, usize>,
    /// What each worker is about to do: to which entry, and which state that leads to.
    in_flight: HashMap<String, (usize, usize)>,
    is_cut: bool,
}

impl Model {
    /// Takes in one line of the log.
    pub fn follow(&mut self, record: Record<'_>, verdict: &mut Verdict) -> Result<(), String> {
        match record {
            Record::Cut => self.is_cut = true,
            Record::Worker { who, told } => self.follow_worker(who, told, verdict)?,
        }
        Ok(())
    }

    fn follow_worker(
        &mut self,
        who: &str,
        told: Told<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), String> {
        match told {
            Told::Enqueue {
                queue,
                name,
                metadata,
                data,
            } => {
                let entry = self.entries.len();
                self.entries.push(Entry {
                    name: None,
                    states: vec![State::Absent],
                    durable: 0,
                    was_found: false,
                });
                match name {
                    Some(name) => self.give_name(entry, name)?,
                    None => {
                        self.unnamed.insert(metadata.to_owned(), entry);
                    }
                }
                let made = Present {
                    queue: queue.to_owned(),
                    metadata: metadata.to_owned(),
                    data: data.to_owned(),
                    only_checked_out: false,
                };
                self.begin(who, entry, [State::Present(made)]);
            }
            Told::Take {
                queue,
                name,
                metadata,
            } => {
                let entry = self.known(name, metadata).ok_or("nobody made this entry")?;
                let now = self.entries[entry].now()?;
                if now.queue != queue || now.metadata != metadata {
                    verdict.broken(format!(
                        "{who} took {name} out of {queue} with {metadata}, where it should be {now}"
                    ));
                }
            }
            Told::Data { name, data } => {
                let (entry, mut now) = self.named(name)?;
                data.clone_into(&mut now.data);
                self.begin(who, entry, [State::Present(now)]);
            }
            Told::Save {
                name,
                queue,
                metadata,
            } => {
                let (entry, mut now) = self.named(name)?;
                let mut states = Vec::new();
                if let Some(metadata) = metadata {
                    metadata.clone_into(&mut now.metadata);
                    states.push(State::Present(Present {
                        only_checked_out: true,
                        ..now.clone()
                    }));
                }
                queue.clone_into(&mut now.queue);
                states.push(State::Present(now));
                self.begin(who, entry, states);
            }
            Told::Release { name } => {
                let (entry, now) = self.named(name)?;
                self.begin(who, entry, [State::Present(now)]);
            }
            Told::Remove { name } => {
                let (entry, _) = self.named(name)?;
                self.begin(who, entry, [State::Absent]);
            }
            Told::Ok { name } => {
                let begun = self.in_flight.remove(who);
                let (entry, state) = begun.ok_or("nothing was begun")?;
                self.give_name(entry, name)?;
                let entry = &mut self.entries[entry];
                entry.durable = entry.durable.max(state);
                verdict.count("operations acknowledged");
            }
            Told::Up => {}
            Told::Failed { errno, message } => {
                if !self.is_cut {
                    verdict.wrong(format!("{who} failed before the cut: {message}"));
                } else if !CUT_OFF.contains(&errno) {
                    verdict.wrong(format!("{who} failed by something else: {message}"));
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, who: &str, entry: usize, states: impl IntoIterator<Item = State>) {
        let all = &mut self.entries[entry].states;
        all.extend(states);
        self.in_flight
            .insert(who.to_owned(), (entry, all.len() - 1));
    }

    fn give_name(&mut self, entry: usize, name: &str) -> Result<(), String> {
        match self.by_name.insert(name.to_owned(), entry) {
            Some(other) if other != entry => Err("the name is another entry's".to_owned()),
            _ => {
                self.entries[entry].name = Some(name.to_owned());
                Ok(())
            }
        }
    }

    /// The entry of this name; or, where the name is new, that which was made with this metadata.
    fn known(&mut self, name: &str, metadata: &str) -> Option<usize> {
        if let Some(entry) = self.by_name.get(name) {
            return Some(*entry);
        }
        let entry = *self.unnamed.get(metadata)?;
        if self.entries[entry].name.is_some() {
            return None;
        }
        self.give_name(entry, name).ok()?;
        Some(entry)
    }

    fn named(&self, name: &str) -> Result<(usize, Present), String> {
        let entry = *self.by_name.get(name).ok_or("nobody made this entry")?;
        Ok((entry, self.entries[entry].now()?.clone()))
    }

    /// Compares what is on the disk with what the log allows.
    pub fn judge(mut self, disk: &Disk, verdict: &mut Verdict) {
        if !self.is_cut {
            verdict.wrong("the log does not tell of a cut".to_owned());
        }
        if !verdict.has_counted("operations acknowledged") {
            verdict.wrong("nothing was acknowledged".to_owned());
        }
        for _ in &self.in_flight {
            verdict.count("operations in flight");
        }
        for found in &disk.entries {
            verdict.count("entries checked");
            self.judge_found(found, verdict);
        }
        for entry in &self.entries {
            if entry.was_found {
                continue;
            }
            verdict.count("entries rightly absent");
            if !entry.allowed().contains(&State::Absent) {
                let name = entry.name.as_deref().unwrap_or("an entry without a name");
                verdict.broken(format!(
                    "{name} is lost; the log allows it {}",
                    entry.told_allowed()
                ));
            }
        }
    }

    fn judge_found(&mut self, found: &Found, verdict: &mut Verdict) {
        let described = format!(
            "{found} with metadata {} and data {}",
            found.metadata, found.data
        );
        let entry = match &found.metadata {
            Version::Whole(metadata) => self.known(&found.name, metadata),
            _ => self.by_name.get(&found.name).copied(),
        };
        let Some(entry) = entry else {
            verdict.broken(format!("{described}: nobody enqueued it"));
            return;
        };
        let entry = &mut self.entries[entry];
        if entry.was_found {
            verdict.broken(format!("{described}: its name is in another place too"));
        }
        entry.was_found = true;
        if !found.is_reserved {
            verdict.broken(format!("{described}: its name is not reserved"));
        }
        let fits = |state: &State| match state {
            State::Absent => false,
            State::Present(present) => {
                present.queue == found.queue
                    && found.metadata == Version::Whole(present.metadata.clone())
                    && found.data == Version::Whole(present.data.clone())
                    && (found.is_checked_out || !present.only_checked_out)
            }
        };
        if !entry.allowed().iter().any(fits) {
            let comes_back = match entry.states.iter().any(fits) {
                true => ", which was over",
                false => "",
            };
            verdict.broken(format!(
                "{described}{comes_back}; the log allows it {}",
                entry.told_allowed()
            ));
        }
    }
}
