//! Figures of calls.

use crate::chronicle::Call;

/// From the first beginning to the last end, in seconds.
pub fn span<'a>(calls: impl IntoIterator<Item = &'a Call>) -> f64 {
    let (mut first, mut last) = (u64::MAX, 0);
    for call in calls {
        first = first.min(call.begun);
        last = last.max(call.end.as_ref().map_or(0, |end| end.at));
    }
    last.saturating_sub(first) as f64 / 1e9
}

pub fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// The ends of entries that were acknowledged.
pub fn ends(calls: &[Call]) -> Vec<&Call> {
    calls
        .iter()
        .filter(|call| call.finishes() && call.done().is_some())
        .collect()
}

/// The longest time in which no end was acknowledged, in seconds, among those that reach into a time.
pub fn longest_pause(calls: &[Call], from: u64, to: u64) -> f64 {
    let mut times: Vec<u64> = ends(calls).into_iter().filter_map(Call::done).collect();
    times.sort_unstable();
    let pauses = times
        .windows(2)
        .filter(|pair| pair[1] > from && pair[0] < to);
    pauses.map(|pair| pair[1] - pair[0]).max().unwrap_or(0) as f64 / 1e9
}

/// The value that so many of a hundred do not exceed.
pub fn share(sorted: &[u64], of_hundred: usize) -> u64 {
    let at = (sorted.len() * of_hundred).div_ceil(100).max(1) - 1;
    sorted[at.min(sorted.len() - 1)]
}
