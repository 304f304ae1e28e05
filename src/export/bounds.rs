//! Bounds of the histograms, in seconds, and the steps in which the counters keep times.

use std::time::Duration;

/// Unit of the values of a distribution.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A millionth of a second.
    Micros,
    /// A thousandth of a second.
    Millis,
}

impl Step {
    /// Returns a number of steps in seconds.
    pub(super) fn seconds(self, steps: u64) -> f64 {
        match self {
            Self::Micros => Duration::from_micros(steps),
            Self::Millis => Duration::from_millis(steps),
        }
        .as_secs_f64()
    }

    /// Returns a bound in steps.
    pub(super) fn steps(self, seconds: f64) -> u64 {
        // Bounds are constants of a few digits: rounding only removes the error of the binary fraction.
        match self {
            Self::Micros => (seconds * 1e6).round() as u64,
            Self::Millis => (seconds * 1e3).round() as u64,
        }
    }
}

/// Bounds of `inferred_latency_seconds`, which go-ffmpeg-hls-swarm chose, and of all times of requests.
pub(super) const REQUEST: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

/// Bounds of connection phases: round trips, and the time limit of five seconds.
pub(super) const CONNECTION: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 5.0];

/// Bounds of start-up times and of live latency.
pub(super) const PLAYBACK: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0];

/// Bounds of the time that clients stay, which go-ffmpeg-hls-swarm chose.
pub(super) const STAY: [f64; 9] = [1.0, 5.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0];
