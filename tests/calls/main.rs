//! How many system calls each operation makes, and how many instructions the two that matter most, against what
//! `expected.txt` and docs/performance.md say. `tests/calls/run` builds this and runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may end at once, and tells what it does"
)]

mod blindness;
mod counts;
mod expected;
mod instructions;
mod operate;
mod page;
mod suite;
mod through_c;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((verb, rest)) if verb == operate::VERB => operate::run(rest),
        Some((verb, rest)) if verb == "check" => suite::run(rest),
        _ => {
            eprintln!("calls: started by tests/calls/run");
            ExitCode::from(2)
        }
    }
}
