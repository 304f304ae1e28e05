//! History of a run: one point a second, for charts over time.
//!
//! * The last ten minutes are kept second by second; the whole run in at most 600 bins of Unix time, which grow wider.
//!   So memory does not grow with the run.
//! * Copies share all blocks but the last: a sample holds the history of its moment for the price of some pointers.
//! * Time that no sample covers is a gap, never 0.

use std::time::Duration;

use super::bins::Addable;
use super::blocks::{BLOCK, Blocks};
use super::history_bins::HistoryBins;
use super::moment::Moment;
use super::point::Point;
use crate::vocabulary::{Outcome, share};

/// Number of seconds that are kept at least; the oldest go by blocks.
const RECENT: usize = 600;
/// Shortest time that is a point of its own, as in reports: a rate over some milliseconds would be noise.
const SHORTEST: Duration = Duration::from_millis(500);
/// Distance between the begin of a second and that of its bin up to which seconds in a row go to bins in a row: more
/// than half a second, so that timers that are late do not make it jump to and fro.
const SLACK_MS: u64 = 700;
/// Number of seconds over which the bits that arrived are compared with those that were needed.
const SHARE_SECONDS: usize = 10;

/// The points of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    recent: Blocks<Point>,
    /// Time of the run at which the first of the recent seconds begins.
    recent_begins: Duration,
    whole: HistoryBins,
    /// Start of the run in milliseconds of Unix time.
    origin_unix_ms: u64,
    /// Second of Unix time of the bin that the last second went to.
    newest_unix_s: Option<u64>,
}

impl History {
    /// Creates the history of a run that begins at this Unix time in milliseconds.
    pub fn new(started_unix_ms: i64) -> Self {
        Self { origin_unix_ms: started_unix_ms.max(0).cast_unsigned(), ..Self::default() }
    }

    /// Adds a finished second. It goes to the bin in which it begins, to less than a second; one that is late by
    /// seconds to the last bin of its time, as its counts do in the timeline. The last moments of a run, which are
    /// shorter, belong to the second before.
    pub fn push(&mut self, second: Point) {
        let begins = self.ends();
        if second.ends.saturating_sub(begins) < SHORTEST
            && let Some(newest_unix_s) = self.newest_unix_s
            && let Some(newest) = self.recent.len().checked_sub(1).and_then(|last| self.recent.get_mut(last))
        {
            newest.add(&second);
            self.whole.add_at(newest_unix_s, &second);
            return;
        }
        let unix_s = self.bin_of(second.ends.saturating_sub(Duration::from_secs(1)));
        self.newest_unix_s = Some(unix_s);
        self.whole.add_at(unix_s, &second);
        self.recent.push(second);
        if self.recent.len() >= RECENT + BLOCK
            && let Some(oldest) = self.recent.pop_block()
        {
            self.recent_begins = oldest.last().map_or(begins, |point| point.ends);
        }
    }

    /// Returns the second of Unix time of the bin for a second of the run that begins then.
    fn bin_of(&self, begins: Duration) -> u64 {
        let begins_ms = self.origin_unix_ms + begins.as_millis() as u64;
        let nearest = (begins_ms + 500) / 1_000;
        let Some(newest) = self.newest_unix_s else { return nearest };
        // The seconds of a run begin anywhere within those of the clock, and are only almost whole ones. As long as
        // they follow one another, each has its own bin, and no bin stays empty.
        let next = newest + 1;
        if begins_ms.abs_diff(1_000 * next) < SLACK_MS { next } else { nearest.max(newest) }
    }

    /// Returns the place of an outcome among the codes and adds it if there is room; otherwise the place of all others.
    pub fn place_of(&mut self, outcome: Outcome) -> usize {
        self.whole.place_of(outcome)
    }

    /// Returns the failed outcomes that have a column of their own, in the order of their first occurrence.
    pub fn codes(&self) -> &[Outcome] {
        self.whole.codes()
    }

    /// Returns the whole run in bins.
    pub fn whole(&self) -> &HistoryBins {
        &self.whole
    }

    /// Returns the moments that end after `from`, oldest first: seconds if they reach back that far, otherwise bins of
    /// the whole run.
    pub fn since(&self, from: Duration) -> Vec<Moment<'_>> {
        let (begins, points) = if self.recent_begins <= from || self.recent_begins.is_zero() {
            (self.recent_begins, &self.recent)
        } else {
            (Duration::ZERO, self.whole.bins())
        };
        let mut before = begins;
        // A bin that no sample covers has no end.
        let covered = points.iter().filter(|point| !point.ends.is_zero());
        let moments = covered.map(|bin| {
            let width = bin.ends.saturating_sub(before);
            before = bin.ends;
            Moment { ends: bin.ends, width, bin }
        });
        moments.filter(|moment| moment.ends > from).collect()
    }

    /// Returns the last finished second.
    pub fn last(&self) -> Option<Moment<'_>> {
        let mut newest = self.recent.iter().rev();
        let bin = newest.next()?;
        let before = newest.next().map_or(self.recent_begins, |point| point.ends);
        Some(Moment { ends: bin.ends, width: bin.ends.saturating_sub(before), bin })
    }

    /// Returns the time of the run at which the last finished second ends.
    pub(super) fn ends(&self) -> Duration {
        self.recent.last().map_or(Duration::ZERO, |point| point.ends)
    }

    /// Returns the share of the bits that viewers needed in the last ten seconds that arrived; `None` if they needed
    /// none, or no variant announces its bit rate.
    pub fn got_share(&self) -> Option<f64> {
        let newest = || self.recent.iter().rev().take(SHARE_SECONDS);
        let got: u64 = newest().map(|point| point.counts.bytes).sum();
        share(8 * got, newest().map(|point| point.need_bits).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Heat;
    use crate::vocabulary::ClientState;
    use std::sync::Arc;

    /// Returns a second in which a client was there for the whole time.
    fn second(ends_s: u64) -> Point {
        let mut point = Point { ends: Duration::from_secs(ends_s), ..Point::default() };
        point.counts.client_ms[ClientState::Playing.index()] = 1_000;
        point.heat[0].record(5_000);
        point
    }

    #[test]
    fn a_day_of_seconds_fits_and_hides_no_stall() {
        let mut history = History::new(1_795_437_067_400);
        let day = 86_400;
        for ends in 1..=day {
            let mut point = second(ends);
            if (40_000..40_006).contains(&ends) {
                point.peaks.stalled = 12;
                point.counts.client_ms[ClientState::Stalled.index()] = 12_000;
            }
            history.push(point);
            assert!(history.recent.len() < RECENT + BLOCK && history.whole.bins().len() <= 600);
        }
        let points = history.recent.len() + history.whole.bins().len();
        assert!(points * size_of::<Point>() < 2_500_000, "{points} points of {} bytes", size_of::<Point>());
        let whole = history.since(Duration::ZERO);
        assert_eq!(whole.iter().map(|moment| moment.width.as_secs()).sum::<u64>(), day);
        assert_eq!(whole.iter().map(|moment| moment.bin.peaks.stalled).max(), Some(12));
        let stalled_ms: u64 =
            whole.iter().map(|moment| moment.bin.counts.client_ms[ClientState::Stalled.index()]).sum();
        assert_eq!(stalled_ms, 72_000);
        let heat = whole.iter().fold(Heat::default(), |mut all, moment| {
            all.add(&moment.bin.heat[0]);
            all
        });
        assert_eq!(heat.total(), day);
        assert!(whole.iter().all(|moment| moment.clients(ClientState::Playing) == Some(1.0)));
    }

    #[test]
    fn the_last_moments_of_a_run_are_no_second_of_their_own() {
        let mut history = History::default();
        [1_000, 2_000, 2_010].into_iter().for_each(|ends_ms| {
            let mut point = second(0);
            (point.ends, point.counts.bytes) = (Duration::from_millis(ends_ms), 1_000);
            history.push(point);
        });
        let last = history.last().expect("a second");
        assert_eq!(
            (last.ends.as_millis(), last.width.as_millis(), last.bin.counts.bytes),
            (2_010, 1_010, 2_000)
        );
        let whole = history.whole.bins();
        assert_eq!((history.since(Duration::ZERO).len(), whole.len()), (2, 2));
        assert_eq!(whole.iter().map(|bin| bin.counts.bytes).sum::<u64>(), 3_000);
        assert_eq!(whole.last().map(|bin| bin.counts.bytes), Some(2_000));
    }

    #[test]
    fn the_recent_past_is_kept_second_by_second() {
        let mut history = History::default();
        (1..=5_000).for_each(|ends| history.push(second(ends)));
        let from = Duration::from_secs(4_500);
        let recent = history.since(from);
        assert_eq!((recent.len(), recent[0].ends.as_secs(), recent[0].width.as_secs()), (500, 4_501, 1));
        assert!(history.since(Duration::from_secs(9)).len() < RECENT);
        assert_eq!(
            history.last().map(|moment| (moment.ends, moment.width.as_secs())),
            Some((Duration::from_secs(5_000), 1))
        );
    }

    #[test]
    fn a_time_without_samples_is_a_gap_and_the_next_second_covers_it() {
        let mut history = History::default();
        [1, 2, 6].into_iter().for_each(|ends| history.push(second(ends)));
        let widths = |moments: Vec<Moment<'_>>| {
            moments.iter().map(|moment| moment.width.as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(widths(history.since(Duration::ZERO)), [1, 1, 4]);
        assert_eq!(history.whole.bins().len(), 6, "it is in the last bin of its time");
        assert_eq!(history.last().and_then(|moment| moment.clients(ClientState::Playing)), Some(0.25));
        history.push(second(7));
        assert_eq!(history.whole.bins().len(), 7);
        // As if the seconds had gone: the bins without a sample are no moments.
        history.recent_begins = Duration::from_secs(6);
        assert_eq!(widths(history.since(Duration::ZERO)), [1, 1, 4, 1]);
    }

    #[test]
    fn seconds_in_a_row_have_bins_in_a_row_wherever_they_begin() {
        for started_ms in (0..1_000).step_by(50) {
            let mut history = History::new(1_000_000 + started_ms);
            for number in 0..100_u64 {
                // The first is a quarter long, and timers are late by up to 160 ms.
                let ends = Duration::from_millis(250 + 1_000 * number + 40 * (number * 7 % 5));
                history.push(Point { ends, ..second(0) });
            }
            let bins = history.whole.bins();
            assert!(bins.iter().all(|bin| !bin.ends.is_zero()), "{started_ms}");
            assert!((99..=100).contains(&bins.len()), "{started_ms}: {}", bins.len());
        }
    }

    #[test]
    fn a_second_shares_all_blocks_of_the_seconds_before() {
        let mut history = Arc::new(History::default());
        (1..=70).for_each(|ends| Arc::make_mut(&mut history).push(second(ends)));
        let held = Arc::clone(&history);
        Arc::make_mut(&mut history).push(second(71));
        let same = |place: usize| {
            let [one, other] = [&held, &history].map(|history| history.recent.iter().nth(place));
            std::ptr::eq(one.expect("a point"), other.expect("a point"))
        };
        assert_eq!([0, 63, 64].map(same), [true, true, false]);
        assert_eq!((held.since(Duration::ZERO).len(), history.since(Duration::ZERO).len()), (70, 71));
    }

    #[test]
    fn what_arrived_is_compared_with_what_was_needed_for_ten_seconds() {
        let mut history = History::default();
        assert_eq!(history.got_share(), None);
        for ends in 1..=30 {
            let mut point = Point { need_bits: 1_000, ..second(ends) };
            point.counts.bytes = if ends > 20 { 50 } else { 500 };
            history.push(point);
        }
        assert_eq!(history.got_share(), Some(0.4));
    }
}
