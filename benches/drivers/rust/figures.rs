//! What is measured, and how it is told.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Seconds of a clock that all processes share.
pub fn now() -> f64 {
    seconds(ClockId::Monotonic)
}

/// Seconds of the processor that this process has used.
pub fn cpu() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    Duration::try_from(clock_gettime(clock))
        .expect("a time after the beginning of the clock")
        .as_secs_f64()
}

/// A line of /proc/self/status: `VmHWM:` is the most memory so far, `VmRSS:` what is in use now.
pub fn resident_kb(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .expect("a number of KiB")
}

/// Durations in seconds.
#[derive(Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn add(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// In microseconds, of sorted samples.
    fn at(&self, percent: usize) -> f64 {
        let place = self.0.len() * percent / 100;
        self.0.get(place).map_or(0.0, |seconds| seconds * 1e6)
    }

    pub fn report(mut self, n: usize, began: f64, ended: f64, used: f64) {
        self.0.sort_unstable_by(f64::total_cmp);
        println!(
            "{{\"n\":{n},\"t0\":{began:.6},\"t1\":{ended:.6},\"cpu\":{used:.6},\"rss_kb\":{},\"p50us\":{:.1},\"p99us\":{:.1}}}",
            resident_kb("VmHWM:"),
            self.at(50),
            self.at(99)
        );
    }

    pub fn report_latency(mut self) {
        self.0.sort_unstable_by(f64::total_cmp);
        println!(
            "{{\"n\":{},\"min\":{:.1},\"p50\":{:.1},\"p99\":{:.1}}}",
            self.count(),
            self.at(0),
            self.at(50),
            self.at(99)
        );
    }
}
