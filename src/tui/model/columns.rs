//! From the history of a run to the columns of a chart: the only place that picks seconds.
//!
//! * A column stands for one of its seconds, that with most trouble: largest values of different seconds do not add up
//!   to a stack that ever was.
//! * A time without a measurement is a gap.

use std::time::Duration;

use crate::sample::{CODES, HeatOf, History, Moment};
use crate::stats::{HEAT_BUCKETS, Heat};
use crate::tui::app::App;
use crate::tui::widget::{HeatGrid, TimeAxis};
use crate::verdict::Verdict;
use crate::vocabulary::{ClientState, Tone};

/// Buckets in a power of two. A heat map begins and ends at one, so that its scale rarely moves.
const OCTAVE: usize = 4;
/// Part of the buckets that may share the lowest row: a map whose upper half is empty would hide more.
const LOWEST: usize = 8;
/// First and last bucket of a heat map without values: 8 ms and 16 s.
const USUAL: (u64, u64) = (8_192, 16_777_216);
/// Time that small charts show.
const SPARK: Duration = Duration::from_secs(120);
/// Width of a moment from which it is a bin of several seconds.
const SECONDS: Duration = Duration::from_millis(1_500);

/// Returns the axis of the small charts.
pub(super) fn spark_axis(app: &App, columns: u16) -> TimeAxis {
    let now = app.shown.at;
    // A run that is younger has as many columns as it is long: a small chart must not stretch with each second.
    let part = columns.min((f64::from(columns) * now.as_secs_f64() / SPARK.as_secs_f64()).ceil() as u16);
    TimeAxis { from: now.saturating_sub(SPARK), to: now, now, columns: part }
}

/// Returns the moment at the cursor: the one that the charts draw in its column. `None` without a cursor, or where
/// nothing was measured.
pub(super) fn looked_at(app: &App) -> Option<Moment<'_>> {
    let axis = app.axis(app.chart_columns());
    Columns::new(&app.shown.history, axis).at(app.cursor?)
}

/// The moments of a history by column.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) axis: TimeAxis,
    /// Moments with their first and last column.
    moments: Vec<(usize, usize, Moment<'a>)>,
    /// The moment that stands for each column.
    picked: Vec<Option<Moment<'a>>>,
}

impl<'a> Columns<'a> {
    /// Sorts the moments into columns. A moment fills all columns since the previous one, so that a chart with more
    /// columns than the run has seconds shows only the gaps of the measurement.
    pub(super) fn new(history: &'a History, axis: TimeAxis) -> Self {
        let mut picked: Vec<Option<Moment<'a>>> = vec![None; usize::from(axis.columns)];
        let mut moments = Vec::new();
        let mut next = None;
        for moment in history.since(axis.from) {
            let Some(last) = axis.column(moment.ends).map(usize::from) else { continue };
            let begins = moment.ends.saturating_sub(moment.width);
            let first = next.unwrap_or_else(|| axis.column(begins).map_or(0, usize::from)).min(last);
            next = Some(last + 1);
            for place in picked.get_mut(first..=last).unwrap_or_default() {
                if place.is_none_or(|other| trouble(&other) <= trouble(&moment)) {
                    *place = Some(moment);
                }
            }
            moments.push((first, last, moment));
        }
        Self { axis, moments, picked }
    }

    /// Returns the moment that stands for the column of a time.
    pub(super) fn at(&self, at: Duration) -> Option<Moment<'a>> {
        self.picked.get(usize::from(self.axis.column(at)?)).copied().flatten()
    }

    /// Returns a value of the moment that stands for each column.
    pub(super) fn values(&self, of: &dyn Fn(&Moment<'a>) -> Option<f64>) -> Vec<Option<f64>> {
        self.picked.iter().map(|moment| of(moment.as_ref()?)).collect()
    }

    /// Returns the largest value of each column, for a chart of one value.
    pub(super) fn most(&self, of: &dyn Fn(&Moment<'a>) -> Option<f64>) -> Vec<Option<f64>> {
        let mut columns: Vec<Option<f64>> = vec![None; self.picked.len()];
        for (first, last, moment) in &self.moments {
            let value = of(moment);
            for place in columns.get_mut(*first..=*last).unwrap_or_default() {
                *place = place.iter().copied().chain(value).reduce(f64::max);
            }
        }
        columns
    }

    /// Returns the clients in a state.
    pub(super) fn states(&self, state: ClientState) -> Vec<Option<f64>> {
        self.values(&|moment| clients(moment, state))
    }

    /// Returns the failed requests per second with the code at this place of the history, or all others at [`CODES`].
    pub(super) fn code(&self, code: usize) -> Vec<Option<f64>> {
        self.values(&|moment| moment.code_per_s(code.min(CODES)))
    }

    /// Returns the tone of the worst verdict of each column.
    pub(super) fn verdicts(&self) -> Vec<Option<Tone>> {
        let mut worst = vec![Verdict::Unknown; self.picked.len()];
        for (first, last, moment) in &self.moments {
            for place in worst.get_mut(*first..=*last).unwrap_or_default() {
                *place = moment.verdict().max(*place);
            }
        }
        worst.into_iter().map(verdict_tone).collect()
    }

    /// Sums the durations of each column on this scale.
    pub(super) fn heat(&self, of: HeatOf, scale: HeatScale) -> HeatGrid {
        let (columns, rows) = (self.picked.len(), scale.rows);
        let mut counts = vec![0_u32; columns * rows];
        for (first, last, moment) in &self.moments {
            let heat = moment.heat(of);
            for bucket in (0..HEAT_BUCKETS).filter(|bucket| heat.count(*bucket) > 0) {
                let (row, count) = (scale.row(bucket), heat.count(bucket));
                for column in *first..=*last {
                    if let Some(into) = counts.get_mut(column * rows + row).filter(|_| row < rows) {
                        *into = into.saturating_add(count);
                    }
                }
            }
        }
        let most = counts.iter().copied().max().unwrap_or_default();
        HeatGrid { columns, rows, counts, most }
    }

    /// Returns the scale for the shown durations in this many rows.
    pub(super) fn scale(&self, of: HeatOf, rows: usize) -> HeatScale {
        let filled =
            |bucket: &usize| self.moments.iter().any(|(.., moment)| moment.heat(of).count(*bucket) > 0);
        let lowest = (0..HEAT_BUCKETS).find(filled);
        let highest = (0..HEAT_BUCKETS).rev().find(filled);
        let (lowest, highest) = match lowest.zip(highest) {
            Some(both) => both,
            None => (Heat::bucket_of(USUAL.0), Heat::bucket_of(USUAL.1 - 1)),
        };
        HeatScale::new(lowest, highest, rows)
    }
}

/// Counts the durations that ended after the first and up to the second time, in lines of two rows from the bottom up,
/// as shares of the largest count.
pub(super) fn distribution(
    history: &History,
    (from, to): (Duration, Duration),
    of: HeatOf,
    scale: HeatScale,
) -> Vec<f64> {
    let mut lines = vec![0.0; scale.rows / 2];
    for moment in history.since(from).iter().filter(|moment| moment.ends <= to) {
        let heat = moment.heat(of);
        for bucket in 0..HEAT_BUCKETS {
            let line = lines.get_mut(scale.row(bucket) / 2);
            line.into_iter().for_each(|line| *line += f64::from(heat.count(bucket)));
        }
    }
    // A length on the screen, not a number: the longest line is the whole width.
    let most = lines.iter().copied().fold(1.0, f64::max);
    lines.into_iter().map(|line| line / most).collect()
}

/// Returns how much of a moment is trouble, to compare moments.
fn trouble(moment: &Moment<'_>) -> f64 {
    moment.trouble_share().unwrap_or_default() + moment.failed_share().unwrap_or_default()
}

/// Returns the clients in a state. In a bin of several seconds the mean would hide a short stall: the largest number
/// that was stalled at once stands there, at the cost of those that play.
pub(super) fn clients(moment: &Moment<'_>, state: ClientState) -> Option<f64> {
    let mean = moment.clients(state)?;
    if moment.width < SECONDS {
        return Some(mean);
    }
    let stalled = moment.clients(ClientState::Stalled)?;
    let hidden = (f64::from(moment.bin.peaks.stalled) - stalled).max(0.0);
    Some(match state {
        ClientState::Stalled => mean + hidden,
        ClientState::Playing => (mean - hidden).max(0.0),
        _ => mean,
    })
}

const fn verdict_tone(verdict: Verdict) -> Option<Tone> {
    match verdict {
        Verdict::Unknown => None,
        Verdict::Ok => Some(Tone::Ok),
        Verdict::Degraded => Some(Tone::Warn),
        Verdict::Failing | Verdict::NothingPlays => Some(Tone::Fail),
    }
}

/// Buckets of a heat map: which go into a row, and the height of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeatScale {
    /// The first bucket of the lowest row.
    first: usize,
    /// Buckets in a row: the same number in each, or rows would have stripes.
    each: usize,
    pub(super) rows: usize,
}

impl HeatScale {
    fn new(lowest: usize, highest: usize, rows: usize) -> Self {
        // The first bucket is everything below 128 us: powers of two begin after it.
        let first = lowest.saturating_sub(1) / OCTAVE * OCTAVE + usize::from(lowest > 0);
        let buckets = (highest + 1).saturating_sub(first).next_multiple_of(OCTAVE);
        let fewer = (buckets / rows.max(1)).max(1);
        let hidden = buckets.saturating_sub(fewer * rows);
        if hidden * LOWEST <= buckets {
            return Self { first: first + hidden, each: fewer, rows };
        }
        Self { first, each: fewer + 1, rows }
    }

    /// Returns the row of a bucket; those outside belong to the outermost rows.
    fn row(self, bucket: usize) -> usize {
        (bucket.saturating_sub(self.first) / self.each).min(self.rows.saturating_sub(1))
    }

    /// Returns the height of a duration in microseconds as a share of all rows; `None` outside.
    pub(super) fn height(self, microseconds: u64) -> Option<f64> {
        let bucket = Heat::bucket_of(microseconds);
        let (begin, end) = (Heat::begin_us(bucket), Heat::begin_us(bucket + 1));
        let [since, length] =
            [microseconds.saturating_sub(begin), end.saturating_sub(begin).max(1)].map(Duration::from_micros);
        let within = since.div_duration_f64(length);
        let all = (self.each * self.rows.max(1)) as f64;
        let share = (bucket as f64 - self.first as f64 + within.min(1.0)) / all;
        (0.0..=1.0).contains(&share).then_some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn columns(name: &str, columns: u16) -> (std::sync::Arc<History>, TimeAxis) {
        let sample = fixtures::sample(name);
        let axis = TimeAxis::whole(sample.at, None, columns);
        (std::sync::Arc::clone(&sample.history), axis)
    }

    #[test]
    fn a_chart_of_any_width_has_a_gap_only_after_now() {
        for width in [7, 40, 93, 400] {
            let (history, axis) = columns("storm", width);
            let columns = Columns::new(&history, axis);
            let playing = columns.states(ClientState::Playing);
            let now = usize::from(axis.column(history.last().expect("a second").ends).expect("on the axis"));
            assert!(playing[..=now].iter().all(Option::is_some), "{width}: {playing:?}");
            assert!(playing[now + 1..].iter().all(Option::is_none), "{width}: {playing:?}");
            assert_eq!(columns.verdicts()[now], Some(Tone::Fail));
        }
    }

    #[test]
    fn the_sum_of_a_heat_map_is_what_was_counted() {
        let (history, axis) = columns("storm", 10);
        let columns = Columns::new(&history, axis);
        let counted: u64 =
            history.since(Duration::ZERO).iter().map(|moment| moment.heat(HeatOf::Segment).total()).sum();
        for rows in [1, 7, 12, 26, 90] {
            let scale = columns.scale(HeatOf::Segment, rows);
            let grid = columns.heat(HeatOf::Segment, scale);
            assert_eq!(grid.counts.len(), 10 * rows);
            assert_eq!(grid.counts.iter().copied().map(u64::from).sum::<u64>(), counted, "{rows}");
        }
    }

    #[test]
    fn a_duration_has_its_height_and_its_row_there() {
        let scale = HeatScale::new(Heat::bucket_of(8_192), Heat::bucket_of(16_777_215), 11);
        assert_eq!((scale.each, scale.height(8_192), scale.height(16_777_216)), (4, Some(0.0), Some(1.0)));
        assert_eq!((scale.height(8_000), scale.height(20_000_000)), (None, None));
        for microseconds in [8_192, 10_000, 400_000, 9_990_000] {
            let share = scale.height(microseconds).expect("on the scale");
            assert_eq!((share * 11.0) as usize, scale.row(Heat::bucket_of(microseconds)), "{microseconds}");
        }
        let high = HeatScale::new(1, 52, 50);
        assert_eq!((high.first, high.each, high.row(1), high.row(3), high.row(52)), (3, 1, 0, 0, 49));
        assert_eq!(HeatScale::new(1, 60, 50).each, 2);
        let all = HeatScale::new(0, HEAT_BUCKETS - 1, 0);
        assert_eq!((all.row(5), HeatScale::new(9, 2, 5).each), (0, 1));
    }
}
