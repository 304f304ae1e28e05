//! Stretches of time that do not overlap, in their order.

use std::time::Duration;

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// Its begin, as time of the run.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
}

impl Interval {
    /// Returns its length.
    pub fn length(self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

/// A set of moments, as intervals that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// Adds an interval. An empty one adds nothing.
    pub fn add(&mut self, mut added: Interval) {
        if added.to <= added.from {
            return;
        }
        let first = self.0.partition_point(|known| known.to < added.from);
        let end = self.0.partition_point(|known| known.from <= added.to);
        for known in self.0.get(first..end).unwrap_or_default() {
            added.from = added.from.min(known.from);
            added.to = added.to.max(known.to);
        }
        self.0.splice(first..end.max(first), [added]);
    }

    /// Adds an interval, but keeps at most `most` of them: then the last one grows over the gap before it.
    pub fn add_within(&mut self, mut added: Interval, most: usize) {
        if self.0.len() >= most
            && let Some(last) = self.0.last()
            && added.from > last.to
        {
            added.from = last.to;
        }
        self.add(added);
    }

    /// Adds all intervals of another set.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|interval| self.add(*interval));
    }

    /// Returns the intervals, oldest first.
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// Returns the sum of their lengths.
    pub fn length(&self) -> Duration {
        self.0.iter().map(|interval| interval.length()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interval(from: u64, to: u64) -> Interval {
        Interval { from: Duration::from_secs(from), to: Duration::from_secs(to) }
    }

    #[test]
    fn intervals_that_touch_are_one_and_the_last_grows_when_there_is_no_room() {
        let mut set = Intervals::default();
        for (from, to) in [(5, 6), (1, 2), (2, 3), (9, 9), (4, 5)] {
            set.add(interval(from, to));
        }
        assert_eq!(set.as_slice(), [interval(1, 3), interval(4, 6)]);
        set.add_within(interval(8, 9), 2);
        assert_eq!(set.as_slice(), [interval(1, 3), interval(4, 9)]);
        assert_eq!(set.length(), Duration::from_secs(7));
    }

    proptest! {
        #[test]
        fn a_set_holds_each_second_that_was_added_and_no_other(
            added in proptest::collection::vec((0_u64..40, 0_u64..10), 0..12),
        ) {
            let mut set = Intervals::default();
            added.iter().for_each(|(from, length)| set.add(interval(*from, from + length)));
            let held = |second: &u64| added.iter().any(|(from, length)| (*from..from + length).contains(second));
            prop_assert_eq!(set.length().as_secs(), (0..60).filter(held).count() as u64);
            prop_assert!(set.as_slice().windows(2).all(|pair| pair[0].to < pair[1].from));
            let mut reversed = Intervals::default();
            added.iter().rev().for_each(|(from, length)| reversed.add(interval(*from, from + length)));
            prop_assert_eq!(set, reversed);
        }
    }
}
