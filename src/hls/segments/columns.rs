//! Columns of a list of segments: values that most segments lack, or share with the previous segment.

use std::time::Duration;

use super::numbers::Numbers;

/// Bits of a [`Span`] that hold its number; the two bits above hold its unit.
const NUMBER_BITS: u32 = 30;
const NUMBER_MAX: u32 = (1 << NUMBER_BITS) - 1;

/// Duration in four bytes: microseconds up to 17 minutes, milliseconds up to 12 days, then seconds. Playlists do not
/// state longer durations more finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(u32);

impl Span {
    /// Nanoseconds of each unit.
    const UNITS: [u64; 3] = [1_000, 1_000_000, 1_000_000_000];

    pub(super) fn duration(self) -> Duration {
        let unit = Self::UNITS.get((self.0 >> NUMBER_BITS) as usize).copied().unwrap_or_default();
        Duration::from_nanos(u64::from(self.0 & NUMBER_MAX).saturating_mul(unit))
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        let nanoseconds = duration.as_nanos();
        let rounded = |unit: u64| u32::try_from((nanoseconds + u128::from(unit / 2)) / u128::from(unit)).ok();
        let fitting = Self::UNITS.iter().zip(0..).find_map(|(unit, index)| {
            rounded(*unit).filter(|number| *number <= NUMBER_MAX).map(|number| (number, index))
        });
        let (number, unit): (u32, u32) = fitting.unwrap_or((NUMBER_MAX, 2));
        Self(unit << NUMBER_BITS | number)
    }
}

/// Value for each segment, stored where it changes. Leading default values are not stored.
#[derive(Clone, Debug)]
pub(super) struct Runs<T> {
    /// The first segment of each run, and its value.
    runs: Vec<(u32, T)>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<T: PartialEq + Default> Runs<T> {
    /// Sets the value of segment `index` and of all later ones.
    pub(super) fn set(&mut self, index: u32, value: T) {
        let is_news = match self.runs.last() {
            Some((_, last)) => *last != value,
            None => value != T::default(),
        };
        if is_news {
            self.runs.push((index, value));
        }
    }

    /// Returns the value of segment `index`; `None` stands for the default.
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let before = self.runs.partition_point(|(start, _)| *start <= index);
        self.runs.get(before.checked_sub(1)?).map(|(_, value)| value)
    }

    /// Iterates over the values, once per run.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.runs.iter().map(|(_, value)| value)
    }

    pub(super) fn shrink(&mut self) {
        self.runs.shrink_to_fit();
    }

    /// Returns the bytes on the heap, without those of the values themselves.
    pub(super) fn heap_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<(u32, T)>()
    }
}

/// The segments that have a value, and the place of each value among all values. A further segment in an unbroken row
/// costs nothing.
#[derive(Clone, Debug, Default)]
struct Rows {
    /// The first segment of each unbroken row of segments with a value, and the place of its value.
    rows: Vec<(u32, u32)>,
    values: u32,
}

impl Rows {
    /// Adds segment `index`, which comes after all that have a value.
    fn push(&mut self, index: u32) {
        let goes_on = self.rows.last().is_some_and(|(start, first)| start + (self.values - first) == index);
        if !goes_on {
            self.rows.push((index, self.values));
        }
        self.values += 1;
    }

    /// Returns the place of the value of segment `index`, if it has one.
    fn place(&self, index: u32) -> Option<usize> {
        let row = self.rows.partition_point(|(start, _)| *start <= index).checked_sub(1)?;
        let (start, first) = self.rows.get(row)?;
        let end = self.rows.get(row + 1).map_or(self.values, |(_, next)| *next);
        let place = first + (index - start);
        (place < end).then_some(place as usize)
    }

    fn heap_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<(u32, u32)>()
    }
}

/// Value for some segments.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T> {
    rows: Rows,
    values: Vec<T>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { rows: Rows::default(), values: Vec::new() }
    }
}

impl<T> Sparse<T> {
    /// Sets the value of segment `index`, which comes after all that have one.
    pub(super) fn set(&mut self, index: u32, value: T) {
        self.rows.push(index);
        self.values.push(value);
    }

    /// Returns the value of segment `index`, if it has one.
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.values.get(self.rows.place(index)?)
    }

    /// Returns all values, in the order of their segments.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    pub(super) fn shrink(&mut self) {
        self.rows.rows.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// Returns the bytes on the heap, without those of the values themselves.
    pub(super) fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes() + self.values.capacity() * size_of::<T>()
    }
}

/// `N` numbers for some segments; each grows evenly from segment to segment.
#[derive(Clone, Debug)]
pub(super) struct SparseNumbers<const N: usize> {
    rows: Rows,
    numbers: [Numbers; N],
}

impl<const N: usize> Default for SparseNumbers<N> {
    fn default() -> Self {
        Self { rows: Rows::default(), numbers: std::array::from_fn(|_| Numbers::default()) }
    }
}

impl<const N: usize> SparseNumbers<N> {
    /// Sets the numbers of segment `index`, which comes after all that have some.
    pub(super) fn set(&mut self, index: u32, numbers: [i64; N]) {
        self.rows.push(index);
        self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
    }

    /// Returns the numbers of segment `index`, if it has some.
    pub(super) fn get(&self, index: u32) -> Option<[i64; N]> {
        let place = self.rows.place(index)?;
        Some(self.numbers.each_ref().map(|column| column.get(place).unwrap_or_default()))
    }

    pub(super) fn shrink(&mut self) {
        self.rows.rows.shrink_to_fit();
        self.numbers.iter_mut().for_each(Numbers::shrink);
    }

    /// Returns the bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes() + self.numbers.iter().map(Numbers::heap_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_exact_to_the_microsecond_and_for_long_ones_to_the_millisecond() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for exact in [
            Duration::ZERO,
            Duration::from_micros(1),
            Duration::from_micros(6_006_006),
            minutes(17),
            minutes(18) + Duration::from_millis(1),
            Duration::from_hours(11 * 24) + Duration::from_millis(999),
            Duration::from_hours(366 * 24),
        ] {
            assert_eq!(Span::from(exact).duration(), exact);
        }
        assert_eq!(Span::from(Duration::from_nanos(1_500)).duration(), Duration::from_micros(2));
        assert_eq!(Span::from(Duration::MAX).duration(), Duration::from_secs(u64::from(NUMBER_MAX)));
    }

    #[test]
    fn a_run_is_kept_once_and_the_default_before_the_first_costs_nothing() {
        let mut runs = Runs::default();
        for (index, value) in [0, 0, 7, 7, 7, 0, 8].into_iter().enumerate() {
            runs.set(index as u32, value);
        }
        let values: Vec<_> = (0..9).map(|index| runs.get(index).copied().unwrap_or_default()).collect();
        assert_eq!(values, [0, 0, 7, 7, 7, 0, 8, 8, 8]);
        assert_eq!(runs.values().count(), 3);
    }

    #[test]
    fn some_segments_have_numbers_and_the_others_none() {
        let mut sparse = SparseNumbers::default();
        for index in [1, 2, 40, 41] {
            sparse.set(index, [i64::from(index), -i64::from(index)]);
        }
        let numbers: Vec<_> = (0..50).filter_map(|index| sparse.get(index)).collect();
        assert_eq!(numbers, [[1, -1], [2, -2], [40, -40], [41, -41]]);
    }

    #[test]
    fn some_segments_have_a_value_and_the_others_none() {
        let mut sparse = Sparse::default();
        for index in [1, 2, 3, 7, 8, 20] {
            sparse.set(index, index * 10);
        }
        let values: Vec<_> = (0..22).filter_map(|index| sparse.get(index).copied()).collect();
        assert_eq!(values, [10, 20, 30, 70, 80, 200]);
        assert_eq!(sparse.rows.rows.len(), 3);
    }
}
