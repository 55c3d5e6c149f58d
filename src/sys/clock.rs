//! Wall-clock time: names carry it, and ages are told against it.

use std::fmt::{self, Display, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in UTC, as `YYYYMMDDTHHMMSS.mmmmmmZ`: of fixed width, and ordered as time is.
pub(crate) fn utc_stamp() -> impl Display {
    Stamp(SystemTime::now())
}

struct Stamp(SystemTime);

impl Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Bare(f), "{}", humantime::format_rfc3339_micros(self.0))
    }
}

/// Leaves out what is between the numbers.
struct Bare<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Bare<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.split(['-', ':'])
            .try_for_each(|part| self.0.write_str(part))
    }
}

/// A file's time; that of an earlier one counts as 1970. How wide the numbers are differs by architecture.
pub(crate) fn since_1970<S: TryInto<u64>, N: TryInto<u32>>(seconds: S, nanoseconds: N) -> Duration {
    let seconds = seconds.try_into().unwrap_or(0);
    Duration::new(seconds, nanoseconds.try_into().unwrap_or(0))
}

/// How long ago a file's time was; zero if it lies in the future.
pub(crate) fn age(since_1970: Duration) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    now.saturating_sub(since_1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_of_one_width_and_ordered_as_time_is() {
        let at = |seconds, micros| {
            Stamp(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros))
                .to_string()
        };
        assert_eq!(at(0, 0), "19700101T000000.000000Z");
        assert_eq!(at(951_782_400, 7), "20000229T000000.000007Z");
        assert!(at(1_796_090_400, 999_999) < at(1_796_090_401, 0));
    }
}
