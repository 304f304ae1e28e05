//! History of the whole run in bins of Unix time.

use super::bins::Bins;
use super::blocks::Blocks;
use super::point::{CODES, Point};
use crate::vocabulary::Outcome;

/// Points of the whole run, and the outcomes that their columns of codes stand for.
#[derive(Clone, Debug, Default)]
pub struct HistoryBins {
    codes: Vec<Outcome>,
    bins: Bins<Point>,
}

impl HistoryBins {
    /// Returns the number of seconds that a bin covers.
    pub fn width_s(&self) -> u64 {
        self.bins.width_s()
    }

    /// Returns the begin of the first bin, in seconds of Unix time.
    pub fn begins_s(&self) -> u64 {
        self.bins.begins_s()
    }

    /// Returns the bins, oldest first, without a gap.
    pub fn bins(&self) -> &Blocks<Point> {
        self.bins.bins()
    }

    /// Returns the failed outcomes that have a column of their own, at most [`CODES`].
    pub fn codes(&self) -> &[Outcome] {
        &self.codes
    }

    /// Returns the place of an outcome among the codes and adds it if there is room; otherwise the place of all others.
    pub(super) fn place_of(&mut self, outcome: Outcome) -> usize {
        let known = self.codes.iter().position(|code| *code == outcome);
        known.unwrap_or_else(|| {
            if self.codes.len() < CODES {
                self.codes.push(outcome);
                self.codes.len() - 1
            } else {
                CODES
            }
        })
    }

    /// Adds to the bin of a second of Unix time, which must not be before the first bin.
    pub(super) fn add_at(&mut self, unix_s: u64, point: &Point) {
        self.bins.add_at(unix_s, point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::bins::Addable;
    use crate::verdict::Verdict;
    use crate::vocabulary::outcome::Fault;
    use proptest::prelude::*;
    use std::time::Duration;

    fn outcome(number: usize) -> Outcome {
        match number % CODES {
            0 => Fault::ConnReset.into(),
            1 => Fault::TimeoutFirstByte.into(),
            number => Outcome::from_status(500 + number as u16, false),
        }
    }

    fn second(history: &mut HistoryBins, unix_s: u64, value: u64) {
        let mut point = Point {
            need_bits: value * 7,
            verdict: [Verdict::Unknown, Verdict::Ok, Verdict::Failing][value as usize % 3],
            ends: Duration::from_secs(unix_s),
            ..Point::default()
        };
        point.counts.bytes = value;
        point.heat[value as usize % 5].record(value * 1_000);
        let place = history.place_of(outcome(value as usize));
        point.add_code(place, value);
        history.add_at(unix_s, &point);
    }

    proptest! {
        // A history has hundreds of bins of two kilobytes.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_history_that_widens_loses_nothing(
            first in 0_u64..10_000,
            steps in proptest::collection::vec((0_u64..400, 1_u64..1_000), 1..12),
        ) {
            let (mut history, mut one_bin, mut unix_s) = (HistoryBins::default(), HistoryBins::default(), first);
            for (step, value) in &steps {
                unix_s += step;
                second(&mut history, unix_s, *value);
                second(&mut one_bin, 0, *value);
            }
            let mut all = Point::default();
            history.bins().iter().for_each(|bin| all.add(bin));
            let expected = Point { ends: Duration::from_secs(unix_s), ..one_bin.bins().last().cloned().expect("a bin") };
            prop_assert_eq!(all, expected);
            prop_assert_eq!(history.codes(), one_bin.codes());
            prop_assert!(history.bins().len() <= Point::BINS && history.width_s().is_power_of_two());
        }
    }

    #[test]
    fn codes_beyond_the_last_column_count_with_all_others() {
        let mut history = HistoryBins::default();
        for status in 0..20 {
            let place = history.place_of(Outcome::from_status(599 - status, false));
            let mut point = Point::default();
            point.add_code(place, 1);
            history.add_at(5, &point);
        }
        assert_eq!(
            (history.codes().len(), history.bins().last().map(|bin| bin.codes[CODES])),
            (CODES, Some(5))
        );
        assert_eq!(history.bins().last().map(Point::failed), Some(20));
    }
}
