//! Bytes and requests of a run against its hard stops.
//!
//! * These two numbers must be exact over all workers at every moment, which the counters of single workers are not:
//!   requests are therefore admitted by one `fetch_add`, and so are bytes counted. A run without a hard stop has no
//!   [`Spending`], and its requests pay for nothing but one branch.
//! * No budget is handed out in advance to workers: that would stop a run early by whatever some of them have left.
//! * Reaching a limit stops every worker's next request at once and wakes the controller, which ends the run.

use crossbeam_utils::CachePadded;
use tokio::sync::Notify;

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::image::Walk;
use crate::vocabulary::{HardStop, HardStops, share};

/// Code of [`Spending::reached`] while no stop has been reached.
const NONE: u64 = 0;

/// Hard stops of a run, and the amounts used so far.
#[derive(Debug)]
pub struct Spending {
    limits: HardStops,
    bytes: CachePadded<AtomicU64>,
    requests: CachePadded<AtomicU64>,
    /// Largest number of bits within a second.
    bits_per_second: AtomicU64,
    /// The first stop that was reached, as its place in [`HardStop::ALL`] plus 1.
    reached: CachePadded<AtomicU64>,
    told: Notify,
}

/// Amount used of one hard stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The stop.
    pub stop: HardStop,
    /// Its limit.
    pub limit: u64,
    /// Amount used; of the bandwidth, the most within a second.
    pub used: u64,
}

impl Spent {
    /// Returns the used share of the limit.
    pub fn share(&self) -> f64 {
        share(self.used, self.limit).unwrap_or(1.0)
    }
}

impl Spending {
    /// Creates the spending of a run that has used nothing yet.
    pub fn new(limits: HardStops) -> Self {
        Self {
            limits,
            bytes: CachePadded::default(),
            requests: CachePadded::default(),
            bits_per_second: AtomicU64::new(0),
            reached: CachePadded::new(AtomicU64::new(NONE)),
            told: Notify::new(),
        }
    }

    /// Reports whether requests and bytes have to be counted here.
    pub(super) fn counts(&self) -> bool {
        self.limits.bytes.is_some() || self.limits.requests.is_some()
    }

    /// Counts a request that is about to be sent, and reports whether it may be. Relaxed is enough: the counter alone
    /// decides, and no other memory depends on it.
    #[inline]
    pub(super) fn may_send(&self) -> bool {
        if self.reached.load(Ordering::Relaxed) != NONE {
            return false;
        }
        match self.limits.requests {
            Some(most) if self.requests.fetch_add(1, Ordering::Relaxed) >= most => {
                self.reach(HardStop::Requests);
                false
            }
            _ => true,
        }
    }

    /// Counts body bytes that have arrived.
    #[inline]
    pub(super) fn received(&self, bytes: u64) {
        if let Some(most) = self.limits.bytes {
            let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
            if before < most && before.saturating_add(bytes) >= most {
                self.reach(HardStop::Bytes);
            }
        }
    }

    /// Compares the bits that arrived within a second with their limit.
    pub fn measured(&self, bits_per_second: u64) {
        self.bits_per_second.fetch_max(bits_per_second, Ordering::Relaxed);
        if self.limits.bits_per_second.is_some_and(|most| bits_per_second > most) {
            self.reach(HardStop::Bandwidth);
        }
    }

    /// The first stop that is reached wakes the controller; a second one changes nothing.
    #[cold]
    fn reach(&self, stop: HardStop) {
        let code =
            HardStop::ALL.iter().position(|other| *other == stop).map_or(NONE, |place| place as u64 + 1);
        if self.reached.compare_exchange(NONE, code, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.told.notify_one();
        }
    }

    /// Returns the first stop that was reached.
    pub fn reached(&self) -> Option<HardStop> {
        let place = self.reached.load(Ordering::Relaxed).checked_sub(1)?;
        HardStop::ALL.get(usize::try_from(place).ok()?).copied()
    }

    /// Reports whether more bytes have arrived than may.
    pub fn is_over_bytes(&self) -> bool {
        self.limits.bytes.is_some_and(|most| self.bytes.load(Ordering::Relaxed) >= most)
    }

    /// Waits until a stop is reached. Only one task may wait, and is woken once.
    pub async fn wait(&self) {
        self.told.notified().await;
    }

    /// Visits all amounts.
    pub fn walk(&self, walk: &mut Walk<'_>) {
        let amounts: [&AtomicU64; 4] = [&self.bytes, &self.requests, &self.bits_per_second, &self.reached];
        amounts.into_iter().for_each(|amount| walk.atomic(amount));
    }

    /// Returns the hard stops of the run.
    pub fn limits(&self) -> &HardStops {
        &self.limits
    }

    /// Returns the amount used of a stop; `None` if it has no limit.
    pub fn spent(&self, stop: HardStop) -> Option<Spent> {
        let limit = self.limits.limit(stop)?;
        let used = match stop {
            HardStop::Bytes => self.bytes.load(Ordering::Relaxed),
            // Requests that were not admitted have been counted, too.
            HardStop::Requests => self.requests.load(Ordering::Relaxed).min(limit),
            HardStop::Bandwidth => self.bits_per_second.load(Ordering::Relaxed),
        };
        Some(Spent { stop, limit, used })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};

    use super::*;

    fn requests(most: u64) -> Spending {
        Spending::new(HardStops { requests: Some(most), ..HardStops::default() })
    }

    #[test]
    fn exactly_as_many_requests_are_admitted_as_may_be_however_many_threads_ask() {
        // They ask at the same time, often enough to meet in the middle of a step.
        let (spending, together) = (Arc::new(requests(1_012_345)), Arc::new(Barrier::new(4)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (spending, together) = (Arc::clone(&spending), Arc::clone(&together));
                std::thread::spawn(move || {
                    together.wait();
                    (0..400_000).filter(|_| spending.may_send()).count()
                })
            })
            .collect();
        let admitted: usize = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(admitted, 1_012_345);
        assert_eq!(spending.reached(), Some(HardStop::Requests));
        let spent = Spent { stop: HardStop::Requests, limit: 1_012_345, used: 1_012_345 };
        assert_eq!(spending.spent(HardStop::Requests), Some(spent));
    }

    #[test]
    fn a_run_that_needs_exactly_its_limit_is_not_stopped() {
        let spending = requests(3);
        assert!((0..3).all(|_| spending.may_send()));
        assert_eq!(spending.reached(), None);
        assert!(!spending.may_send());
        assert_eq!(spending.reached(), Some(HardStop::Requests));
    }

    #[tokio::test]
    async fn the_piece_that_reaches_the_limit_of_bytes_stops_every_request() {
        let spending = Spending::new(HardStops { bytes: Some(100), ..HardStops::default() });
        spending.received(99);
        assert!(spending.may_send() && !spending.is_over_bytes());
        spending.received(1);
        assert!(!spending.may_send() && spending.is_over_bytes());
        spending.received(99);
        // The stop was announced before anyone waited.
        spending.wait().await;
        assert_eq!(spending.spent(HardStop::Bytes).map(|spent| spent.used), Some(199));
        assert_eq!(spending.spent(HardStop::Requests), None, "requests have no limit");
    }

    #[test]
    fn the_first_stop_that_is_reached_stays() {
        let limits = HardStops { bytes: Some(10), requests: Some(0), bits_per_second: Some(1_000) };
        let spending = Spending::new(limits);
        spending.measured(1_000);
        assert_eq!(spending.reached(), None, "as much as may be");
        spending.measured(1_001);
        spending.received(10);
        assert!(!spending.may_send());
        spending.measured(7);
        assert_eq!(spending.reached(), Some(HardStop::Bandwidth));
        assert_eq!(spending.spent(HardStop::Bandwidth).map(|spent| spent.used), Some(1_001));
    }
}
