//! Numbers of which a run keeps the distribution over its sessions: a closed list.

/// A number that is recorded for each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionNumber {
    /// Stall / (stall + play).
    RebufferRatio,
    /// Stalls per hour of (stall + play).
    StallsPerHour,
    /// Bits per second of the media played.
    BitsPerSecond,
}

impl SessionNumber {
    /// Number of variants.
    pub const COUNT: usize = 3;
    /// All variants.
    pub const ALL: [Self; Self::COUNT] = [Self::RebufferRatio, Self::StallsPerHour, Self::BitsPerSecond];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RebufferRatio => "rebuffer_ratio",
            Self::StallsPerHour => "stalls_per_hour",
            Self::BitsPerSecond => "bits_per_second",
        }
    }

    /// Returns the size of one unit in a histogram, which holds whole numbers.
    pub const fn unit(self) -> f64 {
        match self {
            Self::RebufferRatio => 1e-6,
            Self::StallsPerHour => 1e-3,
            Self::BitsPerSecond => 1e3,
        }
    }
}
