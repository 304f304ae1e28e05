//! Arrivals of an open load: new clients come at a rate, whether or not the origin keeps up.
//!
//! * An arrival has its time in the plan. A client that leaves is not replaced: the number of clients follows from the
//!   rate and the length of the sessions, and grows when an origin makes them longer than planned.
//! * The first client arrives at time zero. From there on the time between two arrivals is the same (even), or
//!   exponentially distributed (Poisson): then arrivals are independent of one another, as those of real viewers are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::vocabulary::limits;

/// Standard deviations of the number of clients that the peak lies above the mean: among a million moments it is above
/// that in some thirty.
const DEVIATIONS: f64 = 4.0;

/// Distribution of the times between arrivals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalProcess {
    /// Independent arrivals: exponentially distributed times.
    #[default]
    Poisson,
    /// The same time between any two arrivals.
    Even,
}

impl ArrivalProcess {
    const NAMES: [(&str, Self); 2] = [("poisson", Self::Poisson), ("even", Self::Even)];
}

impl FromStr for ArrivalProcess {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::NAMES.into_iter().find(|(name, _)| *name == text);
        named.map(|(_, process)| process).ok_or_else(|| "expected poisson or even".to_owned())
    }
}

impl fmt::Display for ArrivalProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, process)| process == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// Arrivals of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrivalProfile {
    /// Arrivals per second.
    pub per_second: f64,
    /// Distribution of the times between them.
    pub process: ArrivalProcess,
    /// Mean time that a client stays; `None`: to the end.
    pub stays: Option<Duration>,
}

impl ArrivalProfile {
    /// Returns the number of clients that are there so long after the first arrival, on average: the rate times the
    /// length of the sessions (Little's law).
    pub fn mean(&self, elapsed: Duration) -> f64 {
        let stays = self.stays.map_or(elapsed, |stays| elapsed.min(stays));
        self.per_second * stays.as_secs_f64()
    }

    /// Returns the most clients to expect at once until then: the mean and a margin of four standard deviations.
    pub fn peak(&self, elapsed: Duration) -> u32 {
        let mean = self.mean(elapsed);
        let margin = match self.process {
            ArrivalProcess::Poisson => DEVIATIONS * mean.sqrt() + DEVIATIONS,
            // The one that arrives now, and sessions of random lengths.
            ArrivalProcess::Even => DEVIATIONS * mean.sqrt() + 1.0,
        };
        (mean + margin).ceil().min(f64::from(limits::CLIENTS)) as u32
    }
}

impl fmt::Display for ArrivalProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s {}", self.per_second, self.process)
    }
}

/// Times of the arrivals of a run, one after the other.
#[derive(Clone, Debug)]
pub struct Arrivals {
    profile: ArrivalProfile,
    random: Xoshiro256PlusPlus,
    /// Arrivals before the next one.
    made: u64,
    next: Duration,
}

impl Arrivals {
    /// Creates the arrivals of a run: equal seeds give equal times.
    pub fn new(profile: ArrivalProfile, seed: u64) -> Self {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self { profile, random, made: 0, next: Duration::ZERO }
    }

    /// Returns the time of the next arrival.
    pub fn next_at(&self) -> Duration {
        self.next
    }

    /// Takes the next arrival if it is not after `elapsed`, and returns its time.
    pub fn take(&mut self, elapsed: Duration) -> Option<Duration> {
        let at = self.next;
        if at > elapsed {
            return None;
        }
        self.made += 1;
        let rate = self.profile.per_second;
        let later = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.next = match self.profile.process {
            // Not the sum of intervals: their rounding errors would add up.
            ArrivalProcess::Even => later(self.made as f64 / rate),
            ArrivalProcess::Poisson => {
                let uniform: f64 = self.random.random();
                at.saturating_add(later(-(1.0 - uniform).ln() / rate))
            }
        };
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(process: ArrivalProcess) -> ArrivalProfile {
        ArrivalProfile { per_second: 20.0, process, stays: Some(Duration::from_secs(300)) }
    }

    fn times(process: ArrivalProcess, seed: u64) -> Vec<Duration> {
        let mut arrivals = Arrivals::new(profile(process), seed);
        (0..10_000).filter_map(|_| arrivals.take(Duration::MAX)).collect()
    }

    #[test]
    fn the_clients_follow_from_the_rate_and_the_sessions() {
        let profile = profile(ArrivalProcess::Poisson);
        let at = |seconds| Duration::from_secs(seconds);
        assert_eq!([10, 300, 9_000].map(|second| profile.mean(at(second))), [200.0, 6_000.0, 6_000.0]);
        assert_eq!(profile.peak(at(9_000)), 6_314);
        let endless = ArrivalProfile { stays: None, ..profile };
        assert_eq!(endless.mean(at(9_000)), 180_000.0);
        assert_eq!(endless.peak(at(900_000)), limits::CLIENTS);
        assert_eq!(profile.to_string(), "20/s poisson");
    }

    #[test]
    fn the_rate_is_kept_over_a_long_run_and_the_seed_decides() {
        let even = times(ArrivalProcess::Even, 1);
        assert_eq!((even[0], even[9_999]), (Duration::ZERO, Duration::from_secs_f64(499.95)));
        let poisson = times(ArrivalProcess::Poisson, 1);
        let mean = poisson[9_999].as_secs_f64() / 9_999.0;
        assert!((mean * 20.0 - 1.0).abs() < 0.03, "{mean}");
        assert_eq!(poisson, times(ArrivalProcess::Poisson, 1));
        assert_ne!(poisson, times(ArrivalProcess::Poisson, 2));
    }

    #[test]
    fn an_arrival_is_taken_once_it_is_due() {
        let mut arrivals = Arrivals::new(profile(ArrivalProcess::Even), 1);
        assert_eq!(arrivals.take(Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(arrivals.take(Duration::from_millis(49)), None);
        assert_eq!(arrivals.next_at(), Duration::from_millis(50));
        assert_eq!(arrivals.take(Duration::from_millis(60)), Some(Duration::from_millis(50)));
    }
}
