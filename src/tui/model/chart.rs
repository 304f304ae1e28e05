//! Charts over time: each column of the screen holds a share of the chart's height.
//!
//! * All charts of a screen share one time axis, so that events of the same time stand in the same column.
//! * A column shows the largest value of its time: an operator looks for peaks, so a chart must not hide one.
//! * A time without a measurement is a gap.

use std::time::Duration;

use crate::sample::{HeatOf, Moment, RunSample};
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::vocabulary::units;

/// Minimum top of error and stall charts: a single failure must not look like a wall.
const LEAST_SHARE: f64 = 0.02;
/// Shares from which a column is coloured: the bounds of the health verdict.
const WARNING: f64 = crate::verdict::DEGRADED_SHARE;
const FAILING: f64 = crate::verdict::FAILING_SHARE;

/// Values that are drawn over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    Clients,
    BitsPerSecond,
    RequestsPerSecond,
    ErrorShare,
    StalledShare,
    PlaylistP95,
    FirstByteP95,
    SegmentP95,
}

impl Series {
    fn value(self, moment: &Moment<'_>) -> Option<f64> {
        let p95 = |of| moment.heat(of).quantile_us(0.95).map(|p95| p95 as f64);
        match self {
            Self::Clients => moment.active(),
            Self::BitsPerSecond => moment.got_bits_per_s(),
            Self::RequestsPerSecond => moment.started_per_s(),
            Self::ErrorShare => moment.failed_share(),
            Self::StalledShare => moment.stalled_share(),
            Self::PlaylistP95 => p95(HeatOf::Playlist),
            Self::FirstByteP95 => p95(HeatOf::FirstByte),
            Self::SegmentP95 => p95(HeatOf::Segment),
        }
    }
}

/// A column of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::tui) struct Bar {
    /// 0 to 1; `None`: not measured.
    pub(in crate::tui) share: Option<f64>,
    pub(in crate::tui) role: Role,
}

/// One chart.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Chart {
    pub(in crate::tui) title: &'static str,
    /// The newest value.
    pub(in crate::tui) value: String,
    /// Value at the top of the chart.
    pub(in crate::tui) top: String,
    pub(in crate::tui) bars: Vec<Bar>,
}

/// Charts on one time axis.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Charts {
    pub(in crate::tui) charts: Vec<Chart>,
    /// Columns with a mark or a knee.
    pub(in crate::tui) moments: Vec<usize>,
    /// Left end, middle and right end of the time axis.
    pub(in crate::tui) axis: [String; 3],
}

impl Charts {
    /// Builds the charts of these series over the chosen time, in `width` columns.
    pub(super) fn new(app: &App, series: &[Series], width: usize) -> Self {
        let sample = &app.shown;
        let from = app.window.length().map_or(Duration::ZERO, |length| sample.at.saturating_sub(length));
        let axis = Axis { from, to: sample.at, width };
        Self {
            charts: series.iter().map(|series| chart(sample, *series, axis)).collect(),
            moments: moments(app, axis),
            axis: [units::clock(from), format!("{} (t: change)", app.window.name()), units::clock(sample.at)],
        }
    }
}

/// Builds a small chart of the newest `width` seconds of a series, scaled by their largest value.
pub(super) fn spark(sample: &RunSample, series: Series, width: usize) -> Vec<Bar> {
    let from = sample.at.saturating_sub(Duration::from_secs(width as u64));
    let axis = Axis { from, to: sample.at, width };
    let values = axis.columns(sample, series);
    let largest = values.iter().flatten().copied().fold(0.0, f64::max);
    // Leave an eighth free at the top: lines of small charts stand close together.
    bars(&values, series, largest * 8.0 / 7.0)
}

/// Mapping from time to columns.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: Duration,
    to: Duration,
    width: usize,
}

impl Axis {
    fn column(self, at: Duration) -> Option<usize> {
        let length = self.to.saturating_sub(self.from).as_secs_f64();
        let share = at.checked_sub(self.from)?.as_secs_f64() / length;
        let column = (share * self.width as f64).ceil() as usize;
        (share <= 1.0 && self.width > 0).then(|| column.clamp(1, self.width) - 1)
    }

    /// Returns the largest value of each column. A moment also fills the columns since the previous one, so that a
    /// chart with more columns than the run has seconds shows only the gaps of the measurement.
    fn columns(self, sample: &RunSample, series: Series) -> Vec<Option<f64>> {
        let mut columns = vec![None; self.width];
        let mut before: Option<usize> = None;
        for moment in sample.history.since(self.from) {
            let Some(column) = self.column(moment.ends) else { continue };
            let value = series.value(&moment);
            let first = match before {
                Some(before) => (before + 1).min(column),
                None => self.column(moment.ends.saturating_sub(moment.width)).unwrap_or_default(),
            };
            for place in columns.get_mut(first..=column).unwrap_or_default() {
                *place = place.iter().copied().chain(value).reduce(f64::max);
            }
            before = Some(column);
        }
        columns
    }
}

fn chart(sample: &RunSample, series: Series, axis: Axis) -> Chart {
    let values = axis.columns(sample, series);
    let largest = values.iter().flatten().copied().fold(0.0, f64::max);
    let top = round_up(if is_share(series) { largest.max(LEAST_SHARE) } else { largest });
    Chart {
        title: title(series),
        value: value(series, sample.history.last().and_then(|second| series.value(&second))),
        top: value(series, (top > 0.0).then_some(top)),
        bars: bars(&values, series, top),
    }
}

fn bars(values: &[Option<f64>], series: Series, top: f64) -> Vec<Bar> {
    let bar = |value: &Option<f64>| Bar {
        share: value.map(|value| if top > 0.0 { value / top } else { 0.0 }),
        role: value.map_or(Role::Plain, |value| role(series, value)),
    };
    values.iter().map(bar).collect()
}

const fn is_share(series: Series) -> bool {
    matches!(series, Series::ErrorShare | Series::StalledShare)
}

fn role(series: Series, value: f64) -> Role {
    match value {
        _ if !is_share(series) => Role::Plain,
        _ if value >= FAILING => Role::Failing,
        _ if value >= WARNING => Role::Warning,
        _ => Role::Plain,
    }
}

const fn title(series: Series) -> &'static str {
    match series {
        Series::Clients => "Clients",
        Series::BitsPerSecond => "Throughput",
        Series::RequestsPerSecond => "Requests per second",
        Series::ErrorShare => "Failed requests",
        Series::StalledShare => "Stalled clients",
        Series::PlaylistP95 => "Playlist p95 ms",
        Series::FirstByteP95 => "Segment first byte p95 ms",
        Series::SegmentP95 => "Segment p95 ms",
    }
}

fn value(series: Series, value: Option<f64>) -> String {
    let Some(known) = value else { return units::UNKNOWN.to_owned() };
    match series {
        Series::Clients => units::count(known.round() as u64),
        Series::BitsPerSecond => units::bit_rate(known),
        Series::RequestsPerSecond => units::rate(value),
        Series::ErrorShare | Series::StalledShare => units::percent(value),
        Series::PlaylistP95 | Series::FirstByteP95 | Series::SegmentP95 => {
            units::milliseconds(known.round() as u64)
        }
    }
}

/// Rounds up to the next of 1, 2, 5, 10, 20, ...: an axis that moves with every value cannot be read.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    // A value on a step must not jump to the next one because of a rounding error.
    steps.into_iter().find(|step| value <= step * (1.0 + 1e-9)).unwrap_or(value)
}

fn moments(app: &App, axis: Axis) -> Vec<usize> {
    let sample = &app.shown;
    let knees = [sample.knees.errors, sample.knees.stalls].into_iter().flatten().map(|knee| knee.at);
    let marks = sample.journal.marks().map(|mark| mark.at).filter(|at| *at <= sample.at);
    knees.chain(marks).filter_map(|at| axis.column(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn the_top_of_a_chart_is_a_round_number_above_its_values() {
        for (value, top) in [(0.0, 0.0), (1.0, 1.0), (1.1, 2.0), (648.0, 1000.0), (0.03, 0.05), (7.1e9, 1e10)]
        {
            assert!((round_up(value) - top).abs() < 1e-9 * top.max(1.0), "{value}: {}", round_up(value));
        }
    }

    #[test]
    fn every_second_has_its_column_and_a_gap_stays_one() {
        let sample = fixtures::sample("storm");
        let axis = Axis { from: Duration::ZERO, to: sample.at, width: 40 };
        assert_eq!(axis.column(Duration::ZERO), Some(0));
        assert_eq!(axis.column(sample.at), Some(39));
        assert_eq!(axis.column(sample.at + Duration::from_secs(9)), None);
        let clients = axis.columns(&sample, Series::Clients);
        assert!(clients.iter().all(Option::is_some), "{clients:?}");
        let wide = Axis { width: 400, ..axis }.columns(&sample, Series::Clients);
        assert!(wide.iter().all(Option::is_some));
        assert!(axis.columns(&RunSample::default(), Series::Clients).iter().all(Option::is_none));
    }
}
