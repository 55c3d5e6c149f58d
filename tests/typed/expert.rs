//! Typed entries in hand.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use multispool::spoolable::expert::{self, CheckedOutEntry, Dequeued};
use multispool::spoolable::{Entry, QueueReader};
use multispool::{Error, ErrorKind, Multispool, RecoverOptions, Stop};
use tempfile::TempDir;

use crate::tree::{listing, state};
use crate::{
    Kind, NoOrder, Stage, Widgets, inner, must_be_free, must_fail, must_panic, names, new_spool,
    order, ordered, sprocket, undecodable,
};

fn in_hand() -> (TempDir, Multispool<Widgets>, CheckedOutEntry<Widgets>) {
    let (dir, spool) = new_spool();
    let checkout = expert::checkout(&ordered(&spool)).unwrap();
    (dir, spool, checkout)
}

fn made(spool: &Multispool<Widgets>) -> Entry<Widgets> {
    Entry::create(spool, Stage::Made, "widget-0").unwrap()
}

#[test]
fn an_entry_in_hand_tells_what_it_is() {
    let (_dir, spool, checkout) = in_hand();
    assert_eq!(checkout.name().to_string(), "widget-0");
    assert_eq!(checkout.queue(), &Stage::Ordered);
    assert_eq!(checkout.contents(), &order(7, "Ada"));
    assert_eq!(checkout.data_file().load().unwrap().kind, Kind::Cog);
    assert_eq!(checkout.untyped().metadata(), b"7 Ada");
    assert_eq!(
        format!("{checkout:?}"),
        "CheckedOutEntry { queue: Ordered, name: \"widget-0\", .. }"
    );
    assert_eq!(names(&spool)[0], ["!widget-0"]);
}

#[test]
fn nobody_else_can_have_it() {
    let (_dir, spool, _checkout) = in_hand();
    let entry = Entry::create(&spool, Stage::Ordered, "widget-0").unwrap();
    let path = spool.dir().join("ordered/widget-0");
    must_fail(expert::checkout(&entry), ErrorKind::Missing, path);
    assert!(expert::try_checkout(&entry).unwrap().is_none());
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    assert!(expert::dequeue_available(&mut reader).unwrap().is_none());
    let recovered = spool.untyped().recover(&RecoverOptions::new()).unwrap();
    assert_eq!((recovered.entries.len(), recovered.failures.len()), (0, 0));
}

#[test]
fn a_save_moves_it_with_its_updates_and_uses_it_up() {
    let (_dir, spool, mut checkout) = in_hand();
    for _ in 0..2 {
        checkout
            .update(|before| order(before.serial_number + 1, "Grace"))
            .unwrap();
    }
    assert_eq!(checkout.contents(), &order(9, "Grace"));
    checkout.data_file().save(&sprocket()).unwrap();
    assert!(!checkout.is_finished());
    checkout.save(Stage::Made).unwrap();
    assert!(checkout.is_finished());
    assert_eq!(names(&spool), [vec![], vec!["widget-0"], vec![]]);
    assert_eq!(made(&spool).direct().contents().unwrap(), order(9, "Grace"));
    let data = made(&spool).direct().data_file();
    assert_eq!(data.load().unwrap().kind, Kind::Sprocket);
    must_be_free(&made(&spool));

    let path = spool.dir().join("ordered/.checkout/widget-0");
    let before = state(spool.dir());
    type Use = fn(&mut CheckedOutEntry<Widgets>) -> Result<(), Error>;
    let uses: [Use; 4] = [
        |checkout| checkout.save(Stage::Made),
        CheckedOutEntry::remove,
        CheckedOutEntry::release,
        |checkout| checkout.update(|_| order(1, "nobody")),
    ];
    for again in uses {
        must_fail(again(&mut checkout), ErrorKind::Finished, &path);
    }
    assert_eq!(checkout.contents(), &order(9, "Grace"));
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn metadata_that_was_not_updated_is_not_written() {
    let (_dir, spool, mut checkout) = in_hand();
    let inode = |path: &str| fs::metadata(spool.dir().join(path)).unwrap().ino();
    let before = inode("ordered/.checkout/widget-0");
    checkout.save(Stage::Made).unwrap();
    assert_eq!(inode("made/widget-0"), before);
}

#[test]
fn a_release_drops_the_updates() {
    let (_dir, spool, mut checkout) = in_hand();
    checkout.update(|_| order(1, "nobody")).unwrap();
    checkout.release().unwrap();
    let entry = Entry::create(&spool, Stage::Ordered, "widget-0").unwrap();
    assert_eq!(entry.direct().contents().unwrap(), order(7, "Ada"));
    must_be_free(&entry);
}

#[test]
fn a_remove_leaves_nothing() {
    let (_dir, spool) = new_spool();
    let before = listing(spool.dir());
    let mut checkout = expert::checkout(&ordered(&spool)).unwrap();
    checkout.remove().unwrap();
    assert_eq!(listing(spool.dir()), before);
}

#[test]
fn an_update_that_panics_changes_nothing() {
    let (_dir, spool, mut checkout) = in_hand();
    must_panic(|| checkout.update(|_| panic!("asked to")));
    assert_eq!(checkout.contents(), &order(7, "Ada"));
    checkout.save(Stage::Made).unwrap();
    assert_eq!(made(&spool).direct().contents().unwrap(), order(7, "Ada"));
}

#[test]
fn one_that_is_dropped_stays_out_until_a_recover() {
    let (_dir, spool, checkout) = in_hand();
    drop(checkout);
    assert_eq!(names(&spool)[0], ["!widget-0"]);
    let recovered = spool.untyped().recover(&RecoverOptions::new()).unwrap();
    assert_eq!(recovered.entries.len(), 1);
    assert_eq!(names(&spool)[0], ["widget-0"]);
}

type Take = fn(&Multispool<Widgets>) -> Result<Option<CheckedOutEntry<Widgets>>, Error>;

/// The four ways to get the entry `widget-0` in hand.
const WAYS: [Take; 4] = [
    |spool| expert::checkout(&Entry::create(spool, Stage::Ordered, "widget-0")?).map(Some),
    |spool| expert::try_checkout(&Entry::create(spool, Stage::Ordered, "widget-0")?),
    |spool| expert::dequeue_available(&mut QueueReader::create(spool, Stage::Ordered)?),
    |spool| {
        let mut reader = QueueReader::create(spool, Stage::Ordered)?;
        match expert::dequeue(&mut reader, None, None)? {
            Dequeued::CheckedOut(checkout) => Ok(Some(checkout)),
            other => panic!("nobody stops it: {other:?}"),
        }
    },
];

#[test]
fn every_way_takes_an_entry_that_is_there() {
    for take in WAYS {
        let (_dir, spool) = new_spool();
        ordered(&spool);
        let mut checkout = take(&spool).unwrap().unwrap();
        assert_eq!(checkout.contents(), &order(7, "Ada"));
        assert_eq!(names(&spool)[0], ["!widget-0"]);
        checkout.save(Stage::Made).unwrap();
        assert_eq!(names(&spool)[1], ["widget-0"]);
    }
}

#[test]
fn an_entry_whose_metadata_does_not_decode_is_left_there_and_free() {
    for take in WAYS {
        let (_dir, spool) = new_spool();
        let entry = undecodable(&spool, "widget-0", "no order");
        let before = listing(spool.dir());
        let path = spool.dir().join("ordered/widget-0");
        let error = must_fail(take(&spool), ErrorKind::Corrupt, path);
        inner::<NoOrder>(&error);
        assert_eq!(listing(spool.dir()), before);
        must_be_free(&entry);
        entry.untyped().direct().save("panic").unwrap();
        must_panic(|| take(&spool));
        assert_eq!(names(&spool)[0], ["widget-0"]);
        must_be_free(&entry);
    }
}

#[test]
fn a_dequeue_tells_why_it_has_nothing() {
    let (_dir, spool) = new_spool();
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    let stop = Stop::new().unwrap();
    let none = Some(Duration::ZERO);
    let timed_out = expert::dequeue(&mut reader, Some(&stop), none).unwrap();
    assert_eq!(format!("{timed_out:?}"), "TimedOut");
    stop.trigger();
    let stopped = expert::dequeue(&mut reader, Some(&stop), None).unwrap();
    assert_eq!(format!("{stopped:?}"), "Stopped");
    assert!(expert::dequeue_available(&mut reader).unwrap().is_none());
    // What came in between is not lost.
    ordered(&spool);
    let had = expert::dequeue(&mut reader, None, None).unwrap();
    assert_eq!(
        format!("{had:?}"),
        "CheckedOut(CheckedOutEntry { queue: Ordered, name: \"widget-0\", .. })"
    );
}

#[test]
fn a_reader_goes_on_after_metadata_that_does_not_decode() {
    let (_dir, spool) = new_spool();
    undecodable(&spool, "a-bad", "no order");
    ordered(&spool);
    let mut reader = QueueReader::create(&spool, Stage::Ordered).unwrap();
    let bad = spool.dir().join("ordered/a-bad");
    must_fail(
        expert::dequeue(&mut reader, None, None),
        ErrorKind::Corrupt,
        &bad,
    );
    match expert::dequeue(&mut reader, None, None).unwrap() {
        Dequeued::CheckedOut(checkout) => assert_eq!(checkout.name().to_string(), "widget-0"),
        other => panic!("{other:?}"),
    }
    let mut other = QueueReader::create(&spool, Stage::Ordered).unwrap();
    must_fail(
        expert::dequeue_available(&mut other),
        ErrorKind::Corrupt,
        &bad,
    );
    assert!(expert::dequeue_available(&mut other).unwrap().is_none());
}

#[test]
fn checkouts_are_listed_whoever_owns_them_and_those_that_do_not_decode_are_passed_over() {
    let (_dir, spool, owned) = in_hand();
    let bad = undecodable(&spool, "bad", "no order");
    let mut bad = bad.untyped().checkout().unwrap();
    let list = || expert::list_checkouts_unsafe(&spool, Stage::Ordered).unwrap();
    let listed: Vec<_> = list().collect();
    let [Err(error), Ok(first)] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!(
        (error.kind(), error.operation(), error.path()),
        (
            ErrorKind::Corrupt,
            "list checkouts",
            Some(&*spool.dir().join("ordered/.checkout/bad"))
        )
    );
    inner::<NoOrder>(error);
    assert_eq!(first.contents(), &order(7, "Ada"));
    drop(listed);
    // The owners have them still.
    assert_eq!(names(&spool)[0], ["!bad", "!widget-0"]);
    bad.save("shipped").unwrap();
    drop(owned);
    let mut listed = list();
    let mut unowned = listed.next().unwrap().unwrap();
    assert!(listed.next().is_none());
    unowned
        .update(|before| order(before.serial_number, "Grace"))
        .unwrap();
    unowned.save(Stage::Made).unwrap();
    assert_eq!(made(&spool).direct().contents().unwrap(), order(7, "Grace"));
    assert!(list().next().is_none());
}
