//! A number that may be unknown as 64 bits: zeroed memory means unknown.

use super::image::LARGEST;

/// Returns the bits of a value plus one. A value that is not finite is unknown.
pub fn encoded(value: Option<f64>) -> u64 {
    value.filter(|value| value.is_finite()).map_or(0, |value| value.to_bits().wrapping_add(1))
}

/// Returns the value of bits, if it is known.
pub fn decoded(bits: u64) -> Option<f64> {
    bits.checked_sub(1).map(f64::from_bits)
}

/// Returns the bits, or unknown if they are those of no finite number of a moderate size.
pub fn bounded(bits: u64) -> u64 {
    encoded(decoded(bits).filter(|value| value.abs() <= LARGEST as f64))
}
