//! Share of a part in a whole, and rate of a count over a time.

use std::time::Duration;

/// Returns `part` as a fraction of `whole`, where 1 is all of it; `None` if `whole` is 0.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Returns a count per second of the time in which it was counted; `None` if no time passed.
pub fn per_second(count: f64, time: Duration) -> Option<f64> {
    (!time.is_zero()).then(|| count / time.as_secs_f64())
}
