//! What is measured of whom, in rounds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::claims;
use crate::contestant::Who;
use crate::driver::{Place, Run};
use crate::figures::{Figures, What};

type Outcome = Result<(), Box<dyn Error>>;

/// More than anybody does in the time that is given.
const PLENTY: f64 = 1e6;
const BATCH: f64 = 64.0;
const TAKEN_OF_MILLION: usize = 50_000;

pub struct Bench<'a> {
    dir: &'a Path,
    programs: &'a Path,
    figures: &'a mut Figures,
    rounds: usize,
    seconds: f64,
    waiting: f64,
    million: bool,
    contestants: Vec<Who>,
    places: usize,
}

fn given(name: &str, default: f64) -> Result<f64, Box<dyn Error>> {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .map_err(|error| format!("{name}: {error}").into()),
        Err(_) => Ok(default),
    }
}

impl<'a> Bench<'a> {
    pub fn new(
        dir: &'a Path,
        programs: &'a Path,
        figures: &'a mut Figures,
    ) -> Result<Bench<'a>, Box<dyn Error>> {
        let mut contestants = Vec::new();
        for who in Who::ALL {
            match who.missing(programs) {
                Some(reason) => figures.set_missing(who, reason.to_owned()),
                None => contestants.push(who),
            }
        }
        figures.waiting = given("BENCH_WAITING", 100_000.0)?;
        Ok(Bench {
            dir,
            programs,
            rounds: given("BENCH_ROUNDS", 5.0)? as usize,
            seconds: given("BENCH_SECONDS", 0.7)?,
            waiting: figures.waiting,
            million: given("BENCH_MILLION", 0.0)? != 0.0,
            contestants,
            places: 0,
            figures,
        })
    }

    pub fn run(mut self) -> Outcome {
        let deep = self.fill(&[Who::Floor, Who::Rust], self.waiting)?;
        for round in 0..self.rounds {
            let began = Instant::now();
            // Nobody is always the first, or always after the same one.
            self.contestants.rotate_left(round.min(1));
            self.one_by_one()?;
            self.at_1000()?;
            self.in_deep_queue(&deep)?;
            self.four_and_four()?;
            self.latencies()?;
            self.consumers()?;
            self.batches()?;
            eprintln!(
                "round {} of {}: {:.0} s",
                round + 1,
                self.rounds,
                began.elapsed().as_secs_f64()
            );
        }
        self.memory()?;
        self.failed_claims()?;
        if self.million {
            drop(deep);
            self.at_million()?;
        }
        Ok(())
    }

    /// A new place for a contestant.
    fn place(&mut self, who: Who) -> Result<Place, Box<dyn Error>> {
        self.places += 1;
        let dir: PathBuf = self.dir.join(self.places.to_string());
        Place::new(who, self.programs, dir)
    }

    fn among(&self, some: &[Who]) -> Vec<Who> {
        let here = self.contestants.iter().copied();
        here.filter(|who| some.contains(who)).collect()
    }

    fn fill(&mut self, some: &[Who], n: f64) -> Result<Vec<(Who, Place)>, Box<dyn Error>> {
        let mut filled = Vec::new();
        for who in self.among(some) {
            let place = self.place(who)?;
            place.run("put", &[n])?;
            filled.push((who, place));
        }
        Ok(filled)
    }

    fn one_by_one(&mut self) -> Outcome {
        for who in self.contestants.clone() {
            let place = self.place(who)?;
            let put = place.run("put", &[PLENTY, self.seconds])?;
            let got = place.run("get", &[put.n, 3.0 * self.seconds])?;
            self.figures.add(What::Enqueue, who, put.median_us);
            self.figures.add(What::Dequeue, who, got.median_us);
        }
        Ok(())
    }

    /// A thousand are taken in no time, so several times.
    fn at_1000(&mut self) -> Outcome {
        for who in self.among(&[Who::Floor, Who::Rust]) {
            let mut seconds = 0.0;
            let mut n = 0.0;
            while seconds < self.seconds / 2.0 {
                let place = self.place(who)?;
                place.run("put", &[1000.0])?;
                let got = place.run("get", &[1000.0])?;
                seconds += got.ended - got.began;
                n += got.n;
            }
            let mean = seconds * 1e6 / n;
            self.figures.add(What::DequeueAt1000, who, mean);
        }
        Ok(())
    }

    /// A fifth of it is taken, from memory as in a queue that is not deep, and put back.
    fn in_deep_queue(&mut self, deep: &[(Who, Place)]) -> Outcome {
        for (who, place) in deep {
            place.remember(self.waiting as usize)?;
            let got = place.run("get", &[self.waiting / 5.0])?;
            place.run("put", &[got.n])?;
            self.figures.add(What::DequeueDeep, *who, got.mean());
        }
        Ok(())
    }

    fn four_and_four(&mut self) -> Outcome {
        let some = [
            Who::RustFull,
            Who::Beanstalkd,
            Who::Redis,
            Who::Litequeue,
            Who::Floor,
            Who::Rust,
            Who::Dirq,
        ];
        for who in self.among(&some) {
            let place = self.place(who)?;
            // So that eight processes need not make it at once, which SQLite refuses.
            place.run("put", &[1.0])?;
            let (put, got) = ([PLENTY, self.seconds], [PLENTY]);
            let mut roles: Vec<(&str, &[f64])> = vec![("put", &put); 4];
            roles.extend([("get", &got[..]); 4]);
            let runs = place.run_together(&roles)?;
            let rate = together(&runs[4..]);
            self.figures.add(What::FourAndFour, who, rate);
        }
        Ok(())
    }

    fn latencies(&mut self) -> Outcome {
        let some = [Who::Floor, Who::Rust, Who::C, Who::Go, Who::Ruby];
        for who in self.among(&some) {
            let place = self.place(who)?;
            let (median, tail) = place.latency((300.0 * self.seconds).max(30.0), 3000.0)?;
            self.figures.add(What::Latency, who, median);
            self.figures.add(What::LatencyTail, who, tail);
        }
        Ok(())
    }

    fn consumers(&mut self) -> Outcome {
        let n = 10_000.0 * self.seconds;
        for (what, consumers) in [(What::OneConsumer, 1), (What::EightConsumers, 8)] {
            for (who, place) in self.fill(&[Who::Rust], n)? {
                let got = [n];
                let runs = place.run_together(&vec![("get", &got[..]); consumers])?;
                self.figures.add(what, who, together(&runs));
            }
        }
        Ok(())
    }

    fn batches(&mut self) -> Outcome {
        for who in self.among(&[Who::FloorOrdered, Who::RustFull]) {
            let place = self.place(who)?;
            let put = place.run("batch", &[PLENTY, self.seconds, BATCH])?;
            self.figures.add(What::Batches, who, put.per_second());
        }
        Ok(())
    }

    fn memory(&mut self) -> Outcome {
        for who in self.among(&[Who::Rust, Who::C, Who::Go, Who::Ruby]) {
            let idle = self.place(who)?.figure("idle", &[1.0], "rss_kb")?;
            self.figures.add(What::IdleMemory, who, idle / 1024.0);
        }
        Ok(())
    }

    fn failed_claims(&mut self) -> Outcome {
        let n = 4000.0 * self.seconds;
        for (who, place) in self.fill(&[Who::Rust], n)? {
            if let Some(part) = claims::failed(&place, n, self.dir)? {
                self.figures.add(What::FailedClaims, who, part);
            }
        }
        Ok(())
    }

    fn at_million(&mut self) -> Outcome {
        let million = 1e6;
        for (who, place) in self.fill(&[Who::Rust], million)? {
            eprintln!("{}: {million} are waiting", who.label());
            place.remember(TAKEN_OF_MILLION)?;
            let got = place.run("get", &[TAKEN_OF_MILLION as f64])?;
            self.figures.add(What::DequeueAtMillion, who, got.mean());
            self.figures
                .add(What::MemoryAtMillion, who, got.highest_mib);
            place.run("put", &[got.n])?;
            place.remember(1)?;
            self.figures
                .add(What::FirstOfMillion, who, first_entry(&place)?);
            forget_files()?;
            self.figures
                .add(What::FirstOfMillionFromDisk, who, first_entry(&place)?);
        }
        Ok(())
    }
}

/// Entries per s of several that began and ended at times of their own.
fn together(runs: &[Run]) -> f64 {
    let n: f64 = runs.iter().map(|run| run.n).sum();
    let began = runs.iter().map(|run| run.began).fold(f64::MAX, f64::min);
    let ended = runs.iter().map(|run| run.ended).fold(f64::MIN, f64::max);
    n / (ended - began)
}

/// How long it takes from the start of a process to its first entry, in s.
fn first_entry(place: &Place) -> Result<f64, Box<dyn Error>> {
    let began = clock_gettime(ClockId::Monotonic);
    let began = began.tv_sec as f64 + began.tv_nsec as f64 * 1e-9;
    Ok(place.run("get", &[1.0])?.ended - began)
}

/// Has the kernel drop all that it remembers of files.
fn forget_files() -> Outcome {
    rustix::fs::sync();
    fs::write("/proc/sys/vm/drop_caches", "3")
        .map_err(|error| format!("the kernel's memory of files cannot be dropped: {error}").into())
}
