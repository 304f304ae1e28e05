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

    /// Returns the part of it that is within another one; it may be empty.
    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// Number of the newest intervals that a full set keeps, so that one which is added late still meets those that it
/// overlaps: a streak is added once it is long enough, which takes ten seconds.
const NEWEST: usize = 100;

/// A set of moments, as intervals that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals {
    kept: Vec<Interval>,
    /// Number of the intervals that found no room, and the sum of their lengths.
    left_out: (u64, Duration),
}

impl Intervals {
    /// Adds an interval. An empty one adds nothing.
    pub fn add(&mut self, mut added: Interval) {
        if added.to <= added.from {
            return;
        }
        let first = self.kept.partition_point(|known| known.to < added.from);
        let end = self.kept.partition_point(|known| known.from <= added.to);
        for known in self.kept.get(first..end).unwrap_or_default() {
            added.from = added.from.min(known.from);
            added.to = added.to.max(known.to);
        }
        self.kept.splice(first..end.max(first), [added]);
    }

    /// Adds an interval, but keeps at most `most` of them: the oldest and the newest. Of those in between, their number
    /// and the sum of their lengths remain.
    pub fn add_within(&mut self, added: Interval, most: usize) {
        self.add(added);
        if self.kept.len() > most {
            let left_out = self.kept.remove(most.saturating_sub(NEWEST));
            self.left_out.0 += 1;
            self.left_out.1 += left_out.length();
        }
    }

    /// Reports whether an interval and one of the set have a moment in common.
    pub fn meets(&self, interval: Interval) -> bool {
        let next = self.kept.partition_point(|known| known.to <= interval.from);
        self.kept.get(next).is_some_and(|known| known.from < interval.to)
    }

    /// Adds all intervals of another set.
    pub fn merge(&mut self, other: &Self) {
        other.kept.iter().for_each(|interval| self.add(*interval));
        self.left_out.0 += other.left_out.0;
        self.left_out.1 += other.left_out.1;
    }

    /// Returns the intervals, oldest first, without those that were left out.
    pub fn as_slice(&self) -> &[Interval] {
        &self.kept
    }

    /// Returns the number of intervals that found no room.
    pub fn left_out(&self) -> u64 {
        self.left_out.0
    }

    /// Returns the sum of the lengths of all intervals.
    pub fn length(&self) -> Duration {
        self.kept.iter().map(|interval| interval.length()).sum::<Duration>() + self.left_out.1
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
    fn intervals_that_touch_are_one() {
        let mut set = Intervals::default();
        for (from, to) in [(5, 6), (1, 2), (2, 3), (9, 9), (4, 5)] {
            set.add(interval(from, to));
        }
        assert_eq!(set.as_slice(), [interval(1, 3), interval(4, 6)]);
        assert_eq!((set.length(), set.left_out()), (Duration::from_secs(4), 0));
        let meets =
            [(0, 1), (0, 2), (2, 3), (3, 4), (5, 9), (6, 9)].map(|(from, to)| set.meets(interval(from, to)));
        assert_eq!(meets, [false, true, true, false, true, false]);
    }

    #[test]
    fn a_full_set_still_knows_how_long_its_intervals_are() {
        let (mut set, most) = (Intervals::default(), 2 * NEWEST);
        for second in 0..10_000 {
            // Every second one, and each of them a second time, as another gauge would.
            set.add_within(interval(2 * second, 2 * second + 1), most);
            set.add_within(interval(2 * second, 2 * second + 1), most);
        }
        assert_eq!((set.length(), set.as_slice().len()), (Duration::from_secs(10_000), most));
        assert_eq!(set.left_out(), 10_000 - most as u64);
        // One that comes late joins those that it overlaps.
        set.add_within(interval(19_990, 19_999), most);
        assert_eq!(set.length(), Duration::from_secs(10_004));
        assert_eq!(
            (set.as_slice()[0], set.as_slice()[most - 5].to),
            (interval(0, 1), Duration::from_secs(19_999))
        );
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
