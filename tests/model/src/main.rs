//! The protocol of multispool, model-checked: every order in which the system calls of several processes can
//! come, and every moment at which one of them can die. See README.md.
//!
//! `MODEL_LONG=1` takes the larger bounds, `MODEL_ONLY=NAME` the models whose name begins so, and
//! `MODEL_TRACES=1` tells every counterexample step by step.

mod check;
mod leases;
mod mixed;
mod names;
mod ownership;
mod reached;
mod readers;
mod repair;
mod spool;
mod wakeup;

use std::process::ExitCode;

fn main() -> ExitCode {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get().min(8));
    let traces = set("MODEL_TRACES").is_some();
    let mut checks = check::Checks::new(set("MODEL_ONLY"), traces, threads);
    let long = set("MODEL_LONG").is_some();
    ownership::check(&mut checks, long);
    names::check(&mut checks, long);
    repair::check(&mut checks, long);
    mixed::check(&mut checks, long);
    wakeup::check(&mut checks, long);
    leases::check(&mut checks, long);
    match checks.end() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
