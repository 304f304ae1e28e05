//! Share of a part in a whole.

/// Returns `part` as a fraction of `whole`, where 1 is all of it; `None` if `whole` is 0.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
