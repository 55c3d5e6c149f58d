//! The public interface of the core, on real files: what each operation promises, what is on disk after
//! it, and what is left alone when it fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end at once"
)]

mod batch;
mod checkout;
mod data_file;
mod enqueue;
mod fork;
mod monitor;
mod network;
mod original;
mod permissions;
mod processes;
mod reader;
mod recover;
mod repair;
mod spool;
mod tree;

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use multispool::{Durability, Error, ErrorKind, Spool};
use tempfile::TempDir;

/// A new spool with these queues, without syncs, in a temporary directory of its own.
fn new_spool(queues: &[&str]) -> (TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), queues)
        .unwrap();
    (dir, spool)
}

/// Enqueues an entry of each name, with the metadata `metadata` and the data `data`.
fn named(spool: &Spool, queue: &str, names: &[&str]) {
    for name in names {
        let name = spool.reserve_name(name).unwrap();
        let options = multispool::EnqueueOptions::new().name(&name);
        spool
            .enqueue_with(queue, "metadata", "data", &options)
            .unwrap();
    }
}

/// Sets a flag when it goes out of scope, also by a panic: threads that work until then end, and a test
/// that fails does not hang.
struct AtEnd<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// The error of a call that must fail so; its sentence must begin with the operation and name the path.
#[track_caller]
fn must_fail<T>(
    result: Result<T, Error>,
    kind: ErrorKind,
    path: impl AsRef<Path>,
    errno: Option<i32>,
) -> Error {
    let error = match result {
        Ok(_) => panic!("it must fail as {kind:?}, and succeeded"),
        Err(error) => error,
    };
    let path = path.as_ref();
    assert_eq!(
        (error.kind(), error.path(), error.errno()),
        (kind, Some(path), errno),
        "{error}"
    );
    let sentence = format!("{} {}: ", error.operation(), path.display());
    assert!(error.to_string().starts_with(&sentence), "{error}");
    error
}

/// The result of `f`, which must not take longer than a minute: a hang is a failure, not a stuck run.
#[track_caller]
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        // Fails only where nobody waits any more.
        let _ = send.send(f());
    });
    match receive.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Ok(()) => unreachable!("it sends before it ends"),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}
