//! What comes after an operation: the second try, the end of its process, and what a recover and a repair
//! make of it.

use super::{Case, Wrong};
use crate::suite::case::Again;
use crate::suite::room::{NAME, is_a_bystander};
use crate::suite::tree::Tree;
use crate::suite::worker::Told;

impl Case<'_> {
    pub(super) fn judge_second_try(&self, wrong: &mut Wrong) {
        let Some(Again { told, made, after }) = &self.seen.again else {
            return;
        };
        let left = self.seen.before.changes(&self.seen.after);
        if self.failed.len() > 1 && !left.is_empty() {
            // The undo failed as well: a second try finds what the first left.
            return;
        }
        match told {
            Told::Done(told) => {
                let expected = &self.reference.told;
                let goes_on = left.iter().any(|change| self.is_left_over(change));
                wrong.unless(told == expected || goes_on, || {
                    format!("the second try told {told:?}, not {expected:?}")
                });
                for change in self.reference.done.changes(after) {
                    // What the first left is there still, or was moved away.
                    let is_away = goes_on && change.path.starts_with("away/");
                    let may = self.is_left_over(&change) || is_away;
                    wrong.unless(may, || format!("after the second try {change}"));
                }
                let synced = [self.synced(&self.seen.made), self.synced(made)].concat();
                for promised in self.operation.syncs {
                    let is_synced = synced.iter().any(|synced| synced == promised);
                    wrong.unless(is_synced, || {
                        format!("no try synced {promised}, and the second one succeeded")
                    });
                }
            }
            Told::Failed(failure) => {
                // The entry is gone, and only its rest could not be removed.
                let is_over = is_over(&self.seen.before, &self.seen.after)
                    && ["Finished", "NotFound"].contains(&failure.kind.as_str());
                let sentence = &failure.sentence;
                wrong.unless(is_over, || format!("the second try failed: {sentence}"));
            }
        }
    }

    pub(super) fn judge_end(&self, wrong: &mut Wrong) {
        let open = &self.seen.left_open;
        for one in open {
            // One each in a process, for ever: for its forks, and for its readers.
            let is_kept = one == "/dev/null" || one == "anon_inode:inotify";
            let count = open.iter().filter(|other| *other == one).count();
            wrong.unless(is_kept && count == 1, || format!("left open: {one}"));
        }
        for problem in &self.seen.unmended {
            wrong.unless(false, || format!("after recover and repair: {problem}"));
        }
        for change in self.seen.before.changes(&self.seen.last) {
            let may = !is_a_bystander(&change.path);
            wrong.unless(may, || format!("a bystander: {change}"));
        }
    }

    /// The entry is in one place at most, and has its data.
    pub(super) fn judge_entry(&self, wrong: &mut Wrong) {
        let last = &self.seen.last;
        let places: Vec<&str> = last.paths().filter(|path| is_an_entry(path)).collect();
        wrong.unless(places.len() <= 1, || format!("it is in {places:?} at once"));
        let Some((place, name)) = places.first().and_then(|place| {
            let (_, name) = place.rsplit_once('/')?;
            Some((place, name))
        }) else {
            return;
        };
        let known = [&self.seen.before, &self.reference.done];
        let path = format!("spool/.data/{name}");
        let data = last.contents(&path);
        let has_data = data.is_some() && known.iter().any(|tree| tree.contents(&path) == data);
        wrong.unless(has_data, || format!("{place} has not its data"));
        let metadata = last.contents(place);
        let mut had = known.iter().flat_map(|tree| {
            let places = tree.paths().filter(|path| is_an_entry(path));
            places.map(|place| tree.contents(place))
        });
        let has_metadata = had.any(|had| had == metadata);
        wrong.unless(has_metadata, || format!("{place} has not its metadata"));
    }
}

/// Whether the operation's entry lies at this path of a room.
fn is_an_entry(path: &str) -> bool {
    let Some((dir, name)) = path
        .strip_prefix("spool/")
        .and_then(|path| path.rsplit_once('/'))
    else {
        return false;
    };
    !dir.starts_with('.') && (name == NAME || name == "BY-TIME")
}

/// Whether the entry has left where it was, for good.
fn is_over(before: &Tree, after: &Tree) -> bool {
    ["spool/in/.checkout/e", "spool/in/e"]
        .iter()
        .any(|place| before.has(place) && !after.has(place))
}
