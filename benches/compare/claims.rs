//! Counts the claims of competing consumers that failed, by the system calls that they are made of.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::driver::Place;

const CONSUMERS: usize = 8;

/// The part of the claims of eight consumers that came to nothing: the lock was held, or the name was gone. `None` where
/// nothing may be traced. That they are traced makes them slower, all alike.
pub fn failed(place: &Place, n: f64, dir: &Path) -> Result<Option<f64>, Box<dyn Error>> {
    let probe = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let trace = |number| dir.join(format!("claims.{number}"));
    let mut started = Vec::new();
    for number in 0..CONSUMERS {
        let command = place.command("get", &[n]);
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "--seccomp-bpf", "-e", "trace=fcntl,openat", "-o"])
            .arg(trace(number))
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args())
            .stdout(Stdio::null());
        started.push(strace.spawn()?);
    }
    for mut consumer in started {
        if !consumer.wait()?.success() {
            return Err("a consumer failed under strace".into());
        }
    }
    let mut failures = 0.0;
    for number in 0..CONSUMERS {
        let calls = fs::read_to_string(trace(number))?;
        failures += calls.lines().filter(|call| is_failed_claim(call)).count() as f64;
    }
    Ok(Some(failures / (n + failures)))
}

/// A lock that is held, or a file that is opened by its entry's name, which is for writing only in the registry, and is gone.
fn is_failed_claim(call: &str) -> bool {
    let lock = call.contains("F_OFD_SETLK") && call.contains("EAGAIN");
    let gone = call.contains("openat(") && call.contains("O_RDWR") && call.contains("ENOENT");
    lock || gone
}
