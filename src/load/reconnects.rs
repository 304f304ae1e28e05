//! Spreads reconnects after an outage: clients that cannot reach the origin come back no faster than they joined.
//!
//! * A client that could not connect takes a slot before it connects again. Slots are one ramp interval apart, so an
//!   audience of N comes back over at least N / ramp, whatever waits its players have.
//! * A client that has a working connection never asks for a slot: a healthy run does not touch the shared counter.
//! * One atomic holds the next free slot. Relaxed is enough: it orders nothing but itself.

use std::time::Duration;

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::vocabulary::clock::micros;

/// Slots in which clients of a run may reconnect.
#[derive(Debug)]
pub struct Reconnects {
    interval_us: u64,
    /// The next free slot, in microseconds since the start of the run.
    next_us: AtomicU64,
}

impl Reconnects {
    /// Creates slots that are `interval` apart; zero (all clients at once) makes every slot free.
    pub fn new(interval: Duration) -> Self {
        Self { interval_us: micros(interval), next_us: AtomicU64::new(0) }
    }

    /// Takes the next free slot that is not before `now` and returns its time.
    pub fn take(&self, now: Duration) -> Duration {
        let now_us = micros(now);
        let after = |next: u64| Some(next.max(now_us).saturating_add(self.interval_us));
        let taken = self.next_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        Duration::from_micros(taken.unwrap_or_else(|next| next).max(now_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn slots_taken_at_once_are_one_ramp_interval_apart() {
        let reconnects = Reconnects::new(SECOND / 10);
        let slots: Vec<_> = (0..5).map(|_| reconnects.take(SECOND).as_millis()).collect();
        assert_eq!(slots, [1_000, 1_100, 1_200, 1_300, 1_400]);
    }

    #[test]
    fn unused_slots_are_not_caught_up_with() {
        let reconnects = Reconnects::new(SECOND / 10);
        reconnects.take(SECOND);
        let slots = [(); 2].map(|()| reconnects.take(5 * SECOND).as_millis());
        assert_eq!(slots, [5_000, 5_100]);
    }

    #[test]
    fn a_join_storm_may_come_back_as_one() {
        let reconnects = Reconnects::new(Duration::ZERO);
        assert!((0..100).all(|_| reconnects.take(SECOND) == SECOND));
    }
}
