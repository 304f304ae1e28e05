//! The time axis that all charts of a view share.
//!
//! Its ends stand still while the run fills it from the left, so a new second changes one column and not the whole
//! picture: that costs a hundredth of the bytes, and the eye keeps its place.

use std::time::Duration;

use crate::vocabulary::units;

/// Lengths of an axis over the whole run, in seconds.
const LENGTHS_S: [u64; 12] = [60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400];
/// Share of the planned duration from which it is the length: before, the run would be a sliver at the left.
const PLAN_FROM: u32 = 5;
/// Parts of its length by which a full axis moves on.
const STEPS: u32 = 4;
/// Distances between two ticks, in seconds.
const TICKS_S: [u64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];
/// Minimum number of columns between two ticks: room for `╵1:23:45` and a gap.
const TICK_COLUMNS: u64 = 12;

/// A time axis: the columns of a chart, in time of the run.
///
/// Column `c` stands for the time after the end of column `c - 1` up to and with its own end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeAxis {
    /// Time at the left end.
    pub from: Duration,
    /// Time at the right end.
    pub to: Duration,
    /// Time of the newest value.
    pub now: Duration,
    /// Number of columns.
    pub columns: u16,
}

impl TimeAxis {
    /// Creates an axis over the whole run. Its length is the planned duration once a fifth of that has passed, and
    /// before that, or without a plan, the shortest round time that holds the run.
    pub fn whole(now: Duration, planned: Option<Duration>, columns: u16) -> Self {
        let planned = planned.filter(|planned| now >= *planned / PLAN_FROM && !planned.is_zero());
        let to = match planned {
            // A run that outlives its plan, because the last requests take their time, moves the end by a quarter.
            Some(planned) => step_over(planned, now.saturating_sub(planned), planned / STEPS),
            None => round(now),
        };
        Self { from: Duration::ZERO, to, now, columns }
    }

    /// Creates an axis over the last `length` of the run. A full axis moves on by a quarter of its length.
    pub fn last(length: Duration, now: Duration, columns: u16) -> Self {
        let from = step_over(Duration::ZERO, now.saturating_sub(length), length / STEPS);
        Self { from, to: from + length, now, columns }
    }

    /// Returns the column of a time; `None` if it lies outside.
    pub fn column(&self, at: Duration) -> Option<u16> {
        let (length, past) =
            (self.to.checked_sub(self.from)?.as_nanos(), at.checked_sub(self.from)?.as_nanos());
        if length == 0 || past > length || self.columns == 0 {
            return None;
        }
        let column = (past * u128::from(self.columns)).div_ceil(length).saturating_sub(1);
        u16::try_from(column).ok()
    }

    /// Returns the time at which a column ends.
    pub fn ends(&self, column: u16) -> Duration {
        let length = self.to.saturating_sub(self.from);
        self.from
            + length * u32::from(column.saturating_add(1).min(self.columns)) / u32::from(self.columns.max(1))
    }

    /// Returns the columns with a tick and their labels: `0:30`, or `1:05:00` from an hour on.
    pub fn ticks(&self) -> Vec<(u16, String)> {
        let length = self.to.saturating_sub(self.from).as_secs().max(1);
        let columns = u64::from(self.columns.max(1));
        let enough = |step: &u64| step.saturating_mul(columns) >= TICK_COLUMNS * length;
        let step = TICKS_S.into_iter().find(enough).unwrap_or(length.next_multiple_of(86_400));
        let first = self.from.as_secs().next_multiple_of(step);
        let times = (0..).map(|number| first + number * step).take_while(|at| *at <= self.to.as_secs());
        times
            .map(Duration::from_secs)
            .filter_map(|at| Some((self.column(at)?, units::short_clock(at))))
            .collect()
    }
}

/// Returns `from` plus as many whole steps as hold `over`.
fn step_over(from: Duration, over: Duration, step: Duration) -> Duration {
    let steps = over.as_nanos().div_ceil(step.as_nanos().max(1));
    from + step * u32::try_from(steps).unwrap_or(u32::MAX)
}

/// Rounds up to a length of an axis; past the longest one, to whole days.
fn round(now: Duration) -> Duration {
    let seconds = now.as_secs() + u64::from(now.subsec_nanos() > 0);
    let length = LENGTHS_S.into_iter().find(|length| *length >= seconds);
    Duration::from_secs(length.unwrap_or_else(|| seconds.next_multiple_of(86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_whole_run_lies_on_the_shortest_round_time_and_then_on_its_plan() {
        for (now, planned, to) in [
            (0, None, 60),
            (60, None, 60),
            (61, None, 120),
            (161, None, 300),
            (90_000, None, 172_800),
            (179, Some(900), 300),
            (180, Some(900), 900),
            (900, Some(900), 900),
            (901, Some(900), 1_125),
            (7, Some(40), 60),
            (8, Some(40), 40),
            (5, Some(0), 60),
        ] {
            let axis = TimeAxis::whole(s(now), planned.map(s), 100);
            assert_eq!((axis.from, axis.to), (s(0), s(to)), "{now} of {planned:?}");
        }
    }

    #[test]
    fn a_full_window_moves_on_by_a_quarter() {
        for (now, from) in [(0, 0), (120, 0), (121, 30), (150, 30), (151, 60), (86_400, 86_280)] {
            let axis = TimeAxis::last(s(120), s(now), 100);
            assert_eq!((axis.from, axis.to), (s(from), s(from + 120)), "{now}");
        }
    }

    #[test]
    fn a_day_has_ticks_at_round_hours() {
        let day = TimeAxis::whole(s(86_400), None, 120);
        let labels: Vec<String> = day.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0:00", "6:00:00", "12:00:00", "18:00:00", "24:00:00"]);
        let minutes: Vec<_> = TimeAxis::whole(s(161), None, 93).ticks();
        assert_eq!(minutes[..3], [(0, "0:00".to_owned()), (18, "1:00".to_owned()), (37, "2:00".to_owned())]);
        assert!(TimeAxis::whole(s(9), None, 0).ticks().is_empty());
    }

    proptest! {
        #[test]
        fn a_new_second_stays_within_its_own_columns(
            second in 0_u64..200_000,
            planned in proptest::option::of(0_u64..100_000),
            length in proptest::option::of(4_u64..10_000),
            columns in 1_u16..400,
        ) {
            let axis = |now: u64| match length {
                Some(length) => TimeAxis::last(s(length), s(now), columns),
                None => TimeAxis::whole(s(now), planned.map(s), columns),
            };
            let (before, after) = (axis(second), axis(second + 1));
            prop_assert!(before.from <= before.now && before.now <= before.to);
            prop_assert_eq!(before.column(before.to), Some(columns - 1));
            // The axis stands still but for the few moments in which it moves on.
            if (before.from, before.to) == (after.from, after.to) {
                let (first, last) = (after.column(s(second)), after.column(s(second + 1)));
                let (first, last) = (first.unwrap_or_default(), last.expect("now is on the axis"));
                let seconds = (after.to - after.from).as_secs();
                let at_most = u64::from(columns).div_ceil(seconds.max(1));
                prop_assert!(u64::from(last - first) <= at_most, "{first} to {last} of {after:?}");
            }
        }

        #[test]
        fn a_column_ends_where_the_next_begins(
            from in 0_u64..10_000, length in 1_u64..100_000, columns in 1_u16..400,
        ) {
            let axis = TimeAxis { from: s(from), to: s(from + length), now: s(from), columns };
            for column in 0..columns {
                let end = axis.ends(column);
                // `ends` rounds down to a nanosecond, which is still within the column.
                prop_assert_eq!(axis.column(end), Some(column));
                let next = axis.column(end + Duration::from_nanos(2));
                prop_assert_eq!(next, (column + 1 < columns).then_some(column + 1));
            }
            prop_assert_eq!(axis.ends(columns - 1), axis.to);
            for (column, label) in axis.ticks() {
                prop_assert!(column < columns && label.is_ascii());
            }
        }
    }
}
