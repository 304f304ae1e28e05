//! Latency histograms: lock-free to write, mergeable, and exact in count, sum, minimum and maximum.
//!
//! * A value is kept to 0.8 % between 1 microsecond and 71 minutes; a larger one is clamped and counted as clamped.
//! * The count is the sum of the buckets that were read, so percentiles and count always belong together.
//! * A request that failed is in the histogram of failures with its full waiting time: a timeout that is left out
//!   makes the percentiles of a sick origin look healthy.

use std::sync::OnceLock;

use histogram::{AtomicHistogram, Config, Histogram};

use crate::base::Kind;
use crate::base::cell::Cell;

/// Buckets per power of two: 2^7, an error of 0.8 %.
const GROUPING_POWER: u8 = 7;
/// The largest value is 2^32 - 1 microseconds.
const MAX_VALUE_POWER: u8 = 32;
const MAX_VALUE_US: u64 = (1 << MAX_VALUE_POWER) - 1;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timed {
    /// Resolving a name.
    Dns,
    /// TCP connect.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From a client's first request to the first frame that it plays.
    Startup,
    /// From the request being sent to the first byte of the response, of requests that ended ok.
    FirstByte(Kind),
    /// From the first byte to the last byte of the response, of requests that ended ok.
    Body(Kind),
    /// From the start of the request (a connection it needed included) to its end, of requests that ended ok.
    Total(Kind),
    /// The same for requests that failed; timeouts count with their full waiting time.
    Failed(Kind),
}

impl Timed {
    /// How many things are timed.
    pub const COUNT: usize = 4 + 4 * Kind::COUNT;

    /// All that is timed, in the order of the reports.
    pub fn all() -> impl Iterator<Item = Self> {
        let per_kind =
            |kind| [Self::FirstByte(kind), Self::Body(kind), Self::Total(kind), Self::Failed(kind)];
        [Self::Dns, Self::Connect, Self::Tls, Self::Startup]
            .into_iter()
            .chain(Kind::ALL.into_iter().flat_map(per_kind))
    }

    /// The place in a table of [`Timed::COUNT`].
    pub const fn index(self) -> usize {
        match self {
            Self::Dns => 0,
            Self::Connect => 1,
            Self::Tls => 2,
            Self::Startup => 3,
            Self::FirstByte(kind) => 4 + 4 * kind.index(),
            Self::Body(kind) => 5 + 4 * kind.index(),
            Self::Total(kind) => 6 + 4 * kind.index(),
            Self::Failed(kind) => 7 + 4 * kind.index(),
        }
    }

    /// The name in reports: `segment_ttfb`, `segment_body`, `segment`, `segment_failed`, `dns`, ...
    pub fn name(self) -> String {
        match self {
            Self::Dns => "dns".to_owned(),
            Self::Connect => "connect".to_owned(),
            Self::Tls => "tls".to_owned(),
            Self::Startup => "startup".to_owned(),
            Self::FirstByte(kind) => format!("{}_ttfb", kind.name()),
            Self::Body(kind) => format!("{}_body", kind.name()),
            Self::Total(kind) => kind.name().to_owned(),
            Self::Failed(kind) => format!("{}_failed", kind.name()),
        }
    }
}

fn config() -> Option<Config> {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).ok()
}

/// One histogram that a worker writes and a snapshot reads.
#[derive(Debug)]
struct Recorded {
    buckets: AtomicHistogram,
    sum: Cell,
    max: Cell,
    /// 2^64 - 1 minus the smallest value, so that zero means none.
    min_complement: Cell,
    clamped: Cell,
}

/// The histograms of one worker thread. Each exists from its first value on.
#[derive(Debug)]
pub struct Latencies([OnceLock<Box<Recorded>>; Timed::COUNT]);

impl Default for Latencies {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }
}

impl Latencies {
    /// Records microseconds; by the one writer only.
    #[inline]
    pub fn record(&self, timed: Timed, microseconds: u64) {
        let Some(cell) = self.0.get(timed.index()) else { return };
        // One writer: the initialisation is never contended, so this never waits.
        let recorded = match cell.get() {
            Some(recorded) => recorded,
            None => {
                let Some(config) = config() else { return };
                cell.get_or_init(|| {
                    Box::new(Recorded {
                        buckets: AtomicHistogram::with_config(&config),
                        sum: Cell::default(),
                        max: Cell::default(),
                        min_complement: Cell::default(),
                        clamped: Cell::default(),
                    })
                })
            }
        };
        recorded.sum.add(microseconds);
        recorded.max.raise(microseconds);
        recorded.min_complement.raise(u64::MAX - microseconds);
        if microseconds > MAX_VALUE_US {
            recorded.clamped.add(1);
        }
        // Cannot fail: the value is clamped to the range.
        _ = recorded.buckets.increment(microseconds.min(MAX_VALUE_US));
    }

    /// Adds what was recorded so far to `snapshot`.
    pub fn add_to(&self, timed: Timed, snapshot: &mut LatencySnapshot) {
        let Some(recorded) = self.0.get(timed.index()).and_then(OnceLock::get) else { return };
        snapshot.min_complement = snapshot.min_complement.max(recorded.min_complement.get());
        snapshot.max = snapshot.max.max(recorded.max.get());
        snapshot.sum = snapshot.sum.wrapping_add(recorded.sum.get());
        snapshot.clamped += recorded.clamped.get();
        let (Some(buckets), Some(scratch)) = (&mut snapshot.buckets, &mut snapshot.scratch) else { return };
        if recorded.buckets.load_into(scratch).is_ok() {
            // Cannot overflow: 2^64 samples are more than a run can make.
            _ = buckets.checked_add_assign(scratch);
        }
    }
}

/// The plain copy of a histogram, merged over all workers.
#[derive(Clone, Debug)]
pub struct LatencySnapshot {
    buckets: Option<Histogram>,
    scratch: Option<Histogram>,
    sum: u64,
    max: u64,
    min_complement: u64,
    clamped: u64,
}

impl Default for LatencySnapshot {
    fn default() -> Self {
        let histogram = || config().map(|config| Histogram::with_config(&config));
        Self { buckets: histogram(), scratch: histogram(), sum: 0, max: 0, min_complement: 0, clamped: 0 }
    }
}

/// A histogram in numbers. All times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencySummary {
    /// How many values.
    pub count: u64,
    /// The smallest value.
    pub min: u64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The median.
    pub p50: u64,
    /// 95 % of the values are not larger.
    pub p95: u64,
    /// 99 % of the values are not larger.
    pub p99: u64,
    /// 99.9 % of the values are not larger.
    pub p999: u64,
    /// The largest value.
    pub max: u64,
}

impl LatencySnapshot {
    /// Forgets all values, keeps the memory.
    pub fn clear(&mut self) {
        if let Some(buckets) = &mut self.buckets {
            buckets.reset();
        }
        (self.sum, self.max, self.min_complement, self.clamped) = (0, 0, 0, 0);
    }

    /// Becomes a copy of `other` without allocating.
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

    /// The values that were recorded after `earlier` was taken from the same histogram. Minimum and maximum are
    /// then those of the buckets, because the exact ones belong to the whole run.
    pub fn since(&self, earlier: &Self) -> Self {
        let buckets = match (&self.buckets, &earlier.buckets) {
            (Some(now), Some(then)) => now.checked_sub(then).ok(),
            _ => None,
        };
        let mut filled =
            buckets.iter().flat_map(|histogram| histogram.iter()).filter(|bucket| bucket.count() > 0);
        let first = filled.next();
        let last = filled.last().or_else(|| first.clone());
        Self {
            min_complement: first.map_or(0, |bucket| u64::MAX - bucket.start()),
            max: last.map_or(0, |bucket| bucket.end().min(self.max)),
            sum: self.sum.wrapping_sub(earlier.sum),
            clamped: self.clamped - earlier.clamped.min(self.clamped),
            buckets,
            scratch: None,
        }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.as_ref().map_or(0, |buckets| buckets.as_slice().iter().sum())
    }

    /// How many values were larger than the histogram can hold.
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The numbers, or `None` when there is no value.
    pub fn summary(&self) -> Option<LatencySummary> {
        let buckets = self.buckets.as_ref()?;
        let found = buckets.quantiles(&[0.5, 0.95, 0.99, 0.999]).ok()??;
        let (count, min) = (self.count(), u64::MAX - self.min_complement);
        // A bucket stands for its upper end, but no percentile lies outside what was really seen.
        let mut at = found.entries().values().map(|bucket| bucket.end().clamp(min.min(self.max), self.max));
        let mut next = || at.next().unwrap_or(self.max);
        Some(LatencySummary {
            count,
            min,
            mean: self.sum as f64 / count as f64,
            p50: next(),
            p95: next(),
            p99: next(),
            p999: next(),
            max: self.max,
        })
    }

    /// The filled buckets as (upper end in microseconds, count), ascending: what merges exactly.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.buckets.iter().flat_map(|histogram| histogram.iter());
        all.filter(|bucket| bucket.count() > 0).map(|bucket| (bucket.end(), bucket.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(snapshot(&[]).since(&snapshot(&[])).summary(), None);
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
        let window = after.since(&before).summary().expect("two values");
        assert_eq!((window.count, window.min, window.max), (2, 100, 200));
    }

    #[test]
    fn each_timed_thing_has_its_own_place() {
        for (index, timed) in Timed::all().enumerate() {
            assert_eq!(timed.index(), index, "{}", timed.name());
        }
        assert_eq!(Timed::all().count(), Timed::COUNT);
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
            let s = together.summary().expect("values");
            let ordered = [s.min, s.p50, s.p95, s.p99, s.p999, s.max];
            prop_assert!(ordered.is_sorted(), "{ordered:?}");
        }
    }
}
