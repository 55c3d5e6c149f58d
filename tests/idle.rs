//! A wait costs nothing. In a process of its own: the readers of a process share the kernel's events, and
//! those of other tests would be counted here.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use multispool::{Dequeued, Durability, EnqueueOptions, ErrorKind, Spool};

/// This thread's.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

fn spool(dir: &tempfile::TempDir) -> Spool {
    Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), ["in"])
        .unwrap()
}

#[test]
fn a_waiting_dequeue_costs_no_cpu() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut reader = spool.reader("in").unwrap();
    let before = cpu_time();
    let dequeued = reader.dequeue(None, Some(Duration::from_secs(1))).unwrap();
    let used = cpu_time() - before;
    assert!(matches!(dequeued, Dequeued::TimedOut));
    assert!(used < Duration::from_millis(20), "{used:?}");
}

#[test]
fn a_wait_beside_bad_entries_neither_spins_nor_reports_them_again_before_they_rested() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    for name in ["no data", "no registry"] {
        let name = spool.reserve_name(name).unwrap();
        let options = EnqueueOptions::new().name(&name);
        spool.enqueue_with("in", "", "", &options).unwrap();
    }
    std::fs::remove_file(spool.dir().join(".data/no data")).unwrap();
    std::fs::remove_file(spool.dir().join(".registry/no registry")).unwrap();
    let mut reader = spool.reader("in").unwrap();
    let error = reader.dequeue(None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let before = cpu_time();
    let dequeued = reader
        .dequeue(None, Some(Duration::from_millis(500)))
        .unwrap();
    let used = cpu_time() - before;
    assert!(matches!(dequeued, Dequeued::TimedOut));
    assert!(used < Duration::from_millis(20), "{used:?}");
}
