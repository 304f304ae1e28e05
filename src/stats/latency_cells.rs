//! Latency histograms as one worker thread writes them, made of cells.
//!
//! * A value between 1 microsecond and 71 minutes is kept to 0.8 %; a larger one is clamped and counted as clamped.
//! * The buckets are those of the `histogram` crate, which does the arithmetic on the copy in a snapshot. Its own
//!   atomic histogram adds by read-modify-write, for many writers; here there is one.

use super::latency::{GROUPING_POWER, LatencySnapshot, MAX_VALUE_POWER};
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::Timed;

const MAX_VALUE_US: u64 = (1 << MAX_VALUE_POWER) - 1;
/// Number of buckets: 2^8 linear ones, and 2^7 for each power of two above.
const BUCKETS: usize = ((MAX_VALUE_POWER - GROUPING_POWER + 1) as usize) << GROUPING_POWER;

/// Returns the bucket of a value of at most [`MAX_VALUE_US`]: linear below 2^8, then 2^7 buckets per power of two.
const fn bucket_of(value: u64) -> usize {
    // Setting the low bit changes no power of two, and avoids a special case for zero.
    let power = 63 - (value | 1).leading_zeros();
    let shift = power.saturating_sub(GROUPING_POWER as u32);
    (((shift as u64) << GROUPING_POWER) + (value >> shift)) as usize
}

/// A histogram that a worker writes and a snapshot reads.
#[derive(Debug)]
pub(super) struct HistogramCells {
    pub(super) sum: SingleWriterCell,
    pub(super) max: SingleWriterCell,
    /// 2^64 - 1 minus the smallest value, so that zero means none.
    pub(super) min_complement: SingleWriterCell,
    pub(super) clamped: SingleWriterCell,
    pub(super) buckets: [SingleWriterCell; BUCKETS],
}

impl Default for HistogramCells {
    fn default() -> Self {
        Self {
            sum: SingleWriterCell::default(),
            max: SingleWriterCell::default(),
            min_complement: SingleWriterCell::default(),
            clamped: SingleWriterCell::default(),
            buckets: std::array::from_fn(|_| SingleWriterCell::default()),
        }
    }
}

impl HistogramCells {
    /// Numbers that a walk visits.
    pub(super) const NUMBERS: usize = BUCKETS + 4;

    /// Visits all numbers, or passes over those of a histogram without a value.
    pub(super) fn walk_one(cells: &OnceLock<Box<Self>>, walk: &mut Walk<'_>) {
        if cells.get().is_none() && !walk.wants(Self::NUMBERS) {
            return walk.skip(Self::NUMBERS);
        }
        let cells = cells.get_or_init(Box::default);
        // The buckets first, as a snapshot reads them.
        cells.buckets.iter().chain([&cells.sum, &cells.max, &cells.clamped]).for_each(|cell| walk.cell(cell));
        walk.word(&cells.min_complement);
    }

    #[inline]
    pub(super) fn record(&self, microseconds: u64) {
        self.sum.add(microseconds);
        self.max.raise(microseconds);
        self.min_complement.raise(u64::MAX - microseconds);
        if microseconds > MAX_VALUE_US {
            self.clamped.add(1);
        }
        if let Some(bucket) = self.buckets.get(bucket_of(microseconds.min(MAX_VALUE_US))) {
            // Release: a reader that counts the value sees its sum and extremes.
            bucket.add_release(1);
        }
    }

    /// Adds the values recorded so far to `snapshot`.
    pub(super) fn add_to(&self, snapshot: &mut LatencySnapshot) {
        let Some(buckets) = &mut snapshot.buckets else { return };
        for (bucket, recorded) in buckets.as_mut_slice().iter_mut().zip(&self.buckets) {
            *bucket += recorded.get_acquire();
        }
        // Read after the buckets, because they are written before them: they cover every value that was counted.
        snapshot.sum = snapshot.sum.wrapping_add(self.sum.get());
        snapshot.max = snapshot.max.max(self.max.get());
        snapshot.min_complement = snapshot.min_complement.max(self.min_complement.get());
        snapshot.clamped += self.clamped.get();
    }
}

/// Histograms of one worker thread, each allocated with its first value.
#[derive(Debug)]
pub(super) struct Latencies([OnceLock<Box<HistogramCells>>; Timed::COUNT]);

impl Default for Latencies {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }
}

impl Latencies {
    /// Records a duration in microseconds; by the one writer only.
    #[inline]
    pub(super) fn record(&self, timed: Timed, microseconds: u64) {
        if let Some(cells) = self.0.get(timed.index()) {
            // One writer: the initialisation is never contended, so this never waits.
            cells.get_or_init(Box::default).record(microseconds);
        }
    }

    /// Visits all histograms.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        self.0.iter().for_each(|cells| HistogramCells::walk_one(cells, walk));
    }

    /// Adds the values recorded so far to `snapshot`.
    pub(super) fn add_to(&self, timed: Timed, snapshot: &mut LatencySnapshot) {
        if let Some(cells) = self.0.get(timed.index()).and_then(OnceLock::get) {
            cells.add_to(snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::latency::config;
    use histogram::Histogram;
    use proptest::prelude::*;

    /// Returns the index of the bucket in which the crate that reads the histogram expects a value.
    fn expected(value: u64) -> Option<usize> {
        let mut histogram = Histogram::with_config(&config()?);
        histogram.increment(value).ok()?;
        histogram.as_slice().iter().position(|count| *count == 1)
    }

    #[test]
    fn the_ends_of_each_power_of_two_are_in_the_buckets_where_a_reader_looks() {
        for power in 0..u32::from(MAX_VALUE_POWER) {
            for value in [(1 << power) - 1, 1 << power, (1 << power) + 1] {
                assert_eq!(Some(bucket_of(value)), expected(value), "{value}");
            }
        }
        assert_eq!(Some(bucket_of(MAX_VALUE_US)), expected(MAX_VALUE_US));
        assert_eq!(config().map(|config| config.total_buckets()), Some(BUCKETS));
        assert_eq!(bucket_of(MAX_VALUE_US), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn any_value_is_in_the_bucket_where_a_reader_looks(value in 0..=MAX_VALUE_US) {
            prop_assert_eq!(Some(bucket_of(value)), expected(value));
        }
    }
}
