//! Times as C has them: whole numbers, with their unit in the name of what gives them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whole milliseconds, none too few, so that who waits so long has waited long enough; the most that there
/// are for a span beyond 63 bits of them.
pub(super) fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// Nanoseconds since 1970; the nearest that there is for a time beyond 64 bits of them.
pub(super) fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanoseconds| -nanoseconds)
        }
    }
}
