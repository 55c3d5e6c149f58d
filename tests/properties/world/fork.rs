//! Forks: what a child inherits is its parent's, and what a child does is its own.

use super::World;
use crate::disk::Disk;
use crate::model::Life;
use crate::operation::{Bytes, DataOp, Fork, HeldOp, Op, ReaderOp, WriterOp};
use crate::process::{self, Line, Report};
use crate::verdict::{Figures, Verdict, Wrong};

impl World {
    pub(super) fn fork(&mut self, fork: &Fork) -> Verdict {
        let mut child = process::spawn(|line| self.live(fork, line))?;
        let report = child.report()?;
        self.figures.count("forks", 1);
        for (what, times) in &report.figures.0 {
            self.figures.count(what, *times);
        }
        // The child has compared it with its model. Its own handles are what is left to know.
        self.model.adopt(Disk::read(&self.root)?);
        let owned: Vec<Life> = (report.owned.iter())
            .filter_map(|name| Some(self.model.registry.get(name)?.life))
            .collect();
        self.model.locks.extend(&owned);
        self.check_after("a child did its part, and lives")?;
        for op in &fork.meanwhile {
            self.step(op)?;
        }
        child.end(fork.killed)?;
        for life in owned {
            self.model.locks.remove(&life);
        }
        self.check_after("the child died")
    }

    fn check_after(&mut self, what: &str) -> Verdict {
        self.check()
            .map_err(|Wrong(wrong)| Wrong(format!("{wrong}\n  after {what}")))
    }

    /// In the child.
    fn live(&mut self, fork: &Fork, line: &mut Line) -> Result<Report, Wrong> {
        self.figures = Figures::default();
        self.be_born()?;
        self.do_all(&fork.ops, fork.drops_inherited)?;
        if let Some(ops) = &fork.grandchild {
            line.go_on_in_a_child()?;
            self.figures.count("grandchildren", 1);
            self.be_born()?;
            self.do_all(ops, fork.drops_inherited)?;
        }
        Ok(Report {
            owned: self.owned(),
            figures: std::mem::take(&mut self.figures),
        })
    }

    fn do_all(&mut self, ops: &[Op], drops_inherited: bool) -> Verdict {
        for op in ops {
            self.step(op)?;
            self.figures.count("operations in children", 1);
        }
        if drops_inherited {
            let own = self.generation;
            self.drop_handles(|generation| generation != own);
        }
        self.check_after("a child dropped what it inherited")
    }

    /// Another process from here on: every handle that was there is of no use, and stays whole.
    fn be_born(&mut self) -> Verdict {
        self.generation += 1;
        let metadata = Bytes(b"the child's".to_vec());
        for index in 0..self.drafts.len() {
            self.append(index, &metadata)?;
            self.commit(index, &metadata)?;
        }
        for index in 0..self.held.len() {
            let home = self.held[index].holding.queue.clone();
            for op in [
                HeldOp::Update(metadata.clone()),
                HeldOp::Save(home, None),
                HeldOp::Release,
                HeldOp::Remove,
                HeldOp::Data(DataOp::Load),
                HeldOp::Data(DataOp::Save(metadata.clone())),
                HeldOp::Data(DataOp::Write),
            ] {
                self.hold_at(index, &op)?;
            }
        }
        for index in 0..self.writers.len() {
            self.write_at(index, &WriterOp::Append(metadata.clone()))?;
            self.write_at(index, &WriterOp::Commit)?;
        }
        for index in 0..self.readers.len() {
            self.read_at(index, &ReaderOp::DequeueAvailable)?;
            self.read_at(index, &ReaderOp::DequeueNow)?;
            self.read_at(index, &ReaderOp::IterStopped)?;
        }
        self.check_after("a child was told that what it inherited is not its own")
    }

    /// The names that this process's own handles own.
    fn owned(&self) -> Vec<Bytes> {
        let drafts = self
            .drafts
            .iter()
            .filter(|drafted| !self.is_foreign(drafted.generation) && !drafted.draft.is_done);
        let drafts = drafts.map(|drafted| (&drafted.draft.name, drafted.draft.lock));
        let held = self
            .held
            .iter()
            .filter(|held| !self.is_foreign(held.generation));
        let held = held.filter_map(|held| Some((&held.holding.name, held.holding.lock?)));
        drafts
            .chain(held)
            .filter(|(name, lock)| {
                let file = self.model.registry.get(name);
                file.is_some_and(|file| file.life == *lock)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}
