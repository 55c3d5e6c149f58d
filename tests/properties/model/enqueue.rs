//! Adding entries.

use multispool::{ErrorKind, MAX_NAME_BYTES};

use super::{Claim, Data, Life, Model, Scope, must_be_valid};
use crate::operation::{Bytes, Naming, Source};

/// An entry on its way into a queue.
#[derive(Debug)]
pub struct Draft {
    pub name: Bytes,
    pub queue: Bytes,
    pub lock: Life,
    data: Life,
    reserved_here: bool,
    /// Committed, or failed.
    pub is_done: bool,
}

impl Model {
    /// `naming` is never by time: the caller says which name that was.
    pub fn begin(
        &mut self,
        scope: &Scope,
        queue: &Bytes,
        naming: &Naming,
    ) -> Result<Draft, ErrorKind> {
        scope.knows(queue)?;
        scope.may_write()?;
        let (name, lock, reserved_here) = match naming {
            Naming::ByTime | Naming::UseReserved(_) => {
                unreachable!("the caller says which name it was")
            }
            Naming::Generator(names) => {
                let name = self.first_of_use(names)?;
                let lock = self.reserve_free(&name);
                (name, lock, true)
            }
            Naming::Use(name) => {
                must_be_valid(name, MAX_NAME_BYTES)?;
                let lock = match self.claim(name) {
                    Claim::Free(lock) => lock,
                    Claim::Busy => return Err(ErrorKind::NameTaken),
                    Claim::Unreserved => return Err(ErrorKind::NotFound),
                };
                let places = self.places(name);
                let is_known = |(queue, _): &(&Bytes, bool)| scope.queues.contains(*queue);
                if self.is_taken(name) || places.iter().any(is_known) {
                    return Err(ErrorKind::NameTaken);
                }
                (name.clone(), lock, false)
            }
        };
        self.locks.insert(lock);
        let file = self.new_file();
        let bytes = Bytes::default();
        self.data.insert(name.clone(), Data { file, bytes });
        Ok(Draft {
            name,
            queue: queue.clone(),
            lock,
            data: file.life,
            reserved_here,
            is_done: false,
        })
    }

    /// The first name that is free; one that an entry without a registry file has is of no use, and that entry
    /// keeps the reservation.
    fn first_of_use(&mut self, names: &[Bytes]) -> Result<Bytes, ErrorKind> {
        for name in names {
            must_be_valid(name, MAX_NAME_BYTES)?;
            if self.registry.contains_key(name) {
                continue;
            }
            if !self.is_taken(name) {
                return Ok(name.clone());
            }
            self.reserve_free(name);
        }
        Err(ErrorKind::NamesExhausted)
    }

    /// Whether a name that is reserved can be used.
    pub fn is_free_for_use(&self, name: &Bytes) -> bool {
        matches!(self.claim(name), Claim::Free(_)) && self.places(name).is_empty()
    }

    /// Whether an entry has the name, and data.
    fn is_taken(&self, name: &Bytes) -> bool {
        self.data.contains_key(name) && !self.places(name).is_empty()
    }

    pub fn append(&mut self, draft: &Draft, bytes: &Bytes) -> Result<(), ErrorKind> {
        if draft.is_done {
            return Err(ErrorKind::Finished);
        }
        // Without this the data was removed or replaced by a Direct operation, and is written to in vain.
        if let Some(data) = self.data.get_mut(&draft.name)
            && data.file.life == draft.data
        {
            data.bytes.0.extend(&bytes.0);
        }
        Ok(())
    }

    pub fn commit(&mut self, draft: &mut Draft, metadata: &Bytes) -> Result<(), ErrorKind> {
        if draft.is_done {
            return Err(ErrorKind::Finished);
        }
        if self.waiting(&draft.queue).contains_key(&draft.name) {
            self.undo(draft);
            return Err(ErrorKind::NameTaken);
        }
        draft.is_done = true;
        self.locks.remove(&draft.lock);
        let name = draft.name.clone();
        self.queue_mut(&draft.queue)
            .waiting
            .insert(name, metadata.clone());
        Ok(())
    }

    /// Takes back what was made, unless it was committed or taken back before.
    pub fn undo(&mut self, draft: &mut Draft) {
        if draft.is_done {
            return;
        }
        draft.is_done = true;
        self.locks.remove(&draft.lock);
        self.data.remove(&draft.name);
        if draft.reserved_here {
            self.registry.remove(&draft.name);
        }
    }

    pub fn enqueue(
        &mut self,
        scope: &Scope,
        queue: &Bytes,
        naming: &Naming,
        source: &Source,
        metadata: &Bytes,
    ) -> Result<Bytes, ErrorKind> {
        if matches!(source, Source::MissingFile) {
            return Err(ErrorKind::Missing);
        }
        let mut draft = self.begin(scope, queue, naming)?;
        let failed = match source {
            Source::Bytes(bytes) | Source::File(bytes) => {
                self.append(&draft, bytes)?;
                None
            }
            Source::Reader(pieces) => {
                for piece in pieces {
                    self.append(&draft, piece)?;
                }
                None
            }
            Source::Directory => Some(ErrorKind::InvalidArgument),
            Source::FailingReader(_) => Some(ErrorKind::Io),
            Source::MissingFile => unreachable!("it fails first"),
        };
        if let Some(failed) = failed {
            self.undo(&mut draft);
            return Err(failed);
        }
        self.commit(&mut draft, metadata)?;
        Ok(draft.name)
    }
}
