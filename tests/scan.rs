//! The scan on a large spool and on a busy one. In a process of its own: it looks at its memory.
//!
//! `MULTISPOOL_BUSY_SECONDS` (3) and `MULTISPOOL_BUSY_SCANS` (20) are how long and how often at least the busy
//! spool is scanned.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may end at once")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use multispool::{
    Dequeued, Durability, Limits, Monitor, MonitorSpec, Problem, Spool, SpoolOptions, Throttle,
};
use tempfile::TempDir;

fn options() -> SpoolOptions {
    Spool::options().durability(Durability::None)
}

/// In memory where that is possible: tens of thousands of files are made.
fn new_spool(queues: &[&str]) -> (TempDir, Spool) {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = dir.unwrap();
    let spool = options().create(dir.path().join("spool"), queues).unwrap();
    (dir, spool)
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

/// Counts disk steps.
#[derive(Clone, Default)]
struct Steps(Arc<AtomicUsize>);

impl Throttle for Steps {
    fn run(&self, step: &mut dyn FnMut()) {
        self.0.fetch_add(1, Ordering::Relaxed);
        step();
    }
}

/// The most memory that this process has had, in KiB.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_scan_s_steps_grow_with_the_entries_and_its_memory_hardly() {
    let (_dir, spool) = new_spool(&["in", "out"]);
    let steps = Steps::default();
    let counted = options()
        .throttle(steps.clone())
        .load(spool.dir(), ["in", "out"])
        .unwrap();
    let mut counts = Vec::new();
    for entries in [5_000, 50_000] {
        let there = counts.first().map_or(0, |_| 5_000);
        for _ in there..entries {
            spool.enqueue("in", "metadata", "data").unwrap();
        }
        steps.0.store(0, Ordering::Relaxed);
        assert_eq!(told(&counted.problems(&Limits::new()).unwrap()), [""; 0]);
        counts.push(steps.0.load(Ordering::Relaxed));
    }
    assert!(counts[1] <= counts[0] * 10 + 100, "{counts:?}");
    // Names are all that a scan may hold, a few tens of bytes each.
    let peak = peak_memory();
    assert!(peak < 64 * 1024, "{peak} KiB");
}

/// Plants each kind of damage, in a spool with entries of the names `a` to `h` in its queue `quiet`.
type Damage = (fn(&Spool), &'static [&'static str]);
const DAMAGES: [Damage; 9] = [
    (
        |spool| fs::write(spool.dir().join(".tmp/x.tmp.abcdef"), "").unwrap(),
        &[".tmp/x.tmp.abcdef: its name is not reserved"],
    ),
    (
        |spool| {
            let path = spool.dir().join(".tmp/a.tmp.abcdef");
            fs::write(&path, "").unwrap();
            make_old(&path);
        },
        &[".tmp/a.tmp.abcdef: a temporary file that nobody writes any more"],
    ),
    (
        |spool| fs::write(spool.dir().join(".data/y"), "").unwrap(),
        &[".data/y: its name is not reserved"],
    ),
    (
        |spool| fs::remove_file(spool.dir().join(".registry/b")).unwrap(),
        &[
            ".data/b: its name is not reserved",
            "quiet/b: its name is not reserved",
        ],
    ),
    (
        |spool| fs::remove_file(spool.dir().join(".data/c")).unwrap(),
        &["quiet/c: the entry has no data"],
    ),
    (
        |spool| fs::write(spool.dir().join("done/d"), "").unwrap(),
        &["done/d, quiet/d: the name is in several places"],
    ),
    (
        |spool| drop(spool.entry("quiet", "e").unwrap().checkout().unwrap()),
        &["quiet/.checkout/e: checked out, and its owner is dead"],
    ),
    (
        |spool| {
            let path = spool.dir().join("quiet/f");
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
        },
        &["quiet/f: not a readable regular file of one name"],
    ),
    (
        |spool| {
            let name = spool.reserve_name("z").unwrap();
            make_old(&spool.dir().join(".registry").join(name.as_os_str()));
        },
        &[".registry/z: reserved, and in no queue"],
    ),
];

fn make_old(path: &std::path::Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(3600);
    file.set_modified(then).unwrap();
}

/// Four producers and four workers at full speed, until the flag is set.
struct Traffic<'a> {
    spool: &'a Spool,
    ended: AtomicBool,
    enqueued: AtomicUsize,
    removed: AtomicUsize,
}

impl Traffic<'_> {
    fn produce(&self) {
        while !self.ended.load(Ordering::SeqCst) {
            // A backlog that grew would make the scans ever longer.
            if self.enqueued.load(Ordering::SeqCst) < self.removed.load(Ordering::SeqCst) + 200 {
                self.spool.enqueue("in", "metadata", "data").unwrap();
                self.enqueued.fetch_add(1, Ordering::SeqCst);
            } else {
                thread::yield_now();
            }
        }
    }

    fn work(&self, queue: &str) {
        let mut reader = self.spool.reader(queue).unwrap();
        while !self.ended.load(Ordering::SeqCst) {
            let wait = Some(Duration::from_millis(10));
            let Dequeued::CheckedOut(mut checkout) = reader.dequeue(None, wait).unwrap() else {
                continue;
            };
            if queue == "in" {
                checkout.set_metadata("changed").unwrap();
                checkout.data_file().save("changed").unwrap();
                checkout.save("out").unwrap();
            } else {
                checkout.remove().unwrap();
                self.removed.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_busy_spool_has_no_problem_until_damage_is_planted_and_then_only_that() {
    let given =
        |name, default| std::env::var(name).map_or(default, |value| value.parse::<u64>().unwrap());
    let seconds = given("MULTISPOOL_BUSY_SECONDS", 3);
    let least = given("MULTISPOOL_BUSY_SCANS", 20);
    let (_dir, spool) = new_spool(&["in", "out", "quiet", "done"]);
    for name in ["a", "b", "c", "d", "e", "f"] {
        let name = spool.reserve_name(name).unwrap();
        let options = multispool::EnqueueOptions::new().name(&name);
        spool.enqueue_with("quiet", "", "", &options).unwrap();
    }
    let traffic = Traffic {
        spool: &spool,
        ended: AtomicBool::new(false),
        enqueued: AtomicUsize::new(0),
        removed: AtomicUsize::new(0),
    };
    let spec = MonitorSpec::new(spool.dir(), Limits::new());
    let monitor = Monitor::create(&spec).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| traffic.produce());
        }
        for queue in ["in", "out", "in", "out"] {
            let traffic = &traffic;
            scope.spawn(move || traffic.work(queue));
        }
        let _end = EndOf(&traffic.ended);
        let begun = Instant::now();
        let mut scans = 0;
        while begun.elapsed() < Duration::from_secs(seconds) || scans < least {
            assert_eq!(told(&monitor.run_once().unwrap()), [""; 0], "scan {scans}");
            scans += 1;
        }
        let mut planted = Vec::new();
        for (damage, problems) in DAMAGES {
            damage(&spool);
            planted.extend(problems.iter().map(|problem| (*problem).to_owned()));
            planted.sort();
            let mut found = told(&monitor.run_once().unwrap());
            found.sort();
            assert_eq!(found, planted);
        }
        let removed = traffic.removed.load(Ordering::SeqCst);
        println!(
            "{scans} scans, {removed} entries passed, {} damages found",
            DAMAGES.len()
        );
        assert!(removed > 100, "the spool was busy");
    });
}
