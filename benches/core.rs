//! Single operations of the core, at each durability level, in this process alone.
//!
//! `BENCH_DIR`: where the spools are made (a temporary directory). Options are those of divan.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark"
)]

use divan::Bencher;
use multispool::{Dequeued, Durability, QueueReader, Spool};
use tempfile::TempDir;

const METADATA: [u8; 100] = [b'm'; 100];
const DATA: [u8; 1024] = [b'd'; 1024];
const LEVELS: [Durability; 3] = [Durability::None, Durability::Original, Durability::Full];

fn main() {
    divan::main();
}

fn spool(durability: Durability) -> (TempDir, Spool) {
    let dir = match std::env::var_os("BENCH_DIR") {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let dir = dir.expect("a directory");
    let spool = Spool::options()
        .durability(durability)
        .create(dir.path().join("spool"), ["in", "out"])
        .expect("a spool");
    (dir, spool)
}

fn enqueue_one(spool: &Spool) {
    spool.enqueue("in", METADATA, &DATA).expect("an enqueue");
}

fn dequeue_one(reader: &mut QueueReader) -> multispool::Checkout {
    match reader.dequeue(None, None).expect("a dequeue") {
        Dequeued::CheckedOut(checkout) => checkout,
        other => panic!("{other:?}"),
    }
}

#[divan::bench(args = LEVELS)]
fn enqueue(bencher: Bencher, durability: Durability) {
    let (_dir, spool) = spool(durability);
    bencher.bench_local(|| enqueue_one(&spool));
}

#[divan::bench(args = LEVELS)]
fn dequeue_and_remove(bencher: Bencher, durability: Durability) {
    let (_dir, spool) = spool(durability);
    let mut reader = spool.reader("in").expect("a reader");
    bencher
        .with_inputs(|| enqueue_one(&spool))
        .bench_local_values(|()| dequeue_one(&mut reader).remove().expect("a remove"));
}

#[divan::bench(args = LEVELS)]
fn save(bencher: Bencher, durability: Durability) {
    let (_dir, spool) = spool(durability);
    let mut reader = spool.reader("in").expect("a reader");
    bencher
        .with_inputs(|| {
            enqueue_one(&spool);
            dequeue_one(&mut reader)
        })
        .bench_local_values(|mut checkout| checkout.save("out").expect("a save"));
}

#[divan::bench(args = LEVELS)]
fn save_new_metadata(bencher: Bencher, durability: Durability) {
    let (_dir, spool) = spool(durability);
    let mut reader = spool.reader("in").expect("a reader");
    bencher
        .with_inputs(|| {
            enqueue_one(&spool);
            let mut checkout = dequeue_one(&mut reader);
            checkout.set_metadata(METADATA).expect("new metadata");
            checkout
        })
        .bench_local_values(|mut checkout| checkout.save("out").expect("a save"));
}
