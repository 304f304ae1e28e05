//! History of the whole run in bins of Unix time: the part of the history that adds up over machines.

use super::bins::Bins;
use super::blocks::Blocks;
use super::point::{CODES, Peaks, Point};
use crate::vocabulary::Outcome;

/// Points of the whole run, and the outcomes that their columns of codes stand for.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// Merges the histories of two machines. Commutative, and associative as long as they have at most [`CODES`]
    /// codes together; of more, the last in the order of outcomes count with all others. An empty history changes
    /// nothing.
    pub fn merge(&self, other: &Self) -> Self {
        if other.bins().is_empty() {
            return self.clone();
        }
        if self.bins().is_empty() {
            return other.clone();
        }
        let mut codes = [&*self.codes, &*other.codes].concat();
        codes.sort_unstable();
        codes.dedup();
        codes.truncate(CODES);
        let bins = self.with_codes(&codes).merge(&other.with_codes(&codes));
        Self { codes, bins }
    }

    /// Returns the part that adds up: without peaks, and with the codes in the order of outcomes, as merged histories
    /// have them.
    pub(super) fn addable(&self) -> Self {
        let mut codes = self.codes.clone();
        codes.sort_unstable();
        let bins = self.with_codes(&codes).map(|point| Point { peaks: Peaks::default(), ..point.clone() });
        Self { codes, bins }
    }

    /// Returns the bins with the columns of these codes; codes without a column count with all others.
    fn with_codes(&self, codes: &[Outcome]) -> Bins<Point> {
        if self.codes == codes {
            return self.bins.clone();
        }
        let mut places = [CODES; CODES + 1];
        for (place, code) in places.iter_mut().zip(&self.codes) {
            *place = codes.iter().position(|other| other == code).unwrap_or(CODES);
        }
        self.bins.map(|point| point.moved(&places))
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
            number => Outcome::of_status(500 + number as u16, false),
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

    /// Returns everything added up, and each code with its count.
    fn sum(history: &HistoryBins) -> (Point, Vec<(Outcome, u32)>) {
        let mut all = Point::default();
        history.bins().iter().for_each(|bin| all.add(bin));
        let mut codes: Vec<_> = history.codes().iter().copied().zip(all.codes).collect();
        codes.sort_unstable();
        (Point { codes: [0; CODES + 1], ..all }, codes)
    }

    /// Generates the history of one machine: it begins at some second and has values at later ones.
    fn history() -> impl Strategy<Value = HistoryBins> {
        let steps = proptest::collection::vec((0_u64..400, 1_u64..1_000), 0..12);
        (0_u64..10_000, steps).prop_map(|(mut unix_s, steps)| {
            let mut history = HistoryBins::default();
            for (step, value) in steps {
                unix_s += step;
                second(&mut history, unix_s, value);
            }
            history
        })
    }

    proptest! {
        // A history has hundreds of bins of two kilobytes.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn histories_merge_in_whatever_order_and_lose_nothing(a in history(), b in history(), c in history()) {
            prop_assert_eq!(a.merge(&b), b.merge(&a));
            prop_assert_eq!(a.merge(&b).merge(&c), a.merge(&b.merge(&c)));
            prop_assert_eq!(&a.merge(&HistoryBins::default()), &a);
            let all = a.merge(&b).merge(&c);
            prop_assert_eq!(sum(&all).0, sum(&in_one_bin(&[&a, &b, &c])).0);
            prop_assert_eq!(sum(&all).1, sum(&in_one_bin(&[&a, &b, &c])).1);
            prop_assert!(all.bins().len() <= Point::BINS && all.width_s().is_power_of_two());
        }

        #[test]
        fn a_load_and_its_two_halves_give_the_same_bins(values in proptest::collection::vec(1_u64..100, 1..40)) {
            let [mut whole, mut one, mut other] = [(); 3].map(|()| HistoryBins::default());
            for (unix_s, value) in (1_000_u64..).step_by(60).zip(&values) {
                second(&mut whole, unix_s, *value);
                second(&mut whole, unix_s, 7);
                second(&mut one, unix_s, *value);
                second(&mut other, unix_s, 7);
            }
            prop_assert_eq!(one.merge(&other), whole.addable());
        }
    }

    /// Returns the values of all histories in one bin, without the merge that is under test.
    fn in_one_bin(histories: &[&HistoryBins]) -> HistoryBins {
        let mut all = HistoryBins::default();
        for history in histories {
            for bin in history.bins().iter() {
                let mut point = Point { codes: [0; CODES + 1], ..bin.clone() };
                for (code, count) in history.codes().iter().zip(bin.codes) {
                    let place = all.place_of(*code);
                    point.add_code(place, count.into());
                }
                all.add_at(0, &point);
            }
        }
        all
    }

    #[test]
    fn codes_beyond_the_last_column_count_with_all_others() {
        let mut history = HistoryBins::default();
        for status in 0..20 {
            let place = history.place_of(Outcome::of_status(599 - status, false));
            let mut point = Point::default();
            point.add_code(place, 1);
            history.add_at(5, &point);
        }
        let (_, codes) = sum(&history);
        assert_eq!((codes.len(), history.bins().last().map(|bin| bin.codes[CODES])), (CODES, Some(5)));
        assert_eq!(history.bins().last().map(Point::failed), Some(20));
        let addable = history.addable();
        assert_eq!(addable.codes().first(), Some(&Outcome::of_status(585, false)));
        assert_eq!(addable.bins().last().map(Point::failed), Some(20));
    }
}
