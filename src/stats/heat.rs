//! Durations of one second in few buckets: the columns of a heat map.
//!
//! * Four buckets for each power of two between 128 us and 67 s, which is finer than a screen or a page can show, in
//!   312 bytes. A histogram of the whole run has 3,328 buckets; each of them lies in exactly one of these.
//! * The counts of a second are what the histogram of the whole run gained in it. So the heat of all seconds adds up
//!   to the histogram, and the heat of several machines to that of one.

/// Number of buckets: one below 128 us, four for each of the 19 powers of two up to 67 s, one above.
pub const HEAT_BUCKETS: usize = 78;

/// Exponent of the first power of two with buckets of its own.
const FIRST_POWER: u32 = 7;
/// Exponent of the first value that belongs to the last bucket.
const LAST_POWER: u32 = 26;

/// Counts of durations by bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heat([u32; HEAT_BUCKETS]);

impl Default for Heat {
    fn default() -> Self {
        Self([0; HEAT_BUCKETS])
    }
}

impl Heat {
    /// Returns the bucket of a duration in microseconds.
    pub fn bucket_of(microseconds: u64) -> usize {
        let power = 63 - (microseconds | 1).leading_zeros();
        match power {
            0..FIRST_POWER => 0,
            FIRST_POWER..LAST_POWER => {
                let quarter = (microseconds >> (power - 2)) & 3;
                1 + 4 * (power - FIRST_POWER) as usize + quarter as usize
            }
            _ => HEAT_BUCKETS - 1,
        }
    }

    /// Returns the smallest duration of a bucket, in microseconds.
    pub fn begin_us(bucket: usize) -> u64 {
        match bucket.checked_sub(1) {
            None => 0,
            Some(place) => {
                let place = place.min(HEAT_BUCKETS - 2) as u64;
                (4 + place % 4) << (place / 4 + u64::from(FIRST_POWER) - 2)
            }
        }
    }

    /// Counts one duration.
    pub fn record(&mut self, microseconds: u64) {
        self.add_to(Self::bucket_of(microseconds), 1);
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// Adds to the count of one bucket.
    pub(super) fn add_to(&mut self, bucket: usize, count: u64) {
        if let Some(into) = self.0.get_mut(bucket) {
            *into = into.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    /// Returns the count of a bucket.
    pub fn count(&self, bucket: usize) -> u32 {
        self.0.get(bucket).copied().unwrap_or_default()
    }

    /// Returns the count of all buckets.
    pub fn total(&self) -> u64 {
        self.0.iter().copied().map(u64::from).sum()
    }

    /// Returns the filled buckets with their counts, ascending.
    pub fn filled(&self) -> Vec<(u8, u32)> {
        (0..).zip(self.0).filter(|(_, count)| *count > 0).collect()
    }

    /// Returns the end of the bucket in which this quantile lies, in microseconds; `None` without a value. It is up
    /// to a quarter of a power of two above the exact quantile: good enough for a mark in a chart.
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        let total = self.total();
        let rank = ((share.clamp(0.0, 1.0) * total as f64).ceil() as u64).max(1);
        let mut below = 0;
        let bucket = self.0.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        })?;
        Some(Self::begin_us(bucket + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_each_power_of_two_are_in_buckets_that_begin_there() {
        assert_eq!((Heat::bucket_of(0), Heat::bucket_of(127), Heat::bucket_of(128)), (0, 0, 1));
        assert_eq!([1, 2, 3, 4, 5].map(Heat::begin_us), [128, 160, 192, 224, 256]);
        assert_eq!(Heat::bucket_of((1 << LAST_POWER) - 1), HEAT_BUCKETS - 2);
        assert_eq!([1 << LAST_POWER, u64::MAX].map(Heat::bucket_of), [HEAT_BUCKETS - 1; 2]);
        assert_eq!(Heat::begin_us(HEAT_BUCKETS - 1), 1 << LAST_POWER);
        for bucket in 1..HEAT_BUCKETS {
            let begin = Heat::begin_us(bucket);
            assert_eq!((Heat::bucket_of(begin), Heat::bucket_of(begin - 1)), (bucket, bucket - 1));
        }
    }

    #[test]
    fn a_quantile_is_the_end_of_its_bucket() {
        let mut heat = Heat::default();
        assert_eq!(heat.quantile_us(0.5), None);
        (0..95).for_each(|_| heat.record(1_000));
        (0..5).for_each(|_| heat.record(70_000_000));
        assert_eq!((heat.quantile_us(0.0), heat.quantile_us(0.95)), (Some(1_024), Some(1_024)));
        assert_eq!(heat.quantile_us(0.96), Some(1 << LAST_POWER));
    }

    #[test]
    fn counts_stay_at_their_maximum() {
        let mut heat = Heat::default();
        heat.add_to(3, u64::MAX);
        heat.record(Heat::begin_us(3));
        heat.add(&heat.clone());
        assert_eq!(heat.filled(), [(3, u32::MAX)]);
    }
}
