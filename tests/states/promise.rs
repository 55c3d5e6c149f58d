//! What an operation promises of the spool after a cut, before and after each acknowledgement, and what is promised
//! when somebody goes on from there.

use crate::fate::Fate;
use crate::observe::Observed;
use crate::operations::Operation;

/// What an operation promises after a number of acknowledgements.
pub struct Promise<'a> {
    pub operation: &'a Operation,
    /// The queues that the spool has, or none: then it may have to be created again.
    pub queues: &'static [&'static str],
    pub entries: Vec<Promised>,
    pub has_leftovers: bool,
    /// Files that are moved away, and whether they have arrived.
    pub moves: &'static [(&'static str, &'static str)],
    pub has_moved: bool,
    /// Whether the operation can be tried again.
    pub has_second_try: bool,
}

/// What is promised of one entry.
#[derive(Clone)]
pub struct Promised {
    pub name: String,
    pub allowed: Vec<Fate>,
    pub after_second_try: Option<Fate>,
}

impl Operation {
    /// How many acknowledgements the entries know of; an operation about no entry acknowledges once.
    fn acknowledgements(&self) -> usize {
        let counts = self.entries.iter().map(|entry| entry.allowed.len() - 1);
        counts.max().unwrap_or(0).max(1)
    }

    pub fn promise(&self, acknowledged: usize) -> Promise<'_> {
        let is_done = acknowledged >= self.acknowledgements();
        let entries = self.entries.iter().map(|entry| Promised {
            name: entry.name.to_owned(),
            allowed: entry.allowed[acknowledged.min(entry.allowed.len() - 1)].clone(),
            after_second_try: entry.after_second_try.clone(),
        });
        Promise {
            operation: self,
            queues: self.queues[usize::from(is_done)],
            entries: entries.collect(),
            has_leftovers: !(self.clears && is_done),
            moves: self.moves,
            has_moved: is_done,
            has_second_try: true,
        }
    }
}

impl Promise<'_> {
    /// While dead workers' entries are returned after this: what was, or what will be.
    pub fn while_recovering(self) -> Self {
        self.while_changing(&[Fate::recovered, Fate::returned])
    }

    /// While somebody takes entries after this.
    pub fn while_taking(self) -> Self {
        self.while_changing(&[Fate::taken])
    }

    /// While dead workers' entries are returned after this, and what is left over is cleared.
    pub fn while_tidying(self) -> Self {
        let mut promise = self.while_recovering().while_changing(&[Fate::repaired]);
        promise.moves = &[];
        promise
    }

    /// After dead workers' entries were returned, and what was left over was cleared.
    pub fn tidied(mut self) -> Self {
        for entry in &mut self.entries {
            entry.change(|fate| fate.recovered().repaired());
        }
        self.has_leftovers = false;
        self.moves = &[];
        self
    }

    fn while_changing(mut self, changes: &[fn(&Fate) -> Fate]) -> Self {
        for entry in &mut self.entries {
            let before = entry.allowed.clone();
            for change in changes {
                entry.allowed.extend(before.iter().map(change));
            }
        }
        self
    }

    /// While somebody brings about what is `seen` in the end; entries that are not seen may come back.
    pub fn while_becoming(mut self, seen: &Observed) -> Self {
        for (name, fate) in seen.fates() {
            self.entry(&name).allowed.push(fate);
        }
        self
    }

    /// After somebody acknowledged what is `seen`; entries that are not seen may come back.
    pub fn become_acknowledged(mut self, seen: &Observed) -> Self {
        for (name, fate) in seen.fates() {
            self.entry(&name).allowed = vec![fate];
        }
        self
    }

    fn entry(&mut self, name: &str) -> &mut Promised {
        let found = self.entries.iter().position(|entry| entry.name == name);
        let index = found.unwrap_or_else(|| {
            self.entries.push(Promised {
                name: name.to_owned(),
                allowed: vec![Fate::Nowhere],
                after_second_try: None,
            });
            self.entries.len() - 1
        });
        &mut self.entries[index]
    }

    /// After a second try was acknowledged.
    pub fn done_again(mut self) -> Self {
        for entry in &mut self.entries {
            if let Some(fate) = &entry.after_second_try {
                entry.allowed = vec![fate.clone()];
            }
        }
        self.queues = self.operation.queues[1];
        self.has_leftovers = !self.operation.clears;
        self.has_moved = true;
        self
    }
}

impl Promised {
    pub fn change(&mut self, change: impl Fn(&Fate) -> Fate) {
        self.allowed = self.allowed.iter().map(change).collect();
    }
}
