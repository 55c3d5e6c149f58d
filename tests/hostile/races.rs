//! While the workers work, a planter gives names of the spool to a proper file and to something else, in turn,
//! as fast as it can: what was looked at may be another file by the time it is opened, read, touched or moved.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use multispool::{
    Dequeued, EnqueueOptions, Error, Limits, RecoverOptions, RepairOptions, Spool, StatsOptions,
};

use crate::child::start_planter;
use crate::operations::{look_at, open};
use crate::suite::{Suite, judge_conduct};
use crate::things::fifo;
use crate::told::{Teller, Told};
use crate::yard::{Yard, contents_of};

/// Names that the planter plays with, and names that it leaves alone.
const SWAPPED: usize = 4;
const GOOD: usize = 12;
const WORKERS: u32 = 2;

/// Where the planter does it, and whether workers move what is there.
const PLACES: [&str; 4] = ["in", "in/.checkout", ".data", ".registry"];

/// Makes the other thing, under a name that nobody looks at.
type Make = fn(&Yard, &Path) -> std::io::Result<()>;

const THINGS: [(&str, Make); 4] = [
    ("a-link", |yard, at| symlink(victim(yard), at)),
    ("a-second-name", |yard, at| fs::hard_link(victim(yard), at)),
    ("a-fifo", |_, at| fifo(at)),
    ("a-socket", |_, at| {
        std::os::unix::net::UnixListener::bind(at).map(drop)
    }),
];

fn victim(yard: &Yard) -> PathBuf {
    yard.path("outside/0")
}

pub fn run(suite: &mut Suite) {
    for place in PLACES {
        for (thing, make) in THINGS {
            let about = place.replace('/', "-");
            suite.case(&format!("races/{about}/{thing}"), |suite| {
                race(suite, place, make)
            });
        }
    }
}

fn race(suite: &mut Suite, place: &str, make: Make) -> Vec<String> {
    let mut yard = Yard::new(&["in", "out"]);
    yard.victim();
    let spool = yard.open();
    for number in 0..SWAPPED {
        yard.enqueue(&spool, OsStr::new(&swapped(number)));
    }
    for number in 0..GOOD {
        yard.enqueue(&spool, OsStr::new(&good(number)));
    }
    drop(spool);
    yard.share();
    yard.seal();
    yard.links_grow = true;
    let swaps = yard.path("staging/swaps");
    let planter = start_planter(|| plant(&yard, place, make, &swaps));
    let time = Duration::from_millis(suite.race);
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let told = yard.path(format!("told-{number}"));
            let seed = suite.seed + u64::from(number);
            let dir = yard.spool_dir();
            let running = suite.start_worker(&told, |told| work(&dir, seed, time, told));
            (running, told)
        })
        .collect();
    let mut faults = Vec::new();
    for (running, told) in workers {
        let ended = running.wait(&told, None);
        let told = Told::read(&ended.out);
        suite.steps += told.steps;
        faults.extend(judge_conduct(&ended, &told));
    }
    if !planter.kill() {
        faults.push("the planter gave up".to_owned());
    }
    suite.swaps += fs::read(&swaps).map_or(0, |swaps| swaps.len() as u64);
    faults.extend(yard.changes());
    faults.extend((0..GOOD).filter_map(|number| not_whole(&yard, &good(number))));
    faults
}

fn swapped(number: usize) -> String {
    format!("swapped-{number}")
}

fn good(number: usize) -> String {
    format!("good-{number:02}")
}

/// Until it is killed.
fn plant(yard: &Yard, place: &str, make: Make, swaps: &Path) {
    let mut swaps = fs::File::create(swaps).unwrap();
    let staged = yard.path("staging/next");
    // Empty: some file systems write contents out before another file loses its name to them.
    let proper = |at: &Path| fs::File::create_new(at).map(drop);
    for round in 0_usize.. {
        let at = yard.inside(place).join(swapped(round / 2 % SWAPPED));
        match round % 2 {
            0 => make(yard, &staged).unwrap(),
            _ => proper(&staged).unwrap(),
        }
        fs::rename(&staged, &at).unwrap();
        if round % 16 == 15 {
            swaps.write_all(&[b'.'; 16]).unwrap();
        }
    }
}

/// One worker: everything that a worker does, in random order.
fn work(dir: &Path, seed: u64, time: Duration, told: &mut dyn Write) {
    let mut told = Teller::new(told);
    let mut random = seed | 1;
    let began = Instant::now();
    let spool = open(dir).unwrap();
    let mut steps = 0_u64;
    while began.elapsed() < time {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // What the swapped names come to is anybody's guess; a failure is as good as a success.
        let _ = step(&spool, random % 32, &mut told);
        steps += 1;
    }
    told.counted(steps);
}

fn step(spool: &Spool, which: u64, told: &mut Teller<'_>) -> Result<(), Error> {
    match which {
        0..=9 => shift(spool, "in", "out", told),
        10..=19 => shift(spool, "out", "in", told),
        20..=25 => {
            for entry in spool.list("in")? {
                let entry = entry?;
                match entry.direct().contents() {
                    Ok(contents) => told.saw(&contents),
                    Err(error) => told.saw(error.to_string().as_bytes()),
                }
                look_at(&entry.direct().data_file(), told);
            }
            Ok(())
        }
        26 => spool.recover(&RecoverOptions::new()).map(drop),
        27 => spool.problems(&Limits::new()).map(drop),
        28 => spool.stats(&StatsOptions::new().bytes(true)).map(drop),
        29 => {
            let options = RepairOptions::new().min_age(Duration::from_secs(3600));
            spool.repair(&options)?.apply().map(drop)
        }
        _ => {
            for number in 0..SWAPPED {
                let options = EnqueueOptions::new().name(swapped(number));
                let _ = spool.enqueue_with("in", "again", "again", &options);
            }
            Ok(())
        }
    }
}

/// Takes what there is to take from one queue, and gives it to another.
fn shift(spool: &Spool, from: &str, to: &str, told: &mut Teller<'_>) -> Result<(), Error> {
    let mut reader = spool.reader(from)?;
    for number in 0..GOOD + SWAPPED {
        let taken = match reader.dequeue(None, Some(Duration::ZERO)) {
            Ok(Dequeued::CheckedOut(checkout)) => Some(checkout),
            Ok(_) => return Ok(()),
            Err(error) => {
                told.saw(error.to_string().as_bytes());
                None
            }
        };
        let Some(mut checkout) = taken else { continue };
        told.saw(checkout.metadata());
        look_at(&checkout.data_file(), told);
        let is_swapped = checkout.name().as_bytes().starts_with(b"swapped");
        if is_swapped && number % 2 == 0 {
            let _ = checkout.data_file().save("saved");
            checkout.set_metadata("changed")?;
        }
        if let Err(error) = checkout.save(to) {
            told.saw(error.to_string().as_bytes());
        }
    }
    Ok(())
}

/// What is wrong with an entry that the planter left alone.
fn not_whole(yard: &Yard, name: &str) -> Option<String> {
    let (about, data) = contents_of(OsStr::new(name));
    let places: Vec<_> = ["in", "in/.checkout", "out", "out/.checkout"]
        .into_iter()
        .filter(|place| fs::read(yard.inside(place).join(name)).is_ok_and(|read| read == about))
        .collect();
    let has_data = fs::read(yard.inside(".data").join(name)).is_ok_and(|read| read == data);
    let is_whole = places.len() == 1 && has_data && yard.inside(".registry").join(name).is_file();
    (!is_whole).then(|| format!("the good entry {name} is in {places:?}, its data: {has_data}"))
}
