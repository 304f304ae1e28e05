//! Ramp: one target for the whole run, and the speed at which clients are added until they reach it.

use std::time::Duration;

use super::LoadProfile;

/// Maximum time between two starts: longer than any run, and short enough to be added to any time of a run.
const INTERVAL_MAX: Duration = Duration::from_hours(24 * 366 * 10);

/// Clients of a run and the schedule of their starts. The speed also holds for clients that the operator adds, and
/// for clients that reconnect after an outage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RampProfile {
    /// Number of clients to reach.
    pub clients: u32,
    /// Speed at which clients are added.
    pub ramp: Ramp,
    /// Maximum time by which a single start is moved to either side.
    pub jitter: Duration,
    /// Seed of the schedule: equal seeds give equal starts.
    pub seed: u64,
}

impl LoadProfile for RampProfile {
    fn target(&self, _elapsed: Duration) -> u32 {
        // The pacer spreads the starts; the number to reach is the same from the first moment on.
        self.clients
    }

    fn next_change(&self, _elapsed: Duration) -> Option<Duration> {
        None
    }
}

/// Speed at which clients are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ramp {
    /// Starts per second.
    Rate(f64),
    /// All clients within this time; zero: all at once.
    Time(Duration),
}

impl Default for Ramp {
    fn default() -> Self {
        Self::Time(Duration::ZERO)
    }
}

impl RampProfile {
    /// Returns the starts per second; `None`: all at once.
    pub fn rate(&self) -> Option<f64> {
        Some(self.starts_per_second()).filter(|rate| rate.is_finite())
    }

    /// Returns the time that it takes to start `clients`, which may differ from the plan.
    pub fn length(&self, clients: u32) -> Duration {
        let seconds = f64::from(clients) / self.starts_per_second();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Returns the time between two starts, at most [`INTERVAL_MAX`]; zero: all at once.
    pub fn interval(&self) -> Duration {
        // A rate too small for a `Duration` means "almost never". Zero would start all clients at once.
        let interval = Duration::try_from_secs_f64(1.0 / self.starts_per_second()).unwrap_or(INTERVAL_MAX);
        interval.min(INTERVAL_MAX)
    }

    /// Returns the starts per second; infinite for all at once.
    fn starts_per_second(&self) -> f64 {
        match self.ramp {
            Ramp::Rate(rate) => rate,
            Ramp::Time(time) => f64::from(self.clients.max(1)) / time.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn profile(clients: u32, ramp: Ramp) -> RampProfile {
        RampProfile { clients, ramp, ..RampProfile::default() }
    }

    #[test]
    fn a_rate_and_the_time_that_it_takes_are_the_same_load() {
        for ramp in [Ramp::Rate(5.0), Ramp::Time(MINUTE)] {
            let profile = profile(300, ramp);
            assert_eq!(profile.rate(), Some(5.0), "{ramp:?}");
            assert_eq!(profile.interval(), Duration::from_millis(200), "{ramp:?}");
            assert_eq!(profile.length(300), MINUTE, "{ramp:?}");
            // More clients than planned keep the speed.
            assert_eq!(profile.length(600), 2 * MINUTE, "{ramp:?}");
        }
    }

    #[test]
    fn all_at_once_has_no_rate_and_takes_no_time() {
        for clients in [0, 1, 5_000] {
            let profile = profile(clients, Ramp::default());
            assert_eq!(profile.rate(), None);
            assert_eq!((profile.interval(), profile.length(clients)), (Duration::ZERO, Duration::ZERO));
        }
    }
}
