//! The first view: is it well, since when, and what broke first?

use std::time::Duration;

use ratatui::layout::Size;

use crate::sample::HeatOf;
use crate::stats::{LatencyDigest, LatencySummary};
use crate::tui::app::{App, Panel};
use crate::tui::layout;
use crate::tui::layout::overview::{Places, places};
use crate::tui::theme::Role;
use crate::vocabulary::{Tone, units};

use super::charts::{Chart, ChartMaker, Charts, Figure, LEGEND_ROOM, digest};
use super::columns::{Columns, spark_axis};
use super::failures::Failures;
use super::{Table, Text, Weight, log, share_role, trust};

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
}

/// The panels of the first view.
#[derive(Debug)]
pub(in crate::tui) struct Overview {
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) now: [BigNumber; 3],
    pub(in crate::tui) latency: LatencyTable,
    pub(in crate::tui) failures: Failures,
    pub(in crate::tui) story: Table,
}

impl Overview {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let places = places(room);
        let mut story = log::newest(app, places.story_lines());
        story.title = Text::title("Story");
        Self {
            charts: charts(app, &places),
            now: now(app),
            latency: LatencyTable {
                focused: app.panel() == Panel::Latency,
                lines: latency(app, places.latency_spark()),
                open: open(app),
            },
            failures: Failures::new(app, places.failure_lines(), places.failure_spark()),
            story,
        }
    }
}

fn charts(app: &App, places: &Places) -> Charts {
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
    Chart { focused: app.panel() == panel, ..chart }
}

/// Puts the rule above the heat map of segments: with the numbers, unless a panel beside it has them.
fn segments(app: &App, figure: Figure, places: &Places) -> Chart {
    let mut aside = Vec::new();
    if places.latency.is_empty() {
        let recent = digest(&app.steady, HeatOf::Segment).recent;
        let of = |name: &str, value: fn(&LatencySummary) -> u64, unit: &str| {
            let value = recent
                .as_ref()
                .map_or(units::UNKNOWN.to_owned(), |recent| units::milliseconds(value(recent)));
            Text::plain(format!("{name} {value}{unit}"))
        };
        aside.push(of("p50", |recent| recent.p50, ""));
        aside.push(of("p95", |recent| recent.p95, " ms").weighing(Weight::Subject));
        aside.push(of("p99", |recent| recent.p99, " ms"));
        aside.extend(open(app));
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
        number("REQUESTS FAIL", failing, change(history.failed_share_change())),
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

/// Lines of the table, with the unit of their values.
const LATENCY: [(HeatOf, &str); 5] = [
    (HeatOf::Playlist, "playlist"),
    (HeatOf::FirstByte, "first byte"),
    (HeatOf::Segment, "segment"),
    (HeatOf::Startup, "start-up"),
    (HeatOf::LiveLatency, "behind live"),
];

fn latency(app: &App, spark: u16) -> Vec<LatencyLine> {
    let columns = Columns::new(&app.shown.history, spark_axis(app, spark));
    let line = |(of, name): (HeatOf, &'static str)| {
        let p95 = |of: HeatOf| columns.most(&|moment| Some(moment.heat(of).quantile_us(0.95)? as f64));
        LatencyLine { name, values: values(app, of), spark: p95(of) }
    };
    LATENCY.into_iter().map(line).collect()
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

/// Returns the number of open requests.
fn open(app: &App) -> Vec<Text> {
    vec![Text::label(format!("open {}", units::count(app.steady.snapshot.totals.in_flight)))]
}
