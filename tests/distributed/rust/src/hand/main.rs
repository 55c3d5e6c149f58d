//! A hand: one process that does one thing to a spool, and tells its log of each call before and after it.
//!
//! ```sh
//! hand CONTROL NUMBER SPOOL reserve COUNT            # the names r-0, r-1 …, which other hands want too
//! hand CONTROL NUMBER SPOOL enqueue COUNT LINGER     # entries of its own; up to so many milliseconds between them
//! hand CONTROL NUMBER SPOOL work LIMIT LINGER        # so many (0: until it is stopped), each held up to so long
//! hand CONTROL NUMBER SPOOL keep                     # one, kept by the library while it is held
//! ```
//!
//! CONTROL is a local directory. The log is `NUMBER.log` in it. Hands begin when there is a file `go`, end when there is
//! `stop`, and hold the entry that they have while there is `NUMBER.hold`. Exit status: 75 a call failed, so that a new
//! hand should take this one's place; 1 something happened that must not.

mod log;

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use distributed::data_of;
use distributed::record::{Answer, Verb};
use log::Log;
use multispool::{Checkout, Dequeued, EnqueueOptions, ErrorKind, RecoverOptions, Spool};

const WAIT: Duration = Duration::from_millis(200);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [control, number, spool, verb, rest @ ..] = &arguments[..] else {
        bail!("usage: hand CONTROL NUMBER SPOOL VERB ARGUMENT...");
    };
    let log = Log::create(control, number)?;
    let rest: Vec<u64> = rest
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let spool = log.call(Verb::Open, "-", || {
        Spool::options().load(spool, ["incoming", "done"])
    })?;
    log.await_go();
    match (verb.as_str(), &rest[..]) {
        ("reserve", [count]) => reserve(&log, &spool, *count),
        ("enqueue", [count, linger]) => enqueue(&log, &spool, number, *count, *linger),
        ("work", [limit, linger]) => work(&log, &spool, *limit, *linger),
        ("keep", []) => keep(&log, &spool),
        _ => bail!("no such verb: {verb} {rest:?}"),
    }
}

fn linger(most: u64) {
    thread::sleep(Duration::from_millis(fastrand::u64(0..=most)));
}

fn reserve(log: &Log, spool: &Spool, count: u64) -> Result<()> {
    for i in 0..count {
        let name = format!("r-{i}");
        log.ask(Verb::Reserve, &name)?;
        match spool.reserve_name(&name) {
            Ok(_) => log.answer(Answer::Done, &name, "")?,
            Err(error) if error.kind() == ErrorKind::NameTaken => {
                log.answer(Answer::Refused, &name, "")?;
            }
            Err(error) => log.fail(&name, &error),
        }
    }
    Ok(())
}

/// Every other entry is one to be removed, the others are to be saved.
fn enqueue(log: &Log, spool: &Spool, number: &str, count: u64, most: u64) -> Result<()> {
    for i in 0..count {
        let name = format!("e-{number}-{i}");
        let end = if i % 2 == 0 { "save" } else { "remove" };
        log.call(Verb::Reserve, &name, || spool.reserve_name(&name))?;
        log.goes_on(Verb::Enqueue, &name, || {
            let options = EnqueueOptions::new().name(&name);
            let enqueued = spool.enqueue_with("incoming", end, data_of(&name).as_slice(), &options);
            enqueued.map(drop)
        })?;
        linger(most);
    }
    Ok(())
}

fn work(log: &Log, spool: &Spool, limit: u64, most: u64) -> Result<()> {
    let mut reader = spool.reader("incoming")?;
    let mut ended = 0;
    while !log.is_stopped() {
        log.ask(Verb::Dequeue, "-")?;
        match reader.dequeue(None, Some(WAIT)) {
            Ok(Dequeued::CheckedOut(checkout)) => {
                handle(log, checkout, most)?;
                ended += 1;
                if ended == limit {
                    break;
                }
            }
            Ok(_) => {
                log.answer(Answer::Nothing, "-", "")?;
                recover(log, spool)?;
            }
            Err(error) => log.fail("-", &error),
        }
    }
    Ok(())
}

fn recover(log: &Log, spool: &Spool) -> Result<()> {
    log.ask(Verb::Recover, "-")?;
    match spool.recover(&RecoverOptions::new()) {
        Ok(recovered) => {
            if let Some(error) = recovered.failures.first() {
                log.fail("-", error);
            }
            let count = recovered.entries.len().to_string();
            log.answer(Answer::Done, "-", &count)
        }
        Err(error) => log.fail("-", &error),
    }
}

fn handle(log: &Log, mut checkout: Checkout, most: u64) -> Result<()> {
    let name = checkout.name().to_string();
    log.answer(Answer::Done, &name, "")?;
    if !read(log, &checkout, &name)? {
        return Ok(());
    }
    linger(most);
    log.await_let_go();
    if fastrand::bool() && !log.goes_on(Verb::Renew, &name, || checkout.renew())? {
        return Ok(());
    }
    finish(log, &mut checkout, &name)
}

/// Whether the entry is still ours.
fn read(log: &Log, checkout: &Checkout, name: &str) -> Result<bool> {
    log.ask(Verb::Read, name)?;
    match checkout.data_file().load() {
        Ok(data) if data == data_of(name) => log.answer(Answer::Done, name, "")?,
        Ok(data) => log.answer(Answer::Torn, name, &String::from_utf8_lossy(&data))?,
        Err(error) if error.kind() == ErrorKind::LostOwnership => {
            log.answer(Answer::Lost, name, "")?;
            return Ok(false);
        }
        Err(error) => log.fail(name, &error),
    }
    Ok(true)
}

fn finish(log: &Log, checkout: &mut Checkout, name: &str) -> Result<()> {
    match checkout.metadata() {
        b"save" => log.goes_on(Verb::Save, name, || checkout.save("done"))?,
        b"remove" => log.goes_on(Verb::Remove, name, || checkout.remove())?,
        other => bail!("the metadata of {name} are {other:?}"),
    };
    Ok(())
}

fn keep(log: &Log, spool: &Spool) -> Result<()> {
    let mut reader = spool.reader("incoming")?;
    log.ask(Verb::Dequeue, "-")?;
    let mut checkout = reader
        .dequeue_available()?
        .context("there is nothing to keep")?;
    let name = checkout.name().to_string();
    log.answer(Answer::Done, &name, "")?;
    log.call(Verb::Keep, &name, || checkout.keep())?;
    log.await_let_go();
    finish(log, &mut checkout, &name)
}
