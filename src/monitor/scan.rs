//! One look at everything. A file that looks wrong is looked at again, with all the places of its name,
//! until they hold still: a name on its way from one place to the next is no problem.

use std::sync::Arc;

use super::limits::Limits;
use super::place::{Places, Seen, dirs_of, is_readable, owner_of_temporary, see};
use super::problem::{Dir, Problem};
use crate::error::Result;
use crate::format::Owners;
use crate::layout::{Dir as Directory, Queue};
use crate::listing::Listing;
use crate::name::EntryName;
use crate::spool::Spool;

const SCAN: &str = "scan";

struct Scan<'a> {
    spool: &'a Spool,
    limits: &'a Limits,
    owners: Owners,
    problems: Vec<Problem>,
}

pub(super) fn scan(spool: &Spool, limits: &Limits) -> Result<Vec<Problem>> {
    let mut scan = Scan {
        spool,
        limits,
        owners: spool.format()?.owners(),
        problems: Vec::new(),
    };
    let layout = spool.layout();
    scan.each(&layout.tmp, Scan::look_at_temporary)?;
    scan.each(&layout.data, Scan::look_at_data)?;
    for queue in layout.queues() {
        for (dir, named) in dirs_of(queue) {
            scan.each(dir, |scan, name| {
                scan.look_at_entry(queue, dir, &named, name)
            })?;
        }
    }
    scan.each(&layout.registry, Scan::look_at_reservation)?;
    let mut problems = scan.problems;
    problems.sort_unstable();
    // A duplicate is met in each of its places.
    problems.dedup();
    Ok(problems)
}

impl Scan<'_> {
    fn each(
        &mut self,
        dir: &Directory,
        mut look: impl FnMut(&mut Self, &EntryName) -> Result<()>,
    ) -> Result<()> {
        let spool = self.spool;
        let mut listing = Listing::new(SCAN);
        while let Some(name) = listing.next(dir, |read| spool.step(read))? {
            look(self, &name)?;
        }
        Ok(())
    }

    fn see(&self, dir: &Directory, name: &EntryName) -> Result<Option<Seen>> {
        self.spool.step(|| see(dir, name.as_os_str(), SCAN))
    }

    fn look_at_temporary(&mut self, name: &EntryName) -> Result<()> {
        let tmp = &self.spool.layout().tmp;
        let Some(seen) = self.see(tmp, name)? else {
            return Ok(());
        };
        let file = seen.named(name.as_os_str());
        if seen.is_older_than(self.limits.max_tmp_file_age) {
            self.problems.push(Problem::TooOld(file.clone(), Dir::Tmp));
        }
        // Its owner removes it before the reservation: seen after the name was found missing, it is real.
        if owner_of_temporary(self.spool, name, SCAN)?.is_none()
            && self.see(tmp, name)?.as_ref() == Some(&seen)
        {
            self.problems.push(Problem::Orphaned(file, Dir::Tmp));
        }
        Ok(())
    }

    fn look_at_data(&mut self, name: &EntryName) -> Result<()> {
        let layout = self.spool.layout();
        let Some(seen) = self.see(&layout.data, name)? else {
            return Ok(());
        };
        if seen.is_regular && self.see(&layout.registry, name)?.is_some() {
            return Ok(());
        }
        let Some(places) = Places::settled(self.spool, name, SCAN)? else {
            return Ok(());
        };
        if let Some(data) = &places.data {
            let file = data.named(name.as_os_str());
            if !data.is_regular {
                let problem = Problem::Damaged(file.clone(), Dir::Data);
                self.problems.push(problem);
            }
            if places.registry.is_none() {
                self.problems.push(Problem::Orphaned(file, Dir::Data));
            }
        }
        Ok(())
    }

    fn look_at_entry(
        &mut self,
        queue: &Arc<Queue>,
        dir: &Directory,
        named: &Dir,
        name: &EntryName,
    ) -> Result<()> {
        let Some(first) = self.see(dir, name)? else {
            return Ok(());
        };
        let limit = match named {
            Dir::QueueCheckout(_) => Some(self.limits.max_checked_out_age),
            _ => self.limits.of_queue(&queue.name),
        };
        if let Some(limit) = limit
            && first.is_older_than(limit)
        {
            let file = first.named(name.as_os_str());
            self.problems.push(Problem::TooOld(file, named.clone()));
        }
        let Some(places) = Places::settled(self.spool, name, SCAN)? else {
            return Ok(());
        };
        let Some((_, seen)) = places.entry.iter().find(|(dir, _)| dir == named) else {
            return Ok(());
        };
        let file = seen.named(name.as_os_str());
        let readable = self
            .spool
            .step(|| is_readable(dir, name.as_os_str(), SCAN))?;
        if !seen.is_regular || !readable {
            let problem = Problem::Damaged(file.clone(), named.clone());
            self.problems.push(problem);
        }
        if places.registry.is_none() {
            let problem = Problem::Orphaned(file.clone(), named.clone());
            self.problems.push(problem);
        } else if matches!(named, Dir::QueueCheckout(_))
            && self.owners == Owners::Locking
            && !places.is_owned
        {
            let problem = Problem::DeadOwner(file.clone(), named.clone());
            self.problems.push(problem);
        }
        if places.data.is_none() {
            let problem = Problem::DataMissing(file, named.clone());
            self.problems.push(problem);
        }
        if let [(_, first), _, ..] = &places.entry[..] {
            let dirs = places.entry.iter().map(|(dir, _)| dir.clone()).collect();
            let file = first.named(name.as_os_str());
            self.problems.push(Problem::Duplicated(file, dirs));
        }
        Ok(())
    }

    fn look_at_reservation(&mut self, name: &EntryName) -> Result<()> {
        let registry = &self.spool.layout().registry;
        let Some(seen) = self.see(registry, name)? else {
            return Ok(());
        };
        if seen.is_regular && !seen.is_older_than(self.limits.max_reservation_age) {
            return Ok(());
        }
        let Some(places) = Places::settled(self.spool, name, SCAN)? else {
            return Ok(());
        };
        let Some(seen) = &places.registry else {
            return Ok(());
        };
        let file = seen.named(name.as_os_str());
        if !seen.is_regular {
            let problem = Problem::Damaged(file.clone(), Dir::Registry);
            self.problems.push(problem);
        }
        if places.entry.is_empty()
            && !places.is_owned
            && seen.is_older_than(self.limits.max_reservation_age)
        {
            self.problems.push(Problem::Orphaned(file, Dir::Registry));
        }
        Ok(())
    }
}
