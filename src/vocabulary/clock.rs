//! Clock of a run: a monotonic start tied to one wall-clock time. Every moment of a run is a distance from it.
//!
//! Wall time is read once, so a clock that steps during a run changes no result.

use std::time::{Duration, Instant};

/// The start of a run on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: jiff::Timestamp,
    /// Source of the time: virtual in tests of the controller.
    #[cfg(test)]
    read: fn() -> Instant,
}

impl Clock {
    /// Starts a clock: its zero is now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: jiff::Timestamp::now(),
            #[cfg(test)]
            read: Instant::now,
        }
    }

    /// Starts a clock that reads this time instead of the machine's.
    #[cfg(test)]
    pub fn start_with(read: fn() -> Instant) -> Self {
        Self { start: read(), wall: jiff::Timestamp::now(), read }
    }

    /// Returns a clock whose start has this wall-clock time: that of a run which is replayed.
    pub fn started_at_wall(self, wall: jiff::Timestamp) -> Self {
        Self { wall, ..self }
    }

    /// Returns the time since the start.
    pub fn now(&self) -> Duration {
        #[cfg(test)]
        return (self.read)().saturating_duration_since(self.start);
        #[cfg(not(test))]
        return self.start.elapsed();
    }

    /// Returns the monotonic moment of the start, for timers.
    pub fn origin(&self) -> Instant {
        self.start
    }

    /// Returns the wall-clock time of the start.
    pub fn started_at(&self) -> jiff::Timestamp {
        self.wall
    }
}

/// Converts a duration to whole microseconds, the unit of every stored time.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
