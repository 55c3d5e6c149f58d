//! The forms of the test: every call fails once; failures that last; two failures; limits of the process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{EDQUOT, EIO, EMFILE, ENOSPC, EROFS};

use super::calls::{Fault, Sort};
use super::case::{Seen, Trial};
use super::judge::{Reference, faults, has_failed, judge, reference};
use super::operations::Operation;
use super::tracer::{Made, Plan};
use super::worker::{Limit, Told};

/// Tries one operation in many ways.
pub type Form = fn(&Suite<'_>, &Operation);

/// At most so many discrepancies are printed; all are counted.
const PRINTED: usize = 60;

/// Up to where a limit is tried.
const MOST: u64 = 64;

/// How often at most a run is made again that ended too early.
const TRIES: usize = 50;

/// How many cases there were of one sort.
#[derive(Default)]
pub struct Count {
    pub cases: AtomicUsize,
    pub failed: AtomicUsize,
}

pub struct Suite<'a> {
    dir: &'a Path,
    omit: Option<&'static str>,
    next: AtomicUsize,
    pub count: Count,
    /// What was wrong, each with its case.
    pub wrong: Mutex<Vec<String>>,
}

impl<'a> Suite<'a> {
    pub fn new(dir: &'a Path, omit: Option<&'static str>) -> Suite<'a> {
        Suite {
            dir,
            omit,
            next: AtomicUsize::new(0),
            count: Count::default(),
            wrong: Mutex::default(),
        }
    }

    /// The undisturbed run; counted only where it is wrong.
    pub fn reference(&self, operation: &Operation) -> Option<Reference> {
        let root = self.root();
        let seen = self.trial(Plan::Nothing, None).run(operation, &root);
        let judged = match seen {
            Ok(seen) => reference(operation, &root, seen),
            Err(wrong) => Err(vec![wrong]),
        };
        judged
            .map_err(|wrong| {
                self.count.cases.fetch_add(1, Ordering::Relaxed);
                self.note(&format!("{}, undisturbed", operation.name), wrong);
            })
            .ok()
    }

    /// One disturbed run; answers what was seen of it.
    pub fn try_one(
        &self,
        operation: &Operation,
        reference: &Reference,
        plan: Plan,
        limit: Option<Limit>,
    ) -> Option<Seen> {
        let (root, seen) = self.until_it_comes_to_it(operation, &plan, limit);
        self.count.cases.fetch_add(1, Ordering::Relaxed);
        let (seen, mut wrong) = match seen {
            Ok(seen) => {
                let wrong = judge(operation, &root, reference, &seen);
                (Some(seen), wrong)
            }
            Err(wrong) => (None, vec![wrong]),
        };
        if let Some(seen) = &seen {
            wrong.extend(went_another_way(reference, &seen.made, &plan));
        }
        if !wrong.is_empty() {
            let made = seen.as_ref().map_or(&reference.made, |seen| &seen.made);
            self.note(&describe(operation, made, &plan, limit), wrong);
        }
        seen
    }

    /// Runs it, again if it ended before the call that was to fail: on a busy machine the time of a wait may be
    /// up before it begins.
    fn until_it_comes_to_it(
        &self,
        operation: &Operation,
        plan: &Plan,
        limit: Option<Limit>,
    ) -> (PathBuf, Result<Seen, String>) {
        let mut tries = 0;
        loop {
            let root = self.root();
            let seen = self.trial(plan.clone(), limit).run(operation, &root);
            tries += 1;
            let is_early = seen
                .as_ref()
                .is_ok_and(|seen| plan.first().is_some_and(|first| seen.made.len() <= first));
            if !is_early || tries == TRIES {
                return (root, seen);
            }
        }
    }

    /// Calls `each` with all of them, from a thread per processor: a process is traced by the thread that
    /// started it. Where a step is left out, until something wrong was noticed.
    fn in_parallel<T: Sync>(&self, all: &[T], each: impl Fn(&T) + Sync) {
        let next = AtomicUsize::new(0);
        let is_over = || self.omit.is_some() && self.count.failed.load(Ordering::Relaxed) > 0;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed))
                        && !is_over()
                    {
                        each(one);
                    }
                });
            }
        });
    }

    fn root(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.dir.join(number.to_string())
    }

    fn trial(&self, plan: Plan, limit: Option<Limit>) -> Trial {
        Trial {
            plan,
            limit,
            sees_all: false,
            omit: self.omit,
        }
    }

    fn note(&self, case: &str, wrong: Vec<String>) {
        self.count.failed.fetch_add(1, Ordering::Relaxed);
        let mut all = self.wrong.lock().unwrap();
        all.extend(wrong.into_iter().map(|wrong| format!("{case}: {wrong}")));
    }
}

/// Up to its first failure a run is the undisturbed one, or the failure meant another call.
fn went_another_way(reference: &Reference, made: &[Made], plan: &Plan) -> Option<String> {
    let first = plan.first()?;
    let names = |made: &[Made]| -> Vec<&'static str> {
        made.iter()
            .take(first + 1)
            .map(|made| made.call.name)
            .collect()
    };
    let (expected, went) = (names(&reference.made), names(made));
    (expected != went).then(|| format!("it made other calls than undisturbed: {went:?}"))
}

fn describe(operation: &Operation, made: &[Made], plan: &Plan, limit: Option<Limit>) -> String {
    let call = |index: usize| match made.get(index) {
        Some(made) => format!("call {index}, {}", made.call.name),
        None => format!("call {index}"),
    };
    let plan = match plan {
        Plan::Nothing => String::new(),
        Plan::Once(faults) => {
            let told = faults
                .iter()
                .map(|(index, fault)| format!("{}: {fault}", call(*index)));
            told.collect::<Vec<_>>().join(" and ")
        }
        Plan::From(index, fault) => format!("from {} on: {fault}", call(*index)),
    };
    let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
    format!("{}, {plan}{limit}", operation.name)
}

/// Every call fails once, in each way that makes sense for it.
pub fn each_call_once(suite: &Suite<'_>, operation: &Operation) {
    let Some(reference) = suite.reference(operation) else {
        return;
    };
    suite.in_parallel(&faults(&reference.made), |fault| {
        suite.try_one(operation, &reference, Plan::Once(vec![*fault]), None);
    });
}

/// From each call on the disk is full: whatever takes room fails.
pub fn full_disk(suite: &Suite<'_>, operation: &Operation) {
    lasting(suite, operation, &[ENOSPC]);
}

/// From each call on, every call fails that can fail so: a quota is used up, no descriptors, a dead device.
pub fn dead_device(suite: &Suite<'_>, operation: &Operation) {
    lasting(suite, operation, &[EDQUOT, EMFILE, EROFS, EIO]);
}

fn lasting(suite: &Suite<'_>, operation: &Operation, errnos: &[i32]) {
    let Some(reference) = suite.reference(operation) else {
        return;
    };
    let lasts = |(index, fault): &(usize, Fault)| {
        let call = &reference.made[*index].call;
        let is_one = errnos.iter().any(|errno| Fault::Errno(*errno) == *fault);
        is_one && call.fails_for_as_long_as(*fault)
    };
    let faults = faults(&reference.made);
    let faults: Vec<(usize, Fault)> = faults.into_iter().filter(lasts).collect();
    suite.in_parallel(&faults, |(first, fault)| {
        suite.try_one(operation, &reference, Plan::From(*first, *fault), None);
    });
}

/// Two calls fail: each one, and then each of those that are made after it. The second is one of what the
/// first brought about: an undo, or another way.
pub fn two_calls(suite: &Suite<'_>, operation: &Operation) {
    let Some(reference) = suite.reference(operation) else {
        return;
    };
    let fault = Fault::Errno(EIO);
    let can_fail = |made: &Made| made.call.faults().contains(&fault);
    let calls = reference.made.iter().enumerate();
    let firsts: Vec<usize> = calls
        .filter(|(_, made)| can_fail(made))
        .map(|(index, _)| index)
        .collect();
    suite.in_parallel(&firsts, |first| {
        let once = Trial {
            sees_all: true,
            omit: suite.omit,
            ..Trial::new(Plan::Once(vec![(*first, fault)]))
        };
        let seen = match once.run(operation, &suite.root()) {
            Ok(seen) => seen,
            Err(wrong) => {
                let made = &reference.made;
                return suite.note(&describe(operation, made, &once.plan, None), vec![wrong]);
            }
        };
        for second in first + 1..seen.made.len() {
            if !can_fail(&seen.made[second]) {
                continue;
            }
            let plan = Plan::Once(vec![(*first, fault), (second, fault)]);
            suite.try_one(operation, &reference, plan, None);
        }
    });
}

/// The process has no descriptors left, after 0, 1, 2 … more, until there are enough.
pub fn few_descriptors(suite: &Suite<'_>, operation: &Operation) {
    by_limit(suite, operation, Limit::Descriptors);
}

/// Files may have 0, 1, 2 … bytes, until that is enough: the kernel writes a part, and then refuses.
pub fn small_files(suite: &Suite<'_>, operation: &Operation) {
    by_limit(suite, operation, Limit::FileSize);
}

fn by_limit(suite: &Suite<'_>, operation: &Operation, limit: fn(u64) -> Limit) {
    let Some(reference) = suite.reference(operation) else {
        return;
    };
    let writes = reference
        .made
        .iter()
        .any(|made| made.call.sort == Sort::Write);
    if limit(0) == Limit::FileSize(0) && !writes {
        return;
    }
    for value in 0..MOST {
        let seen = suite.try_one(operation, &reference, Plan::Nothing, Some(limit(value)));
        let Some(seen) = seen else { return };
        let was_enough = !seen.made.iter().any(has_failed);
        if was_enough && matches!(seen.first, Told::Done(_)) {
            return;
        }
    }
    if limit(MOST) == Limit::Descriptors(MOST) {
        suite.note(
            operation.name,
            vec![format!("{MOST} descriptors are not enough")],
        );
    }
}

pub fn run(dir: &Path, operations: &[&Operation], is_long: bool) -> ExitCode {
    // What takes long is tried in the short form where it matters most.
    let of_long = |chosen: &str| {
        let operations = operations.iter().copied();
        operations
            .filter(|operation| is_long || operation.name == chosen)
            .collect::<Vec<_>>()
    };
    let all = operations.to_vec();
    let forms: [(&str, Form, Vec<&Operation>); 6] = [
        ("each call once", each_call_once, all.clone()),
        ("a full disk", full_disk, all.clone()),
        ("no descriptors left", few_descriptors, all.clone()),
        ("a limit on the size of files", small_files, all),
        ("two calls", two_calls, of_long("checkout")),
        ("a dead device", dead_device, of_long("")),
    ];
    let (mut passed, mut failed) = (0, 0);
    let mut figures = Vec::new();
    for (name, form, operations) in forms {
        let suite = Suite::new(dir, None);
        for operation in &operations {
            form(&suite, operation);
        }
        let wrong = suite.wrong.lock().unwrap();
        for wrong in wrong.iter().take(PRINTED) {
            println!("{wrong}");
        }
        if wrong.len() > PRINTED {
            println!("and {} more", wrong.len() - PRINTED);
        }
        let cases = suite.count.cases.load(Ordering::Relaxed);
        let bad = suite.count.failed.load(Ordering::Relaxed);
        if !operations.is_empty() {
            figures.push(format!("{name}: {cases}"));
        }
        failed += bad;
        passed += cases - bad;
    }
    println!(
        "{} operations; cases: {}",
        operations.len(),
        figures.join(", ")
    );
    println!("faults: {passed} passed, {failed} failed, 0 skipped");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The calls of one operation, as they are counted.
pub fn print_calls(dir: &Path, operation: &Operation) -> ExitCode {
    let root = dir.join("calls");
    match Trial::new(Plan::Nothing).run(operation, &root) {
        Ok(seen) => {
            for (index, made) in seen.made.iter().enumerate() {
                println!("{index:3} {} = {}", made.call.told(&root), made.answer);
            }
            println!("{:?}", seen.first);
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            println!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
