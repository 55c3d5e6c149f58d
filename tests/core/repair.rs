//! Repair: it clears what crashes left, under the lock, and nothing else.

use std::fs;
use std::time::{Duration, SystemTime};

use multispool::{EnqueueOptions, Limits, RepairAction, RepairOptions, RepairPlan, Spool};

use crate::tree::{listing, state};
use crate::{AtEnd, named, new_spool};

fn now() -> RepairOptions {
    RepairOptions::new().min_age(Duration::ZERO)
}

fn steps(plan: &RepairPlan) -> Vec<String> {
    plan.steps()
        .iter()
        .map(|step| {
            let dir = step.dir.name_on_disk();
            let dir = dir.to_str().unwrap();
            format!("{} {dir}/{}", step.action.as_str(), step.filename.display())
        })
        .collect()
}

fn apply(plan: &RepairPlan) -> usize {
    let repaired = plan.apply().unwrap();
    assert!(repaired.failures.is_empty(), "{:?}", repaired.failures);
    repaired.steps.len()
}

/// A spool with a good entry, and all that crashes can leave.
fn littered() -> (tempfile::TempDir, Spool) {
    let (dir, spool) = new_spool(&["in", "out"]);
    named(&spool, "in", &["good", "orphan"]);
    let path = |name: &str| spool.dir().join(name);
    fs::remove_file(path(".registry/orphan")).unwrap();
    fs::write(path(".data/dataonly"), "lost").unwrap();
    fs::write(path(".tmp/good.tmp.aaaaaa"), "").unwrap();
    fs::write(path(".tmp/gone.tmp.bbbbbb"), "").unwrap();
    spool.reserve_name("reserved").unwrap();
    fs::write(path(".data/reserved"), "half made").unwrap();
    (dir, spool)
}

fn after_repair(spool: &Spool) {
    let limits = Limits::new()
        .max_reservation_age(Duration::ZERO)
        .max_tmp_file_age(Duration::ZERO);
    assert_eq!(spool.problems(&limits).unwrap(), []);
    assert_eq!(
        listing(spool.dir()),
        [
            ".data/",
            ".data/good 4",
            ".data/orphan 4",
            ".multispool/",
            ".multispool/format 39",
            ".registry/",
            ".registry/good 0",
            ".registry/orphan 0",
            ".tmp/",
            "in/",
            "in/.checkout/",
            "in/good 8",
            "in/orphan 8",
            "out/",
            "out/.checkout/",
        ]
    );
}

#[test]
fn a_plan_changes_nothing_and_applied_it_leaves_the_spool_clean() {
    let (_dir, spool) = littered();
    let before = state(spool.dir());
    let plan = spool.repair(&now()).unwrap();
    assert_eq!(
        steps(&plan),
        [
            "remove_temporary .tmp/gone.tmp.bbbbbb",
            "remove_temporary .tmp/good.tmp.aaaaaa",
            "remove_data .data/dataonly",
            "adopt in/orphan",
            "remove_reservation .registry/reserved",
        ]
    );
    assert_eq!(state(spool.dir()), before);
    let repaired = plan.apply().unwrap();
    assert!(repaired.failures.is_empty(), "{:?}", repaired.failures);
    after_repair(&spool);
    assert_eq!(apply(&spool.repair(&now()).unwrap()), 0);
    for name in ["good", "orphan"] {
        spool
            .entry("in", name)
            .unwrap()
            .checkout()
            .unwrap()
            .remove()
            .unwrap();
    }
}

#[test]
fn a_repair_does_with_one_slot() {
    let (_dir, spool) = littered();
    crate::in_time(move || {
        let one = Spool::options().max_concurrent(1);
        let spool = one.load(spool.dir(), ["in", "out"]).unwrap();
        assert!(apply(&spool.repair(&now()).unwrap()) > 0);
        after_repair(&spool);
    });
}

#[test]
fn what_is_young_is_left_alone() {
    let (_dir, spool) = littered();
    assert!(
        spool
            .repair(&RepairOptions::new())
            .unwrap()
            .steps()
            .is_empty()
    );
    let old = SystemTime::now() - Duration::from_secs(3600);
    let file = fs::File::options()
        .write(true)
        .open(spool.dir().join(".data/dataonly"));
    file.unwrap().set_modified(old).unwrap();
    let plan = spool.repair(&RepairOptions::new()).unwrap();
    assert_eq!(steps(&plan), ["remove_data .data/dataonly"]);
    assert_eq!(apply(&plan), 1);
}

#[test]
fn what_would_be_removed_is_moved_to_the_caller_s_directory() {
    let (dir, spool) = littered();
    let lost = dir.path().join("lost");
    let plan = spool.repair(&now().to(&lost)).unwrap();
    assert!(!lost.exists(), "a plan makes nothing");
    let repaired = plan.apply().unwrap();
    assert!(repaired.failures.is_empty(), "{:?}", repaired.failures);
    after_repair(&spool);
    assert_eq!(
        listing(&lost),
        [
            ".data/",
            ".data/dataonly 4",
            ".data/reserved 9",
            ".registry/",
            ".registry/reserved 0",
            ".tmp/",
            ".tmp/gone.tmp.bbbbbb 0",
            ".tmp/good.tmp.aaaaaa 0",
        ]
    );
}

#[test]
fn what_has_come_to_life_since_the_plan_is_left_alone() {
    let (_dir, spool) = new_spool(&["in"]);
    for name in ["a", "b", "c"] {
        spool.reserve_name(name).unwrap();
    }
    fs::write(spool.dir().join(".data/d"), "garbage").unwrap();
    let plan = spool.repair(&now()).unwrap();
    let actions: Vec<_> = plan.steps().iter().map(|step| step.action).collect();
    let reservation = RepairAction::RemoveReservation;
    assert_eq!(
        actions,
        [
            RepairAction::RemoveData,
            reservation,
            reservation,
            reservation
        ]
    );
    let name = |name: &str| EnqueueOptions::new().name(name);
    // Used; being used; reserved and used by somebody who found the name free.
    spool.enqueue_with("in", "", "data", &name("a")).unwrap();
    let mut writer = spool.enqueue_writer("in", &name("b")).unwrap();
    spool.reserve_name("d").unwrap();
    spool.enqueue_with("in", "", "data", &name("d")).unwrap();
    assert_eq!(apply(&plan), 1, "only c is still what it was");
    writer.commit(b"").unwrap();
    let names: Vec<String> = spool
        .list("in")
        .unwrap()
        .map(|entry| entry.unwrap().name().to_string())
        .collect();
    assert_eq!(names, ["a", "b", "d"]);
    for name in names {
        let checkout = spool.entry("in", &name).unwrap().checkout().unwrap();
        checkout.data_file().load().unwrap();
    }
}

#[test]
fn the_temporary_file_of_a_live_writer_is_left_alone_however_old() {
    let (_dir, spool) = new_spool(&["in"]);
    named(&spool, "in", &["a"]);
    let checkout = spool.entry("in", "a").unwrap().checkout().unwrap();
    let mut writer = checkout.data_file().writer().unwrap();
    let plan = spool.repair(&now()).unwrap();
    assert_eq!(plan.steps().len(), 1);
    assert_eq!(apply(&plan), 0, "its owner holds the lock");
    writer.commit().unwrap();
    assert_eq!(checkout.data_file().load().unwrap(), b"");
}

#[test]
fn damage_is_for_a_person_and_in_no_plan() {
    let (_dir, spool) = new_spool(&["in", "out"]);
    named(&spool, "in", &["nodata", "double", "bare"]);
    let path = |name: &str| spool.dir().join(name);
    fs::remove_file(path(".data/nodata")).unwrap();
    fs::write(path("out/double"), "").unwrap();
    fs::remove_file(path(".data/bare")).unwrap();
    fs::remove_file(path(".registry/bare")).unwrap();
    let before = state(spool.dir());
    assert_eq!(apply(&spool.repair(&now()).unwrap()), 0);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_repair_beside_live_workers_loses_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (_dir, spool) = new_spool(&["in", "out"]);
    let done = AtomicBool::new(false);
    let enqueued = std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            (0..600)
                .map(|_| {
                    let name = spool.reserve(&multispool::TimeNames).unwrap();
                    let options = EnqueueOptions::new().name(&name);
                    // Whoever is slow with a reservation loses it to a repair that allows it no time.
                    match spool.enqueue_with("in", "", "data", &options) {
                        Ok(_) => 1,
                        Err(error) => {
                            assert_eq!(error.kind(), multispool::ErrorKind::NotFound, "{error}");
                            0
                        }
                    }
                })
                .sum::<usize>()
        });
        scope.spawn(|| {
            let mut reader = spool.reader("in").unwrap();
            while !done.load(Ordering::SeqCst) {
                if let Some(mut checkout) = reader.dequeue_available().unwrap() {
                    checkout.set_metadata("changed").unwrap();
                    checkout.data_file().save("changed").unwrap();
                    checkout.save("out").unwrap();
                }
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                apply(&spool.repair(&now()).unwrap());
            }
        });
        let _end = AtEnd(&done);
        producer.join().unwrap()
    });
    assert!(enqueued > 0);
    let mut whole = 0;
    for queue in ["in", "out"] {
        for entry in spool.list(queue).unwrap() {
            let mut checkout = entry.unwrap().checkout().unwrap();
            assert!(!checkout.data_file().load().unwrap().is_empty());
            checkout.remove().unwrap();
            whole += 1;
        }
    }
    assert_eq!(whole, enqueued);
}
