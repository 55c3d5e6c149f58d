//! The machine that was measured.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

/// In one sentence.
pub fn description(dir: &Path) -> Result<String, Box<dyn Error>> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then_some(value.trim())
    });
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kb: f64 = memory
        .split_whitespace()
        .nth(1)
        .ok_or("no memory")?
        .parse()?;
    Ok(format!(
        "{} × {}, {:.0} GiB of memory, Linux {}; {}",
        thread::available_parallelism()?,
        model.unwrap_or("a processor without a name"),
        kb / 1024.0 / 1024.0,
        fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        file_system(dir)?
    ))
}

fn file_system(dir: &Path) -> Result<String, Box<dyn Error>> {
    let told = Command::new("findmnt")
        .args(["--noheadings", "--output", "FSTYPE,OPTIONS", "--target"])
        .arg(dir)
        .output()?;
    let told = String::from_utf8(told.stdout)?;
    let mut words = told.split_whitespace();
    let (kind, options) = (words.next(), words.next());
    Ok(format!(
        "{} ({}){}",
        kind.unwrap_or("an unknown file system"),
        options.unwrap_or("options unknown"),
        std::env::var("BENCH_PLACE").map_or(String::new(), |place| format!(" on {place}"))
    ))
}
