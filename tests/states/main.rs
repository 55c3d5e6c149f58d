//! Crash states: each operation's system calls are recorded, every state that a file system may be in after a loss
//! of power at any point of them is made on a real file system, and what was promised is looked for in it.
//!
//! `tests/states/run` builds this and runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may end at once, and tells what it does"
)]

mod aftermath;
mod blind;
mod call;
mod case;
mod cuts;
mod enumerate;
mod fate;
mod history;
mod known;
mod observe;
mod operate;
mod operations;
mod promise;
mod record;
mod sequel;
mod suite;
mod tree;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<_> = arguments.collect();
    match verb.to_str() {
        Some("check") => suite::run(&rest),
        Some(operate::VERB) => operate::run(&rest),
        _ => {
            eprintln!("states: started by tests/states/run");
            ExitCode::from(2)
        }
    }
}
