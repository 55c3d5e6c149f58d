//! The typed interface on real files: widgets, their orders, and the three queues that they pass through.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end at once"
)]

mod data;
mod entry;
mod example;
mod expert;
mod monitor;
mod name;
mod reader;
mod spool;
mod throttle;
#[allow(dead_code, reason = "more is told of a tree than is asked here")]
#[path = "../core/tree.rs"]
mod tree;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use multispool::spoolable::{Data, Entry, Metadata, Naming};
use multispool::{
    Durability, Error, ErrorKind, Multispool, NameGenerator, Spool, Spoolable, Unlimited,
};
use tempfile::TempDir;

/// A kind of thing whose data is saved in ways of its own.
struct Widgets;

impl Spoolable for Widgets {
    type Metadata = Order;
    type Data = Widget;
    type Queue = Stage;
    type NameGenerator = Names;
    type Throttle = Unlimited;
}

multispool::queues! {
    enum Stage {
        Ordered => "ordered",
        Made => "made",
        Shipped => "shipped",
    }
}

/// Metadata of which not all bytes decode.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    serial_number: u32,
    customer: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no order")]
struct NoOrder(Vec<u8>);

impl Metadata for Order {
    type Error = NoOrder;

    fn to_bytes(&self) -> Vec<u8> {
        format!("{} {}", self.serial_number, self.customer).into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Order, NoOrder> {
        assert_ne!(bytes, b"panic", "asked to");
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let order = text.split_once(' ').and_then(|(number, customer)| {
            Some(Order {
                serial_number: number.parse().ok()?,
                customer: customer.to_owned(),
            })
        });
        order.ok_or_else(|| NoOrder(bytes.to_owned()))
    }
}

fn order(serial_number: u32, customer: &str) -> Order {
    Order {
        serial_number,
        customer: customer.to_owned(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sprocket,
    Cog,
}

/// A widget, and how it is saved.
#[derive(Clone)]
struct Widget {
    kind: Kind,
    save: fn(&[u8], &Path, &Path) -> io::Result<()>,
}

impl Data for Widget {
    type Error = io::Error;

    fn load(path: &Path) -> io::Result<Widget> {
        match &*fs::read(path)? {
            b"sprocket" => Ok(sprocket()),
            b"cog" => Ok(cog()),
            b"panic" => panic!("asked to"),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "no widget")),
        }
    }

    fn save(&self, path: &Path, temp_file: Option<&Path>) -> io::Result<()> {
        let text = match self.kind {
            Kind::Sprocket => "sprocket",
            Kind::Cog => "cog",
        };
        (self.save)(text.as_bytes(), path, temp_file.expect("it is given"))
    }
}

fn by_write(bytes: &[u8], path: &Path, _: &Path) -> io::Result<()> {
    fs::write(path, bytes)
}

fn sprocket() -> Widget {
    Widget {
        kind: Kind::Sprocket,
        save: by_write,
    }
}

fn cog() -> Widget {
    Widget {
        kind: Kind::Cog,
        save: by_write,
    }
}

/// `name-0`, `name-1`…
struct Names(&'static str);

impl NameGenerator for Names {
    fn next(&self, attempt: u32) -> OsString {
        format!("{}-{attempt}", self.0).into()
    }
}

/// A new spool, without syncs, in a temporary directory of its own.
fn new_spool() -> (TempDir, Multispool<Widgets>) {
    let dir = tempfile::tempdir().unwrap();
    let spool = Multispool::options()
        .spool(Spool::options().durability(Durability::None))
        .create_if_missing(true)
        .load(dir.path().join("spool"))
        .unwrap();
    (dir, spool)
}

/// Orders a cog of number 7 for Ada.
fn ordered(spool: &Multispool<Widgets>) -> Entry<Widgets> {
    let naming = Naming::Reserve(&Names("widget"));
    spool
        .enqueue(Stage::Ordered, &order(7, "Ada"), &cog(), naming)
        .unwrap()
}

/// An entry whose metadata is no order, made by a process that knows nothing of types.
fn undecodable(spool: &Multispool<Widgets>, name: &str, metadata: &str) -> Entry<Widgets> {
    let untyped = spool.untyped();
    let name = untyped.reserve_name(name).unwrap();
    let options = multispool::EnqueueOptions::new().name(&name);
    untyped
        .enqueue_with("ordered", metadata, "cog", &options)
        .unwrap();
    Entry::create(spool, Stage::Ordered, name).unwrap()
}

/// The names in each queue, `!` before those that are checked out.
fn names(spool: &Multispool<Widgets>) -> [Vec<String>; 3] {
    [Stage::Ordered, Stage::Made, Stage::Shipped].map(|stage| {
        let waiting = spool.list(stage).unwrap();
        let waiting = waiting.map(|entry| entry.unwrap().name().to_string());
        let dirname = multispool::spoolable::Queue::to_dirname(&stage);
        let taken = spool.untyped().list_checkout_names(dirname).unwrap();
        let taken = taken.map(|name| format!("!{}", name.unwrap()));
        waiting.chain(taken).collect()
    })
}

/// That nobody owns the entries: a recover has nothing to return, and each can be taken.
#[track_caller]
fn must_be_free(entry: &Entry<Widgets>) {
    let checkout = entry.untyped().try_checkout().unwrap();
    checkout.expect("it can be taken").release().unwrap();
}

/// The error of a call that must fail so, about this path.
#[track_caller]
fn must_fail<T>(result: Result<T, Error>, kind: ErrorKind, path: impl AsRef<Path>) -> Error {
    let error = match result {
        Ok(_) => panic!("it must fail as {kind:?}, and succeeded"),
        Err(error) => error,
    };
    let path = path.as_ref();
    assert_eq!((error.kind(), error.path()), (kind, Some(path)), "{error}");
    let sentence = format!("{} {}: ", error.operation(), path.display());
    assert!(error.to_string().starts_with(&sentence), "{error}");
    error
}

/// The caller's own error that this one tells of.
fn inner<E: std::error::Error + 'static>(error: &Error) -> &E {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

/// `f` must panic as it was asked to, and not for a reason of its own.
#[track_caller]
fn must_panic<T>(f: impl FnOnce() -> T) {
    let panic = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("it must panic"),
        Err(panic) => panic,
    };
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or(panic.downcast_ref::<&str>().copied());
    let words = words.expect("a panic with words");
    assert!(words.contains("asked to"), "{words}");
}
