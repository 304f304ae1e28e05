//! Latency histograms as a reader sees them: mergeable, and exact in count, sum, minimum and maximum once recording
//! has ended. Until then the sum and the extremes may include values that the count lacks, never the reverse.
//!
//! * The count is the sum of the buckets that were read, so percentiles and count always belong together.
//! * A request that failed is in the histogram of failures with its full waiting time: without the timeouts, the
//!   percentiles of a sick origin would look healthy.

use histogram::{Bucket, Config, Histogram};

use super::heat::HEAT_BUCKETS;

/// Buckets per power of two: 2^7, an error of 0.8 %. A loom model makes do with a handful of buckets.
pub(crate) const GROUPING_POWER: u8 = if cfg!(all(test, hlswarm_loom)) { 1 } else { 7 };
/// Exponent of the largest value, which is 2^32 - 1 microseconds.
pub(crate) const MAX_VALUE_POWER: u8 = if cfg!(all(test, hlswarm_loom)) { 3 } else { 32 };

/// Percentiles of a summary.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// Number of buckets in a quarter of a power of two, which is one bucket of a heat map.
const QUARTER: usize = 1 << GROUPING_POWER.saturating_sub(2);

/// Returns the layout of the buckets.
pub(super) fn config() -> Option<Config> {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).ok()
}

/// Plain copy of a histogram, merged over all workers.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencySnapshot {
    pub(super) buckets: Option<Histogram>,
    pub(super) sum: u64,
    pub(super) max: u64,
    pub(super) min_complement: u64,
    pub(super) clamped: u64,
}

impl Default for LatencySnapshot {
    fn default() -> Self {
        let buckets = config().map(|config| Histogram::with_config(&config));
        Self { buckets, sum: 0, max: 0, min_complement: 0, clamped: 0 }
    }
}

/// Summary of a histogram. All times are in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencySummary {
    /// Number of values.
    pub count: u64,
    /// Smallest value.
    pub min: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: u64,
    /// 90th percentile: 90 % of the values are not larger.
    pub p90: u64,
    /// 95th percentile: 95 % of the values are not larger.
    pub p95: u64,
    /// 99th percentile: 99 % of the values are not larger.
    pub p99: u64,
    /// 99.9th percentile: 99.9 % of the values are not larger.
    pub p999: u64,
    /// Largest value.
    pub max: u64,
}

impl LatencySnapshot {
    /// Returns the histogram whose filled buckets have these upper ends and counts, as [`buckets`](Self::buckets)
    /// returns them; `None` if a bucket is beyond the range of a histogram.
    pub fn from_buckets(buckets: &[(u64, u64)], sum: u64, min: u64, max: u64) -> Option<Self> {
        let mut filled = Histogram::with_config(&config()?);
        for (end, count) in buckets {
            filled.add(*end, *count).ok()?;
        }
        Some(Self { buckets: Some(filled), sum, max, min_complement: u64::MAX - min, clamped: 0 })
    }

    /// Removes all values and keeps the memory.
    pub fn clear(&mut self) {
        if let Some(buckets) = &mut self.buckets {
            buckets.reset();
        }
        (self.sum, self.max, self.min_complement, self.clamped) = (0, 0, 0, 0);
    }

    /// Copies `other` into this histogram without allocating.
    pub fn copy_from(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.buckets, &other.buckets) {
            mine.as_mut_slice().copy_from_slice(theirs.as_slice());
        }
        (self.sum, self.max, self.min_complement, self.clamped) =
            (other.sum, other.max, other.min_complement, other.clamped);
    }

    /// Adds the values of `other`, as if they had been recorded here.
    pub fn merge(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.buckets, &other.buckets) {
            _ = mine.checked_add_assign(theirs);
        }
        self.sum = self.sum.wrapping_add(other.sum);
        self.max = self.max.max(other.max);
        self.min_complement = self.min_complement.max(other.min_complement);
        self.clamped += other.clamped;
    }

    /// Keeps only the values recorded after `earlier` was taken from the same histogram. Minimum and maximum are then
    /// those of the buckets, because the exact ones belong to the whole run.
    pub fn subtract(&mut self, earlier: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.buckets, &earlier.buckets) {
            for (now, then) in mine.as_mut_slice().iter_mut().zip(theirs.as_slice()) {
                *now = now.saturating_sub(*then);
            }
        }
        let mut filled =
            self.buckets.iter().flat_map(|histogram| histogram.iter()).filter(|bucket| bucket.count() > 0);
        let first = filled.next();
        let last = filled.last().or_else(|| first.clone());
        self.min_complement = first.map_or(0, |bucket| u64::MAX - bucket.start());
        self.max = last.map_or(0, |bucket| bucket.end().min(self.max));
        self.sum = self.sum.wrapping_sub(earlier.sum);
        self.clamped = self.clamped.saturating_sub(earlier.clamped);
    }

    /// Adds the counts to the buckets of a heat map, each of which is made of whole buckets of this histogram.
    pub(super) fn add_to_heat(&self, counts: &mut [u64; HEAT_BUCKETS]) {
        let buckets = self.buckets.iter().flat_map(|buckets| buckets.as_slice().chunks(QUARTER));
        for (quarter, buckets) in buckets.enumerate() {
            // The first four chunks hold the values below 2^7, which are one bucket of the map.
            let place = quarter.saturating_sub(3).min(HEAT_BUCKETS - 1);
            counts.get_mut(place).into_iter().for_each(|count| *count += buckets.iter().sum::<u64>());
        }
    }

    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.buckets.as_ref().map_or(0, |buckets| buckets.as_slice().iter().sum())
    }

    /// Returns the sum of the values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Returns the number of values that were larger than the histogram can hold.
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// Returns the summary, or `None` if there are no values.
    pub fn summary(&self) -> Option<LatencySummary> {
        let buckets = self.buckets.as_ref()?;
        let mut found: [Option<Bucket>; QUANTILES.len()] = Default::default();
        buckets.quantile_buckets_into(&QUANTILES, &mut found).ok()?;
        let (count, min) = (self.count(), u64::MAX - self.min_complement);
        let [Some(p50), Some(p90), Some(p95), Some(p99), Some(p999)] = found else { return None };
        // A bucket stands for its upper end, but a percentile must not lie outside the values that were recorded.
        let at = |bucket: Bucket| bucket.end().clamp(min.min(self.max), self.max);
        Some(LatencySummary {
            count,
            min,
            mean: (self.sum as f64 / count as f64).clamp(min.min(self.max) as f64, self.max as f64),
            p50: at(p50),
            p90: at(p90),
            p95: at(p95),
            p99: at(p99),
            p999: at(p999),
            max: self.max,
        })
    }

    /// Returns the number of values up to each bound; the bounds are in the unit of the values, ascending. A bucket
    /// belongs to the first bound that is not below its end, so no count ever falls.
    pub fn counts_up_to(&self, bounds: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut buckets = self.buckets().peekable();
        let mut count = 0;
        let up_to = |bound| {
            while let Some((_, more)) = buckets.next_if(|(end, _)| *end <= bound) {
                count += more;
            }
            count
        };
        bounds.map(up_to).collect()
    }

    /// Returns the filled buckets as (upper end in microseconds, count), ascending: the form that merges exactly.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.buckets.iter().flat_map(|histogram| histogram.iter());
        all.filter(|bucket| bucket.count() > 0).map(|bucket| (bucket.end(), bucket.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::latency_cells::Latencies;
    use crate::vocabulary::Timed;
    use proptest::prelude::*;

    fn snapshot(values: &[u64]) -> LatencySnapshot {
        let latencies = Latencies::default();
        for value in values {
            latencies.record(Timed::Dns, *value);
        }
        let mut snapshot = LatencySnapshot::default();
        latencies.add_to(Timed::Dns, &mut snapshot);
        snapshot
    }

    #[test]
    fn nothing_recorded_is_no_number() {
        assert_eq!(snapshot(&[]).summary(), None);
        let mut nothing = snapshot(&[]);
        nothing.subtract(&snapshot(&[]));
        assert_eq!(nothing.summary(), None);
    }

    #[test]
    fn one_value_is_all_its_percentiles() {
        let summary = snapshot(&[346_112]).summary().expect("a value");
        assert_eq!(
            (summary.count, summary.min, summary.p50, summary.p999, summary.max),
            (1, 346_112, 346_112, 346_112, 346_112)
        );
        assert!((summary.mean - 346_112.0).abs() < f64::EPSILON);
    }

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let values = snapshot(&[10, 100, 100, 5_000, 70_000, u64::MAX - 1]);
        let counts = values.counts_up_to([9, 10, 100, 6_000, 100_000].into_iter());
        assert_eq!(counts, [0, 1, 3, 4, 5]);
        assert_eq!(snapshot(&[]).counts_up_to([1, 2].into_iter()), [0, 0]);
    }

    #[test]
    fn a_value_beyond_the_range_is_clamped_and_counted() {
        let clamped = snapshot(&[u64::MAX - 1]);
        assert_eq!(clamped.clamped(), 1);
        assert_eq!(clamped.count(), 1);
    }

    #[test]
    fn a_window_is_the_difference_of_two_snapshots() {
        let latencies = Latencies::default();
        let mut before = LatencySnapshot::default();
        latencies.record(Timed::Tls, 5_000_000);
        latencies.add_to(Timed::Tls, &mut before);
        latencies.record(Timed::Tls, 100);
        latencies.record(Timed::Tls, 200);
        let mut after = LatencySnapshot::default();
        latencies.add_to(Timed::Tls, &mut after);
        let mut window = after.clone();
        window.subtract(&before);
        let window = window.summary().expect("two values");
        assert_eq!((window.count, window.min, window.max), (2, 100, 200));
    }

    proptest! {
        #[test]
        fn percentiles_are_ordered_and_merging_is_recording_together(
            left in proptest::collection::vec(0_u64..10_000_000_000, 1..200),
            right in proptest::collection::vec(0_u64..10_000_000_000, 1..200),
        ) {
            let mut merged = snapshot(&left);
            merged.merge(&snapshot(&right));
            let mut mirrored = snapshot(&right);
            mirrored.merge(&snapshot(&left));
            let together = snapshot(&[left, right].concat());
            prop_assert_eq!(merged.summary(), together.summary());
            prop_assert_eq!(mirrored.summary(), together.summary());
            let listed: Vec<_> = together.buckets().collect();
            let s = together.summary().expect("values");
            let read = LatencySnapshot::from_buckets(&listed, together.sum(), s.min, s.max);
            prop_assert_eq!(read.and_then(|read| read.summary()), Some(s));
            let ordered = [s.min, s.p50, s.p90, s.p95, s.p99, s.p999, s.max];
            prop_assert!(ordered.is_sorted(), "{ordered:?}");
        }
    }
}
