//! The scan: it finds each kind of damage and only it, and a busy, healthy spool has no problem.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use multispool::{
    Dequeued, Dir, Durability, EnqueueOptions, ErrorKind, Limits, Monitor, MonitorSpec, Owners,
    Problem, QueueName, Spool,
};

use crate::{AtEnd, named, new_spool};

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

/// The problems, as `kind place[+place] name`.
fn found(spool: &Spool, limits: &Limits) -> Vec<String> {
    let monitor = Monitor::create(&MonitorSpec::new(spool.dir(), limits.clone())).unwrap();
    let problems = monitor.run_once().unwrap();
    problems
        .iter()
        .map(|problem| {
            let places: Vec<String> = problem
                .places()
                .iter()
                .map(|dir| dir.name_on_disk().into_string().unwrap())
                .collect();
            let name = problem.file().filename.to_str().unwrap();
            format!("{} {} {name}", problem.kind(), places.join("+"))
        })
        .collect()
}

fn age(path: impl AsRef<std::path::Path>, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn each_kind_of_damage_is_found_and_only_it() {
    type Damage = (&'static str, fn(&Spool), &'static [&'static str]);
    let damages: [Damage; 22] = [
        ("nothing", |_| {}, &[]),
        (
            "an old temporary file of an entry",
            |spool| {
                fs::write(spool.dir().join(".tmp/a.tmp.abcdef"), "").unwrap();
                age(spool.dir().join(".tmp/a.tmp.abcdef"), HOUR);
            },
            &["too_old .tmp a.tmp.abcdef"],
        ),
        (
            "a young temporary file of an entry",
            |spool| fs::write(spool.dir().join(".tmp/a.tmp.abcdef"), "").unwrap(),
            &[],
        ),
        (
            "a temporary file of no entry",
            |spool| fs::write(spool.dir().join(".tmp/x.tmp.abcdef"), "").unwrap(),
            &["orphaned .tmp x.tmp.abcdef"],
        ),
        (
            "data of no entry",
            |spool| fs::write(spool.dir().join(".data/x"), "").unwrap(),
            &["orphaned .data x"],
        ),
        (
            "an entry without a registry file",
            |spool| fs::remove_file(spool.dir().join(".registry/a")).unwrap(),
            &["orphaned .data a", "orphaned in a"],
        ),
        (
            "an old reservation",
            |spool| {
                spool.reserve_name("r").unwrap();
                age(spool.dir().join(".registry/r"), HOUR);
            },
            &["orphaned .registry r"],
        ),
        (
            "a young reservation",
            |spool| drop(spool.reserve_name("r").unwrap()),
            &[],
        ),
        (
            "a name in two queues",
            |spool| fs::write(spool.dir().join("out/a"), "").unwrap(),
            &["duplicated in+out a"],
        ),
        (
            "a name in a queue and its checkout",
            |spool| fs::write(spool.dir().join("in/.checkout/a"), "").unwrap(),
            &["duplicated in+in/.checkout a", "dead_owner in/.checkout a"],
        ),
        (
            "a dropped checkout",
            |spool| drop(spool.entry("in", "a").unwrap().checkout().unwrap()),
            &["dead_owner in/.checkout a"],
        ),
        (
            "an old checkout",
            |spool| {
                let checkout = spool.entry("in", "a").unwrap().checkout().unwrap();
                age(spool.dir().join("in/.checkout/a"), HOUR);
                // Its owner lives, for as long as the process does.
                std::mem::forget(checkout);
            },
            &["too_old in/.checkout a"],
        ),
        (
            "no data",
            |spool| fs::remove_file(spool.dir().join(".data/a")).unwrap(),
            &["data_missing in a"],
        ),
        (
            "a directory in an entry's place",
            |spool| {
                fs::remove_file(spool.dir().join("in/a")).unwrap();
                fs::create_dir(spool.dir().join("in/a")).unwrap();
            },
            &["damaged in a"],
        ),
        (
            "a link in the data's place",
            |spool| {
                fs::remove_file(spool.dir().join(".data/a")).unwrap();
                std::os::unix::fs::symlink("b", spool.dir().join(".data/a")).unwrap();
            },
            &["damaged .data a"],
        ),
        (
            "metadata that nobody may read",
            |spool| {
                use std::os::unix::fs::PermissionsExt;
                let unreadable = fs::Permissions::from_mode(0o000);
                fs::set_permissions(spool.dir().join("in/a"), unreadable).unwrap();
            },
            if rustix::process::geteuid().is_root() {
                &[]
            } else {
                &["damaged in a"]
            },
        ),
        (
            "metadata with a second name elsewhere",
            |spool| fs::hard_link(spool.dir().join("in/a"), spool.dir().join("b")).unwrap(),
            &["damaged in a"],
        ),
        (
            "an enqueue that died after its data",
            |spool| {
                spool.reserve_name("h").unwrap();
                fs::write(spool.dir().join(".data/h"), "").unwrap();
                age(spool.dir().join(".registry/h"), Duration::from_secs(60));
            },
            &["half_made .data h"],
        ),
        (
            "an enqueue between its data and its metadata",
            |spool| {
                let writer = spool.enqueue_writer("in", &EnqueueOptions::new()).unwrap();
                let name = writer.name().as_os_str().to_owned();
                age(spool.dir().join(".registry").join(name), HOUR);
                std::mem::forget(writer);
            },
            &[],
        ),
        (
            "names that begin with a dot",
            |spool| {
                fs::write(spool.dir().join("in/.a.swp"), "").unwrap();
                fs::write(spool.dir().join(".registry/.b"), "").unwrap();
                fs::write(spool.dir().join("in/.nfs000001"), "").unwrap();
            },
            &["impossible_name in .a.swp", "impossible_name .registry .b"],
        ),
        (
            "no directory for data",
            |spool| fs::remove_dir_all(spool.dir().join(".data")).unwrap(),
            &["directory_missing .data spool"],
        ),
        (
            "files that are not the spool's",
            |spool| {
                fs::write(spool.dir().join("README"), "").unwrap();
                fs::create_dir(spool.dir().join("notes")).unwrap();
            },
            &[],
        ),
    ];
    for (what, damage, expected) in damages {
        let (_dir, spool) = new_spool(&["in", "out"]);
        named(&spool, "in", &["a", "b"]);
        damage(&spool);
        assert_eq!(found(&spool, &Limits::new()), expected, "{what}");
    }
}

#[test]
fn little_room_is_told_by_the_limits_for_bytes_and_for_files() {
    let (_dir, spool) = new_spool(&["in"]);
    let none = Limits::new().min_free_bytes(0).min_free_inodes(0);
    assert!(found(&spool, &none).is_empty());
    let low = ["low_space  spool"];
    assert_eq!(found(&spool, &none.clone().min_free_bytes(u64::MAX)), low);
    assert_eq!(found(&spool, &none.min_free_inodes(u64::MAX)), low);
}

#[test]
fn an_entry_waits_too_long_only_where_its_queue_has_a_limit() {
    let (_dir, spool) = new_spool(&["in", "out"]);
    named(&spool, "in", &["a"]);
    age(spool.dir().join("in/a"), HOUR);
    assert!(found(&spool, &Limits::new()).is_empty());
    let limits = |age| Limits::new().max_queue_age(queue("in"), age);
    assert_eq!(found(&spool, &limits(HOUR / 2)), ["too_old in a"]);
    assert!(found(&spool, &limits(HOUR * 2)).is_empty());
    let other = Limits::new().max_queue_age(queue("out"), Duration::ZERO);
    assert!(found(&spool, &other).is_empty());
}

#[test]
fn where_owners_may_hold_no_lock_no_owner_is_called_dead() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .owners(Owners::Mixed)
        .create(dir.path().join("spool"), ["in"])
        .unwrap();
    named(&spool, "in", &["a"]);
    drop(spool.entry("in", "a").unwrap().checkout().unwrap());
    assert!(found(&spool, &Limits::new()).is_empty());
    let zero = Limits::new().max_checked_out_age(Duration::ZERO);
    assert_eq!(found(&spool, &zero), ["too_old in/.checkout a"]);
}

#[test]
fn a_name_in_a_queue_that_the_handle_was_not_opened_with_is_no_orphan() {
    let (_dir, spool) = new_spool(&["in", "out"]);
    named(&spool, "out", &["a"]);
    let narrow = Spool::load(spool.dir(), ["in"]).unwrap();
    let zero = Limits::new().max_reservation_age(Duration::ZERO);
    assert!(found(&narrow, &zero).is_empty());
}

#[test]
fn a_monitor_never_creates_a_spool_and_reads_only() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let error = Monitor::create(&MonitorSpec::new(&missing, Limits::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(!missing.exists());
    let (_dir, spool) = new_spool(&["in"]);
    named(&spool, "in", &["a"]);
    fs::remove_file(spool.dir().join(".data/a")).unwrap();
    let before = crate::tree::state(spool.dir());
    let monitor = Monitor::create(&MonitorSpec::new(spool.dir(), Limits::new())).unwrap();
    let problems = monitor.run_once().unwrap();
    assert_eq!(crate::tree::state(spool.dir()), before);
    let [Problem::DataMissing(file, dir)] = &problems[..] else {
        panic!("{problems:?}");
    };
    assert_eq!(file.filename, "a");
    assert_eq!(*dir, Dir::Queue(queue("in")));
}

#[test]
fn a_busy_healthy_spool_has_no_problem() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), ["in", "out"])
        .unwrap();
    let done = AtomicBool::new(false);
    let (enqueued, removed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let limits = Limits::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    // A backlog that grew with the scans would make them ever longer.
                    if enqueued.load(Ordering::SeqCst) < removed.load(Ordering::SeqCst) + 200 {
                        spool.enqueue("in", "metadata", "data").unwrap();
                        enqueued.fetch_add(1, Ordering::SeqCst);
                    } else {
                        thread::yield_now();
                    }
                }
            });
        }
        for from in ["in", "in", "out"] {
            let (spool, done, removed) = (&spool, &done, &removed);
            scope.spawn(move || {
                let mut reader = spool.reader(from).unwrap();
                while !done.load(Ordering::SeqCst) {
                    let wait = Some(Duration::from_millis(10));
                    if let Dequeued::CheckedOut(mut checkout) = reader.dequeue(None, wait).unwrap()
                    {
                        match from {
                            "in" => {
                                checkout.set_metadata("changed").unwrap();
                                checkout.data_file().save("changed").unwrap();
                                checkout.save("out").unwrap();
                            }
                            _ => {
                                checkout.remove().unwrap();
                                removed.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    }
                }
            });
        }
        let _end = AtEnd(&done);
        let begun = Instant::now();
        let (mut scans, mut problems) = (0, Vec::new());
        while scans < 40 || removed.load(Ordering::SeqCst) < 300 {
            problems.extend(found(&spool, &limits));
            scans += 1;
            if begun.elapsed() > Duration::from_secs(60) {
                break;
            }
        }
        assert_eq!(problems, [""; 0]);
    });
    assert!(removed.into_inner() >= 300, "the spool was busy");
}
