//! The thread that renews the leases of those who asked for it. It runs while there is one.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::lease::Held;
use crate::sys::fork::PerProcess;
use crate::sys::sync::lock;
use crate::sys::thread;

const RENEW: &str = "renew a lease";

static KEEPER: PerProcess<Keeper> = PerProcess::new();

#[derive(Default)]
struct Keeper {
    kept: Mutex<Kept>,
    is_new: Condvar,
}

#[derive(Default)]
struct Kept {
    leases: Vec<Kind>,
    runs: bool,
}

struct Kind {
    lease: Weak<Held>,
    /// Not before, after a renewal that failed.
    not_before: Instant,
}

/// Renews the lease each quarter of its time until it ends.
pub(super) fn keep(lease: &Arc<Held>) -> io::Result<()> {
    let keeper = KEEPER.get(Keeper::default);
    let mut kept = lock(&keeper.kept);
    let is_kept = |kind: &Kind| kind.lease.as_ptr() == Arc::as_ptr(lease);
    if kept.leases.iter().any(is_kept) {
        return Ok(());
    }
    if !kept.runs {
        thread::spawn_without_signals("multispool-lease", move || run(keeper))?;
        kept.runs = true;
    }
    kept.leases.push(Kind {
        lease: Arc::downgrade(lease),
        not_before: Instant::now(),
    });
    keeper.is_new.notify_one();
    Ok(())
}

fn run(keeper: &'static Keeper) {
    let mut kept = lock(&keeper.kept);
    loop {
        let is_kept = |kind: &Kind| kind.lease.upgrade().is_some_and(|lease| !lease.is_over());
        kept.leases.retain(is_kept);
        let next = kept.leases.iter().filter_map(|kind| {
            let lease = kind.lease.upgrade()?;
            Some((lease.due().max(kind.not_before), lease))
        });
        let Some((due, lease)) = next.min_by_key(|(due, _)| *due) else {
            kept.runs = false;
            return;
        };
        let pause = due.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            drop(lease);
            kept = wait(keeper, kept, pause);
            continue;
        }
        drop(kept);
        // Lost or failed, its holder is told at its own next call.
        let renewed = lease.renew(RENEW);
        kept = lock(&keeper.kept);
        if renewed.is_err() {
            let again = Instant::now() + lease.length() / 16;
            for kind in &mut kept.leases {
                if kind.lease.as_ptr() == Arc::as_ptr(&lease) {
                    kind.not_before = again;
                }
            }
        }
    }
}

fn wait<'a>(
    keeper: &Keeper,
    kept: std::sync::MutexGuard<'a, Kept>,
    pause: Duration,
) -> std::sync::MutexGuard<'a, Kept> {
    let waited = keeper.is_new.wait_timeout(kept, pause);
    waited.unwrap_or_else(PoisonError::into_inner).0
}
