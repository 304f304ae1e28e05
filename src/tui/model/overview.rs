//! The first view: clients and ramp, latency by kind and phase, traffic, errors, and all of it over time.

use std::time::Duration;

use ratatui::layout::Size;

use crate::generator::DelaySummary;
use crate::sample::RunSample;
use crate::stats::{LatencyDigest, Timed};
use crate::tui::app::App;
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, Kind, RunState, units};

use super::chart::{self, Bar, Series};
use super::client_words::{seconds, state_role};
use super::clients::worst;
use super::{Charts, Errors, Table, Text, log, trust};

/// Series of the charts, the most important first: a screen takes as many as it has places.
const CHARTS: [Series; 4] =
    [Series::Clients, Series::ErrorShare, Series::BitsPerSecond, Series::FirstByteP95];

/// Progress of the ramp.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Ramp {
    /// 0 to 1.
    pub(in crate::tui) share: f64,
    /// Admitted clients and the target.
    pub(in crate::tui) text: String,
    /// Rate of the ramp and the time left, or a notice that it is held.
    pub(in crate::tui) pace: String,
}

/// Clients in one state.
#[derive(Clone, Debug)]
pub(in crate::tui) struct StateLine {
    pub(in crate::tui) name: Text,
    pub(in crate::tui) count: Text,
    pub(in crate::tui) percent: Text,
    /// 0 to 1.
    pub(in crate::tui) share: f64,
}

/// One line of the latency table, in milliseconds.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Latency {
    pub(in crate::tui) name: &'static str,
    /// p50, p95, p99, max.
    pub(in crate::tui) values: [Text; 4],
    /// p95 of the last seconds, one column each.
    pub(in crate::tui) spark: Vec<Bar>,
}

/// The panels of the first view.
#[derive(Debug)]
pub(in crate::tui) struct Overview {
    pub(in crate::tui) ramp: Ramp,
    pub(in crate::tui) states: Vec<StateLine>,
    /// The same in one line.
    pub(in crate::tui) states_in_a_line: Vec<Text>,
    pub(in crate::tui) latency: Vec<Latency>,
    /// The bit rate, the rates of requests, and the bytes so far.
    pub(in crate::tui) traffic: Vec<Text>,
    pub(in crate::tui) traffic_spark: Vec<Bar>,
    /// Peak of the bit rate.
    pub(in crate::tui) peak: String,
    /// Playback in one line.
    pub(in crate::tui) playback: Vec<Text>,
    pub(in crate::tui) errors: Errors,
    pub(in crate::tui) worst: Table,
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) log: Table,
}

impl Overview {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let sample = &app.steady;
        let places = layout::overview::places(room);
        let (columns, spark) = (places.chart_columns(), places.spark_columns().into());
        let charts = if columns == 0 { &[][..] } else { &CHARTS[..] };
        Self {
            ramp: ramp(app),
            states: states(&app.shown),
            states_in_a_line: states_in_a_line(&app.shown),
            latency: latency(app, spark),
            traffic: traffic(app),
            traffic_spark: chart::spark(&app.shown, Series::BitsPerSecond, spark),
            peak: format!(
                "peak {}",
                sample.peak_bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate)
            ),
            playback: playback(sample),
            errors: Errors::new(app, places.error_lines()),
            worst: worst(&app.clients, &sample.snapshot, places.worst_lines()),
            charts: Charts::new(app, charts, columns),
            log: log::newest(app, places.log_lines()),
        }
    }
}

fn ramp(app: &App) -> Ramp {
    let sample = &app.shown;
    let target = u64::from(sample.target);
    let share = sample.ramp_share().unwrap_or_default();
    let left = app.title.profile.rate().and_then(|rate| Some((rate, sample.ramp_left(rate)?)));
    let pace = match (sample.state, left) {
        (RunState::Hold, _) => format!("{}: p resumes", sample.state_name()),
        (RunState::Ramping, Some((rate, left))) => {
            format!("+{}/s, {} left", units::rate(Some(rate)), units::clock(left))
        }
        _ => String::new(),
    };
    Ramp { share, text: format!("{} / {}", units::count(sample.admitted), units::count(target)), pace }
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

pub(super) fn states(sample: &RunSample) -> Vec<StateLine> {
    let line = |(state, count): (ClientState, u64)| {
        let role = if count == 0 { Role::Label } else { state_role(state) };
        let share = sample.state_share(state);
        StateLine {
            name: Text::new(role, state.name()),
            count: Text::new(role, units::count(count)),
            percent: Text::label(units::percent(share)),
            share: share.unwrap_or_default(),
        }
    };
    listed(sample).map(line).collect()
}

fn states_in_a_line(sample: &RunSample) -> Vec<Text> {
    let line = |(state, count): (ClientState, u64)| {
        let role = if count == 0 { Role::Label } else { state_role(state) };
        Text::new(role, format!("{} {}", state.name(), units::count(count)))
    };
    listed(sample).map(line).collect()
}

/// Lines of the table: playlists and segments always, the less important ones after them and only once they were
/// timed.
const LATENCY: [(&str, Timed, Option<Series>); 9] = [
    ("playlist", Timed::Total(Kind::Playlist), Some(Series::PlaylistP95)),
    ("segment ttfb", Timed::FirstByte(Kind::Segment), Some(Series::FirstByteP95)),
    ("segment full", Timed::Total(Kind::Segment), Some(Series::SegmentP95)),
    ("segment fail", Timed::Failed(Kind::Segment), None),
    ("connect", Timed::Connect, None),
    ("tls", Timed::Tls, None),
    ("init", Timed::Total(Kind::Init), None),
    ("key", Timed::Total(Kind::Key), None),
    ("start-up", Timed::Startup, None),
];
/// Number of these lines, from the first, that are always shown.
const ALWAYS: usize = 3;

fn latency(app: &App, spark: usize) -> Vec<Latency> {
    let lines = LATENCY.iter().enumerate().filter_map(|(place, (name, timed, series))| {
        let digest = app.steady.latency(*timed);
        (place < ALWAYS || digest.run.is_some()).then(|| Latency {
            name,
            values: milliseconds(digest, app.steady.generator.own_delay),
            spark: series.map(|series| chart::spark(&app.shown, series, spark)).unwrap_or_default(),
        })
    });
    lines.collect()
}

fn milliseconds(digest: LatencyDigest, own_delay: Option<DelaySummary>) -> [Text; 4] {
    match digest.recent {
        Some(summary) => {
            let [p50, p95, max] = [summary.p50, summary.p95, summary.max].map(units::milliseconds);
            [p50, p95, trust::p99(summary.p99, own_delay), max].map(Text::plain)
        }
        None => std::array::from_fn(|_| Text::label(units::UNKNOWN)),
    }
}

fn traffic(app: &App) -> Vec<Text> {
    let sample = &app.steady;
    let recent = sample.recent;
    let bit_rate = recent.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second));
    let requests = units::rate(recent.map(|rates| rates.requests_per_second));
    let playlists = units::rate(recent.map(|rates| rates.playlists_per_second));
    let segments = units::rate(recent.map(|rates| rates.segments_per_second));
    let since = app.scope.since().map_or(String::new(), |_| " since the mark".to_owned());
    vec![
        Text::plain(bit_rate),
        Text::plain(format!("req {requests}/s")),
        Text::label(format!("(playlist {playlists}  segment {segments})")),
        Text::plain(format!("{}{since}", units::bytes(app.scope.totals(sample).bytes()))),
    ]
}

fn playback(sample: &RunSample) -> Vec<Text> {
    let abnormal = |count: u64, role: Role| if count == 0 { Role::Label } else { role };
    let speed = sample.speed.average.map_or(units::UNKNOWN.to_owned(), |speed| format!("{speed:.2}x"));
    let drift = Duration::from_micros(sample.speed.max_drift_us);
    let open = sample.snapshot.totals.in_flight;
    let live = sample.live_latency.recent.map_or(units::UNKNOWN.to_owned(), |latency| seconds(latency.p50));
    vec![
        Text::plain(format!("speed {speed}")),
        Text::new(
            abnormal(sample.speed.slow, Role::Warning),
            format!("slow {}", units::count(sample.speed.slow)),
        ),
        Text::plain(format!("rebuffer {}", units::percent(sample.quality.rebuffer_ratio()))),
        Text::plain(format!("behind live {live}")),
        Text::label(format!("drift max {}", units::span(drift))),
        Text::label(format!("open {}", units::count(open))),
    ]
}
