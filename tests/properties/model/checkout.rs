//! Taking entries, what a holder does with them, and what is done to them without holding them.

use std::cell::Cell;
use std::rc::Rc;

use multispool::ErrorKind;

use super::{Claim, Data, Life, Model, Scope, Temporary};
use crate::operation::{Bytes, Decision};

/// An entry in a handle's hands.
#[derive(Debug)]
pub struct Holding {
    pub name: Bytes,
    pub queue: Bytes,
    pub metadata: Bytes,
    is_changed: bool,
    /// None for a handle that owns nothing (yet).
    pub lock: Option<Life>,
    /// Shared with the data writers of this checkout.
    pub is_finished: Rc<Cell<bool>>,
    pub reader: Option<u64>,
}

/// New data on its way.
#[derive(Debug)]
pub struct Writing {
    name: Bytes,
    /// None once it is used up.
    pub temporary: Option<Life>,
    /// Of the checkout that it came from, if it came from one.
    checkout_is_finished: Option<Rc<Cell<bool>>>,
}

/// What an attempt to take an entry from its queue comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Had(Life),
    Busy,
    Gone,
    /// It has no registry file.
    Orphaned,
    /// It has no data, or lies in `.checkout` too.
    Damaged,
}

impl Model {
    pub fn attempt(&self, queue: &Bytes, name: &Bytes) -> Attempt {
        let is_waiting = self.waiting(queue).contains_key(name);
        match self.claim(name) {
            Claim::Busy => Attempt::Busy,
            _ if !is_waiting => Attempt::Gone,
            Claim::Unreserved => Attempt::Orphaned,
            Claim::Free(_) if !self.data.contains_key(name) => Attempt::Damaged,
            Claim::Free(_) if self.queues[queue].checkout.contains_key(name) => Attempt::Damaged,
            Claim::Free(life) => Attempt::Had(life),
        }
    }

    /// Takes the entry; `None` where it is gone or another's.
    pub fn take(&mut self, queue: &Bytes, name: &Bytes) -> Result<Option<Holding>, ErrorKind> {
        let lock = match self.attempt(queue, name) {
            Attempt::Had(lock) => lock,
            Attempt::Busy | Attempt::Gone => return Ok(None),
            Attempt::Orphaned | Attempt::Damaged => return Err(ErrorKind::Corrupt),
        };
        self.locks.insert(lock);
        let contents = self.queue_mut(queue);
        let metadata = contents.waiting.remove(name).unwrap_or_default();
        contents.checkout.insert(name.clone(), metadata.clone());
        let mut holding = Holding::unowned(queue, name, metadata);
        holding.lock = Some(lock);
        Ok(Some(holding))
    }

    pub fn update(
        &self,
        scope: &Scope,
        holding: &mut Holding,
        metadata: &Bytes,
    ) -> Result<(), ErrorKind> {
        usable(scope, holding)?;
        holding.metadata = metadata.clone();
        holding.is_changed = true;
        Ok(())
    }

    pub fn save(
        &mut self,
        scope: &Scope,
        holding: &mut Holding,
        queue: &Bytes,
    ) -> Result<(), ErrorKind> {
        usable(scope, holding)?;
        scope.knows(queue)?;
        self.own_if_free(holding);
        let name = &holding.name;
        // Where the entry was taken away, changed metadata must not bring it back.
        if !self.queues[&holding.queue].checkout.contains_key(name) {
            if !holding.is_changed {
                self.note_saved_back(holding, queue);
            }
            return Err(ErrorKind::LostOwnership);
        }
        self.note_saved_back(holding, queue);
        self.move_out(holding, queue, holding.is_changed)?;
        if *queue != holding.queue {
            self.forget(holding);
        }
        Ok(())
    }

    pub fn release(&mut self, scope: &Scope, holding: &mut Holding) -> Result<(), ErrorKind> {
        usable(scope, holding)?;
        self.note_given_back(holding);
        self.own_if_free(holding);
        let home = holding.queue.clone();
        self.move_out(holding, &home, false)
    }

    pub fn remove(&mut self, scope: &Scope, holding: &mut Holding) -> Result<(), ErrorKind> {
        usable(scope, holding)?;
        self.own_if_free(holding);
        let checkout = &mut self.queue_mut(&holding.queue).checkout;
        if checkout.remove(&holding.name).is_none() {
            return Err(ErrorKind::LostOwnership);
        }
        self.remove_rest(&holding.name);
        self.forget(holding);
        self.end(holding);
        Ok(())
    }

    pub fn finish(
        &mut self,
        scope: &Scope,
        holding: &mut Holding,
        decision: &Decision,
    ) -> Result<(), ErrorKind> {
        match decision {
            Decision::Save(queue, metadata) => {
                super::must_be_valid(queue, multispool::MAX_NAME_BYTES)?;
                if let Some(metadata) = metadata {
                    self.update(scope, holding, metadata)?;
                }
                self.save(scope, holding, queue)
            }
            Decision::Remove => self.remove(scope, holding),
            Decision::Release => self.release(scope, holding),
        }
    }

    /// The handle goes: what it owned is free, and stays where it is.
    pub fn end(&mut self, holding: &mut Holding) {
        holding.is_finished.set(true);
        if let Some(lock) = holding.lock.take() {
            self.locks.remove(&lock);
        }
    }

    /// A handle's function has failed: the entry goes back, if it can, and the handle goes.
    pub fn give_back(&mut self, scope: &Scope, holding: &mut Holding) {
        if !holding.is_finished.get() {
            // What could not be given back stays checked out, for recover.
            let _ = self.release(scope, holding);
        }
        self.end(holding);
    }

    /// A handle that owns nothing owns what it is about to move, if nobody does.
    fn own_if_free(&mut self, holding: &mut Holding) {
        if let (None, Claim::Free(lock)) = (holding.lock, self.claim(&holding.name)) {
            holding.lock = Some(lock);
            self.locks.insert(lock);
        }
    }

    fn move_out(
        &mut self,
        holding: &mut Holding,
        target: &Bytes,
        with_metadata: bool,
    ) -> Result<(), ErrorKind> {
        let name = &holding.name;
        if !self.queues[&holding.queue].checkout.contains_key(name) {
            return Err(ErrorKind::LostOwnership);
        }
        if self.waiting(target).contains_key(name) {
            return Err(ErrorKind::NameTaken);
        }
        let checkout = &mut self.queue_mut(&holding.queue).checkout;
        let mut metadata = checkout.remove(name).unwrap_or_default();
        if with_metadata {
            metadata = holding.metadata.clone();
        }
        let waiting = &mut self.queue_mut(target).waiting;
        waiting.insert(name.clone(), metadata);
        self.end(holding);
        Ok(())
    }

    /// `finished` is that of the checkout which the data was reached through, if it was.
    pub fn data_load(
        &self,
        name: &Bytes,
        finished: Option<&Rc<Cell<bool>>>,
    ) -> Result<Bytes, ErrorKind> {
        must_be_held(finished)?;
        let data = self.data.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(data.bytes.clone())
    }

    pub fn data_write(
        &mut self,
        scope: &Scope,
        name: &Bytes,
        finished: Option<&Rc<Cell<bool>>>,
    ) -> Result<Writing, ErrorKind> {
        scope.may_write()?;
        must_be_held(finished)?;
        let life = self.new_life();
        let temporary = Temporary {
            owner: name.clone(),
            name: None,
            bytes: Bytes::default(),
        };
        self.tmp.insert(life, temporary);
        Ok(Writing {
            name: name.clone(),
            temporary: Some(life),
            checkout_is_finished: finished.cloned(),
        })
    }

    pub fn write(&mut self, writing: &Writing, bytes: &Bytes) -> Result<(), ErrorKind> {
        let life = writing.temporary.ok_or(ErrorKind::Finished)?;
        // A repair may have removed it: then it is written to in vain.
        if let Some(temporary) = self.tmp.get_mut(&life) {
            temporary.bytes.0.extend(&bytes.0);
        }
        Ok(())
    }

    pub fn write_commit(&mut self, writing: &mut Writing) -> Result<(), ErrorKind> {
        let life = writing.temporary.take().ok_or(ErrorKind::Finished)?;
        let temporary = self.tmp.remove(&life);
        must_be_held(writing.checkout_is_finished.as_ref())?;
        match (temporary, self.data.contains_key(&writing.name)) {
            (Some(temporary), true) => {
                let file = self.new_file();
                let bytes = temporary.bytes;
                self.data.insert(writing.name.clone(), Data { file, bytes });
                Ok(())
            }
            _ if writing.checkout_is_finished.is_some() => Err(ErrorKind::LostOwnership),
            _ => Err(ErrorKind::NotFound),
        }
    }

    /// The writer goes, and what it wrote.
    pub fn write_drop(&mut self, writing: &mut Writing) {
        if let Some(life) = writing.temporary.take() {
            self.tmp.remove(&life);
        }
    }

    pub fn data_save(
        &mut self,
        scope: &Scope,
        name: &Bytes,
        finished: Option<&Rc<Cell<bool>>>,
        bytes: &Bytes,
    ) -> Result<(), ErrorKind> {
        let mut writing = self.data_write(scope, name, finished)?;
        self.write(&writing, bytes)?;
        self.write_commit(&mut writing)
    }

    pub fn direct_contents(&self, queue: &Bytes, name: &Bytes) -> Result<Bytes, ErrorKind> {
        let metadata = self.waiting(queue).get(name);
        metadata.cloned().ok_or(ErrorKind::NotFound)
    }

    pub fn direct_save(
        &mut self,
        scope: &Scope,
        queue: &Bytes,
        name: &Bytes,
        metadata: &Bytes,
    ) -> Result<(), ErrorKind> {
        scope.may_write()?;
        let waiting = &mut self.queue_mut(queue).waiting;
        waiting.insert(name.clone(), metadata.clone());
        Ok(())
    }

    pub fn direct_remove(
        &mut self,
        scope: &Scope,
        queue: &Bytes,
        name: &Bytes,
    ) -> Result<(), ErrorKind> {
        scope.may_write()?;
        let waiting = &mut self.queue_mut(queue).waiting;
        waiting.remove(name).ok_or(ErrorKind::NotFound)?;
        self.remove_rest(name);
        Ok(())
    }

    /// The handles of `list_checkouts_unsafe`.
    pub fn checked_out(&self, queue: &Bytes) -> Vec<Holding> {
        let checkout = self.queues[queue].checkout.iter();
        checkout
            .map(|(name, metadata)| Holding::unowned(queue, name, metadata.clone()))
            .collect()
    }
}

impl Holding {
    fn unowned(queue: &Bytes, name: &Bytes, metadata: Bytes) -> Holding {
        Holding {
            name: name.clone(),
            queue: queue.clone(),
            metadata,
            is_changed: false,
            lock: None,
            is_finished: Rc::default(),
            reader: None,
        }
    }
}

fn usable(scope: &Scope, holding: &Holding) -> Result<(), ErrorKind> {
    match holding.is_finished.get() {
        true => Err(ErrorKind::Finished),
        false => scope.may_write(),
    }
}

fn must_be_held(finished: Option<&Rc<Cell<bool>>>) -> Result<(), ErrorKind> {
    match finished {
        Some(finished) if finished.get() => Err(ErrorKind::Finished),
        _ => Ok(()),
    }
}
