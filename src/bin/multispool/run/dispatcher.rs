//! Takes entries while a worker is free. One reader for all: what one worker gave back
//! is not taken at once for another.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::Result;
use multispool::{Checkout, Dequeued, Entry, ErrorKind, QueueReader, RecoverOptions, Spool};

use super::control::lock;
use crate::report::Report;
use crate::signals::Watch;

const RECOVER_EVERY: Duration = Duration::from_secs(15);
/// A queue that gave nothing for this long has run empty.
const RAN_EMPTY: Duration = Duration::from_millis(10);

pub enum Limit {
    None,
    Count(u64),
    All,
}

pub struct Dispatcher<'a> {
    spool: &'a Spool,
    reader: QueueReader,
    limit: Limit,
    idle: usize,
    watch: &'a Watch,
    report: &'a Mutex<Report>,
    recovered: Instant,
    /// Nothing was taken since the queue ran empty and recover was called for that.
    empty: bool,
}

impl<'a> Dispatcher<'a> {
    pub fn new(
        spool: &'a Spool,
        reader: QueueReader,
        limit: Limit,
        workers: usize,
        watch: &'a Watch,
        report: &'a Mutex<Report>,
    ) -> Self {
        Self {
            spool,
            reader,
            limit,
            idle: workers,
            watch,
            report,
            recovered: Instant::now(),
            empty: false,
        }
    }

    /// Hands entries over until the limit, the end of the queue (with `All`) or a stop. The caller's
    /// workers end when `entries` is dropped, which is at the end of this call.
    pub fn dispatch(mut self, entries: Sender<Checkout>, finished: &Receiver<()>) -> Result<()> {
        self.recover();
        let mut taken = 0_u64;
        while !matches!(self.limit, Limit::Count(count) if taken == count) {
            if !self.await_worker(finished) {
                return Ok(());
            }
            let Some(checkout) = self.next()? else { break };
            self.hand_over(checkout, &entries);
            taken += 1;
        }
        if matches!(self.limit, Limit::All) {
            self.take_recovered(&entries, finished)?;
        }
        Ok(())
    }

    /// Waits until a worker is free; false when the run is to end.
    fn await_worker(&mut self, finished: &Receiver<()>) -> bool {
        loop {
            while finished.try_recv().is_ok() {
                self.idle += 1;
            }
            if self.watch.stop().is_triggered() {
                return false;
            }
            if self.idle > 0 {
                return true;
            }
            match finished.recv_timeout(self.until_recover()) {
                Ok(()) => self.idle += 1,
                Err(RecvTimeoutError::Timeout) => self.recover_if_due(),
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// The next entry; None at a stop, or with `All` at the end of the pass.
    fn next(&mut self) -> Result<Option<Checkout>> {
        loop {
            self.recover_if_due();
            let taken = if matches!(self.limit, Limit::All) {
                match self.reader.dequeue_available() {
                    Ok(Some(checkout)) => Ok(Dequeued::CheckedOut(checkout)),
                    Ok(None) => return Ok(None),
                    Err(error) => Err(error),
                }
            } else {
                let wait = if self.empty {
                    self.until_recover()
                } else {
                    RAN_EMPTY.min(self.until_recover())
                };
                self.reader.dequeue(Some(self.watch.stop()), Some(wait))
            };
            match taken {
                Ok(Dequeued::CheckedOut(checkout)) => {
                    self.empty = false;
                    return Ok(Some(checkout));
                }
                Ok(Dequeued::Stopped) => return Ok(None),
                Ok(Dequeued::TimedOut) if !self.empty => {
                    self.empty = true;
                    self.recover();
                }
                Ok(Dequeued::TimedOut) => (),
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    lock(self.report).problem(&error.into())
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The queue ran empty: what dead workers held comes back, and is taken by name, so that
    /// no entry of this pass is tried twice.
    fn take_recovered(
        &mut self,
        entries: &Sender<Checkout>,
        finished: &Receiver<()>,
    ) -> Result<()> {
        for entry in self.recover() {
            if entry.queue() != self.reader.queue() {
                continue;
            }
            if !self.await_worker(finished) {
                return Ok(());
            }
            match entry.try_checkout() {
                Ok(Some(checkout)) => self.hand_over(checkout, entries),
                Ok(None) => (),
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    lock(self.report).problem(&error.into())
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, mut checkout: Checkout, entries: &Sender<Checkout>) {
        // The stop came while the entry was being taken: it is not begun any more.
        if self.watch.stop().is_triggered() {
            lock(self.report).give_back(&mut checkout);
            return;
        }
        self.idle -= 1;
        if let Err(mut refused) = entries.send(checkout) {
            lock(self.report).give_back(&mut refused.0);
        }
    }

    fn until_recover(&self) -> Duration {
        RECOVER_EVERY.saturating_sub(self.recovered.elapsed())
    }

    fn recover_if_due(&mut self) {
        if self.until_recover().is_zero() {
            self.recover();
        }
    }

    /// A recover that fails stops nobody: the next one comes.
    fn recover(&mut self) -> Vec<Entry> {
        self.recovered = Instant::now();
        match self.spool.recover(&RecoverOptions::new()) {
            Ok(recovered) => {
                for failure in recovered.failures {
                    lock(self.report).problem(&failure.into());
                }
                recovered.entries
            }
            Err(error) => {
                lock(self.report).problem(&error.into());
                Vec::new()
            }
        }
    }
}
