//! Uplink of an origin of limited capacity: all bodies together are sent at one rate, apart from those that a fault rule
//! gives a rate of their own.
//!
//! Bodies are sent in pieces. Each piece books the uplink for the time that it takes, after all pieces booked before: with
//! many bodies at once each one gets an equal share, as through a network card that is full.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes of a piece: small, so that bodies share the uplink evenly.
pub const PIECE_BYTES: u64 = 16 * 1024;
/// Time that the uplink may have been idle and still make up for: timers wake a body up to a millisecond late.
const CREDIT: Duration = Duration::from_millis(5);
const NANOSECONDS: u64 = 1_000_000_000;

/// The uplink.
#[derive(Debug)]
pub struct Uplink {
    bits_per_second: u64,
    started: Instant,
    /// Nanoseconds since the start up to which it is booked.
    booked_ns: AtomicU64,
}

impl Uplink {
    /// Creates an uplink of this rate, at least one bit per second.
    pub fn new(bits_per_second: u64) -> Self {
        Self {
            bits_per_second: bits_per_second.max(1),
            started: Instant::now(),
            booked_ns: AtomicU64::new(0),
        }
    }

    /// Books the uplink for `bytes`. Returns the time at which they have passed it.
    pub fn book(&self, bytes: u64) -> Instant {
        let takes_ns = (bytes.saturating_mul(8)).saturating_mul(NANOSECONDS) / self.bits_per_second;
        let earliest = self.started.elapsed().saturating_sub(CREDIT);
        let earliest_ns = u64::try_from(earliest.as_nanos()).unwrap_or(u64::MAX);
        let end_ns = |booked_ns: u64| booked_ns.max(earliest_ns).saturating_add(takes_ns);
        // Relaxed: the number stands for itself.
        let before_ns =
            self.booked_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ns| Some(end_ns(ns)));
        let (Ok(before_ns) | Err(before_ns)) = before_ns;
        self.started + Duration::from_nanos(end_ns(before_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pieces_follow_each_other_at_the_rate_and_idle_time_is_lost() {
        let uplink = Uplink::new(8_000_000);
        let begun = Instant::now();
        let ends: Vec<_> = (0..3).map(|_| uplink.book(1_000_000) - begun).collect();
        assert_eq!(ends, [1, 2, 3].map(Duration::from_secs));
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(uplink.book(1_000_000) - begun, Duration::from_secs(11) - CREDIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_timer_does_not_lower_the_rate() {
        let uplink = Uplink::new(100_000_000);
        let (begun, pieces) = (Instant::now(), 1_000_u32);
        for _ in 0..pieces {
            tokio::time::sleep_until(uplink.book(PIECE_BYTES)).await;
        }
        let takes = Duration::from_nanos(PIECE_BYTES * 80) * pieces;
        let took = begun.elapsed();
        assert!(took.abs_diff(takes) <= 2 * CREDIT, "{took:?} for {takes:?}");
    }
}
