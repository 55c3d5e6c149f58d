//! Sharing a spool with the original implementation: its calls are made here as it makes them, with no
//! locks and no format file.

use std::fs;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use multispool::{Dequeued, Durability, Owners, RecoverOptions, Spool, Stop};

/// What the original does: open O_EXCL, write, rename, unlink.
struct Original {
    dir: PathBuf,
}

impl Original {
    fn create(dir: &Path, queues: &[&str]) -> Original {
        fs::create_dir(dir).unwrap();
        for name in [".registry", ".tmp", ".data"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        for queue in queues {
            fs::create_dir_all(dir.join(queue).join(".checkout")).unwrap();
        }
        Original {
            dir: dir.to_owned(),
        }
    }

    fn enqueue(&self, queue: &str, name: &str, metadata: &str, data: &str) {
        fs::File::create_new(self.dir.join(".registry").join(name)).unwrap();
        fs::write(self.dir.join(".data").join(name), data).unwrap();
        let tmp = self.dir.join(".tmp").join(name);
        fs::write(&tmp, metadata).unwrap();
        fs::rename(tmp, self.dir.join(queue).join(name)).unwrap();
    }

    /// The rename is the claim.
    fn checkout(&self, queue: &str, name: &str) -> bool {
        let queue = self.dir.join(queue);
        match fs::rename(queue.join(name), queue.join(".checkout").join(name)) {
            Ok(()) => true,
            Err(error) if error.kind() == Io::NotFound => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn remove(&self, queue: &str, name: &str) {
        fs::remove_file(self.dir.join(queue).join(".checkout").join(name)).unwrap();
        fs::remove_file(self.dir.join(".data").join(name)).unwrap();
        fs::remove_file(self.dir.join(".registry").join(name)).unwrap();
    }

    fn list(&self, queue: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.join(queue))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_spool_made_by_the_original_loads_lists_and_drains() {
    let dir = tempfile::tempdir().unwrap();
    let original = Original::create(&dir.path().join("sp"), &["queue1", "queue2", "queue3"]);
    original.enqueue("queue1", "alpha_000000", "meta\nof two lines\n", "data");
    original.enqueue("queue2", "empty_000000", "", "");
    original.enqueue("queue3", "co_000000", "held", "data");
    assert!(original.checkout("queue3", "co_000000"));
    fs::File::create_new(original.dir.join(".registry/reserved_000000")).unwrap();

    let queues = Spool::discover(&original.dir).unwrap();
    let spool = Spool::load(&original.dir, &queues).unwrap();
    let format = spool.format().unwrap();
    assert!(!format.recorded());
    assert_eq!(format.owners(), Owners::Mixed);
    assert!(
        !original.dir.join(".multispool").exists(),
        "nothing is added"
    );
    // The original's workers hold no locks: a young checkout is left alone.
    assert!(
        spool
            .recover(&RecoverOptions::new())
            .unwrap()
            .entries
            .is_empty()
    );
    let held = RecoverOptions::new().min_age(Duration::ZERO);
    assert_eq!(spool.recover(&held).unwrap().entries.len(), 1);
    let mut contents = Vec::new();
    for queue in &queues {
        spool
            .reader(queue)
            .unwrap()
            .iter_available::<multispool::Error>(|metadata, data| {
                contents.push((metadata.to_vec(), data.load()?));
                Ok(multispool::Outcome::Remove)
            })
            .unwrap();
    }
    assert_eq!(
        contents,
        [
            (b"meta\nof two lines\n".to_vec(), b"data".to_vec()),
            (b"".to_vec(), b"".to_vec()),
            (b"held".to_vec(), b"data".to_vec()),
        ]
    );
    let left: Vec<_> = fs::read_dir(original.dir.join(".registry"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "the reservation");
    let spool = Spool::load(&original.dir, &queues).unwrap();
    let options = multispool::EnqueueOptions::new().name("reserved_000000");
    spool.enqueue_with("queue1", "", "", &options).unwrap();
}

#[test]
fn ours_and_the_original_s_workers_take_each_entry_once() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .durability(Durability::None)
        .owners(Owners::Mixed)
        .create(dir.path().join("sp"), ["in"])
        .unwrap();
    let original = Original {
        dir: spool.dir().to_owned(),
    };
    let total = 600;
    let had = AtomicUsize::new(0);
    let stop = Stop::new().unwrap();
    let (ours, theirs) = std::thread::scope(|scope| {
        let (spool, original, had, stop) = (&spool, &original, &had, &stop);
        let count = move || {
            if had.fetch_add(1, Ordering::SeqCst) + 1 == total {
                stop.trigger();
            }
        };
        for half in 0..2 {
            scope.spawn(move || {
                for i in 0..total / 2 {
                    if half == 0 {
                        spool.enqueue("in", "", "").unwrap();
                    } else {
                        original.enqueue("in", &format!("theirs_{i:06}"), "", "");
                    }
                }
            });
        }
        let ours: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let mut reader = spool.reader("in").unwrap();
                    let mut names = Vec::new();
                    while let Dequeued::CheckedOut(mut checkout) = reader
                        .dequeue(Some(stop), Some(Duration::from_secs(60)))
                        .unwrap()
                    {
                        names.push(checkout.name().to_string());
                        checkout.remove().unwrap();
                        count();
                    }
                    names
                })
            })
            .collect();
        let theirs: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let mut names = Vec::new();
                    while !stop.is_triggered() {
                        for name in original.list("in") {
                            if original.checkout("in", &name) {
                                original.remove("in", &name);
                                names.push(name);
                                count();
                            }
                        }
                    }
                    names
                })
            })
            .collect();
        let join = |threads: Vec<std::thread::ScopedJoinHandle<'_, Vec<String>>>| {
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        };
        (join(ours), join(theirs))
    });
    assert!(!ours.is_empty() && !theirs.is_empty());
    let mut all = [ours, theirs].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), total);
    for name in [".registry", ".data", ".tmp", "in/.checkout"] {
        let left = fs::read_dir(spool.dir().join(name)).unwrap().count();
        assert_eq!(left, 0, "{name}");
    }
}
