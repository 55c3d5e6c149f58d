//! Entries by name: looked at, used directly, and taken.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use multispool::{Checkout, DataFile, Entry, ErrorKind};

use super::handler::{self, End};
use super::{Held, MOST, World, Writer};
use crate::model::Scope;
use crate::model::checkout::Holding;
use crate::operation::{Bytes, DataOp, EntryOp, Handler, Pick, Target};
use crate::verdict::{Verdict, ensure, split};

impl World {
    pub(super) fn entry(&mut self, pick: Pick, target: &Target, op: &EntryOp) -> Verdict {
        let Some((queue, name)) = self.target(target) else {
            return Ok(());
        };
        let (spool, scope) = self.opened_for(pick, &queue);
        let (answer, entry) = split(spool.entry(queue.os(), name.os()), |_| ());
        self.figures
            .agree("entry", &scope.entry(&queue, &name), &answer)?;
        let Some(entry) = entry else {
            return Ok(());
        };
        match op {
            EntryOp::Stat => self.stat(&entry, &name),
            EntryOp::Contents => {
                let contents = entry.direct().contents().map(Bytes);
                let expected = self.model.direct_contents(&queue, &name);
                self.figures.agree("direct contents", &expected, &contents)
            }
            EntryOp::Save(metadata) => {
                let saved = entry.direct().save(&metadata.0);
                let expected = self.model.direct_save(&scope, &queue, &name, metadata);
                self.figures.agree("direct save", &expected, &saved)
            }
            EntryOp::Remove => {
                let removed = entry.direct().remove();
                let expected = self.model.direct_remove(&scope, &queue, &name);
                self.figures.agree("direct remove", &expected, &removed)
            }
            EntryOp::Data(op) => {
                let data_file = entry.direct().data_file();
                self.use_data(&scope, &data_file, &name, None, op)
            }
            EntryOp::Checkout => self.take(&entry, &scope, &queue, &name, true),
            EntryOp::TryCheckout => self.take(&entry, &scope, &queue, &name, false),
            EntryOp::With(handler) => self.with(&entry, &scope, &queue, &name, handler, true),
            EntryOp::TryWith(handler) => self.with(&entry, &scope, &queue, &name, handler, false),
        }
    }

    /// The queue and the name that are meant; `None` if there is none such.
    pub(super) fn target(&self, target: &Target) -> Option<(Bytes, Bytes)> {
        let mut entries = Vec::new();
        let (pick, checked_out) = match target {
            Target::Named(queue, name) => return Some((queue.clone(), name.clone())),
            Target::Waiting(pick) => (pick, false),
            Target::CheckedOut(pick) => (pick, true),
        };
        for (queue, contents) in &self.model.queues {
            let names = match checked_out {
                true => &contents.checkout,
                false => &contents.waiting,
            };
            entries.extend(names.keys().map(|name| (queue, name)));
        }
        let (queue, name) = entries[pick.of(entries.len())?];
        Some((queue.clone(), name.clone()))
    }

    fn stat(&mut self, entry: &Entry, name: &Bytes) -> Verdict {
        let stat = entry.stat().map(|status| Some(status.ino()));
        let expected = match self.model.registry.get(name) {
            Some(file) => Ok(file.inode),
            None => Err(ErrorKind::NotFound),
        };
        self.figures.agree("stat", &expected, &stat)
    }

    /// Data, by a handle that came from a checkout or from none.
    pub(super) fn use_data(
        &mut self,
        scope: &Rc<Scope>,
        data_file: &DataFile,
        name: &Bytes,
        holding: Option<usize>,
        op: &DataOp,
    ) -> Verdict {
        let held = holding.map(|index| &self.held[index]);
        let is_foreign = held.is_some_and(|held| self.is_foreign(held.generation));
        let finished = held.map(|held| Rc::clone(&held.holding.is_finished));
        let finished = finished.as_ref();
        let (model, figures) = (&mut self.model, &mut self.figures);
        let refused =
            |may_write: Result<(), ErrorKind>| may_write.err().unwrap_or(ErrorKind::Forked);
        match op {
            DataOp::Load | DataOp::Open => {
                let (operation, loaded) = match op {
                    DataOp::Open => ("data open", data_file.open().map(contents)),
                    _ => ("data load", data_file.load().map(Bytes)),
                };
                let expected = match is_foreign {
                    true => Err(ErrorKind::Forked),
                    false => model.data_load(name, finished),
                };
                figures.agree(operation, &expected, &loaded)
            }
            DataOp::Stat => {
                let size = data_file.stat().map(|status| status.len());
                let expected = match is_foreign {
                    true => Err(ErrorKind::Forked),
                    false => model.data_load(name, finished),
                };
                let expected = expected.map(|data| data.0.len() as u64);
                figures.agree("data stat", &expected, &size)
            }
            DataOp::Save(bytes) => {
                let saved = data_file.save(&bytes.0);
                let expected = match is_foreign {
                    true => Err(refused(scope.may_write())),
                    false => model.data_save(scope, name, finished, bytes),
                };
                figures.agree("data save", &expected, &saved)
            }
            DataOp::Write => {
                let (answer, writer) = split(data_file.writer(), |_| ());
                let writing = match is_foreign {
                    true => Err(refused(scope.may_write())),
                    false => model.data_write(scope, name, finished),
                };
                let expected = writing.as_ref().map(|_| ()).map_err(|kind| *kind);
                figures.agree("data writer", &expected, &answer)?;
                if let (Some(writer), Ok(writing)) = (writer, writing) {
                    self.keep_writer(Writer {
                        writer,
                        writing,
                        generation: self.generation,
                    });
                }
                Ok(())
            }
        }
    }

    /// `expects`: whether it is an error that another has the entry.
    fn take(
        &mut self,
        entry: &Entry,
        scope: &Rc<Scope>,
        queue: &Bytes,
        name: &Bytes,
        expects: bool,
    ) -> Verdict {
        let taken = match expects {
            true => entry.checkout().map(Some),
            false => entry.try_checkout(),
        };
        let (answer, checkout) = split(taken, |checkout| checkout.as_ref().map(seen));
        let holding = self.expect_taken(scope, queue, name, expects);
        let expected = match &holding {
            Ok(holding) => Ok(holding.as_ref().map(known)),
            Err(kind) => Err(*kind),
        };
        let operation = if expects { "checkout" } else { "try checkout" };
        self.figures.agree(operation, &expected, &answer)?;
        if let (Some(Some(checkout)), Ok(Some(holding))) = (checkout, holding) {
            self.keep_held(checkout, holding, scope);
        }
        Ok(())
    }

    fn expect_taken(
        &mut self,
        scope: &Scope,
        queue: &Bytes,
        name: &Bytes,
        expects: bool,
    ) -> Result<Option<Holding>, ErrorKind> {
        scope.may_write()?;
        match self.model.take(queue, name)? {
            None if expects => Err(ErrorKind::Missing),
            holding => Ok(holding),
        }
    }

    /// Above the limit one that is of no use any more goes; or the new one at once, and stays checked out.
    pub(super) fn keep_held(&mut self, checkout: Checkout, holding: Holding, scope: &Rc<Scope>) {
        self.held.push(Held {
            checkout,
            holding,
            scope: Rc::clone(scope),
            generation: self.generation,
        });
        if self.held.len() > MOST {
            let is_finished = |held: &Held| held.holding.is_finished.get();
            let first = self.held.iter().position(is_finished);
            drop(self.drop_held(first.unwrap_or(MOST)));
        }
    }

    fn with(
        &mut self,
        entry: &Entry,
        scope: &Rc<Scope>,
        queue: &Bytes,
        name: &Bytes,
        handler: &Handler,
        expects: bool,
    ) -> Verdict {
        let mut visits = Vec::new();
        let called = catch_unwind(AssertUnwindSafe(|| {
            let f = |metadata: &[u8], data_file: &DataFile| {
                let outcome = handler::call(handler, metadata, data_file, &mut visits)?;
                Ok((outcome, "the handler's value"))
            };
            match expects {
                true => entry.with_entry(f).map(Some),
                false => entry.try_with_entry(f),
            }
        }));
        let (end, value) = End::of(called);
        let (expected, was_called) = match self.expect_taken(scope, queue, name, expects) {
            Err(kind) => (End::Library(kind), false),
            Ok(None) => (End::Done, false),
            Ok(Some(mut holding)) => {
                let Some(visit) = visits.first() else {
                    return ensure(false, || {
                        format!("no handler was called for {name:?}: {end:?}")
                    });
                };
                let end = self.model.handle(scope, &mut holding, handler, visit)?;
                (end, true)
            }
        };
        let has_value = value.is_some_and(|value| value.is_some());
        let is_value_right = has_value == (was_called && expected == End::Done);
        let is_same = end == expected && visits.len() == usize::from(was_called) && is_value_right;
        ensure(is_same, || {
            format!(
                "with entry came to {end:?}, {value:?}, {visits:?}; the model says {expected:?}"
            )
        })?;
        self.figures.count(&format!("with entry {end:?}"), 1);
        Ok(())
    }
}

fn contents(mut file: File) -> Bytes {
    let mut contents = Vec::new();
    let read = file.read_to_end(&mut contents);
    read.expect("what was opened can be read");
    Bytes(contents)
}

/// What a checkout says of itself.
pub(super) fn seen(checkout: &Checkout) -> (Bytes, Bytes, Bytes) {
    (
        Bytes::from(checkout.queue().as_os_str()),
        Bytes::from(checkout.name().as_os_str()),
        Bytes::from(checkout.metadata()),
    )
}

/// What the model says of it.
pub(super) fn known(holding: &Holding) -> (Bytes, Bytes, Bytes) {
    (
        holding.queue.clone(),
        holding.name.clone(),
        holding.metadata.clone(),
    )
}
