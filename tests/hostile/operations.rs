//! Every operation of the library, as a worker of the group does it.

use std::path::Path;
use std::time::Duration;

use multispool::{
    Checkout, DataFile, Dequeued, EnqueueOptions, Entry, Error, ErrorKind, Limits, Outcome,
    QueueName, QueueReader, RecoverOptions, RepairOptions, Spool, StatsOptions,
};

use crate::told::Teller;
use crate::yard::options;

/// What an operation must do for the entries beside a bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Takes all that wait, and reports those that it cannot.
    Takes,
    /// As `Takes`, and opens the data of each: what cannot be opened goes back, and is reported.
    Runs,
    /// Reads the metadata of all that wait.
    Reads,
    /// Returns all that dead owners hold.
    Recovers,
    /// Names all that is wrong.
    Names,
    /// Works, whatever else is there.
    Works,
}

pub struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    pub run: fn(&Spool, &mut Teller<'_>) -> Result<(), Error>,
}

impl Operation {
    /// Does it on a spool, if that could be opened.
    pub fn begin(&self, opened: Result<Spool, Error>, told: &mut Teller<'_>) {
        if let Err(error) = opened.and_then(|spool| (self.run)(&spool, told)) {
            told.failed(&error);
        }
    }
}

#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "load", kind: Kind::Works, run: |spool, _| open(spool.dir()).map(drop) },
    Operation { name: "create", kind: Kind::Works, run: |spool, _| options().create(spool.dir(), ["in", "out", "new"]).map(drop) },
    Operation { name: "list", kind: Kind::Works, run: list },
    Operation { name: "stat", kind: Kind::Works, run: stat },
    Operation { name: "direct-contents", kind: Kind::Reads, run: direct_contents },
    Operation { name: "direct-data", kind: Kind::Works, run: direct_data },
    Operation { name: "direct-save", kind: Kind::Works, run: direct_save },
    Operation { name: "direct-remove", kind: Kind::Works, run: direct_remove },
    Operation { name: "checkout-release", kind: Kind::Takes, run: |spool, told| each_checkout(spool, told, Checkout::release) },
    Operation { name: "checkout-save", kind: Kind::Takes, run: |spool, told| each_checkout(spool, told, |checkout| checkout.save("out")) },
    Operation { name: "checkout-update-save", kind: Kind::Takes, run: |spool, told| each_checkout(spool, told, update_and_save) },
    Operation { name: "checkout-data-save", kind: Kind::Takes, run: |spool, told| each_checkout(spool, told, save_data) },
    Operation { name: "checkout-remove", kind: Kind::Takes, run: |spool, told| each_checkout(spool, told, Checkout::remove) },
    Operation { name: "with-entry", kind: Kind::Takes, run: with_entry },
    Operation { name: "dequeue-available", kind: Kind::Takes, run: dequeue_available },
    Operation { name: "dequeue", kind: Kind::Takes, run: dequeue },
    Operation { name: "iter-available", kind: Kind::Takes, run: iter_available },
    Operation { name: "list-checkouts-save", kind: Kind::Works, run: list_checkouts },
    Operation { name: "recover", kind: Kind::Recovers, run: recover },
    Operation { name: "problems", kind: Kind::Names, run: problems },
    Operation { name: "repair", kind: Kind::Works, run: |spool, told| repair(spool, told, RepairOptions::new()) },
    Operation { name: "repair-to", kind: Kind::Works, run: |spool, told| repair(spool, told, RepairOptions::new().to(spool.dir().with_file_name("tmp").join("lost"))) },
    Operation { name: "stats", kind: Kind::Works, run: |spool, _| spool.stats(&StatsOptions::new().bytes(true)).map(drop) },
    Operation { name: "enqueue", kind: Kind::Works, run: |spool, _| spool.enqueue("in", "new", "new").map(drop) },
    Operation { name: "enqueue-reserved", kind: Kind::Works, run: enqueue_reserved },
];

pub fn open(dir: &Path) -> Result<Spool, Error> {
    options().load(dir, ["in", "out"])
}

fn names(spool: &Spool) -> Result<Vec<Entry>, Error> {
    spool.list("in")?.collect()
}

fn list(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        told.had(entry.name());
    }
    for name in spool.list_checkout_names("in")? {
        told.had(name?);
    }
    Ok(())
}

fn stat(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        told.either(entry.name(), entry.stat());
    }
    Ok(())
}

fn direct_contents(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        if let Some(contents) = told.either(entry.name(), entry.direct().contents()) {
            told.saw(&contents);
        }
    }
    Ok(())
}

fn direct_data(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        let data = entry.direct().data_file();
        if let Some(contents) = told.either(entry.name(), data.load()) {
            told.saw(&contents);
        }
        look_at(&data, told);
    }
    Ok(())
}

fn direct_save(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        told.either(entry.name(), entry.direct().save("changed"));
        told.either(entry.name(), entry.direct().data_file().save("changed"));
    }
    Ok(())
}

fn direct_remove(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        told.either(entry.name(), entry.direct().remove());
    }
    Ok(())
}

/// Opens and reads data in each way that a handler has.
pub fn look_at(data: &DataFile, told: &mut Teller<'_>) {
    match data.open() {
        Ok(mut file) => told.saw_all(&mut file),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => told.bad(&error),
    }
    // What `open` has told is not told again.
    let _ = data.stat();
}

fn look(checkout: &Checkout, told: &mut Teller<'_>) {
    told.saw(checkout.metadata());
    look_at(&checkout.data_file(), told);
}

fn each_checkout(
    spool: &Spool,
    told: &mut Teller<'_>,
    end: impl Fn(&mut Checkout) -> Result<(), Error>,
) -> Result<(), Error> {
    for entry in names(spool)? {
        match entry.try_checkout() {
            Ok(Some(mut checkout)) => {
                look(&checkout, told);
                told.either(entry.name(), end(&mut checkout));
            }
            Ok(None) => {}
            Err(error) => told.bad(&error),
        }
    }
    Ok(())
}

fn update_and_save(checkout: &mut Checkout) -> Result<(), Error> {
    checkout.update(|metadata| [metadata, b" changed"].concat())?;
    checkout.save("out")
}

fn save_data(checkout: &mut Checkout) -> Result<(), Error> {
    checkout.data_file().save("changed")?;
    checkout.save("out")
}

/// To the other queue, as it is.
fn onwards() -> Outcome {
    Outcome::Save {
        queue: QueueName::new("out").unwrap(),
        metadata: None,
    }
}

fn with_entry(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for entry in names(spool)? {
        let had = entry.try_with_entry(|metadata, data| {
            told.saw(metadata);
            look_at(data, told);
            Ok::<_, Error>((onwards(), ()))
        });
        match had {
            Ok(Some(())) => told.had(entry.name()),
            Ok(None) => {}
            Err(error) => told.bad(&error),
        }
    }
    Ok(())
}

/// Ends what a reader gave.
fn serve(checkout: &mut Checkout, told: &mut Teller<'_>) {
    look(checkout, told);
    let name = checkout.name().clone();
    told.either(name, checkout.save("out"));
}

/// As every worker does: a bad entry is told, and any other failure ends the work.
fn dequeue_available(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    let mut reader = spool.reader("in")?;
    loop {
        match reader.dequeue_available() {
            Ok(Some(mut checkout)) => serve(&mut checkout, told),
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Corrupt => told.bad(&error),
            Err(error) => return Err(error),
        }
    }
}

fn dequeue(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    let mut reader = spool.reader("in")?;
    loop {
        match reader.dequeue(None, Some(Duration::from_millis(200))) {
            Ok(Dequeued::CheckedOut(mut checkout)) => serve(&mut checkout, told),
            Ok(Dequeued::TimedOut | Dequeued::Stopped) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Corrupt => told.bad(&error),
            Err(error) => return Err(error),
        }
    }
}

fn iter_available(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    let mut reader = spool.reader("in")?;
    loop {
        match pass(&mut reader, told) {
            Ok(()) => break,
            Err(error) if error.kind() == ErrorKind::Corrupt => told.bad(&error),
            Err(error) => return Err(error),
        }
    }
    // The handler is not told the names: they are where it saved them.
    for entry in spool.list("out")? {
        told.had(entry?.name());
    }
    Ok(())
}

fn pass(reader: &mut QueueReader, told: &mut Teller<'_>) -> Result<(), Error> {
    reader.iter_available(|metadata, data| {
        told.saw(metadata);
        look_at(data, told);
        Ok::<_, Error>(onwards())
    })
}

fn list_checkouts(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for checkout in spool.list_checkouts_unsafe("in")? {
        match checkout {
            Ok(mut checkout) => serve(&mut checkout, told),
            Err(error) => told.bad(&error),
        }
    }
    Ok(())
}

fn recover(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    let recovered = spool.recover(&RecoverOptions::new())?;
    for entry in recovered.entries {
        told.had(entry.name());
    }
    for error in recovered.failures {
        told.bad(&error);
    }
    Ok(())
}

fn problems(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    for problem in spool.problems(&Limits::new())? {
        for place in problem.places() {
            let path = spool
                .dir()
                .join(place.name_on_disk())
                .join(&problem.file().filename);
            let found = format!("{} {}", problem.kind(), path.display());
            told.had(found);
        }
    }
    Ok(())
}

fn repair(spool: &Spool, told: &mut Teller<'_>, options: RepairOptions) -> Result<(), Error> {
    let plan = spool.repair(&options.min_age(Duration::ZERO))?;
    let repaired = plan.apply()?;
    for step in repaired.steps {
        told.had(step.filename.display());
    }
    for error in repaired.failures {
        told.bad(&error);
    }
    Ok(())
}

/// Names that were reserved long ago, under some of which somebody has put something since.
fn enqueue_reserved(spool: &Spool, told: &mut Teller<'_>) -> Result<(), Error> {
    let registry = spool.dir().join(".registry");
    let is_there = registry
        .symlink_metadata()
        .is_ok_and(|about| about.is_dir());
    let reserved = is_there.then(|| std::fs::read_dir(registry).into_iter().flatten());
    for name in reserved
        .into_iter()
        .flatten()
        .map(|found| found.unwrap().file_name())
    {
        let options = EnqueueOptions::new().name(&name);
        let enqueued = spool.enqueue_with("out", "new", "new", &options);
        told.either(name.display(), enqueued);
    }
    Ok(())
}
