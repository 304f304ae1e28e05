//! The first view: is it well, since when, and what broke first?

use std::time::Duration;

use ratatui::layout::Size;

use crate::sample::{HeatOf, RunSample};
use crate::stats::LatencyDigest;
use crate::tui::app::{App, Panel};
use crate::tui::layout;
use crate::tui::layout::overview::{Layout, layout};
use crate::tui::theme::Role;
use crate::vocabulary::{Tone, units};

use super::charts::{Chart, ChartMaker, Charts, Figure, LEGEND_ROOM, digest};
use super::columns::{Columns, spark_axis};
use super::failures::Failures;
use super::{Table, Text, Weight, WhoLine, latency, log, share_role, trust, who};

/// A number in big digits.
#[derive(Clone, Debug)]
pub(in crate::tui) struct BigNumber {
    pub(in crate::tui) name: &'static str,
    /// Digits without their unit.
    pub(in crate::tui) digits: String,
    pub(in crate::tui) unit: &'static str,
    pub(in crate::tui) tone: Tone,
    /// Its change, or the time that it covers.
    pub(in crate::tui) below: Text,
}

/// One line of the latency table.
#[derive(Clone, Debug)]
pub(in crate::tui) struct LatencyLine {
    pub(in crate::tui) name: &'static str,
    /// p50, p95, p99.
    pub(in crate::tui) values: [Text; 3],
    /// p95 over time.
    pub(in crate::tui) spark: Vec<Option<f64>>,
}

/// The table of latencies.
#[derive(Clone, Debug)]
pub(in crate::tui) struct LatencyTable {
    pub(in crate::tui) focused: bool,
    pub(in crate::tui) lines: Vec<LatencyLine>,
    /// Open requests, which no percentile holds yet.
    pub(in crate::tui) open: Vec<Text>,
    /// Numbers of these by age.
    pub(in crate::tui) ages: Vec<Option<f64>>,
}

/// The panels of the first view.
#[derive(Debug)]
pub(in crate::tui) struct Overview {
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) now: [BigNumber; 3],
    pub(in crate::tui) latency: LatencyTable,
    pub(in crate::tui) failures: Failures,
    pub(in crate::tui) who: Vec<WhoLine>,
    pub(in crate::tui) who_focused: bool,
    /// Share of all clients in trouble, to compare the groups with.
    pub(in crate::tui) who_of_all: Vec<Text>,
    pub(in crate::tui) story: Table,
}

impl Overview {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let places = layout(room);
        let mut story = log::newest(app, places.story_lines());
        story.title = Text::title("Story");
        Self {
            charts: charts(app, &places),
            now: now(app),
            latency: LatencyTable {
                focused: app.panel() == Some(Panel::Latency),
                lines: latency_lines(app, places.latency_spark()),
                open: latency::open(&app.steady),
                ages: ages(&app.steady),
            },
            failures: Failures::new(app, places.failure_lines(), places.failure_spark()),
            who: who::lines(app),
            who_focused: app.group_at().is_some(),
            who_of_all: who_of_all(&app.steady),
            story,
        }
    }
}

fn who_of_all(sample: &RunSample) -> Vec<Text> {
    let all = sample.who.all;
    vec![
        Text::label("share in trouble").weighing(Weight::Decoration),
        Text::new(share_role(all), format!("{} of all", units::percent(all))),
    ]
}

fn charts(app: &App, places: &Layout) -> Charts {
    let maker = ChartMaker::new(app, places.columns());
    let [_, heat, failures, throughput] = places.charts;
    let mut charts = vec![
        focusing(app, Panel::Clients, maker.clients()),
        focusing(
            app,
            Panel::Latency,
            segments(app, maker.heat(HeatOf::Segment, layout::lines(heat, 0)), places),
        ),
    ];
    if !failures.is_empty() {
        charts.push(focusing(app, Panel::Errors, maker.failures()));
    }
    if !throughput.is_empty() {
        charts.push(focusing(app, Panel::Traffic, maker.throughput()));
    }
    maker.finish(charts)
}

fn focusing(app: &App, panel: Panel, chart: Chart) -> Chart {
    Chart { focused: app.panel() == Some(panel), ..chart }
}

/// Puts the rule above the heat map of segments: with the numbers, unless a panel beside it has them.
fn segments(app: &App, figure: Figure, places: &Layout) -> Chart {
    let mut aside = Vec::new();
    if places.latency.is_empty() {
        aside.extend(latency::percentiles(app, HeatOf::Segment));
        aside.extend(latency::open(&app.steady));
    } else {
        aside.push(Text::label("start to last byte").weighing(Weight::Decoration));
        aside.push(Text::label(LEGEND_ROOM));
    }
    Chart { title: Text::title("Segment latency").or_short("Segment"), aside, focused: false, figure }
}

/// Returns the three numbers that viewers feel.
fn now(app: &App) -> [BigNumber; 3] {
    let sample = &app.steady;
    let (failing, stalled) = (sample.health.error_share, sample.health.stalled_share);
    let rebuffer = sample.quality.rebuffer_ratio();
    let history = &sample.history;
    [
        number("REQUESTS FAIL", failing, change(history.error_share_change())),
        number("STALLED", stalled, change(history.stalled_share_change())),
        number("REBUFFER", rebuffer, Text::label("whole run")),
    ]
}

fn number(name: &'static str, share: Option<f64>, below: Text) -> BigNumber {
    let text = units::percent(share);
    let (digits, unit) = text.strip_suffix('%').map_or((text.as_str(), ""), |digits| (digits, "%"));
    // Four characters have room.
    let digits = if digits.len() > 4 { digits.split('.').next().unwrap_or(digits) } else { digits };
    let tone = match share_role(share) {
        Role::Failing => Tone::Fail,
        Role::Warning => Tone::Warn,
        _ => Tone::Text,
    };
    BigNumber { name, digits: digits.to_owned(), unit, tone, below }
}

/// Returns the change of a share over the last half minute, in points of a per cent.
fn change(change: Option<f64>) -> Text {
    let Some(points) = change.map(|change| change * 100.0) else { return Text::label("") };
    let sign = match points {
        _ if points >= 0.05 => "▲ ",
        _ if points <= -0.05 => "▼ ",
        _ => return Text::label("as 30 s ago"),
    };
    Text::label(format!("{sign}{:.1} in 30 s", points.abs()))
}

/// Lines of the table.
const LATENCY: [HeatOf; 5] =
    [HeatOf::Playlist, HeatOf::FirstByte, HeatOf::Segment, HeatOf::Startup, HeatOf::LiveLatency];

pub(super) fn latency_lines(app: &App, spark: u16) -> Vec<LatencyLine> {
    let columns = Columns::new(&app.shown.history, spark_axis(app, spark));
    let line = |of: HeatOf| {
        let p95 = columns.most(&|moment| Some(moment.heat(of).quantile_us(0.95)? as f64));
        LatencyLine { name: latency::name(of), values: values(app, of), spark: p95 }
    };
    LATENCY.into_iter().map(line).collect()
}

fn ages(sample: &RunSample) -> Vec<Option<f64>> {
    let ages = sample.open.map(|open| open.ages).unwrap_or_default();
    ages.into_iter().map(|count| Some(f64::from(count))).collect()
}

fn values(app: &App, of: HeatOf) -> [Text; 3] {
    let LatencyDigest { recent: Some(recent), .. } = digest(&app.steady, of) else {
        return std::array::from_fn(|_| Text::label(units::UNKNOWN));
    };
    if of == HeatOf::LiveLatency {
        return [recent.p50, recent.p95, recent.p99]
            .map(|us| Text::plain(units::span(Duration::from_micros(us))));
    }
    let [p50, p95] = [recent.p50, recent.p95].map(|us| Text::plain(units::milliseconds(us)));
    [p50, p95, Text::plain(trust::p99(recent.p99, app.steady.generator.own_delay))]
}
