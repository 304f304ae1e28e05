//! Hard stops: amounts that a run must not exceed. Reaching one ends the run.

use super::units;

/// Amount that ends a run when it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HardStop {
    /// Body bytes that have arrived.
    Bytes,
    /// Requests that were sent.
    Requests,
    /// Body bits that arrived within a second.
    Bandwidth,
}

impl HardStop {
    /// All hard stops, in the order of every report.
    pub const ALL: [Self; 3] = [Self::Bytes, Self::Requests, Self::Bandwidth];

    /// Returns the name in reports and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "max_bytes",
            Self::Requests => "max_requests",
            Self::Bandwidth => "max_bandwidth",
        }
    }

    /// Returns the option that sets it.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Bytes => "--max-bytes",
            Self::Requests => "--max-requests",
            Self::Bandwidth => "--max-bandwidth",
        }
    }

    /// Formats an amount in the unit of this stop: `10.00 GB`, `2,000 requests`, `1.20 Gb/s`.
    pub fn amount(self, amount: u64) -> String {
        match self {
            Self::Bytes => units::bytes(amount),
            Self::Requests => units::plural(amount, "request"),
            Self::Bandwidth => units::bit_rate(amount as f64),
        }
    }
}

/// Hard stops of a run; `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardStops {
    /// Maximum body bytes.
    pub bytes: Option<u64>,
    /// Maximum requests.
    pub requests: Option<u64>,
    /// Maximum body bits within a second.
    pub bits_per_second: Option<u64>,
}

impl HardStops {
    /// Returns the limit of this stop; `None` without one.
    pub const fn limit(&self, stop: HardStop) -> Option<u64> {
        match stop {
            HardStop::Bytes => self.bytes,
            HardStop::Requests => self.requests,
            HardStop::Bandwidth => self.bits_per_second,
        }
    }

    /// Reports whether the run has a hard stop.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}
