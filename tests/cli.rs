//! The `multispool` command, driven as a script would drive it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "cli/bad_spools.rs"]
mod bad_spools;
#[path = "cli/binary.rs"]
mod binary;
#[path = "cli/bytes.rs"]
mod bytes;
#[path = "cli/dequeue.rs"]
mod dequeue;
#[path = "cli/documented.rs"]
mod documented;
#[path = "cli/enqueue.rs"]
mod enqueue;
#[path = "cli/entries.rs"]
mod entries;
#[path = "cli/failing_sync.rs"]
mod failing_sync;
#[path = "cli/monitor.rs"]
mod monitor;
#[path = "cli/names.rs"]
mod names;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/terminal.rs"]
mod terminal;
