//! Instructions of an operation outside the kernel, as valgrind's callgrind counts them: the same on every machine of one
//! kind, but for the compiler's moods, which the tolerance is for.

use std::path::Path;

use crate::operate::Operation;
use crate::trace::{Run, succeed};

/// Where the system calls are the least of it.
pub const COUNTED: [Operation; 4] = [
    Operation::Enqueue,
    Operation::DequeueAndRemove,
    Operation::EnqueueThroughC,
    Operation::DequeueAndRemoveThroughC,
];
pub const DURABILITY: &str = "none";

const TIMES: u64 = 200;
/// In percent.
const TOLERANCE: u64 = 5;

/// Of one operation: many of them, less none of them.
pub fn count(run: Run<'_>, dir: &Path) -> Result<u64, String> {
    let counted = |times| {
        let room = tempfile::tempdir_in(dir).map_err(|error| error.to_string())?;
        let tool = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
        ];
        let told = succeed(run.command(&tool, room.path(), [TIMES, times]))?;
        // ==PID== Collected : 123456
        let collected = told
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        let (_, count) = collected.ok_or_else(|| format!("callgrind told no count: {told}"))?;
        count
            .trim()
            .parse::<u64>()
            .map_err(|error| error.to_string())
    };
    Ok(counted(TIMES)?.saturating_sub(counted(0)?) / TIMES)
}

pub fn is_near(counted: u64, expected: u64) -> bool {
    counted.abs_diff(expected) * 100 <= expected * TOLERANCE
}
