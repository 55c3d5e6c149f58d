//! A caller's function, called by the library with an entry in its hands.

use std::panic;
use std::rc::Rc;

use multispool::{DataFile, Error, ErrorKind, Outcome};

use crate::model::checkout::Holding;
use crate::model::{Model, Scope};
use crate::operation::{Bytes, Decision, Handler, Then};
use crate::step;
use crate::verdict::{Verdict, Wrong, ensure};

/// How a handler's call ended, other than well.
#[derive(Debug)]
pub enum Failure {
    Library(Error),
    /// The handler's own.
    Handler,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Library(error)
    }
}

/// What the model says of such an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Library(ErrorKind),
    Handler,
    Panic,
}

impl End {
    /// How a call with a handler that may panic ended; `None` besides, if there was no entry to have.
    pub fn of<R>(called: std::thread::Result<Result<R, Failure>>) -> (End, Option<R>) {
        match called {
            Ok(Ok(value)) => (End::Done, Some(value)),
            Ok(Err(Failure::Library(error))) => (End::Library(error.kind()), None),
            Ok(Err(Failure::Handler)) => (End::Handler, None),
            Err(payload) if payload.is::<Planned>() => (End::Panic, None),
            Err(payload) => panic::resume_unwind(payload),
        }
    }
}

/// The payload of a panic that a handler was told to end in.
struct Planned;

/// What a handler saw.
#[derive(Debug)]
pub struct Visit {
    pub name: Bytes,
    metadata: Bytes,
    data: Result<Bytes, ErrorKind>,
    saved: Option<Result<(), ErrorKind>>,
}

/// The handler, as the library calls it.
pub fn call(
    handler: &Handler,
    metadata: &[u8],
    data_file: &DataFile,
    visits: &mut Vec<Visit>,
) -> Result<Outcome, Failure> {
    step::must_not_be_in_one("a handler");
    let path = data_file.path();
    let kind = |error: Error| error.kind();
    visits.push(Visit {
        name: path.file_name().map(Bytes::from).unwrap_or_default(),
        metadata: Bytes::from(metadata),
        data: data_file.load().map(Bytes).map_err(kind),
        saved: (handler.save_data.as_ref()).map(|data| data_file.save(&data.0).map_err(kind)),
    });
    match &handler.then {
        Then::Decide(decision) => Ok(outcome(decision)?),
        Then::Fail => Err(Failure::Handler),
        // Quietly: it is no failure of the test's.
        Then::Panic => panic::resume_unwind(Box::new(Planned)),
    }
}

pub fn outcome(decision: &Decision) -> Result<Outcome, Error> {
    match decision {
        Decision::Save(queue, None) => Outcome::save(queue.os()),
        Decision::Save(queue, Some(metadata)) => Outcome::save_with(queue.os(), &*metadata.0),
        Decision::Remove => Ok(Outcome::Remove),
        Decision::Release => Ok(Outcome::Release),
    }
}

impl Model {
    /// What a handler with the entry in its hands comes to; `visit` is what it saw.
    pub fn handle(
        &mut self,
        scope: &Scope,
        holding: &mut Holding,
        handler: &Handler,
        visit: &Visit,
    ) -> Result<End, Wrong> {
        self.must_have_seen(scope, holding, handler, visit)?;
        let end = match &handler.then {
            Then::Decide(decision) => match self.finish(scope, holding, decision) {
                Ok(()) => End::Done,
                Err(kind) => End::Library(kind),
            },
            Then::Fail => End::Handler,
            Then::Panic => End::Panic,
        };
        self.give_back(scope, holding);
        Ok(end)
    }

    fn must_have_seen(
        &mut self,
        scope: &Scope,
        holding: &Holding,
        handler: &Handler,
        visit: &Visit,
    ) -> Verdict {
        let finished = Rc::clone(&holding.is_finished);
        let data = self.data_load(&holding.name, Some(&finished));
        let saved = handler
            .save_data
            .as_ref()
            .map(|data| self.data_save(scope, &holding.name, Some(&finished), data));
        let expected = (&holding.name, &holding.metadata, &data, &saved);
        let seen = (&visit.name, &visit.metadata, &visit.data, &visit.saved);
        ensure(expected == seen, || {
            format!("a handler saw {seen:?}; the model says {expected:?}")
        })
    }
}
