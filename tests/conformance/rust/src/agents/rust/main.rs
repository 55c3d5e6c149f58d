//! The conformance suite's agent for Rust: does each step by the public API.

mod checkouts;
mod entries;
mod hands;
mod readers;
mod spools;
mod watch;

use std::io::{BufRead, Write};

use anyhow::{Result, bail};
use conformance::Line;

use hands::Hands;

fn main() -> Result<()> {
    let mut hands = Hands::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let step = Line::parse(&line?)?;
        let answer = act(&mut hands, &step).unwrap_or_else(|error| failure(&error));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// Does one step.
fn act(hands: &mut Hands, step: &Line) -> Result<Line> {
    match step.word.as_str() {
        "agent" => Ok(ok().with("language", "Rust")),
        "reset" => {
            *hands = Hands::default();
            Ok(ok())
        }
        "create" | "load" | "load_unsafe" => spools::open(hands, step),
        "discover" => spools::discover(step),
        "describe" => spools::describe(hands, step),
        "recover" => spools::recover(hands, step),
        "plan" => spools::plan(hands, step),
        "apply" => spools::apply(hands, step),
        "stats" => spools::stats(hands, step),
        "close" => hands.close(step),
        "reserve" => entries::reserve(hands, step),
        "enqueue" => entries::enqueue(hands, step),
        "begin_enqueue" => entries::begin(hands, step),
        "list" => entries::list(hands, step),
        "entry" => entries::entry(hands, step),
        "stat" => entries::stat(hands, step),
        "direct_contents" => entries::direct_contents(hands, step),
        "direct_save" => entries::direct_save(hands, step),
        "direct_remove" => entries::direct_remove(hands, step),
        "with_entry" | "try_with_entry" => entries::with_entry(hands, step),
        "write" => checkouts::write(hands, step),
        "commit" => checkouts::commit(hands, step),
        "begin_data" => checkouts::begin_data(hands, step),
        "list_checkouts" => checkouts::list(hands, step),
        "checkout" | "try_checkout" => checkouts::take(hands, step),
        "show" => checkouts::show(hands, step),
        "update" => checkouts::update(hands, step),
        "save" | "remove" | "release" => checkouts::finish(hands, step),
        "drop" => hands.drop_checkout(step),
        "data_path" | "data_load" | "data_stat" | "data_save" => checkouts::data(hands, step),
        "reader" => readers::reader(hands, step),
        "dequeue" => readers::dequeue(hands, step),
        "dequeue_available" => readers::dequeue_available(hands, step),
        "each" | "each_available" => readers::each(hands, step),
        "stop" => readers::stop(hands, step),
        "trigger" => readers::trigger(hands, step),
        "problems" => watch::problems(hands, step),
        "monitor" => watch::monitor(hands, step),
        "run_once" => watch::run_once(hands, step),
        "daemon" => watch::daemon(hands, step),
        "next" => watch::next(hands, step),
        "limits_json" | "limits_from_json" | "spec_from_json" | "daemon_json" => watch::json(step),
        other => bail!("unknown step '{other}'"),
    }
}

/// The answer to what is done.
fn ok() -> Line {
    Line::new("OK")
}

fn failure(error: &anyhow::Error) -> Line {
    let status = error
        .downcast_ref::<multispool::Error>()
        .map_or_else(|| "ERROR".to_owned(), status);
    Line::new(status).with("message", format!("{error:#}"))
}

/// The status that an error has over the C ABI: the kind's words in capitals.
fn status(error: &multispool::Error) -> String {
    let mut status = String::new();
    for letter in format!("{:?}", error.kind()).chars() {
        if letter.is_uppercase() && !status.is_empty() {
            status.push('_');
        }
        status.push(letter.to_ascii_uppercase());
    }
    status
}
