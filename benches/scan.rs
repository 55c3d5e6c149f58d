//! What a scan costs: time and memory of one over a deep queue, and what it takes from workers beside it.
//!
//! `BENCH_SCAN_ENTRIES` (1,000,000), `BENCH_DIR` (a temporary directory), `BENCH_ROUNDS` (7).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark"
)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use multispool::{Dequeued, Durability, Limits, Monitor, MonitorSpec, Spool};

fn given(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// The most memory that this process has had since the last call, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    fs::write("/proc/self/clear_refs", "5").unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn monitor(spool: &Spool) -> Monitor {
    Monitor::create(&MonitorSpec::new(spool.dir(), Limits::new())).unwrap()
}

fn deep(dir: &Path, entries: u64) {
    let spool = Spool::options()
        .durability(Durability::None)
        .create(dir.join("deep"), ["in", "out"])
        .unwrap();
    thread::scope(|scope| {
        for half in [entries / 2, entries - entries / 2] {
            let spool = &spool;
            scope.spawn(move || {
                for _ in 0..half {
                    spool.enqueue("in", "metadata", "").unwrap();
                }
            });
        }
    });
    let monitor = monitor(&spool);
    peak_memory();
    let began = Instant::now();
    let problems = monitor.run_once().unwrap();
    let took = began.elapsed();
    let peak = peak_memory();
    // Nothing is wrong: all of the time is the scan's own.
    assert!(problems.is_empty(), "{} problems", problems.len());
    println!(
        "{entries} entries: {:.1} s, {:.2} us an entry, {} MiB at most",
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / entries as f64,
        peak / 1024
    );
    fs::remove_dir_all(spool.dir()).unwrap();
}

/// Entries that a producer and a worker pass in this time.
fn passed(spool: &Spool, time: Duration) -> u64 {
    let (ended, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                spool.enqueue("in", "metadata", "data").unwrap();
            }
        });
        scope.spawn(|| {
            let mut reader = spool.reader("in").unwrap();
            while !ended.load(Ordering::SeqCst) {
                let wait = Some(Duration::from_millis(10));
                if let Dequeued::CheckedOut(mut checkout) = reader.dequeue(None, wait).unwrap() {
                    checkout.remove().unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        thread::sleep(time);
        ended.store(true, Ordering::SeqCst);
    });
    count.into_inner()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A daemon with its default pause scans for a part of the time only: that part, and what scans back to back take.
fn beside_workers(dir: &Path, durability: Durability, rounds: u64) {
    let name = format!("beside-{durability}");
    let spool = Spool::options()
        .durability(durability)
        .create(dir.join(name), ["in", "waiting"])
        .unwrap();
    for _ in 0..10_000 {
        let options = multispool::EnqueueOptions::new().durability(Durability::None);
        spool
            .enqueue_with("waiting", "metadata", "", &options)
            .unwrap();
    }
    let monitor = monitor(&spool);
    let time = Duration::from_secs(2);
    let (mut alone, mut beside, mut scans) = (Vec::new(), Vec::new(), 0_u64);
    for _ in 0..rounds {
        alone.push(passed(&spool, time) as f64);
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let scanning = scope.spawn(|| {
                let mut scans = 0;
                while !ended.load(Ordering::SeqCst) {
                    monitor.run_once().unwrap();
                    scans += 1;
                }
                scans
            });
            beside.push(passed(&spool, time) as f64);
            ended.store(true, Ordering::SeqCst);
            scans += scanning.join().unwrap();
        });
    }
    let seconds = time.as_secs_f64();
    let scan = rounds as f64 * seconds / scans as f64;
    let slower = 1.0 - median(beside) / median(alone.clone());
    println!(
        "beside a producer and a worker, {durability}, 10,000 entries waiting: {:.0} entries/s; scans back to back, \
         {:.0} ms each, take {:.0} % of that; a daemon's default pause of 15 s, {:.2} %",
        median(alone) / seconds,
        scan * 1e3,
        slower * 100.0,
        slower * 100.0 * scan / (scan + 15.0)
    );
}

fn main() {
    let dir = match std::env::var_os("BENCH_DIR") {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let dir = dir.unwrap();
    for durability in [Durability::None, Durability::Full] {
        beside_workers(dir.path(), durability, given("BENCH_ROUNDS", 7));
    }
    deep(dir.path(), given("BENCH_SCAN_ENTRIES", 1_000_000));
}
