//! History of a run: one point a second, for charts over time.
//!
//! * The last ten minutes are kept second by second, the whole run in at most [`POINTS`] points. Whenever these
//!   become too many, each covers twice the time, so memory does not grow with the run.
//! * A value that was not measured in a second is a gap, never 0.

use std::time::Duration;

use super::RunSample;
use crate::stats::Timed;
use crate::vocabulary::Kind;

/// Number of points of the recent past; maximum number of points of the whole run.
const POINTS: usize = 600;

/// Values that are drawn over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Clients that are doing something.
    Clients,
    /// Body bits per second.
    BitsPerSecond,
    /// Requests started per second.
    RequestsPerSecond,
    /// Share of requests that failed.
    ErrorShare,
    /// Share of clients that are stalled.
    StalledShare,
    /// p95 of playlists, from start to end, in microseconds.
    PlaylistP95,
    /// p95 of segments to the first byte, in microseconds.
    FirstByteP95,
    /// p95 of segments from start to end, in microseconds.
    SegmentP95,
}

impl Series {
    /// Number of series.
    pub const COUNT: usize = 8;

    /// All series.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Clients,
        Self::BitsPerSecond,
        Self::RequestsPerSecond,
        Self::ErrorShare,
        Self::StalledShare,
        Self::PlaylistP95,
        Self::FirstByteP95,
        Self::SegmentP95,
    ];

    fn value(self, sample: &RunSample) -> Option<f64> {
        let p95 = |timed| sample.latency(timed).recent.map(|summary| summary.p95 as f64);
        match self {
            Self::Clients => Some(sample.active_clients() as f64),
            Self::BitsPerSecond => sample.windows.first()?.map(|second| second.bits_per_second),
            Self::RequestsPerSecond => sample.windows.first()?.map(|second| second.requests_per_second),
            Self::ErrorShare => sample.health.error_share,
            Self::StalledShare => sample.health.stalled_share,
            Self::PlaylistP95 => p95(Timed::Total(Kind::Playlist)),
            Self::FirstByteP95 => p95(Timed::FirstByte(Kind::Segment)),
            Self::SegmentP95 => p95(Timed::Total(Kind::Segment)),
        }
    }
}

/// All series at one moment, or over the time that the point covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Time of the run at which the point ends.
    pub at: Duration,
    values: [Option<f32>; Series::COUNT],
}

impl Point {
    /// Returns the point of a sample.
    pub fn new(sample: &RunSample) -> Self {
        Self {
            at: sample.at,
            values: Series::ALL.map(|series| series.value(sample).map(|value| value as f32)),
        }
    }

    /// Returns the value of one series; `None` if it was not measured.
    pub fn get(&self, series: Series) -> Option<f64> {
        self.values.get(series as usize).copied().flatten().map(f64::from)
    }

    /// Merges two points into one with the larger values, because a chart must not hide a peak.
    fn merged(self, later: Self) -> Self {
        let larger = |one: Option<f32>, other: Option<f32>| one.into_iter().chain(other).reduce(f32::max);
        let values = std::array::from_fn(|series| {
            let [one, other] = [&self, &later].map(|point| point.values.get(series).copied().flatten());
            larger(one, other)
        });
        Self { at: later.at, values }
    }
}

/// The points of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    recent: std::collections::VecDeque<Point>,
    whole: Vec<Point>,
    /// Seconds that a point of the whole run covers, and seconds that the last one covers so far.
    stride: (u32, u32),
}

impl History {
    /// Adds the point of a second.
    pub fn push(&mut self, point: Point) {
        if self.recent.len() == POINTS {
            self.recent.pop_front();
        }
        self.recent.push_back(point);
        let (stride, covered) = self.stride;
        match self.whole.last_mut() {
            Some(last) if covered < stride => {
                *last = last.merged(point);
                self.stride.1 += 1;
            }
            _ => {
                self.whole.push(point);
                self.stride = (stride.max(1), 1);
            }
        }
        if self.whole.len() > POINTS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        // An odd last point starts a pair and covers as much as before; an even one ends a pair after a full stride.
        let pairs = self.whole.chunks(2).map(|pair| match pair {
            [one, other] => one.merged(*other),
            _ => pair.first().copied().unwrap_or(Point { at: Duration::ZERO, values: Default::default() }),
        });
        let odd = self.whole.len() % 2 == 1;
        let (stride, covered) = self.stride;
        self.stride = (stride * 2, if odd { covered } else { stride + covered });
        self.whole = pairs.collect();
    }

    /// Returns the points that end after `from`, oldest first: second by second if those still reach back to `from`,
    /// otherwise the points of the whole run.
    pub fn since(&self, from: Duration) -> Box<dyn Iterator<Item = &Point> + '_> {
        let recent_is_enough =
            self.recent.front().is_none_or(|point| point.at <= from) || self.recent.len() == self.whole.len();
        if recent_is_enough {
            Box::new(self.recent.iter().filter(move |point| point.at > from))
        } else {
            Box::new(self.whole.iter().filter(move |point| point.at > from))
        }
    }

    /// Returns the newest point.
    pub fn last(&self) -> Option<&Point> {
        self.recent.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: u64) -> Point {
        let value = (second % 100 == 50).then_some(second as f32);
        Point { at: Duration::from_secs(second), values: [value; Series::COUNT] }
    }

    #[test]
    fn a_long_run_keeps_its_peaks_in_bounded_memory() {
        let mut history = History::default();
        for second in 1..=100_000 {
            history.push(point(second));
        }
        assert!(history.whole.len() <= POINTS && history.recent.len() == POINTS);
        let whole: Vec<_> = history.since(Duration::ZERO).collect();
        assert!(whole.len() > POINTS / 3, "{}", whole.len());
        assert_eq!(whole.last().map(|point| point.at.as_secs()), Some(100_000));
        let peak = whole.iter().filter_map(|point| point.get(Series::Clients)).fold(0.0, f64::max);
        assert_eq!(peak, 99_950.0);
        assert!(whole.is_sorted_by_key(|point| point.at));
    }

    #[test]
    fn the_recent_past_is_kept_second_by_second_and_gaps_stay_gaps() {
        let mut history = History::default();
        for second in 1..=5_000 {
            history.push(point(second));
        }
        let recent: Vec<_> = history.since(Duration::from_secs(4_880)).collect();
        assert_eq!(recent.len(), 120);
        assert_eq!(recent.iter().filter(|point| point.get(Series::ErrorShare).is_some()).count(), 1);
    }
}
