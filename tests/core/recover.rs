//! Recover: what the dead held comes back, what the living hold does not.

use std::time::Duration;

use multispool::{Durability, Owners, RecoverOptions, Spool, StatsOptions};

fn spool(dir: &tempfile::TempDir, owners: Owners) -> Spool {
    Spool::options()
        .durability(Durability::None)
        .owners(owners)
        .create(dir.path().join("spool"), ["in", "out"])
        .unwrap()
}

fn recovered(spool: &Spool, options: &RecoverOptions) -> Vec<String> {
    let recovered = spool.recover(options).unwrap();
    assert!(recovered.failures.is_empty(), "{:?}", recovered.failures);
    recovered
        .entries
        .iter()
        .map(|entry| format!("{}/{}", entry.queue(), entry.name()))
        .collect()
}

#[test]
fn an_entry_whose_handle_was_dropped_comes_back_and_a_held_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir, Owners::Locking);
    let dropped = spool.enqueue("in", "dropped", "").unwrap();
    let held = spool.enqueue("out", "held", "").unwrap();
    drop(dropped.checkout().unwrap());
    let mut holder = held.checkout().unwrap();
    let stats = spool.stats(&StatsOptions::new()).unwrap();
    let counts: Vec<_> = stats
        .queues
        .iter()
        .map(|queue| {
            (
                queue.entries,
                queue.checked_out_alive,
                queue.checked_out_dead,
            )
        })
        .collect();
    assert_eq!(counts, [(0, 0, 1), (0, 1, 0)]);
    assert_eq!(
        recovered(&spool, &RecoverOptions::new()),
        [format!("in/{}", dropped.name())]
    );
    assert_eq!(dropped.direct().contents().unwrap(), b"dropped");
    holder.save("in").unwrap();
    assert!(recovered(&spool, &RecoverOptions::new()).is_empty());
}

#[test]
fn an_explicit_age_is_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir, Owners::Locking);
    let entry = spool.enqueue("in", "", "").unwrap();
    drop(entry.checkout().unwrap());
    let hour = RecoverOptions::new().min_age(Duration::from_secs(3600));
    assert!(recovered(&spool, &hour).is_empty());
    let path = spool.dir().join("in/.checkout").join(entry.name());
    let two_hours_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(two_hours_ago)
        .unwrap();
    assert_eq!(recovered(&spool, &hour).len(), 1);
}

#[test]
fn where_owners_may_hold_no_lock_only_age_proves_them_dead() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir, Owners::Mixed);
    let entry = spool.enqueue("in", "", "").unwrap();
    drop(entry.checkout().unwrap());
    assert!(recovered(&spool, &RecoverOptions::new()).is_empty());
    let now = RecoverOptions::new().min_age(Duration::ZERO);
    assert_eq!(recovered(&spool, &now).len(), 1);
}

#[test]
fn recovers_at_once_return_each_entry_once() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir, Owners::Locking);
    for _ in 0..300 {
        let entry = spool.enqueue("in", "", "").unwrap();
        drop(entry.checkout().unwrap());
    }
    let returned: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| recovered(&spool, &RecoverOptions::new())))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let mut all: Vec<String> = returned.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 300);
    assert_eq!(returned.iter().map(Vec::len).sum::<usize>(), 300);
    assert_eq!(spool.list("in").unwrap().count(), 300);
}

#[test]
fn what_cannot_be_returned_is_told_and_the_others_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir, Owners::Locking);
    let stuck = spool.enqueue("in", "", "").unwrap();
    let fine = spool.enqueue("in", "", "").unwrap();
    for entry in [&stuck, &fine] {
        drop(entry.checkout().unwrap());
    }
    // Another entry of its name lies in the queue.
    std::fs::write(spool.dir().join("in").join(stuck.name()), "in the way").unwrap();
    let recovered = spool.recover(&RecoverOptions::new()).unwrap();
    assert_eq!(recovered.entries.len(), 1);
    assert_eq!(recovered.entries[0].name(), fine.name());
    assert_eq!(recovered.failures.len(), 1);
    assert_eq!(
        recovered.failures[0].kind(),
        multispool::ErrorKind::NameTaken
    );
    assert_eq!(stuck.direct().contents().unwrap(), b"in the way");
}
