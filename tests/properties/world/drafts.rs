//! Enqueues, whole and piece by piece.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use multispool::{EnqueueOptions, Entry, ErrorKind};

use super::{Drafted, MOST, World, generator};
use crate::operation::{Bytes, DraftOp, Enqueue, Naming, Pick, Source};
use crate::step;
use crate::verdict::{Verdict, Wrong, from_io, split};

impl World {
    pub(super) fn enqueue(
        &mut self,
        pick: Pick,
        enqueue: &Enqueue,
        source: &Source,
        metadata: &Bytes,
    ) -> Verdict {
        let (spool, scope) = self.opened_for(pick, &enqueue.queue);
        let enqueue = &self.with_a_name(enqueue);
        let (file, missing) = (self.inputs.join("file"), self.inputs.join("missing"));
        if let Source::File(bytes) = source {
            let written = std::fs::write(&file, &bytes.0);
            written.map_err(|error| Wrong(format!("no file to enqueue: {error}")))?;
        }
        let mut pieces = Pieces::of(source);
        let data = match source {
            Source::Bytes(bytes) => multispool::Source::Bytes(&bytes.0),
            Source::File(_) => multispool::Source::File(&file),
            Source::MissingFile => multispool::Source::File(&missing),
            Source::Directory => multispool::Source::File(&self.inputs),
            Source::Reader(_) | Source::FailingReader(_) => multispool::Source::reader(&mut pieces),
        };
        let options = options(enqueue);
        let entry = spool.enqueue_with(enqueue.queue.os(), &metadata.0, data, &options);
        let entry = entry.map(|entry| place_of(&entry));
        let naming = known(&enqueue.naming, entry.as_ref().ok().map(|(_, name)| name));
        let expected = self
            .model
            .enqueue(&scope, &enqueue.queue, &naming, source, metadata)
            .map(|name| (enqueue.queue.clone(), name));
        self.figures.agree("enqueue", &expected, &entry)
    }

    pub(super) fn begin(&mut self, pick: Pick, enqueue: &Enqueue) -> Verdict {
        let (spool, scope) = self.opened_for(pick, &enqueue.queue);
        let enqueue = &self.with_a_name(enqueue);
        let begun = spool.enqueue_writer(enqueue.queue.os(), &options(enqueue));
        let (name, writer) = split(begun, |writer| Bytes::from(writer.name().as_os_str()));
        let naming = known(&enqueue.naming, name.as_ref().ok());
        let draft = self.model.begin(&scope, &enqueue.queue, &naming);
        let expected = draft.as_ref().map(|draft| draft.name.clone());
        let expected = expected.map_err(|kind| *kind);
        self.figures.agree("enqueue writer", &expected, &name)?;
        if let (Some(writer), Ok(draft)) = (writer, draft) {
            self.drafts.push(Drafted {
                writer,
                draft,
                generation: self.generation,
            });
        }
        if self.drafts.len() > MOST {
            let first = self.drafts.iter().position(|drafted| drafted.draft.is_done);
            self.drop_draft(first.unwrap_or(MOST));
        }
        Ok(())
    }

    pub(super) fn draft(&mut self, pick: Pick, op: &DraftOp) -> Verdict {
        let Some(index) = pick.mostly(&self.drafts, |drafted| !drafted.draft.is_done) else {
            return self.begin(pick, &self.any_enqueue());
        };
        match op {
            DraftOp::Append(bytes) => self.append(index, bytes),
            DraftOp::Commit(metadata) => self.commit(index, metadata),
            DraftOp::Drop => {
                self.drop_draft(index);
                Ok(())
            }
        }
    }

    pub(super) fn append(&mut self, index: usize, bytes: &Bytes) -> Verdict {
        let is_foreign = self.is_foreign(self.drafts[index].generation);
        let Drafted { writer, draft, .. } = &mut self.drafts[index];
        let appended = from_io(writer.write_all(&bytes.0))?;
        let expected = match (is_foreign, draft.is_done) {
            // Nothing to write is nothing to refuse.
            _ if bytes.0.is_empty() => Ok(()),
            (true, false) => Err(ErrorKind::Forked),
            _ => self.model.append(draft, bytes),
        };
        self.figures
            .agree("enqueue writer write", &expected, &appended)
    }

    pub(super) fn commit(&mut self, index: usize, metadata: &Bytes) -> Verdict {
        let is_foreign = self.is_foreign(self.drafts[index].generation);
        let Drafted { writer, draft, .. } = &mut self.drafts[index];
        let entry = writer.commit(&metadata.0).map(|entry| place_of(&entry));
        let expected = match (is_foreign, draft.is_done) {
            (true, false) => Err(ErrorKind::Forked),
            _ => self.model.commit(draft, metadata),
        };
        let expected = expected.map(|()| (draft.queue.clone(), draft.name.clone()));
        self.figures
            .agree("enqueue writer commit", &expected, &entry)
    }

    /// Finds a name for `UseReserved`, mostly one that is in no queue and that nobody owns.
    fn with_a_name(&self, enqueue: &Enqueue) -> Enqueue {
        let Naming::UseReserved(pick) = enqueue.naming else {
            return enqueue.clone();
        };
        let is_odd = pick.0 % 16 == 15;
        let is_meant = |name: &&Bytes| is_odd || self.model.is_free_for_use(name);
        let names: Vec<&Bytes> = self.model.registry.keys().filter(is_meant).collect();
        Enqueue {
            naming: match pick.of(names.len()) {
                Some(index) => Naming::Use(names[index].clone()),
                None => Naming::ByTime,
            },
            ..enqueue.clone()
        }
    }

    fn any_enqueue(&self) -> Enqueue {
        Enqueue {
            queue: self.any_queue(),
            naming: Naming::ByTime,
            durability: None,
        }
    }

    pub(super) fn drop_draft(&mut self, index: usize) {
        let mut drafted = self.drafts.remove(index);
        drop(drafted.writer);
        if !self.is_foreign(drafted.generation) {
            self.model.undo(&mut drafted.draft);
        }
    }
}

fn place_of(entry: &Entry) -> (Bytes, Bytes) {
    (
        Bytes::from(entry.queue().as_os_str()),
        Bytes::from(entry.name().as_os_str()),
    )
}

fn options(enqueue: &Enqueue) -> EnqueueOptions {
    let options = match &enqueue.naming {
        Naming::ByTime => EnqueueOptions::new(),
        Naming::Generator(names) => EnqueueOptions::new().generator(generator(names)),
        Naming::Use(name) => EnqueueOptions::new().name(name.os()),
        Naming::UseReserved(_) => unreachable!("a name was found for it"),
    };
    match enqueue.durability {
        Some(durability) => options.durability(durability),
        None => options,
    }
}

/// For the model a name by time is one that a generator gave. Where the call failed, any that was never used.
fn known(naming: &Naming, made: Option<&Bytes>) -> Naming {
    match naming {
        Naming::ByTime => {
            let made = made.cloned();
            Naming::Generator(vec![made.unwrap_or(Bytes(b"never used".to_vec()))])
        }
        naming => naming.clone(),
    }
}

/// Gives its pieces one by one, interrupted before each; and then fails, if it is to.
struct Pieces {
    left: VecDeque<Vec<u8>>,
    interrupted: bool,
    fails: bool,
}

impl Pieces {
    fn of(source: &Source) -> Pieces {
        let (left, fails) = match source {
            Source::Reader(pieces) => {
                let pieces = pieces.iter().map(|piece| piece.0.clone());
                // An empty piece would be the end.
                (pieces.filter(|piece| !piece.is_empty()).collect(), false)
            }
            Source::FailingReader(first) => (VecDeque::from([first.0.clone()]), true),
            _ => (VecDeque::new(), false),
        };
        Pieces {
            left: left.into_iter().filter(|piece| !piece.is_empty()).collect(),
            interrupted: false,
            fails,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        step::must_not_be_in_one("a source of data");
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Some(mut piece) = self.left.pop_front() else {
            return match self.fails {
                true => Err(io::Error::other("it was to fail")),
                false => Ok(0),
            };
        };
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        let rest = piece.split_off(length);
        if !rest.is_empty() {
            self.left.push_front(rest);
        }
        Ok(length)
    }
}
