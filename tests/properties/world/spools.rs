//! Opening spools, asking what is in them, and reserving names.

use std::rc::Rc;

use multispool::{Durability, Spool, SpoolOptions, StatsOptions, TimeNames};

use super::{MOST, Opened, World, generator};
use crate::model::Scope;
use crate::operation::{Access, Bytes, Naming, Pick};
use crate::step::OneStep;
use crate::verdict::{Verdict, ensure, split};

impl World {
    pub(super) fn create(&mut self, queues: &[Bytes], durability: Durability) -> Verdict {
        let created = options(durability).create(&self.root, queues.iter().map(Bytes::os));
        let expected = self.model.create(queues);
        let (answer, spool) = split(created, |_| ());
        self.figures.agree("create", &expected, &answer)?;
        self.keep_spool(spool, queues, Access::ReadWrite);
        Ok(())
    }

    pub(super) fn load(
        &mut self,
        queues: &[Bytes],
        durability: Durability,
        access: Access,
    ) -> Verdict {
        let mut queues = queues.to_vec();
        let options = options(durability).read_only(access == Access::ReadOnly);
        let loaded = if access == Access::Unchecked {
            // A queue that is not there shows at first use, which is not modelled.
            queues.retain(|queue| self.model.queues.contains_key(queue));
            options.load_unsafe(&self.root, queues.iter().map(Bytes::os))
        } else {
            options.load(&self.root, queues.iter().map(Bytes::os))
        };
        let expected = self.model.load(&queues);
        let (answer, spool) = split(loaded, |_| ());
        self.figures.agree("load", &expected, &answer)?;
        self.keep_spool(spool, &queues, access);
        Ok(())
    }

    fn keep_spool(&mut self, spool: Option<Spool>, queues: &[Bytes], access: Access) {
        if let Some(spool) = spool
            && self.spools.len() < MOST
        {
            let scope = Rc::new(Scope {
                queues: queues.iter().cloned().collect(),
                is_read_only: access == Access::ReadOnly,
            });
            self.spools.push(Opened { spool, scope });
        }
    }

    /// The last one stays.
    pub(super) fn close_spool(&mut self, pick: Pick) -> Verdict {
        if self.spools.len() > 1
            && let Some(index) = pick.of(self.spools.len())
        {
            self.spools.remove(index);
        }
        Ok(())
    }

    pub(super) fn discover(&mut self) -> Verdict {
        let found = Spool::discover(&self.root).map(|queues| {
            let names = queues.iter().map(|queue| Bytes::from(queue.as_os_str()));
            names.collect::<Vec<Bytes>>()
        });
        let expected = Ok(self.model.queues.keys().cloned().collect());
        self.figures.agree("discover", &expected, &found)
    }

    pub(super) fn list(&mut self, pick: Pick, queue: &Bytes) -> Verdict {
        let (spool, scope) = self.opened(pick);
        let listed = spool.list(queue.os()).and_then(|entries| {
            entries
                .map(|entry| Ok(Bytes::from(entry?.name().as_os_str())))
                .collect::<Result<Vec<Bytes>, _>>()
        });
        let expected = scope.knows(queue);
        let expected =
            expected.map(|()| self.model.queues[queue].waiting.keys().cloned().collect());
        self.figures.agree("list", &expected, &listed)
    }

    pub(super) fn stats(&mut self, pick: Pick) -> Verdict {
        let (spool, scope) = self.opened(pick);
        let stats = spool.stats(&StatsOptions::new().bytes(true)).map(|stats| {
            let counts = stats.queues.iter().map(|queue| {
                (
                    Bytes::from(queue.queue.as_os_str()),
                    [
                        queue.entries,
                        queue.checked_out_alive,
                        queue.checked_out_dead,
                    ],
                    queue.oldest_age.is_some(),
                    queue.metadata_bytes.unwrap_or(u64::MAX),
                    queue.data_bytes.unwrap_or(u64::MAX),
                )
            });
            counts.collect()
        });
        let expected = Ok(self.model.stats(&scope));
        self.figures.agree("stats", &expected, &stats)
    }

    pub(super) fn reserve(&mut self, pick: Pick, naming: &Naming) -> Verdict {
        let (spool, scope) = self.opened(pick);
        let name = |name: multispool::EntryName| Bytes::from(name.as_os_str());
        match naming {
            Naming::ByTime => {
                let reserved = spool.reserve(&TimeNames).map(name);
                let names: Vec<Bytes> = reserved.iter().cloned().collect();
                let expected = self.model.reserve(&scope, &names);
                self.figures
                    .agree("reserve by time", &expected, &reserved)?;
                ensure(names.len() == 1 || scope.is_read_only, || {
                    "no name".to_owned()
                })
            }
            Naming::Generator(names) => {
                let reserved = spool.reserve(&*generator(names)).map(name);
                let expected = self.model.reserve(&scope, names);
                self.figures
                    .agree("reserve by a generator", &expected, &reserved)
            }
            Naming::UseReserved(_) => Ok(()),
            Naming::Use(wanted) => {
                let reserved = spool.reserve_name(wanted.os()).map(name);
                let expected = self.model.reserve(&scope, std::slice::from_ref(wanted));
                let expected = expected.map_err(|kind| match kind {
                    multispool::ErrorKind::NamesExhausted => multispool::ErrorKind::NameTaken,
                    kind => kind,
                });
                self.figures.agree("reserve", &expected, &reserved)
            }
        }
    }
}

pub(super) fn options(durability: Durability) -> SpoolOptions {
    Spool::options().durability(durability).throttle(OneStep)
}
