//! A durable queue that is only a directory: many processes hand work to each other through files, with
//! no server.
//!
//! One process [enqueues](Spool::enqueue) metadata and data. Another takes the entry out of its queue, by
//! a [reader](Spool::reader) or by [name](Entry::checkout); nobody else can have it then. It works, and
//! [saves](Checkout::save) the entry to a queue or [removes](Checkout::remove) it.
//!
//! ```
//! use multispool::{Dequeued, Spool};
//! # fn main() -> multispool::Result<()> {
//! # let dir = tempfile::tempdir().expect("a temporary directory");
//! # let dir = dir.path().join("spool");
//! let spool = Spool::create(&dir, ["incoming", "done"])?;
//! spool.enqueue("incoming", "from: a@example.org", b"a letter")?;
//!
//! let mut reader = spool.reader("incoming")?;
//! if let Dequeued::CheckedOut(mut letter) = reader.dequeue(None, None)? {
//!     assert_eq!(letter.metadata(), b"from: a@example.org");
//!     assert_eq!(letter.data_file().load()?, b"a letter");
//!     letter.save("done")?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! This works on bytes. For metadata, data and queues in types of your own there is [`Multispool`].
//!
//! # Promises
//!
//! * By default ([`Durability::Full`]) what an operation has acknowledged survives the loss of power, on
//!   file systems that journal renames: ext4 with a journal, xfs, btrfs.
//! * An entry is visible whole or not at all, and in one place at most.
//! * An entry whose owner died goes to the next worker by [`Spool::recover`]; a slow owner's does not.
//!   A worker may thus see an entry again that it had begun with: handlers must be able to run again.
//!
//! # Caveats
//!
//! * Ownership is a lock that ends with the process. Where processes that take no locks share the spool
//!   (the original implementation), a free lock proves nothing: create it with [`Owners::Mixed`].
//! * A [`Spool`] works in a forked child. Readers and checkouts belong to the process that made them and
//!   answer [`ErrorKind::Forked`] in a child, which neither keeps the parent's ownership alive nor
//!   takes its arrivals.
//! * A spool is for the processes of one host, unless it was created with [`Mode::Network`] on a file system that
//!   hosts share. There ownership is a lease, which its holder renews ([`Checkout::renew`], [`Checkout::keep`]); a
//!   handler that is called by this library has it renewed.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod batch;
mod by_path;
mod checkout;
mod contents;
mod data_file;
mod durability;
mod enqueue;
mod entry;
mod error;
#[cfg(feature = "capi")]
mod ffi;
mod format;
mod layout;
mod leaving;
mod listing;
mod monitor;
mod moves;
mod name;
mod omit;
mod outcome;
mod ownership;
mod reader;
mod recovery;
mod registry;
mod scratch;
mod spool;
pub mod spoolable;
mod stats;
mod stop;
mod sys;
mod throttle;
mod watch;

pub use batch::Batch;
pub use checkout::{Checkout, CheckoutNames, Checkouts};
pub use data_file::{DataFile, DataWriter, Source};
pub use durability::Durability;
pub use enqueue::{EnqueueOptions, EnqueueWriter};
pub use entry::{Direct, Entries, Entry};
pub use error::{Error, ErrorKind, Result};
pub use format::{FORMAT_VERSION, Format, Mode, Owners};
pub use monitor::daemon::{Daemon, DaemonSpec, Watched};
pub use monitor::event::Event;
pub use monitor::limits::Limits;
pub use monitor::problem::{Dir, FileWithMtime, Mend, Problem, Severity};
pub use monitor::{Monitor, MonitorSpec};
pub use name::{EntryName, MAX_NAME_BYTES, NameGenerator, QueueName, TimeNames};
pub use outcome::Outcome;
pub use reader::{Dequeued, DequeuedMany, QueueReader, ReaderOptions};
pub use recovery::recover::{RecoverOptions, Recovered};
pub use recovery::repair::{RepairAction, RepairOptions, RepairPlan, RepairStep, Repaired};
pub use spool::doctor::Checkup;
pub use spool::probe::Finding;
pub use spool::{Spool, SpoolOptions};
pub use spoolable::{Multispool, Spoolable};
pub use stats::{QueueStats, Stats, StatsOptions};
pub use stop::Stop;
pub use throttle::{AtMost, Throttle, Unlimited};
