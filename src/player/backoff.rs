//! Waits of a client after failures.
//!
//! Each wait is longer than the previous one, up to a limit, until thirty seconds have passed without a failure: a
//! client must not hammer an origin that fails now and then.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::SplitMix64;

use crate::vocabulary::limits;

/// State of one client's waits.
#[derive(Debug)]
pub struct Backoff {
    random: SplitMix64,
    wait: Option<Duration>,
    failed_at: Duration,
}

impl Backoff {
    /// Creates a back-off without failures. The same seed gives the same waits.
    pub fn new(seed: u64) -> Self {
        Self { random: SplitMix64::seed_from_u64(seed), wait: None, failed_at: Duration::ZERO }
    }

    /// Notes that a request failed at `now` and returns the time of its retry.
    pub fn fail(&mut self, now: Duration) -> Duration {
        let healthy_for = now.saturating_sub(self.failed_at);
        let last = self.wait.filter(|_| healthy_for < limits::BACKOFF_RESET);
        let wait = last.map_or(limits::BACKOFF_MIN, |last| {
            last.mul_f64(limits::BACKOFF_FACTOR).min(limits::BACKOFF_MAX)
        });
        let jitter = self.random.random_range(-limits::BACKOFF_JITTER..=limits::BACKOFF_JITTER);
        self.wait = Some(wait);
        self.failed_at = now;
        now + wait.mul_f64(1.0 + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: &mut Backoff, failures: u32) -> Vec<f64> {
        let mut now = Duration::from_secs(100);
        (0..failures)
            .map(|_| {
                let until = backoff.fail(now);
                let wait = until - now;
                now = until;
                wait.as_secs_f64()
            })
            .collect()
    }

    #[test]
    fn waits_grow_by_their_factor_up_to_the_limit() {
        let mut nominal = limits::BACKOFF_MIN.as_secs_f64();
        for wait in waits(&mut Backoff::new(7), 12) {
            assert!((wait / nominal - 1.0).abs() <= limits::BACKOFF_JITTER + 1e-9, "{wait} for {nominal}");
            nominal = (nominal * limits::BACKOFF_FACTOR).min(limits::BACKOFF_MAX.as_secs_f64());
        }
    }

    #[test]
    fn thirty_seconds_of_health_begin_anew() {
        let mut backoff = Backoff::new(1);
        waits(&mut backoff, 8);
        let later = backoff.failed_at + limits::BACKOFF_RESET;
        assert!(backoff.fail(later) - later <= limits::BACKOFF_MIN.mul_f64(1.2));
    }

    #[test]
    fn the_same_seed_waits_the_same() {
        assert_eq!(waits(&mut Backoff::new(3), 5), waits(&mut Backoff::new(3), 5));
        assert_ne!(waits(&mut Backoff::new(3), 5), waits(&mut Backoff::new(4), 5));
    }
}
