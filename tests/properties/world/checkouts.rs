//! What holders do, and the writers of their data.

use std::io::Write;
use std::rc::Rc;

use multispool::{DataFile, ErrorKind};

use super::entries::{known, seen};
use super::{Held, MOST, World, Writer, handler};
use crate::operation::{Bytes, DataOp, Decision, EntryOp, HeldOp, Pick, Target, WriterOp};
use crate::verdict::{Verdict, ensure, from_io};

impl World {
    pub(super) fn hold(&mut self, pick: Pick, op: &HeldOp) -> Verdict {
        match pick.mostly(&self.held, |held| !held.holding.is_finished.get()) {
            Some(index) => self.hold_at(index, op),
            None => self.entry(pick, &Target::Waiting(pick), &EntryOp::TryCheckout),
        }
    }

    pub(super) fn hold_at(&mut self, index: usize, op: &HeldOp) -> Verdict {
        let is_foreign = self.is_foreign(self.held[index].generation);
        let (model, figures) = (&mut self.model, &mut self.figures);
        let Held {
            checkout,
            holding,
            scope,
            ..
        } = &mut self.held[index];
        let scope = Rc::clone(scope);
        let expect = |expected: &mut dyn FnMut() -> Result<(), ErrorKind>| match is_foreign {
            true => Err(ErrorKind::Forked),
            false => expected(),
        };
        match op {
            HeldOp::Update(metadata) => {
                let updated = checkout.update(|_| metadata.0.clone());
                let expected = expect(&mut || model.update(&scope, holding, metadata));
                figures.agree("update", &expected, &updated)?;
            }
            HeldOp::Save(queue, durability) => {
                let saved = match durability {
                    Some(durability) => checkout.save_with(queue.os(), *durability),
                    None => checkout.save(queue.os()),
                };
                let expected = expect(&mut || model.save(&scope, holding, queue));
                figures.agree("save", &expected, &saved)?;
            }
            HeldOp::Release => {
                let released = checkout.release();
                let expected = expect(&mut || model.release(&scope, holding));
                figures.agree("release", &expected, &released)?;
            }
            HeldOp::Remove => {
                let removed = checkout.remove();
                let expected = expect(&mut || model.remove(&scope, holding));
                figures.agree("remove", &expected, &removed)?;
            }
            HeldOp::Finish(decision) => {
                let finished =
                    handler::outcome(decision).and_then(|outcome| checkout.finish(outcome));
                let is_valid = match decision {
                    Decision::Save(queue, _) => scope.knows(queue) != Err(ErrorKind::InvalidName),
                    _ => true,
                };
                let expected = match is_valid {
                    true => expect(&mut || model.finish(&scope, holding, decision)),
                    false => Err(ErrorKind::InvalidName),
                };
                figures.agree("finish", &expected, &finished)?;
            }
            HeldOp::SetDurability(durability) => checkout.set_durability(*durability),
            HeldOp::Data(op) => {
                let (data_file, name) = (checkout.data_file(), holding.name.clone());
                self.use_data(&scope, &data_file, &name, Some(index), op)?;
            }
            HeldOp::Drop => {
                let is_finished = self.held[index].holding.is_finished.get();
                let data_file = self.drop_held(index);
                let kind = data_file.load().err().map(|error| error.kind());
                let expected = match is_foreign {
                    true => ErrorKind::Forked,
                    false => ErrorKind::Finished,
                };
                ensure(kind == Some(expected), || {
                    format!("the data of a checkout that is gone came to {kind:?}")
                })?;
                self.figures
                    .count(&format!("drop finished={is_finished}"), 1);
                return Ok(());
            }
        }
        self.must_look_as_known(index)
    }

    /// What a handle says of itself, in every process.
    fn must_look_as_known(&self, index: usize) -> Verdict {
        let Held {
            checkout, holding, ..
        } = &self.held[index];
        let seen = (seen(checkout), checkout.is_finished());
        let expected = (known(holding), holding.is_finished.get());
        ensure(seen == expected, || {
            format!("a checkout says {seen:?}; the model says {expected:?}")
        })
    }

    /// Gives the data handle, which must be of no use any more.
    pub(super) fn drop_held(&mut self, index: usize) -> DataFile {
        let mut held = self.held.remove(index);
        let data_file = held.checkout.data_file();
        drop(held.checkout);
        if !self.is_foreign(held.generation) {
            self.model.end(&mut held.holding);
        }
        data_file
    }

    pub(super) fn list_checkouts(
        &mut self,
        pick: Pick,
        queue: &Bytes,
        keep: Option<Pick>,
    ) -> Verdict {
        let (spool, scope) = self.opened_for(pick, queue);
        let names = spool.list_checkout_names(queue.os()).and_then(|names| {
            names
                .map(|name| Ok(Bytes::from(name?.as_os_str())))
                .collect::<Result<Vec<Bytes>, _>>()
        });
        let listed = spool
            .list_checkouts_unsafe(queue.os())
            .and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let holdings = scope.knows(queue).map(|()| self.model.checked_out(queue));
        let expected = match &holdings {
            Ok(holdings) => Ok(holdings.iter().map(known).collect::<Vec<_>>()),
            Err(kind) => Err(*kind),
        };
        let expected_names = match &holdings {
            Ok(holdings) => Ok(holdings
                .iter()
                .map(|holding| holding.name.clone())
                .collect()),
            Err(kind) => Err(*kind),
        };
        self.figures
            .agree("list checkout names", &expected_names, &names)?;
        let (answer, mut checkouts) =
            crate::verdict::split(listed, |checkouts| checkouts.iter().map(seen).collect());
        self.figures.agree("list checkouts", &expected, &answer)?;
        if let (Some(checkouts), Ok(mut holdings)) = (&mut checkouts, holdings)
            && let Some(index) = keep.and_then(|keep| keep.of(checkouts.len()))
            && self.held.len() < MOST
        {
            let holding = holdings.swap_remove(index);
            self.keep_held(checkouts.swap_remove(index), holding, &scope);
        }
        Ok(())
    }

    pub(super) fn keep_writer(&mut self, writer: Writer) {
        self.writers.push(writer);
        if self.writers.len() > MOST {
            let is_done = |writer: &Writer| writer.writing.temporary.is_none();
            let first = self.writers.iter().position(is_done);
            self.drop_writer(first.unwrap_or(MOST));
        }
    }

    pub(super) fn write(&mut self, pick: Pick, op: &WriterOp) -> Verdict {
        match pick.mostly(&self.writers, |writer| writer.writing.temporary.is_some()) {
            Some(index) => self.write_at(index, op),
            None => self.hold(pick, &HeldOp::Data(DataOp::Write)),
        }
    }

    pub(super) fn write_at(&mut self, index: usize, op: &WriterOp) -> Verdict {
        let is_foreign = self.is_foreign(self.writers[index].generation);
        let Writer {
            writer, writing, ..
        } = &mut self.writers[index];
        let is_done = writing.temporary.is_none();
        match op {
            WriterOp::Append(bytes) => {
                let written = from_io(writer.write_all(&bytes.0))?;
                let expected = match is_foreign && !is_done {
                    // Nothing to write is nothing to refuse.
                    _ if bytes.0.is_empty() => Ok(()),
                    true => Err(ErrorKind::Forked),
                    false => self.model.write(writing, bytes),
                };
                self.figures.agree("data writer write", &expected, &written)
            }
            WriterOp::Commit => {
                let committed = writer.commit();
                let expected = match is_foreign && !is_done {
                    true => {
                        // Used up here; the file is its maker's.
                        writing.temporary = None;
                        Err(ErrorKind::Forked)
                    }
                    false => self.model.write_commit(writing),
                };
                self.figures
                    .agree("data writer commit", &expected, &committed)
            }
            WriterOp::Drop => {
                self.drop_writer(index);
                Ok(())
            }
        }
    }

    pub(super) fn drop_writer(&mut self, index: usize) {
        let mut writer = self.writers.remove(index);
        drop(writer.writer);
        if !self.is_foreign(writer.generation) {
            self.model.write_drop(&mut writer.writing);
        }
    }
}
