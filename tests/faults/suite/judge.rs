//! Whether what an operation told and left is true, clean and whole.

mod later;

use std::path::Path;

use libc::{EACCES, EDQUOT, EFBIG, EMFILE, ENOSPC, EROFS};

use super::calls::{Fault, Sort, errno_name, relative};
use super::case::Seen;
use super::operations::Operation;
use super::tracer::Made;
use super::tree::{Change, Kind, Tree};
use super::worker::{Failure, Told};

/// What the operation does when nothing fails.
pub struct Reference {
    pub told: String,
    pub done: Tree,
    pub made: Vec<Made>,
}

/// Judges an undisturbed run, and takes it as the model of the others.
pub fn reference(operation: &Operation, root: &Path, seen: Seen) -> Result<Reference, Vec<String>> {
    let Told::Done(told) = &seen.first else {
        return Err(vec![format!("it fails undisturbed: {:?}", seen.first)]);
    };
    let reference = Reference {
        told: told.clone(),
        done: seen.after.clone(),
        made: seen.made.clone(),
    };
    match judge(operation, root, &reference, &seen) {
        wrong if wrong.is_empty() => Ok(reference),
        wrong => Err(wrong),
    }
}

/// Everything that is wrong with what was seen.
pub fn judge(
    operation: &Operation,
    root: &Path,
    reference: &Reference,
    seen: &Seen,
) -> Vec<String> {
    let case = Case {
        operation,
        root,
        reference,
        seen,
        failed: seen.made.iter().filter(|made| has_failed(made)).collect(),
    };
    let mut wrong = Wrong::default();
    match &seen.first {
        Told::Done(told) => case.judge_success(told, &mut wrong),
        Told::Failed(failure) => case.judge_failure(failure, &mut wrong),
    }
    case.judge_syncs(&mut wrong);
    case.judge_second_try(&mut wrong);
    case.judge_end(&mut wrong);
    case.judge_entry(&mut wrong);
    wrong.0
}

/// Whether the call failed in a way that its caller must live with: made to, or by a limit of the process.
pub fn has_failed(made: &Made) -> bool {
    match made.fault {
        Some(fault) => !fault.is_to_be_retried(),
        None => [EMFILE, EFBIG]
            .iter()
            .any(|errno| made.answer == -i64::from(*errno)),
    }
}

#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.0.push(wrong());
        }
    }
}

struct Case<'a> {
    operation: &'a Operation,
    root: &'a Path,
    reference: &'a Reference,
    seen: &'a Seen,
    failed: Vec<&'a Made>,
}

impl Case<'_> {
    fn told(&self, made: &Made) -> String {
        let errno = i32::try_from(-made.answer).map_or("?", errno_name);
        format!("{}: {errno}", made.call.told(self.root))
    }

    /// All is done, and nothing that failed had to be told.
    fn judge_success(&self, told: &str, wrong: &mut Wrong) {
        for made in &self.failed {
            let may = self.operation.may_pass_over(made);
            wrong.unless(may, || format!("swallowed: {}", self.told(made)));
        }
        let may_tell = self.operation.tells_otherwise;
        let otherwise = self.failed.iter().any(|made| may_tell(made));
        let expected = &self.reference.told;
        wrong.unless(told == expected || otherwise, || {
            format!("it told {told:?}, not {expected:?}")
        });
        for change in self.reference.done.changes(&self.seen.after) {
            let may = self.is_left_over(&change);
            wrong.unless(may, || format!("told as done, but {change}"));
        }
        let synced = self.synced(&self.seen.made);
        let expected = self.promised();
        wrong.unless(synced == expected, || {
            format!("it synced {synced:?}, not {expected:?}")
        });
    }

    /// What these calls have synced.
    fn synced(&self, made: &[Made]) -> Vec<String> {
        let synced = made
            .iter()
            .filter(|made| made.call.sort == Sort::Sync && made.answer == 0);
        let told = synced.map(|made| match made.call.name {
            "syncfs" => "everything".to_owned(),
            _ => relative(self.root, &made.call.paths[0]),
        });
        told.collect()
    }

    /// What a success has synced: all that it promises.
    fn promised(&self) -> Vec<String> {
        let refused = self
            .failed
            .iter()
            .filter(|made| made.call.name == "openat" && made.answer == -i64::from(EACCES));
        let refused: Vec<String> = refused
            .map(|made| relative(self.root, &made.call.paths[0]))
            .collect();
        let promised = self.operation.syncs.iter().map(|path| {
            // A directory that may not be opened is synced with all of its file system.
            let may_be_opened = !refused.iter().any(|refused| refused == path);
            if may_be_opened { path } else { "everything" }.to_owned()
        });
        promised.collect()
    }

    fn judge_failure(&self, failure: &Failure, wrong: &mut Wrong) {
        let Failure {
            kind,
            operation,
            path,
            sentence,
            ..
        } = failure;
        let Some(culprit) = self.culprit(failure) else {
            return wrong.unless(false, || format!("it failed for no reason: {sentence}"));
        };
        let name = self.told(culprit);
        let errno = i32::try_from(-culprit.answer).unwrap_or(0);
        wrong.unless(failure.errno == errno, || {
            format!("{name}; told as another error: {sentence}")
        });
        let called = self.operation.called.contains(&operation.as_str());
        wrong.unless(called, || format!("{name}; told of {operation:?}"));
        let is_about = culprit.call.is_told_of(path, errno);
        wrong.unless(is_about, || {
            format!("{name}; told of another path: {sentence}")
        });
        if kind == "NotDurable" {
            // The look at its directory that follows is a part of the sync.
            let is_sync = culprit.call.sort == Sort::Sync || culprit.call.name == "fstat";
            wrong.unless(is_sync, || format!("{name}; told as not durable"));
            return self.judge_not_durable(failure, wrong);
        }
        let expected = (self.operation.kind)(operation, culprit).unwrap_or(kind_of(errno));
        wrong.unless(kind == expected, || {
            format!("{name}; told as {kind}, not {expected}")
        });
        for change in self.seen.before.changes(&self.seen.after) {
            let may = self.is_left_over(&change) || (self.operation.leaves)(&change, &self.failed);
            wrong.unless(may, || format!("{name}; told as failed, but {change}"));
        }
    }

    /// It is done and visible, and its entry is told.
    fn judge_not_durable(&self, failure: &Failure, wrong: &mut Wrong) {
        let has_entry = !failure.entry.is_empty() || failure.operation == "repair";
        wrong.unless(has_entry, || "not durable, but no entry is told".to_owned());
        for change in self.reference.done.changes(&self.seen.after) {
            // A remove that is not known to be durable leaves the data, which fsck names.
            let is_rest = change.from.is_none() && self.is_named(&change);
            let may = self.is_left_over(&change) || is_rest;
            wrong.unless(may, || format!("told as not durable, but {change}"));
        }
    }

    /// The failure that is to be told: the first that may not be passed over, if there is one; but that of an
    /// undo which leaves the entry elsewhere.
    fn culprit(&self, failure: &Failure) -> Option<&Made> {
        let Operation {
            undoes,
            passes_over,
            ..
        } = self.operation;
        let is_undo = |made: &&&Made| undoes(&failure.operation, made);
        let is_told = |made: &&&Made| {
            let is_chosen = passes_over(made) && made.call.concerns(&failure.path);
            !self.operation.may_pass_over(made) || is_chosen
        };
        let mut failed = self.failed.iter();
        let told = failed.clone().find(is_undo).or(failed.find(is_told));
        told.or(self.failed.first()).copied()
    }

    /// Whether the change is a file that could not be removed, and that fsck names.
    fn is_left_over(&self, change: &Change) -> bool {
        let removes =
            |made: &&Made| made.call.sort == Sort::Remove && made.call.concerns(&change.real);
        self.failed.iter().any(removes) && self.is_named(change)
    }

    fn is_named(&self, change: &Change) -> bool {
        let is_left = matches!(change.to, Some(Kind::File(_)));
        let name = change.real.file_name().map(|name| name.to_string_lossy());
        let mut problems = self.seen.problems.iter().flatten();
        is_left && problems.any(|(_, named)| Some(&**named) == name.as_deref())
    }

    fn syncs(&self) -> impl Iterator<Item = &Made> {
        let made = self.seen.made.iter();
        made.filter(|made| made.call.sort == Sort::Sync)
    }

    /// A sync that failed is not tried again: the kernel takes its pages for clean.
    fn judge_syncs(&self, wrong: &mut Wrong) {
        let syncs: Vec<&Made> = self.syncs().collect();
        for (index, made) in syncs.iter().enumerate() {
            let later = &syncs[index + 1..];
            let is_again = later
                .iter()
                .any(|later| later.call.paths == made.call.paths);
            wrong.unless(!(has_failed(made) && is_again), || {
                format!("{}; synced again", self.told(made))
            });
        }
    }
}

/// What an error number means where nothing more is known.
fn kind_of(errno: i32) -> &'static str {
    match errno {
        ENOSPC | EDQUOT => "NoSpace",
        EMFILE => "Descriptors",
        EACCES | EROFS => "Permission",
        _ => "Io",
    }
}

/// Which faults an operation is tried with, at each call of an undisturbed run.
pub fn faults(made: &[Made]) -> Vec<(usize, Fault)> {
    let calls = made.iter().enumerate();
    calls
        .flat_map(|(index, made)| {
            made.call
                .faults()
                .into_iter()
                .map(move |fault| (index, fault))
        })
        .collect()
}
