//! Every call fails once: each system call of each operation is made to fail in turn, and what the operation
//! then says and leaves must be true. A program of its own, run by `tests/faults/run`; it runs itself anew as
//! the process whose calls fail.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: it may end at once, and traces its children"
)]

use std::process::ExitCode;

#[cfg(target_arch = "x86_64")]
mod suite;

#[cfg(target_arch = "x86_64")]
fn main() -> ExitCode {
    suite::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> ExitCode {
    println!("faults: the tracer knows the registers of x86_64 alone");
    ExitCode::from(77)
}
