//! One look at everything. All directories are listed side by side in the order of names, so that each name
//! is met once, with all the places that it was seen in. What looks wrong is looked at again until it holds
//! still: a name on its way from one place to the next is no problem.

use std::ffi::OsStr;
use std::time::Duration;

use super::limits::Limits;
use super::place::{Places, Seen, dirs_of, is_readable, names_with_a_dot, owner_of_temporary, see};
use super::problem::{Dir, Problem};
use super::sound::Judge;
use crate::error::{At, Result};
use crate::format::Owners;
use crate::layout::{DATA, Dir as Directory};
use crate::leaving;
use crate::listing::Listing;
use crate::name::EntryName;
use crate::omit::{self, Step};
use crate::ownership;
use crate::spool::Spool;
use crate::sys::{dir, file_system, sync};

const SCAN: &str = "scan";

/// Longer than the step of the kernel's clock that files get their times from, 10 ms at most: two moves
/// within one step cannot be told apart by their times.
const FILE_CLOCK_TICK: Duration = Duration::from_millis(15);

struct Scan<'a> {
    spool: &'a Spool,
    judge: Judge<'a>,
    problems: Vec<Problem>,
    /// Names that hold still and seem wrong, with where they were.
    suspects: Vec<(EntryName, Places)>,
}

/// A directory's names, one after the other.
struct Stream<'a> {
    dir: &'a Directory,
    kind: Dir,
    listing: Listing,
    next: Option<EntryName>,
}

pub(super) fn scan(spool: &Spool, limits: &Limits) -> Result<Vec<Problem>> {
    let layout = spool.layout();
    let root = &layout.root;
    let has_data = spool
        .step(|| root.fd(SCAN).map(|root| dir::is_there(root, DATA.as_ref())))?
        .at(SCAN, || root.join(DATA.as_ref()))?;
    let mut scan = Scan {
        spool,
        judge: Judge {
            limits,
            is_locking: spool.format()?.owners() == Owners::Locking,
            has_data,
        },
        problems: Vec::new(),
        suspects: Vec::new(),
    };
    scan.look_at_root()?;
    scan.look_at_temporaries()?;
    scan.look_at_names()?;
    scan.confirm()?;
    let mut problems = scan.problems;
    problems.sort_unstable();
    Ok(problems)
}

impl Scan<'_> {
    fn look_at_root(&mut self) -> Result<()> {
        let root = &self.spool.layout().root;
        let Some(seen) = self.spool.step(|| see(root, ".".as_ref(), SCAN))? else {
            return Ok(());
        };
        let file = seen.named(root.path().file_name().unwrap_or_default());
        if !self.judge.has_data {
            let problem = Problem::DirectoryMissing(file.clone(), Dir::Data);
            self.problems.push(problem);
        }
        let room = self
            .spool
            .step(|| root.fd(SCAN).map(file_system::room))?
            .at(SCAN, || root.path().to_owned())?;
        let limits = self.judge.limits;
        let lacks_inodes = |free| free < limits.min_free_inodes;
        if room.free_bytes < limits.min_free_bytes || room.free_inodes.is_some_and(lacks_inodes) {
            self.problems.push(Problem::LowSpace(file));
        }
        Ok(())
    }

    fn look_at_temporaries(&mut self) -> Result<()> {
        let spool = self.spool;
        let tmp = &spool.layout().tmp;
        self.look_at_dots(tmp, &Dir::Tmp)?;
        let mut listing = Listing::new(SCAN);
        while let Some(name) = listing.next(tmp, |read| spool.step(read))? {
            self.look_at_temporary(tmp, &name)?;
        }
        Ok(())
    }

    fn look_at_temporary(&mut self, tmp: &Directory, name: &EntryName) -> Result<()> {
        let Some(seen) = self.see(tmp, name)? else {
            return Ok(());
        };
        let file = seen.named(name.as_os_str());
        if seen.is_older_than(self.judge.limits.max_tmp_file_age) {
            self.problems.push(Problem::TooOld(file.clone(), Dir::Tmp));
        }
        // Its owner removes it before the reservation: seen after the name was found missing, it is real.
        let owner = || owner_of_temporary(self.spool, name, SCAN);
        if self.spool.step(owner)?.is_none() && self.see(tmp, name)?.as_ref() == Some(&seen) {
            self.problems.push(Problem::Orphaned(file, Dir::Tmp));
        }
        Ok(())
    }

    /// Every name but those of temporary files, each met once.
    fn look_at_names(&mut self) -> Result<()> {
        let layout = self.spool.layout();
        let mut dirs = vec![(&layout.registry, Dir::Registry)];
        if self.judge.has_data {
            dirs.push((&layout.data, Dir::Data));
        }
        dirs.extend(layout.queues().flat_map(dirs_of));
        let mut streams = Vec::new();
        for (dir, kind) in dirs {
            self.look_at_dots(dir, &kind)?;
            let mut stream = Stream {
                dir,
                kind,
                listing: Listing::new(SCAN),
                next: None,
            };
            stream.advance(self.spool)?;
            streams.push(stream);
        }
        while let Some(name) = streams
            .iter()
            .filter_map(|stream| stream.next.as_ref())
            .min()
            .cloned()
        {
            let mut met = Vec::new();
            for (index, stream) in streams.iter_mut().enumerate() {
                if stream.next.as_ref() == Some(&name) {
                    stream.advance(self.spool)?;
                    met.push(index);
                }
            }
            let met: Vec<&Stream<'_>> = met.into_iter().map(|index| &streams[index]).collect();
            self.look_at_name(&name, &met)?;
        }
        Ok(())
    }

    fn look_at_name(&mut self, name: &EntryName, met: &[&Stream<'_>]) -> Result<()> {
        if self.looks_sound(name, met)? {
            return Ok(());
        }
        if let Some(places) = self.settled(name)? {
            let unreadable = self.unreadable(name, &places)?;
            if !self.judge.problems(name, &places, &unreadable).is_empty() {
                self.suspects.push((name.clone(), places));
            }
        }
        Ok(())
    }

    /// Looks once more at all that seemed wrong, when the clock of the files has gone on: what has changed
    /// since then is being worked on.
    fn confirm(&mut self) -> Result<()> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        if !omit::is_out(Step::SecondLook) {
            sync::pause(FILE_CLOCK_TICK);
        }
        for (name, before) in std::mem::take(&mut self.suspects) {
            let Some(places) = self.settled(&name)? else {
                continue;
            };
            if places == before || omit::is_out(Step::SecondLook) {
                let unreadable = self.unreadable(&name, &before)?;
                self.problems
                    .extend(self.judge.problems(&name, &before, &unreadable));
            }
        }
        Ok(())
    }

    fn settled(&self, name: &EntryName) -> Result<Option<Places>> {
        Places::settled(self.spool, name, self.judge.has_data, SCAN)
    }

    /// Whether nothing is wrong with a name that was met in these places. Notes what is merely too old, for
    /// which one look is enough.
    fn looks_sound(&mut self, name: &EntryName, met: &[&Stream<'_>]) -> Result<bool> {
        let is_in = |wanted: &Dir| met.iter().any(|stream| stream.kind == *wanted);
        let entries = met.iter().filter(|stream| stream.is_of_entries()).count();
        let mut is_sound =
            is_in(&Dir::Registry) && entries == 1 && (is_in(&Dir::Data) || !self.judge.has_data);
        for stream in met {
            let Some(seen) = self.see(stream.dir, name)? else {
                // It has moved since it was listed.
                continue;
            };
            if let Some(limit) = self.judge.limit_of(&stream.kind)
                && seen.is_older_than(limit)
            {
                let file = seen.named(name.as_os_str());
                let problem = Problem::TooOld(file, stream.kind.clone());
                self.problems.push(problem);
            }
            if stream.kind == Dir::Registry && entries == 0 {
                is_sound = self.judge.is_fresh_reservation(&seen, is_in(&Dir::Data));
            }
            is_sound &= seen.is_regular && self.is_readable(stream, name)?;
            if matches!(stream.kind, Dir::QueueCheckout(_)) && self.judge.is_locking {
                is_sound &= self.is_owned(name)?;
            }
        }
        Ok(is_sound)
    }

    /// Names that no listing gives.
    fn look_at_dots(&mut self, dir: &Directory, kind: &Dir) -> Result<()> {
        for name in self.spool.step(|| names_with_a_dot(dir, kind, SCAN))? {
            let Some(seen) = self.spool.step(|| see(dir, &name, SCAN))? else {
                continue;
            };
            let file = seen.named(&name);
            if !self.is_leaving(&name, kind) {
                self.problems
                    .push(Problem::ImpossibleName(file, kind.clone()));
            } else if self
                .judge
                .limit_of(kind)
                .is_some_and(|limit| seen.is_older_than(limit))
            {
                self.problems.push(Problem::TooOld(file, kind.clone()));
            }
        }
        Ok(())
    }

    /// Whether it is an entry on its way out.
    fn is_leaving(&self, name: &OsStr, kind: &Dir) -> bool {
        matches!(kind, Dir::QueueCheckout(_))
            && self.spool.is_shared_between_hosts()
            && leaving::entry_of(name).is_some()
    }

    fn see(&self, dir: &Directory, name: &EntryName) -> Result<Option<Seen>> {
        self.spool.step(|| see(dir, name.as_os_str(), SCAN))
    }

    fn is_owned(&self, name: &EntryName) -> Result<bool> {
        self.spool
            .step(|| ownership::is_owned(self.spool, name, SCAN))
    }

    fn is_readable(&self, stream: &Stream<'_>, name: &EntryName) -> Result<bool> {
        if !stream.is_of_entries() {
            return Ok(true);
        }
        self.spool
            .step(|| is_readable(stream.dir, name.as_os_str(), SCAN))
    }

    /// In which of its places the metadata cannot be read.
    fn unreadable(&self, name: &EntryName, places: &Places) -> Result<Vec<Dir>> {
        let mut unreadable = Vec::new();
        for queue in self.spool.layout().queues() {
            for (dir, kind) in dirs_of(queue) {
                let is_there = places.entry.iter().any(|(place, _)| *place == kind);
                let readable = || is_readable(dir, name.as_os_str(), SCAN);
                if is_there && !self.spool.step(readable)? {
                    unreadable.push(kind);
                }
            }
        }
        Ok(unreadable)
    }
}

impl Stream<'_> {
    fn advance(&mut self, spool: &Spool) -> Result<()> {
        self.next = self.listing.next(self.dir, |read| spool.step(read))?;
        Ok(())
    }

    fn is_of_entries(&self) -> bool {
        matches!(self.kind, Dir::Queue(_) | Dir::QueueCheckout(_))
    }
}
