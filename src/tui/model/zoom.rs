//! One panel of the overview alone: its chart as large as the screen, and all its numbers.

use ratatui::layout::Size;

use crate::sample::{HeatOf, RunSample, TIMED};
use crate::stats::{LatencyDigest, LatencySummary, Metric, window};
use crate::tui::app::{App, Panel};
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, Kind, Timed, units};

use super::charts::{Chart, ChartMaker, Charts, LEGEND_ROOM};
use super::client_words::{seconds, state_role};
use super::{Column, Line, Table, Text, errors, trust};

/// The zoomed panel.
#[derive(Debug)]
pub(in crate::tui) struct Zoom {
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) table: Table,
}

impl Zoom {
    pub(super) fn new(app: &App, panel: Panel, room: Size) -> Self {
        let places = layout::zoom::layout(room);
        let maker = ChartMaker::new(app, places.columns());
        let (table, chart) = match panel {
            Panel::Clients => (clients(app), maker.clients()),
            Panel::Latency => {
                let figure =
                    maker.heat(HeatOf::Segment, layout::lines(places.chart, layout::overview::LABELS));
                let aside = vec![Text::label("start to last byte"), Text::label(LEGEND_ROOM)];
                let title = Text::title("Segment latency");
                (latency(app), Chart { title, aside, focused: false, figure })
            }
            Panel::Traffic => (traffic(app), maker.throughput()),
            Panel::Errors => (errors::table(app, places.table_lines()), maker.failures()),
        };
        let chart = Chart { focused: true, ..chart };
        Self { charts: maker.finish(vec![chart]), table }
    }
}

const STATES: &[Column] = &[
    Column::word("STATE", 8),
    Column::number("CLIENTS", 8),
    Column::number("%", 7),
    Column::word("", 1),
    Column::word("WHAT VIEWERS SAW", 22),
    Column::word("", 40),
];

/// Builds the table of clients by state, with the experience of their viewers beside it. The values are those of
/// CTA-2066; `--help definitions` explains each.
fn clients(app: &App) -> Table {
    let mut states = states(&app.shown).into_iter();
    let mut seen = seen(&app.steady).into_iter();
    let mut lines = Vec::new();
    loop {
        let (state, fact) = (states.next(), seen.next());
        if state.is_none() && fact.is_none() {
            break;
        }
        let state = state.map_or_else(Default::default, |state| [state.name, state.count, state.percent]);
        let (name, value) = fact.unwrap_or_default();
        let mut cells = Vec::from(state);
        cells.extend([Text::default(), Text::label(name), Text::plain(value)]);
        lines.push(Line::new(cells));
    }
    Table {
        title: Text::title("Clients by state"),
        aside: vec![Text::label("z: back")],
        columns: STATES,
        lines,
        ..Table::default()
    }
}

/// Clients in one state.
#[derive(Clone, Debug)]
struct StateLine {
    name: Text,
    count: Text,
    percent: Text,
}

/// Returns the states that have a line of their own, in the order of the states.
fn listed(sample: &RunSample) -> impl Iterator<Item = (ClientState, u64)> + '_ {
    let counts = ClientState::ALL.into_iter().map(|state| (state, sample.snapshot.in_state(state)));
    counts.filter(|(state, count)| *count > 0 || is_always_listed(*state))
}

/// Reports whether a state is listed even without clients.
const fn is_always_listed(state: ClientState) -> bool {
    use ClientState::{Playing, Stalled, Starting, Waiting};
    matches!(state, Starting | Playing | Stalled | Waiting)
}

fn states(sample: &RunSample) -> Vec<StateLine> {
    let line = |(state, count): (ClientState, u64)| {
        let role = if count == 0 { Role::Label } else { state_role(state) };
        StateLine {
            name: Text::new(role, state.name()),
            count: Text::new(role, units::count(count)),
            percent: Text::label(units::percent(sample.state_share(state))),
        }
    };
    listed(sample).map(line).collect()
}

fn seen(sample: &RunSample) -> Vec<(&'static str, String)> {
    let quality = &sample.quality;
    let count = |metric| units::count(sample.snapshot.totals.get(metric));
    let pair = |digest: LatencyDigest| match digest.run {
        Some(summary) => format!("p50 {}, p95 {}", seconds(summary.p50), seconds(summary.p95)),
        None => units::UNKNOWN.to_owned(),
    };
    let bitrate = quality.bits_per_second().map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    let per_hour = quality.stalls_per_hour().map_or(units::UNKNOWN.to_owned(), units::number);
    vec![
        ("start-up time", pair(sample.latency(Timed::Startup))),
        ("start failures", count(Metric::StartFailures)),
        ("exits before start", count(Metric::ExitsBeforeStart)),
        ("rebuffer ratio", units::percent(quality.rebuffer_ratio())),
        ("stalls", format!("{}, {per_hour} per hour", units::count(quality.stalls))),
        ("bitrate", bitrate),
        ("live latency", pair(sample.live_latency)),
    ]
}

const LATENCY: &[Column] = &[
    Column::word("ms", 15),
    Column::number("p50", 9),
    Column::number("p95", 9),
    Column::number("p99", 9),
    Column::number("max", 9),
    Column::number("run p95", 9),
    Column::number("run p99", 9),
    Column::number("run max", 9),
    Column::number("count", 12),
];

/// Durations in the table, the most important ones first: the first five always, the others once they were timed.
const ORDER: [Timed; TIMED.len()] = [
    Timed::Total(Kind::Playlist),
    Timed::FirstByte(Kind::Segment),
    Timed::Total(Kind::Segment),
    Timed::Failed(Kind::Segment),
    Timed::Startup,
    Timed::FirstByte(Kind::Playlist),
    Timed::Failed(Kind::Playlist),
    Timed::Body(Kind::Segment),
    Timed::Connect,
    Timed::Tls,
    Timed::Total(Kind::Init),
    Timed::Total(Kind::Key),
];
const ALWAYS: usize = 5;

/// Builds the table of all durations.
pub(super) fn latency(app: &App) -> Table {
    let (ms, own_delay) = (units::milliseconds, app.steady.generator.own_delay);
    let shown = ORDER.into_iter().enumerate().map(|(place, timed)| (place, timed, app.steady.latency(timed)));
    let shown = shown.filter(|(place, _, digest)| *place < ALWAYS || digest.run.is_some());
    let lines = shown.map(|(_, timed, digest)| {
        let p99 = |summary: LatencySummary| trust::p99(summary.p99, own_delay);
        let mut cells = vec![Text::plain(phase(timed))];
        cells.extend(values(digest.recent, |s| vec![ms(s.p50), ms(s.p95), p99(s), ms(s.max)], 4));
        cells.extend(values(digest.run, |s| vec![ms(s.p95), p99(s), ms(s.max)], 3));
        cells.push(match digest.run {
            Some(summary) => Text::plain(units::count(summary.count)),
            None => Text::label(units::UNKNOWN),
        });
        Line::new(cells)
    });
    Table {
        title: Text::title("Latency by kind and phase"),
        aside: vec![Text::label("last 10 s, then the whole run; ~ close to the generator's delay")],
        columns: LATENCY,
        lines: lines.collect(),
        ..Table::default()
    }
}

fn values(
    summary: Option<LatencySummary>,
    of: impl Fn(LatencySummary) -> Vec<String>,
    count: usize,
) -> Vec<Text> {
    match summary {
        Some(summary) => of(summary).into_iter().map(Text::plain).collect(),
        None => vec![Text::label(units::UNKNOWN); count],
    }
}

fn phase(timed: Timed) -> String {
    match timed {
        Timed::Connect => "tcp connect".to_owned(),
        Timed::Tls => "tls handshake".to_owned(),
        Timed::Startup => "start-up".to_owned(),
        Timed::Total(kind @ (Kind::Playlist | Kind::Segment)) => format!("{} full", kind.name()),
        other => other.name().replace('_', " "),
    }
}

const RATES: &[Column] = &[
    Column::word("WINDOW", 14),
    Column::number("BIT RATE", 12),
    Column::number("REQ/s", 10),
    Column::number("PLAYLISTS/s", 13),
    Column::number("SEGMENTS/s", 13),
    Column::number("FAILED", 9),
];

fn traffic(app: &App) -> Table {
    let sample = &app.steady;
    let windows = window::WINDOWS.into_iter().zip(sample.windows).map(|(length, rates)| {
        let name = format!("last {}", units::span(length).replace(".0", ""));
        let rate = |of: fn(&crate::stats::Rates) -> f64| Text::plain(units::rate(rates.as_ref().map(of)));
        let bits = rates.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second));
        Line::new(vec![
            Text::plain(name),
            Text::plain(bits),
            rate(|rates| rates.requests_per_second),
            rate(|rates| rates.playlists_per_second),
            rate(|rates| rates.segments_per_second),
            Text::new(Role::Label, units::percent(rates.and_then(|rates| rates.error_share()))),
        ])
    });
    let totals = app.scope.totals(sample);
    Table {
        title: Text::title(format!(
            "Traffic: {}, {}",
            units::plural(totals.started(), "request"),
            units::bytes(totals.bytes())
        )),
        aside: vec![Text::label(format!(
            "peak {}",
            sample.peak_bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate)
        ))],
        columns: RATES,
        lines: windows.collect(),
        ..Table::default()
    }
}
