//! Cases, of many checks each, that are done side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A scan of a spool waits for the clock of its files, so that more threads than processors are of use; each has some
/// thirty descriptors.
const THREADS: usize = 16;

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub recordings: usize,
    pub events: usize,
    pub states: usize,
}

impl Count {
    pub fn of_states(states: usize) -> Count {
        Count {
            states,
            ..Count::default()
        }
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), |sum, count| Count {
            recordings: sum.recordings + count.recordings,
            events: sum.events + count.events,
            states: sum.states + count.states,
        })
    }
}

/// What passes or fails as one.
pub struct Case<'a> {
    pub name: String,
    pub checks: Vec<Check<'a>>,
}

pub type Check<'a> = Box<dyn Fn() -> Result<Count, String> + Send + Sync + 'a>;

/// What each case came to: how much was looked at, or the failure of its first check that failed.
pub fn run(cases: &[Case<'_>]) -> Vec<Result<Count, String>> {
    let checks: Vec<(usize, &Check<'_>)> = cases
        .iter()
        .enumerate()
        .flat_map(|(case, Case { checks, .. })| checks.iter().map(move |check| (case, check)))
        .collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![Ok(Vec::new()); cases.len()]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((case, check)) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if results.lock().unwrap()[*case].is_err() {
                        continue;
                    }
                    let checked = catch_unwind(AssertUnwindSafe(check))
                        .unwrap_or_else(|_| Err("the check itself failed".to_owned()));
                    let result = &mut results.lock().unwrap()[*case];
                    match (&mut *result, checked) {
                        (Ok(counts), Ok(count)) => counts.push(count),
                        (Ok(_), Err(reason)) => *result = Err(reason),
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap().into_iter();
    results
        .map(|result| result.map(|counts| counts.into_iter().sum()))
        .collect()
}
