//! What is wrong with a typed spool, and when it came and went.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use multispool::spoolable::monitor::{Daemon, Dir, Event, Limits, Monitor, Problem, Spec, Watched};
use multispool::{DaemonSpec, ErrorKind, FileWithMtime, Mend, Multispool, Severity, Spool, Stop};

use crate::tree::{listing, state};
use crate::{Stage, Widgets, must_fail, new_spool, ordered};

const HOUR: Duration = Duration::from_secs(3600);

fn monitor(spool: &Multispool<Widgets>, limits: Limits<Stage>) -> Monitor<Widgets> {
    Monitor::create(&Spec::create(spool.dir(), limits)).unwrap()
}

fn problems(spool: &Multispool<Widgets>) -> Vec<Problem<Stage>> {
    monitor(spool, Limits::create()).run_once().unwrap()
}

/// Makes the file look an hour old.
fn age(path: &Path) -> FileWithMtime {
    let mtime = SystemTime::now() - HOUR;
    File::options()
        .read(true)
        .open(path)
        .unwrap()
        .set_modified(mtime)
        .unwrap();
    file(path)
}

fn file(path: &Path) -> FileWithMtime {
    FileWithMtime {
        filename: path.file_name().unwrap().to_owned(),
        mtime: fs::metadata(path).unwrap().modified().unwrap(),
    }
}

#[test]
fn a_healthy_spool_has_no_problem_and_a_look_changes_nothing() {
    let (_dir, spool) = new_spool();
    ordered(&spool);
    let before = state(spool.dir());
    assert_eq!(problems(&spool), []);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_monitor_makes_no_spool_and_asks_for_all_queues() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let create = || Monitor::<Widgets>::create(&Spec::create(&path, Limits::create()));
    must_fail(create(), ErrorKind::Missing, &path);
    assert_eq!(listing(dir.path()), [""; 0]);
    Spool::create(&path, ["ordered", "made"]).unwrap();
    let before = state(&path);
    must_fail(create(), ErrorKind::Missing, path.join("shipped"));
    assert_eq!(state(&path), before);
}

#[test]
fn what_is_too_old_is_told_with_its_queue() {
    let (_dir, spool) = new_spool();
    ordered(&spool);
    let limits = || Limits::create().max_queue_age(Stage::Ordered, HOUR / 2);
    assert_eq!(monitor(&spool, limits()).run_once().unwrap(), []);
    let waiting = age(&spool.dir().join("ordered/widget-0"));
    let tmp = spool.dir().join(".tmp/widget-0.tmp.abcdef");
    fs::write(&tmp, "").unwrap();
    let tmp = age(&tmp);
    let expected = [
        Problem::TooOld(waiting, Dir::Queue(Stage::Ordered)),
        Problem::TooOld(tmp.clone(), Dir::Tmp),
    ];
    assert_eq!(monitor(&spool, limits()).run_once().unwrap(), expected);
    // By another queue's limit it is not.
    let other = Limits::create().max_queue_age(Stage::Made, HOUR / 2);
    assert_eq!(monitor(&spool, other).run_once().unwrap(), expected[1..]);
    let longer = limits()
        .max_queue_age(Stage::Ordered, HOUR * 2)
        .max_tmp_file_age(HOUR * 2);
    assert_eq!(monitor(&spool, longer).run_once().unwrap(), []);

    let entry = spool.list(Stage::Ordered).unwrap().next().unwrap().unwrap();
    let _owned = entry.untyped().checkout().unwrap();
    let taken = age(&spool.dir().join("ordered/.checkout/widget-0"));
    let expected = [
        Problem::TooOld(taken, Dir::QueueCheckout(Stage::Ordered)),
        Problem::TooOld(tmp, Dir::Tmp),
    ];
    assert_eq!(problems(&spool), expected);
    let longer = Limits::create()
        .max_checked_out_age(HOUR * 2)
        .max_tmp_file_age(HOUR * 2);
    assert_eq!(monitor(&spool, longer).run_once().unwrap(), []);
}

#[test]
fn what_is_orphaned_or_in_two_places_is_told_with_its_queues() {
    let (_dir, spool) = new_spool();
    let path = |path: &str| spool.dir().join(path);
    for orphan in ["made/a", "shipped/.checkout/b", ".data/c", ".registry/d"] {
        fs::write(path(orphan), "").unwrap();
        age(&path(orphan));
    }
    for in_two_places in [".registry/e", ".data/e", "made/e", "shipped/.checkout/e"] {
        fs::write(path(in_two_places), "").unwrap();
        age(&path(in_two_places));
    }
    let found = problems(&spool);
    let orphans = [
        (".registry/d", Dir::Registry),
        (".data/c", Dir::Data),
        ("made/a", Dir::Queue(Stage::Made)),
        ("shipped/.checkout/b", Dir::QueueCheckout(Stage::Shipped)),
    ];
    for (orphan, dir) in orphans {
        let problem = Problem::Orphaned(file(&path(orphan)), dir);
        assert!(found.contains(&problem), "{problem}: {found:#?}");
    }
    let dirs = |problem: &Problem<Stage>| match problem {
        Problem::Duplicated(file, dirs) if file.filename == "e" => Some(dirs.clone()),
        _ => None,
    };
    let dirs: Vec<_> = found.iter().filter_map(dirs).collect();
    assert_eq!(
        dirs,
        [[Dir::Queue(Stage::Made), Dir::QueueCheckout(Stage::Shipped)]]
    );
    assert!(found.is_sorted());
}

#[test]
fn problems_in_queues_that_are_not_of_the_type_are_not_hidden() {
    let (_dir, spool) = new_spool();
    Spool::create(spool.dir(), ["other"]).unwrap();
    for orphan in ["other/a", "other/.checkout/b"] {
        fs::write(spool.dir().join(orphan), "").unwrap();
        age(&spool.dir().join(orphan));
    }
    let found = problems(&spool);
    let places: Vec<_> = found
        .iter()
        .filter_map(|problem| match problem {
            Problem::Orphaned(_, dir @ (Dir::OtherQueue(_) | Dir::OtherQueueCheckout(_))) => {
                Some(dir.name_on_disk())
            }
            _ => None,
        })
        .collect();
    assert_eq!(places, ["other", "other/.checkout"]);
}

#[test]
fn every_problem_says_the_same_in_types_and_without() {
    let (_dir, spool) = new_spool();
    for planted in [
        "made/a",
        "ordered/.checkout/b",
        ".data/c",
        ".tmp/d.tmp.abcdef",
        "made/.e",
    ] {
        fs::write(spool.dir().join(planted), "").unwrap();
        age(&spool.dir().join(planted));
    }
    let typed = problems(&spool);
    let mut untyped = spool
        .untyped()
        .problems(&multispool::Limits::new())
        .unwrap();
    assert!(typed.len() >= 5, "{typed:#?}");
    for problem in &typed {
        let same = problem.to_untyped();
        let index = untyped.iter().position(|other| *other == same);
        untyped.remove(index.unwrap());
        assert_eq!(problem.to_string(), same.to_string());
        assert_eq!(
            (problem.kind(), problem.severity(), problem.mend()),
            (same.kind(), same.severity(), same.mend())
        );
    }
    assert_eq!(untyped, []);
    let data = typed
        .iter()
        .find(|problem| problem.to_string().starts_with(".data/c"));
    let data = data.unwrap();
    assert_eq!(
        (data.severity(), data.mend()),
        (Severity::Garbage, Mend::Repair)
    );
}

#[test]
fn a_directory_has_its_name_on_disk() {
    let names = [
        Dir::Registry,
        Dir::Tmp,
        Dir::Data,
        Dir::Queue(Stage::Made),
        Dir::QueueCheckout(Stage::Made),
    ];
    let names = names.map(|dir| dir.name_on_disk());
    assert_eq!(
        names,
        [".registry", ".tmp", ".data", "made", "made/.checkout"]
    );
}

#[test]
fn limits_have_the_defaults_of_the_untyped_and_become_them_and_back() {
    let default = Limits::<Stage>::create();
    assert_eq!(default.to_untyped(), multispool::Limits::new());
    assert_eq!(default.max_checked_out_age, Duration::from_secs(600));
    assert_eq!(default.max_tmp_file_age, Duration::from_secs(600));
    assert_eq!(default.max_queue_ages, []);
    let limits = Limits::create()
        .max_checked_out_age(HOUR)
        .max_tmp_file_age(HOUR * 2)
        .max_queue_age(Stage::Made, HOUR)
        .max_queue_age(Stage::Shipped, HOUR * 3)
        .max_queue_age(Stage::Made, HOUR * 4)
        .max_reservation_age(HOUR * 5)
        .min_free_bytes(6)
        .min_free_inodes(7);
    let untyped = limits.to_untyped();
    let ages = untyped.max_queue_ages.iter();
    let ages: Vec<_> = ages.map(|(name, age)| (name.to_string(), *age)).collect();
    assert_eq!(
        ages,
        [
            ("shipped".to_owned(), HOUR * 3),
            ("made".to_owned(), HOUR * 4)
        ]
    );
    assert_eq!(Limits::try_from(&untyped).unwrap(), limits);
    let other = multispool::QueueName::new("other").unwrap();
    let unknown = Limits::<Stage>::try_from(&untyped.max_queue_age(other, HOUR)).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownQueue);
}

/// A spool with one problem that lasts, and a daemon that checks without a pause.
fn watched(cycles: u64) -> (tempfile::TempDir, Multispool<Widgets>, Daemon<Widgets>) {
    let (dir, spool) = new_spool();
    ordered(&spool);
    age(&spool.dir().join("ordered/widget-0"));
    let limits = Limits::create().max_queue_age(Stage::Ordered, HOUR / 2);
    let spec = DaemonSpec::new()
        .check_every(Duration::ZERO)
        .alert_after_cycles(cycles);
    let daemon = monitor(&spool, limits).start(&spec);
    (dir, spool, daemon)
}

#[test]
fn events_are_in_the_order_of_their_kind_time_and_problem() {
    let (_dir, spool, mut daemon) = watched(0);
    let Watched::Event(first) = daemon.next(None, Some(Duration::ZERO)).unwrap() else {
        panic!("the first check alerts");
    };
    let (time, problem) = (first.time(), first.problem().clone());
    let file = file(&spool.dir().join(".registry/widget-0"));
    let other = Problem::Orphaned(file, Dir::Registry);
    let later = time + Duration::from_nanos(1);
    assert!(problem < other);
    let in_order = [
        Event::Start(time, problem.clone()),
        Event::Start(time, other),
        Event::Start(later, problem.clone()),
        Event::End(time, problem.clone()),
        Event::End(later, problem),
    ];
    assert!(in_order.is_sorted_by(|a, b| a < b), "{in_order:?}");
}

#[test]
fn a_daemon_tells_when_a_problem_came_and_when_it_went() {
    let (_dir, spool, mut daemon) = watched(2);
    let once = |daemon: &mut Daemon<Widgets>| daemon.next(None, Some(Duration::ZERO)).unwrap();
    assert_eq!(daemon.until_check(), Duration::ZERO);
    assert_eq!(
        [once(&mut daemon), once(&mut daemon)],
        [Watched::TimedOut, Watched::TimedOut]
    );
    let Watched::Event(started) = once(&mut daemon) else {
        panic!("the third check alerts");
    };
    let file = file(&spool.dir().join("ordered/widget-0"));
    let problem = Problem::TooOld(file, Dir::Queue(Stage::Ordered));
    assert_eq!(started, Event::Start(started.time(), problem.clone()));
    assert_eq!(
        started.to_string(),
        "start: ordered/widget-0: waiting for too long"
    );
    let entry = spool.list(Stage::Ordered).unwrap().next().unwrap().unwrap();
    entry.direct().remove().unwrap();
    let Watched::Event(ended) = once(&mut daemon) else {
        panic!("the problem has ended");
    };
    assert_eq!(ended, Event::End(ended.time(), problem));
    assert_eq!(ended.problem(), started.problem());
    assert!(ended.time() >= started.time());
    assert_eq!(once(&mut daemon), Watched::TimedOut);
}

#[test]
fn a_daemon_runs_until_it_is_stopped() {
    let (_dir, spool, mut daemon) = watched(0);
    let stop = Stop::new().unwrap();
    let mut events = Vec::new();
    daemon
        .run(&stop, |event| {
            events.push(event.unwrap());
            match &events[..] {
                [Event::Start(..)] => {
                    let entry = spool.list(Stage::Ordered).unwrap().next().unwrap();
                    entry.unwrap().direct().remove().unwrap();
                }
                _ => stop.trigger(),
            }
        })
        .unwrap();
    assert!(
        matches!(events[..], [Event::Start(..), Event::End(..)]),
        "{events:#?}"
    );
    assert_eq!(daemon.next(Some(&stop), None).unwrap(), Watched::Stopped);
    assert_eq!(daemon.events(&stop).count(), 0);
}

#[test]
fn a_daemon_outlives_checks_that_fail() {
    let (dir, spool, mut daemon) = watched(0);
    let stop = Stop::new().unwrap();
    let away = dir.path().join("away");
    fs::rename(spool.dir().join(".registry"), &away).unwrap();
    let mut told = Vec::new();
    for event in daemon.events(&stop) {
        told.push(event.is_ok());
        if told.len() == 1 {
            fs::rename(&away, spool.dir().join(".registry")).unwrap();
        } else {
            break;
        }
    }
    assert_eq!(told, [false, true]);
}
