//! What a comparison of the spool with its model comes to.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;

use multispool::{Error, ErrorKind};

/// What is not as the model says.
#[derive(Debug)]
pub struct Wrong(pub String);

pub type Verdict = Result<(), Wrong>;

/// Fails unless it holds; `what` says what does not.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Wrong(what())) }
}

/// How often each operation came to each outcome.
#[derive(Debug, Default)]
pub struct Figures(pub BTreeMap<String, u64>);

impl Figures {
    pub fn count(&mut self, what: &str, times: u64) {
        match self.0.get_mut(what) {
            Some(count) => *count += times,
            None => drop(self.0.insert(what.to_owned(), times)),
        }
    }

    /// Compares what an operation answered with what it should have: the same value, or an error of the same kind.
    pub fn agree<T: PartialEq + Debug>(
        &mut self,
        operation: &str,
        expected: &Result<T, ErrorKind>,
        actual: &Result<T, Error>,
    ) -> Verdict {
        let is_same = match (expected, actual) {
            (Ok(expected), Ok(actual)) => expected == actual,
            (Err(expected), Err(actual)) => *expected == actual.kind(),
            _ => false,
        };
        ensure(is_same, || {
            let said = actual.as_ref().err().map(Error::to_string);
            let said = said.map_or(String::new(), |said| format!(": {said}"));
            format!("{operation} came to {actual:?}{said}; the model says {expected:?}")
        })?;
        match expected {
            Ok(_) => self.count(&format!("{operation} ok"), 1),
            Err(kind) => self.count(&format!("{operation} {kind:?}"), 1),
        }
        Ok(())
    }
}

/// The library's error that came through a writer's `io::Write`.
pub fn from_io<T>(result: io::Result<T>) -> Result<Result<T, Error>, Wrong> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match error.downcast::<Error>() {
            Ok(error) => Ok(Err(error)),
            Err(error) => Err(Wrong(format!("not an error of the library's: {error}"))),
        },
    }
}

/// What a call answered, to be compared, and what it gave, to be kept.
pub fn split<T, A>(
    result: Result<T, Error>,
    answer: impl FnOnce(&T) -> A,
) -> (Result<A, Error>, Option<T>) {
    match result {
        Ok(value) => (Ok(answer(&value)), Some(value)),
        Err(error) => (Err(error), None),
    }
}
