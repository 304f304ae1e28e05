//! The load tester's own delays over the whole run, as a histogram that merges.

use histogram::{AtomicHistogram, Config, Histogram};

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::image::{LARGEST, Walk};

/// Buckets per power of two, 2^5: an error of 3 %, in 7 KB for each worker.
const GROUPING_POWER: u8 = 5;
/// Exponent of the largest delay: 71 minutes, in microseconds.
const MAX_VALUE_POWER: u8 = 32;
const MAX_US: u64 = (1 << MAX_VALUE_POWER) - 1;

/// The layout of the buckets: buckets per power of two and largest value, both as exponents of two.
pub const DELAY_BUCKETS: [u8; 2] = [GROUPING_POWER, MAX_VALUE_POWER];

/// Returns the layout of the buckets. It is valid, so this never is `None`.
fn config() -> Option<Config> {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).ok()
}

/// Histogram that a worker writes, twenty times a second.
#[derive(Debug)]
pub(super) struct DelayRecorder {
    buckets: Option<AtomicHistogram>,
    max_us: AtomicU64,
}

impl Default for DelayRecorder {
    fn default() -> Self {
        let buckets = config().map(|config| AtomicHistogram::with_config(&config));
        Self { buckets, max_us: AtomicU64::new(0) }
    }
}

impl DelayRecorder {
    /// Visits all buckets and the largest delay. They are large.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        let Some(buckets) = &self.buckets else { return };
        if walk.is_light() {
            return walk.skip(buckets.config().total_buckets() + 1);
        }
        for bucket in buckets.load().iter() {
            // A bucket never falls.
            if let Some(count) = walk.visit(bucket.count()) {
                let more = count.min(LARGEST).saturating_sub(bucket.count());
                _ = buckets.add(bucket.start(), more);
            }
        }
        walk.atomic(&self.max_us);
    }

    pub(super) fn record(&self, delay_us: u64) {
        self.max_us.fetch_max(delay_us, Ordering::Relaxed);
        if let Some(buckets) = &self.buckets {
            // Only a value that is too large would be refused.
            _ = buckets.increment(delay_us.min(MAX_US));
        }
    }
}

/// Delays of all workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delays {
    /// `None` while there is no delay.
    buckets: Option<Histogram>,
    max_us: u64,
}

/// Summary of the delays, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DelaySummary {
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Largest delay.
    pub max: u64,
}

impl Delays {
    /// Adds what a worker has recorded so far.
    pub(super) fn add(&mut self, recorder: &DelayRecorder) {
        let buckets = recorder.buckets.as_ref().map(AtomicHistogram::load);
        let is_filled = |buckets: &Histogram| buckets.as_slice().iter().any(|count| *count > 0);
        self.merge(&Self {
            buckets: buckets.filter(is_filled),
            max_us: recorder.max_us.load(Ordering::Relaxed),
        });
    }

    /// Adds the delays of another part of the load.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.buckets, &other.buckets) {
            // Both have the same layout, and 2^64 delays take half a billion years: adding cannot fail.
            (Some(mine), Some(theirs)) => _ = mine.checked_add_assign(theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Returns the filled buckets as (upper end in microseconds, count), ascending: the form that merges exactly.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.buckets.iter().flat_map(Histogram::iter);
        all.filter(|bucket| bucket.count() > 0).map(|bucket| (bucket.end(), bucket.count()))
    }

    /// Returns the summary; `None` if there is no delay.
    pub fn summary(&self) -> Option<DelaySummary> {
        let buckets = self.buckets.as_ref()?;
        let at = |quantile| Some(buckets.quantile_bucket(quantile).ok()??.end().min(self.max_us));
        Some(DelaySummary { p50: at(0.5)?, p99: at(0.99)?, max: self.max_us })
    }
}

/// Returns delays as a worker would record them.
#[cfg(test)]
pub(crate) fn delays_of(values: impl IntoIterator<Item = u64>) -> Delays {
    let recorder = DelayRecorder::default();
    values.into_iter().for_each(|us| recorder.record(us));
    let mut delays = Delays::default();
    delays.add(&recorder);
    delays
}

#[cfg(test)]
mod tests {
    use super::delays_of as delays;
    use super::*;

    #[test]
    fn the_delays_of_two_workers_are_those_of_both() {
        assert_eq!(delays([]).summary(), None);
        assert_eq!(delays([]), Delays::default());
        let mut both = delays(0..=60);
        both.merge(&delays(61..=100));
        assert_eq!(both, delays(0..=100));
        let summary = both.summary().expect("measured");
        assert!((50..=52).contains(&summary.p50) && (99..=100).contains(&summary.p99), "{summary:?}");
        assert_eq!(summary.max, 100);
        assert_eq!(delays([u64::MAX]).summary().map(|summary| summary.max), Some(u64::MAX));
    }
}
