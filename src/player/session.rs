//! Length of the viewers' sessions: `--session-length`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::SplitMix64;

use crate::vocabulary::units::{self, parse_duration};

/// Separates the random numbers of a session from other uses of the same client's seed.
const STREAM: u64 = 0x5e55_1014;

/// Length of the viewers' sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionLength {
    /// Until the stream or the run ends.
    #[default]
    Endless,
    /// The same length for all.
    Fixed(Duration),
    /// Exponentially distributed with this mean: at every moment the same share of viewers leaves.
    Exponential(Duration),
}

impl SessionLength {
    /// Returns the mean length of a session; `None`: none ends by itself.
    pub fn mean(self) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Fixed(length) | Self::Exponential(length) => Some(length),
        }
    }

    /// Returns the length of the session with this seed; `None`: it does not end by itself.
    pub fn sample(self, seed: u64) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Fixed(length) => Some(length),
            Self::Exponential(mean) => {
                let uniform: f64 = SplitMix64::seed_from_u64(seed ^ STREAM).random();
                // At most 37 means: the smallest step below 1 is 2^-53.
                Some(mean.mul_f64(-(1.0 - uniform).ln()))
            }
        }
    }
}

impl FromStr for SessionLength {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (exponential, length) = match text.trim().strip_prefix("exp:") {
            Some(mean) => (true, mean),
            None => (false, text),
        };
        let length = parse_duration(length).ok().filter(|length| !length.is_zero());
        let length = length.ok_or("expected a duration above 0, such as 5m, or exp:5m for a mean of 5m")?;
        Ok(if exponential { Self::Exponential(length) } else { Self::Fixed(length) })
    }
}

impl fmt::Display for SessionLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endless => f.write_str("endless"),
            Self::Fixed(length) => f.write_str(&units::span(*length)),
            Self::Exponential(mean) => write!(f, "exp:{}", units::span(*mean)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_refused() {
        let mean = Duration::from_secs(300);
        assert_eq!("exp:300s".parse(), Ok(SessionLength::Exponential(mean)));
        assert_eq!("5m".parse(), Ok(SessionLength::Fixed(mean)));
        for bad in ["", "exp:", "exp:0s", "0", "uniform:5m", "exp:-1s"] {
            assert!(bad.parse::<SessionLength>().expect_err(bad).starts_with("expected "), "{bad}");
        }
    }

    #[test]
    fn exponential_lengths_have_their_mean_and_forget_the_past() {
        let mean = 300.0;
        let session = SessionLength::Exponential(Duration::from_secs(300));
        let lengths: Vec<f64> =
            (0..20_000).filter_map(|seed| session.sample(seed)).map(|length| length.as_secs_f64()).collect();
        let average = lengths.iter().sum::<f64>() / lengths.len() as f64;
        assert!((average / mean - 1.0).abs() < 0.03, "{average}");
        // The share that stays for another mean is the same among the viewers that stayed for one as among all.
        let staying = |from: f64| lengths.iter().filter(|length| **length > from).count() as f64;
        let share = staying(2.0 * mean) / staying(mean);
        assert!((share - (-1.0_f64).exp()).abs() < 0.02, "{share}");
        assert_eq!(session.sample(7), session.sample(7));
    }
}
