//! A hostile spool directory: whatever another user of the group puts into a spool, before its workers come
//! or while they work, they touch nothing outside, do not hang, use up no memory, remove nothing that is not
//! an entry's, and go on with the good entries. A program of its own, run by `tests/hostile/run`.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: it may end at once, and forks"
)]

use std::process::ExitCode;

mod bounds;
mod child;
mod commands;
mod directories;
mod formats;
mod names;
mod operations;
mod planted;
mod races;
mod strikes;
mod suite;
mod things;
mod told;
mod traced;
mod yard;

use suite::Suite;

fn main() -> ExitCode {
    // SAFETY: it takes a number. Files are for their owner and the group.
    unsafe { libc::umask(0o007) };
    let mut suite = Suite::new();
    planted::run(&mut suite);
    directories::run(&mut suite);
    formats::run(&mut suite);
    names::run(&mut suite);
    bounds::run(&mut suite);
    strikes::run(&mut suite);
    races::run(&mut suite);
    println!(
        "{} plants; {} strikes; {} swaps against {} steps in races with seed {}; {}",
        suite.weeds,
        suite.strikes,
        suite.swaps,
        suite.steps,
        suite.seed,
        if yard::am_root() {
            "with what only root can plant"
        } else {
            "without what only root can plant: devices, and files of other users"
        }
    );
    println!(
        "hostile: {} passed, {} failed, 0 skipped",
        suite.passed, suite.failed
    );
    match suite.failed == 0 && suite.passed > 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
