//! Readers: each answer is one that the model allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use multispool::{Checkout, DataFile, Dequeued, Error, ErrorKind, Outcome, ReaderOptions, Stop};

use super::entries::{known, seen};
use super::handler::{self, End, Visit};
use super::{LONG, MOST, Reader, World};
use crate::model::reader::{Leaves, Notes};
use crate::operation::{Bytes, Handler, Pick, ReaderOp};
use crate::verdict::{Verdict, Wrong, ensure, split};

impl World {
    pub(super) fn open_reader(&mut self, pick: Pick, queue: &Bytes, rests: bool) -> Verdict {
        let (spool, scope) = self.opened_for(pick, queue);
        let rest = if rests { LONG } else { Duration::ZERO };
        let notes = Notes::new(queue, rests);
        let options = ReaderOptions::new()
            .retry_after(rest, rest)
            .strict_order(notes.is_strict());
        let (answer, reader) = split(spool.reader_with(queue.os(), &options), |_| ());
        let expected = scope.knows(queue).and_then(|()| scope.may_write());
        self.figures.agree("reader", &expected, &answer)?;
        let Some(reader) = reader else {
            return Ok(());
        };
        if self.readers.len() >= MOST {
            return Ok(());
        }
        let id = self.readers_made;
        self.readers_made += 1;
        self.model.readers.insert(id, notes);
        self.readers.push(Reader {
            reader,
            id,
            scope,
            generation: self.generation,
        });
        Ok(())
    }

    pub(super) fn read(&mut self, pick: Pick, op: &ReaderOp) -> Verdict {
        match pick.of(self.readers.len()) {
            Some(index) => self.read_at(index, op),
            None => self.open_reader(pick, &self.any_queue(), pick.0.is_multiple_of(2)),
        }
    }

    pub(super) fn read_at(&mut self, index: usize, op: &ReaderOp) -> Verdict {
        if matches!(op, ReaderOp::Drop) {
            self.drop_reader(index);
            return Ok(());
        }
        self.model.reader_begins(self.readers[index].id);
        match op {
            ReaderOp::DequeueAvailable => {
                let dequeued = self.readers[index].reader.dequeue_available();
                self.judge(index, Leaves::HadInThisPass, dequeued)
            }
            ReaderOp::DequeueNow => {
                let reader = &mut self.readers[index].reader;
                let dequeued = match reader.dequeue(None, Some(Duration::ZERO)) {
                    Ok(Dequeued::CheckedOut(checkout)) => Ok(Some(checkout)),
                    Ok(Dequeued::TimedOut) => Ok(None),
                    Ok(Dequeued::Stopped) => return Err(Wrong("nobody stopped it".to_owned())),
                    Err(error) => Err(error),
                };
                self.judge(index, Leaves::Resting, dequeued)
            }
            ReaderOp::DequeueStopped => {
                let stop = triggered()?;
                let reader = &mut self.readers[index].reader;
                let answer = reader.dequeue(Some(&stop), None);
                let answer = answer.map(|dequeued| matches!(dequeued, Dequeued::Stopped));
                self.stopped(index, answer)
            }
            ReaderOp::IterStopped => {
                let stop = triggered()?;
                let mut calls = 0;
                let answer = self.readers[index].reader.iter(Some(&stop), |_, _| {
                    calls += 1;
                    Ok::<_, Error>(Outcome::Release)
                });
                self.stopped(index, answer.map(|()| calls == 0))
            }
            ReaderOp::IterAvailable(handlers) => self.iter_available(index, handlers),
            ReaderOp::Drop => unreachable!("done above"),
        }
    }

    /// `answer`: whether the call ended by its stop, and did nothing before.
    fn stopped(&mut self, index: usize, answer: Result<bool, Error>) -> Verdict {
        let expected = match self.is_foreign(self.readers[index].generation) {
            true => Err(ErrorKind::Forked),
            false => Ok(true),
        };
        self.figures.agree("dequeue stopped", &expected, &answer)
    }

    fn judge(
        &mut self,
        index: usize,
        leaves: Leaves,
        dequeued: Result<Option<Checkout>, Error>,
    ) -> Verdict {
        let Reader {
            id,
            ref scope,
            generation,
            ..
        } = self.readers[index];
        let scope = Rc::clone(scope);
        if self.is_foreign(generation) {
            let (answer, _) = split(dequeued, |_| ());
            return self
                .figures
                .agree("dequeue", &Err(ErrorKind::Forked), &answer);
        }
        match dequeued {
            Ok(Some(checkout)) => {
                let name = Bytes::from(checkout.name().as_os_str());
                let holding = self.model.reader_took(id, leaves, &name)?;
                let (seen, known) = (seen(&checkout), known(&holding));
                ensure(seen == known, || {
                    format!("a reader had {seen:?}; the model says {known:?}")
                })?;
                self.keep_held(checkout, holding, &scope);
                self.figures.count(&format!("dequeue {leaves:?} had"), 1);
            }
            Ok(None) => {
                self.model.reader_found_nothing(id, leaves)?;
                self.figures
                    .count(&format!("dequeue {leaves:?} nothing"), 1);
            }
            Err(error) => self.found_bad(id, leaves, &error)?,
        }
        Ok(())
    }

    fn found_bad(&mut self, id: u64, leaves: Leaves, error: &Error) -> Verdict {
        let name = error.path().and_then(|path| path.file_name());
        let name = name.map(Bytes::from).unwrap_or_default();
        self.model
            .reader_found_bad(id, leaves, error.kind(), &name)
            .map_err(|Wrong(what)| Wrong(format!("{what}: {error}")))?;
        self.figures.count(&format!("dequeue {leaves:?} bad"), 1);
        Ok(())
    }

    /// The handlers take turns.
    fn iter_available(&mut self, index: usize, handlers: &[Handler]) -> Verdict {
        let leaves = Leaves::HadInThisPass;
        let Reader {
            reader,
            id,
            scope,
            generation,
        } = &mut self.readers[index];
        let (id, scope, generation) = (*id, Rc::clone(scope), *generation);
        let mut visits: Vec<Visit> = Vec::new();
        let mut failed = None;
        let called = catch_unwind(AssertUnwindSafe(|| {
            reader.iter_available(|metadata: &[u8], data_file: &DataFile| {
                let handler = &handlers[visits.len() % handlers.len()];
                handler::call(handler, metadata, data_file, &mut visits)
            })
        }));
        if let Ok(Err(handler::Failure::Library(error))) = &called {
            let path = error.path().and_then(|path| path.file_name());
            failed = Some((error.kind(), path.map(Bytes::from).unwrap_or_default()));
        }
        let (end, _) = End::of(called);
        self.figures.count(&format!("iter available {end:?}"), 1);
        if self.is_foreign(generation) {
            return ensure(end == End::Library(ErrorKind::Forked), || {
                format!("iter available came to {end:?} in a child")
            });
        }
        for (number, visit) in visits.iter().enumerate() {
            self.model.reader_begins(id);
            let mut holding = self.model.reader_took(id, leaves, &visit.name)?;
            let handler = &handlers[number % handlers.len()];
            let expected = self.model.handle(&scope, &mut holding, handler, visit)?;
            let is_last = number + 1 == visits.len();
            if expected != End::Done {
                return ensure(is_last && end == expected, || {
                    format!("iter available came to {end:?}; the model says {expected:?}")
                });
            }
        }
        self.model.reader_begins(id);
        match (end, failed) {
            (End::Done, _) => self.model.reader_found_nothing(id, leaves),
            (_, Some((kind, name))) => self.model.reader_found_bad(id, leaves, kind, &name),
            _ => Err(Wrong(format!(
                "iter available came to {end:?} for no reason"
            ))),
        }
    }

    pub(super) fn drop_reader(&mut self, index: usize) {
        let reader = self.readers.remove(index);
        drop(reader.reader);
        if !self.is_foreign(reader.generation) {
            self.model.readers.remove(&reader.id);
        }
    }
}

fn triggered() -> Result<Stop, Wrong> {
    let stop = Stop::new().map_err(|error| Wrong(error.to_string()))?;
    stop.trigger();
    Ok(stop)
}
