//! Batches: many entries, each whole or not at all, with the syncs made once.

use std::io::Read;

use multispool::{
    Checkout, Dequeued, DequeuedMany, Durability, EnqueueOptions, ErrorKind, QueueReader, Source,
    Spool, Stop,
};

use crate::tree::listing;
use crate::{named, new_spool};

/// How many are brought to the disk at once.
const PIECE: usize = 256;

fn contents(spool: &Spool, queue: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = spool.list(queue).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let direct = entry.direct();
            (
                direct.contents().unwrap(),
                direct.data_file().load().unwrap(),
            )
        })
        .collect()
}

fn numbered(count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..count)
        .map(|i| {
            (
                format!("metadata {i:04}").into_bytes(),
                vec![i as u8; i % 100],
            )
        })
        .collect()
}

fn taken(reader: &mut QueueReader, most: usize) -> Vec<Checkout> {
    reader.dequeue_many_available(most).unwrap()
}

#[test]
fn all_entries_of_a_batch_are_in_the_queue_in_the_order_of_adding_at_each_durability() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::options()
            .durability(durability)
            .create(dir.path().join("spool"), ["in"])
            .unwrap();
        let entries = numbered(2 * PIECE + 3);
        let answers = spool
            .enqueue_many("in", entries.iter().map(|(m, d)| (m, d)))
            .unwrap();
        let names: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.unwrap().name().clone())
            .collect();
        assert!(names.is_sorted());
        assert_eq!(contents(&spool, "in"), entries);
        assert!(
            spool
                .problems(&multispool::Limits::new())
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn nothing_of_a_batch_is_visible_before_its_commit_and_nothing_is_left_of_one_that_is_dropped() {
    let (dir, spool) = new_spool(&["in"]);
    let before = listing(dir.path());
    let mut batch = spool.batch("in", &EnqueueOptions::new()).unwrap();
    assert!(batch.is_empty());
    for (metadata, data) in numbered(10) {
        batch.add(metadata, &data).unwrap();
    }
    assert_eq!(batch.len(), 10);
    assert_eq!(spool.list("in").unwrap().count(), 0);
    drop(batch);
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn an_entry_that_fails_keeps_no_other_back() {
    let (dir, spool) = new_spool(&["in"]);
    let mut failing = Failing;
    let mut batch = spool.batch("in", &EnqueueOptions::new()).unwrap();
    batch.add("first", "1").unwrap();
    let missing = dir.path().join("missing");
    let refused = batch.add("second", missing.as_path()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Missing);
    let refused = batch
        .add("third", Source::reader(&mut failing))
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io);
    batch.add("fourth", "4").unwrap();
    let answers = batch.commit();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let expected = [("first", "1"), ("fourth", "4")].map(|(m, d)| (m.into(), d.into()));
    assert_eq!(contents(&spool, "in"), expected);
    assert!(
        spool
            .problems(&multispool::Limits::new())
            .unwrap()
            .is_empty()
    );

    let answers = spool
        .enqueue_many("in", [("a", missing.as_path()), ("b", missing.as_path())])
        .unwrap();
    assert!(answers.iter().all(Result::is_err));
}

/// A source that breaks off.
struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("broken off"))
    }
}

#[test]
fn an_entry_whose_place_is_taken_at_the_commit_is_told_alone() {
    let (dir, spool) = new_spool(&["in"]);
    let mut batch = spool.batch("in", &EnqueueOptions::new()).unwrap();
    let first = batch.add("first", "").unwrap();
    let second = batch.add("second", "").unwrap();
    std::fs::write(dir.path().join("spool/in").join(first.as_os_str()), "taken").unwrap();
    let answers = batch.commit();
    let told = answers[0].as_ref().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::NameTaken);
    assert_eq!(*answers[1].as_ref().unwrap().name(), second);
}

#[test]
fn a_batch_is_refused_before_the_disk_is_touched() {
    let (dir, spool) = new_spool(&["in"]);
    let before = listing(dir.path());
    let refused = |queue: &str, options: &EnqueueOptions| {
        spool.batch(queue, options).map(drop).unwrap_err().kind()
    };
    let options = EnqueueOptions::new();
    assert_eq!(refused("nowhere", &options), ErrorKind::UnknownQueue);
    let one_name = EnqueueOptions::new().name("name");
    assert_eq!(refused("in", &one_name), ErrorKind::InvalidArgument);
    let read_only = Spool::options()
        .read_only(true)
        .load(dir.path().join("spool"), ["in"])
        .unwrap();
    let told = read_only.batch("in", &options).map(drop).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Permission);
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn many_are_taken_in_order_and_no_more_than_asked_for() {
    let (_dir, spool) = new_spool(&["in"]);
    named(&spool, "in", &["a", "b", "c", "d", "e"]);
    let mut reader = spool.reader("in").unwrap();
    let names = |taken: &[Checkout]| -> Vec<String> {
        taken
            .iter()
            .map(|checkout| checkout.name().to_string())
            .collect()
    };
    let DequeuedMany::CheckedOut(first) = reader.dequeue_many(3, None, None).unwrap() else {
        panic!("three were there");
    };
    assert_eq!(names(&first), ["a", "b", "c"]);
    let rest = taken(&mut reader, 10);
    assert_eq!(names(&rest), ["d", "e"]);
    assert!(taken(&mut reader, 10).is_empty());
    let stop = Stop::new().unwrap();
    stop.trigger();
    let stopped = reader.dequeue_many(3, Some(&stop), None).unwrap();
    assert!(matches!(stopped, DequeuedMany::Stopped));
    let now = Some(std::time::Duration::ZERO);
    let in_vain = reader.dequeue_many(3, None, now).unwrap();
    assert!(matches!(in_vain, DequeuedMany::TimedOut));
    let refused = reader.dequeue_many(0, None, None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_bad_entry_among_many_is_told_by_the_next_call() {
    let (dir, spool) = new_spool(&["in"]);
    named(&spool, "in", &["a", "b", "c"]);
    std::fs::remove_file(dir.path().join("spool/.data/b")).unwrap();
    let mut reader = spool.reader("in").unwrap();
    let first = taken(&mut reader, 10);
    assert_eq!(first.len(), 1);
    let told = reader.dequeue_many_available(10).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    let rest = taken(&mut reader, 10);
    assert_eq!(rest[0].name().to_string(), "c");
}

#[test]
fn many_are_saved_to_one_queue_each_with_its_own_answer() {
    for durability in [Durability::None, Durability::Full] {
        let (dir, spool) = new_spool(&["in", "out"]);
        named(&spool, "in", &["a", "b", "c"]);
        let mut reader = spool.reader("in").unwrap();
        let mut held = taken(&mut reader, 10);
        for checkout in &mut held {
            checkout.set_durability(durability);
        }
        held[0].set_metadata("new").unwrap();
        std::fs::remove_file(dir.path().join("spool/in/.checkout/b")).unwrap();
        let answers = Checkout::save_many(&mut held, "out");
        assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
        let lost = answers[1].as_ref().unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::LostOwnership);
        let metadata: Vec<_> = contents(&spool, "out")
            .into_iter()
            .map(|(m, _)| m)
            .collect();
        assert_eq!(metadata, [b"new".to_vec(), b"metadata".to_vec()]);
        let again = Checkout::save_many(&mut held[..1], "out");
        assert_eq!(again[0].as_ref().unwrap_err().kind(), ErrorKind::Finished);
        let nowhere = Checkout::save_many(&mut held[1..2], "nowhere");
        let told = nowhere[0].as_ref().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::UnknownQueue);
    }
}

#[test]
fn many_are_removed_each_with_its_own_answer() {
    for durability in [Durability::None, Durability::Full] {
        let (dir, spool) = new_spool(&["in"]);
        let before = listing(dir.path());
        named(&spool, "in", &["a", "b", "c"]);
        let mut reader = spool.reader("in").unwrap();
        let mut held = taken(&mut reader, 10);
        for checkout in &mut held {
            checkout.set_durability(durability);
        }
        std::fs::remove_file(dir.path().join("spool/in/.checkout/b")).unwrap();
        let answers = Checkout::remove_many(&mut held);
        assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
        let lost = answers[1].as_ref().unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::LostOwnership);
        for left in [".data/b", ".registry/b"] {
            std::fs::remove_file(dir.path().join("spool").join(left)).unwrap();
        }
        assert_eq!(listing(dir.path()), before);
    }
}

#[test]
fn a_waiting_reader_hears_of_a_batch() {
    let (_dir, spool) = new_spool(&["in"]);
    let mut reader = spool.reader("in").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let mut count = 0;
            while count < 100 {
                match reader.dequeue(None, None).unwrap() {
                    Dequeued::CheckedOut(mut checkout) => {
                        checkout.remove().unwrap();
                        count += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
        let entries = numbered(100);
        let answers = spool.enqueue_many("in", entries.iter().map(|(m, d)| (m, d)));
        assert!(answers.unwrap().iter().all(Result::is_ok));
        waiting.join().unwrap();
    });
}
