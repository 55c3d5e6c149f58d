//! The driver of the Rust library for tools/bench; the same roles as those of `benches/drivers/c/roles.h`.
//!
//! `driver PEER DURABILITY DIR ROLE ARGUMENT...`, DURABILITY one of `off`, `original`, `on`.

mod figures;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use figures::{Samples, cpu, now, resident_kb};
use multispool::{Checkout, Dequeued, Durability, QueueReader, Spool};

/// How long a consumer waits for one more message before it says that there are no more.
const PATIENCE: Duration = Duration::from_secs(2);
const QUEUE: &str = "queue";
const METADATA: [u8; 100] = [b'm'; 100];
const DATA: [u8; 1024] = [b'd'; 1024];

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [_, durability, dir, role, n, rest @ ..] = &given[..] else {
        eprintln!("driver: started by tools/bench");
        return ExitCode::from(2);
    };
    let second = rest.first().map_or(1e9, |text| number(text));
    let spool = Spool::options()
        .durability(level(durability))
        .create(dir, [QUEUE])
        .expect("a spool");
    match role.as_str() {
        "put" => put(number(n), second, 1, || {
            spool.enqueue(QUEUE, METADATA, &DATA).expect("an enqueue");
        }),
        "batch" => {
            let size = number(rest.get(1).expect("a size")) as usize;
            put(number(n), second, size, || put_many(&spool, size));
        }
        "get" => get(&spool, number(n), second),
        "latp" => put_times(&spool, number(n), Duration::from_secs_f64(second * 1e-6)),
        "latc" => get_times(&spool, number(n)),
        "idle" => idle(&spool, Duration::from_secs_f64(number(n))),
        _ => {
            eprintln!("driver: unknown role {role}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn level(word: &str) -> Durability {
    match word {
        "off" => Durability::None,
        "original" => Durability::Original,
        "on" => Durability::Full,
        _ => panic!("{word} is none of off, original, on"),
    }
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

/// A call of `enqueue` enqueues so many at once.
fn put(n: f64, seconds: f64, at_once: usize, enqueue: impl Fn()) {
    let mut samples = Samples::default();
    let (used, began) = (cpu(), now());
    let (mut last, mut done) = (began, 0);
    while (done as f64) < n && last - began < seconds {
        enqueue();
        done += at_once;
        let time = now();
        samples.add(time - last);
        last = time;
    }
    samples.report(done, began, last, cpu() - used);
}

fn put_many(spool: &Spool, size: usize) {
    let entries = std::iter::repeat_n((METADATA, &DATA), size);
    let answers = spool.enqueue_many(QUEUE, entries).expect("a batch");
    for answer in answers {
        answer.expect("an enqueue");
    }
}

fn take(reader: &mut QueueReader, wait: Duration) -> Option<Checkout> {
    match reader.dequeue(None, Some(wait)).expect("a dequeue") {
        Dequeued::CheckedOut(checkout) => Some(checkout),
        _ => None,
    }
}

fn get(spool: &Spool, n: f64, seconds: f64) {
    let mut reader = spool.reader(QUEUE).expect("a reader");
    let mut samples = Samples::default();
    let (used, began) = (cpu(), now());
    let mut last = began;
    while (samples.count() as f64) < n && last - began < seconds {
        let Some(mut checkout) = take(&mut reader, PATIENCE) else {
            break;
        };
        checkout.data_file().load().expect("the data");
        checkout.remove().expect("a remove");
        let time = now();
        samples.add(time - last);
        last = time;
    }
    let n = samples.count();
    samples.report(n, began, last, cpu() - used);
}

fn put_times(spool: &Spool, n: f64, pause: Duration) {
    let mut metadata = METADATA;
    for _ in 0..n as u64 {
        thread::sleep(pause);
        metadata[..8].copy_from_slice(&now().to_ne_bytes());
        spool.enqueue(QUEUE, metadata, &DATA).expect("an enqueue");
    }
}

fn get_times(spool: &Spool, n: f64) {
    let mut reader = spool.reader(QUEUE).expect("a reader");
    // So that it waits, whatever is made when that is done first.
    assert!(
        take(&mut reader, Duration::ZERO).is_none(),
        "it is not empty"
    );
    println!("ready");
    let mut samples = Samples::default();
    while (samples.count() as f64) < n {
        let mut checkout = take(&mut reader, 10 * PATIENCE).expect("a message");
        checkout.data_file().load().expect("the data");
        let time = now();
        let sent = checkout.metadata()[..8].try_into().expect("eight bytes");
        samples.add(time - f64::from_ne_bytes(sent));
        checkout.remove().expect("a remove");
    }
    samples.report_latency();
}

fn idle(spool: &Spool, time: Duration) {
    let mut reader = spool.reader(QUEUE).expect("a reader");
    assert!(take(&mut reader, time).is_none(), "it is not empty");
    println!("{{\"rss_kb\":{}}}", resident_kb("VmRSS:"));
}
