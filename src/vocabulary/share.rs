//! A part of a whole.

/// How much of `whole` is `part`, 1 for all of it; `None`: there is no whole.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
