//! Measures of quantities: how a limit is written, and how a value is shown.

use std::time::Duration;

use crate::vocabulary::units;

/// Measure of a quantity. Values are in the unit of the JSON report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A fraction, where 1 is all.
    Share,
    /// A whole number.
    Count,
    /// Any number.
    Number,
    /// Events per second.
    Rate,
    /// Bits per second.
    BitRate,
    /// Bytes.
    Bytes,
    /// Time in microseconds.
    Time,
    /// Time in seconds.
    Seconds,
}

/// Largest limit that is a plain number: far above any value, and exact as a float.
const NUMBER_MAX: f64 = 1e12;

impl Measure {
    /// Returns the word for the help, with an example.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Share => "share, 1%",
            Self::Count => "count, 200",
            Self::Number => "number, 0.98",
            Self::Rate => "rate, 500/s",
            Self::BitRate => "bit rate, 1Gb/s",
            Self::Bytes => "size, 20GiB",
            Self::Time | Self::Seconds => "time, 500ms",
        }
    }

    /// Returns what a limit may be, for an error.
    pub(super) const fn accepted(self) -> &'static str {
        match self {
            Self::Share => "a share from 0% to 100%, such as 1% or 0.01",
            Self::Count => "a whole number, such as 0, 200 or 2.5k",
            Self::Number => "a number, such as 0.98",
            Self::Rate => "a rate, such as 500/s or 3000/m",
            Self::BitRate => "a bit rate, such as 500Mb/s or 1Gb/s",
            Self::Bytes => "a size, such as 500M or 20GiB",
            Self::Time | Self::Seconds => "a time with its unit, such as 500ms or 2s",
        }
    }

    /// Reads a limit; `None` if it is not one of this measure.
    pub(super) fn parse(self, text: &str) -> Option<f64> {
        match self {
            // A dropped `%` would turn 1 % into everything.
            Self::Share if plain(text).is_some_and(|share| share >= 1.0) => None,
            Self::Share => units::parse_share(text).ok(),
            Self::Count => units::parse_count(text).ok().map(|count| count as f64),
            Self::Number => plain(text),
            Self::Rate => units::parse_rate(text).ok(),
            Self::BitRate => units::parse_bit_rate(text).ok().map(|bits| bits as f64),
            Self::Bytes => units::parse_bytes(text).ok().map(|bytes| bytes as f64),
            Self::Time => time(text).map(|time| time.as_secs_f64() * 1e6),
            Self::Seconds => time(text).map(|time| time.as_secs_f64()),
        }
    }

    /// Converts a value to the base unit of Prometheus: seconds instead of microseconds; all others stay.
    pub(super) fn in_base_unit(self, value: f64) -> f64 {
        if self == Self::Time { value / 1e6 } else { value }
    }

    /// Formats a value.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Share => units::percent(Some(value)),
            // Never negative: the cast only rounds.
            Self::Count => units::count(value as u64),
            Self::Number => units::number(value),
            Self::Rate => format!("{}/s", units::rate(Some(value))),
            Self::BitRate => units::bit_rate(value),
            Self::Bytes => units::bytes(value as u64),
            Self::Time => format!("{} ms", units::milliseconds(value as u64)),
            Self::Seconds => units::span(Duration::try_from_secs_f64(value).unwrap_or_default()),
        }
    }
}

/// Reads digits with at most one point: `parse` also takes signs, exponents, `inf` and `nan`.
fn plain(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number| is_plain && *number <= NUMBER_MAX)
}

/// Reads a time. A bare number would be milliseconds to one reader and seconds to another.
fn time(text: &str) -> Option<Duration> {
    units::parse_duration(text).ok().filter(|_| text.parse::<f64>().is_err())
}
