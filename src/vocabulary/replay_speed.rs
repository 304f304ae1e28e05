//! Speed of a replay.

use std::fmt;

/// Speeds that the keys choose from.
const STEPS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, f64::INFINITY];

/// Number of times as fast as the run that a replay goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplaySpeed(f64);

impl ReplaySpeed {
    /// As fast as the run was.
    pub const AS_RECORDED: Self = Self(1.0);
    /// As fast as possible.
    pub const MAX: Self = Self(f64::INFINITY);

    /// Creates a speed; the caller has checked that `times` is positive.
    pub const fn of(times: f64) -> Self {
        Self(times)
    }

    /// Returns how many times as fast as the run it is; `None` if it is as fast as possible.
    pub fn times(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    /// Returns the next higher speed that a key chooses.
    #[must_use]
    pub fn faster(self) -> Self {
        STEPS.into_iter().find(|step| *step > self.0).map_or(self, Self)
    }

    /// Returns the next lower speed that a key chooses.
    #[must_use]
    pub fn slower(self) -> Self {
        STEPS.into_iter().rev().find(|step| *step < self.0).map_or(self, Self)
    }

    /// Returns the speed as a number for an atomic cell.
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// Returns the speed that [`Self::to_bits`] made this number of.
    pub const fn from_bits(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl Default for ReplaySpeed {
    fn default() -> Self {
        Self::AS_RECORDED
    }
}

impl fmt::Display for ReplaySpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times() {
            Some(times) => write!(f, "{times}x"),
            None => f.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_through_all_speeds_and_stay_at_both_ends() {
        let mut up = vec![ReplaySpeed::of(0.01)];
        up.extend((0..12).scan(ReplaySpeed::of(0.01), |speed, _| {
            *speed = speed.faster();
            Some(*speed)
        }));
        let shown: Vec<_> = up.iter().map(ToString::to_string).collect();
        let steps = "0.01x 0.1x 0.25x 0.5x 1x 2x 5x 10x 20x 50x 100x max max";
        assert_eq!(shown.join(" "), steps);
        assert_eq!(ReplaySpeed::MAX.slower(), ReplaySpeed::of(100.0));
        assert_eq!(ReplaySpeed::of(3.0).slower(), ReplaySpeed::of(2.0));
        assert_eq!(ReplaySpeed::of(0.1).slower(), ReplaySpeed::of(0.1));
        assert_eq!(ReplaySpeed::from_bits(ReplaySpeed::MAX.to_bits()), ReplaySpeed::MAX);
    }
}
