//! Clients and ramp, latency, traffic.

use crate::base::{ClientState, units};
use crate::frame::Frame;
use crate::stats::LatencyDigest;
use crate::tui::app::App;
use crate::tui::theme::Role;

use super::Text;

/// How far the ramp is.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Ramp {
    /// 0 to 1.
    pub(in crate::tui) share: f64,
    /// The same in words.
    pub(in crate::tui) text: String,
}

/// One line of the latency table, in milliseconds.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Latency {
    pub(in crate::tui) name: &'static str,
    /// p50, p95, p99, max.
    pub(in crate::tui) values: [Text; 4],
}

/// The panels of the first view.
#[derive(Debug)]
pub(in crate::tui) struct Overview {
    pub(in crate::tui) ramp: Ramp,
    /// One entry per state that matters, in the order of the states.
    pub(in crate::tui) states: Vec<Text>,
    pub(in crate::tui) latency: [Latency; 3],
    /// The bit rate now and the number of requests.
    pub(in crate::tui) traffic: Vec<Text>,
    /// The peak.
    pub(in crate::tui) peak: String,
    /// Playback in one line.
    pub(in crate::tui) playback: Vec<Text>,
}

impl Overview {
    pub(super) fn of(app: &App) -> Self {
        let frame = &app.steady;
        Self {
            ramp: ramp(&app.shown),
            states: states(&app.shown),
            latency: [
                latency("playlist", frame.playlist_latency),
                latency("segment ttfb", frame.segment_first_byte),
                latency("segment full", frame.segment_latency),
            ],
            traffic: traffic(frame),
            peak: format!(
                "peak {}",
                frame.peak_bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate)
            ),
            playback: playback(frame),
        }
    }
}

fn ramp(frame: &Frame) -> Ramp {
    let target = u64::from(frame.target);
    let share = if target == 0 { 0.0 } else { (frame.admitted as f64 / target as f64).min(1.0) };
    Ramp { share, text: format!("{} / {}", units::count(frame.admitted), units::count(target)) }
}

fn states(frame: &Frame) -> Vec<Text> {
    let counts = ClientState::ALL.into_iter().map(|state| (state, frame.snapshot.in_state(state)));
    let shown = counts.filter(|(state, count)| *count > 0 || is_always_listed(*state));
    let shown = shown.map(|(state, count)| {
        let role = if count == 0 { Role::Label } else { state_role(state) };
        Text::new(role, format!("{} {}", state.name(), units::count(count)))
    });
    shown.collect()
}

/// States whose zero says something, too.
const fn is_always_listed(state: ClientState) -> bool {
    use ClientState::{Playing, Stalled, Starting, Waiting};
    matches!(state, Starting | Playing | Stalled | Waiting)
}

/// What a client's state means.
pub(in crate::tui) const fn state_role(state: ClientState) -> Role {
    match state {
        ClientState::Stalled | ClientState::Dead => Role::Failing,
        ClientState::Waiting => Role::Warning,
        ClientState::Finished | ClientState::Leaving => Role::Label,
        ClientState::Starting | ClientState::Playing => Role::Plain,
    }
}

fn latency(name: &'static str, digest: LatencyDigest) -> Latency {
    let values = match digest.recent {
        Some(summary) => [summary.p50, summary.p95, summary.p99, summary.max]
            .map(|us| Text::plain(units::milliseconds(us))),
        None => std::array::from_fn(|_| Text::label(units::UNKNOWN)),
    };
    Latency { name, values }
}

fn traffic(frame: &Frame) -> Vec<Text> {
    let recent = frame.recent;
    let bit_rate = recent.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second));
    let requests = units::rate(recent.map(|rates| rates.requests_per_second));
    let playlists = units::rate(recent.map(|rates| rates.playlists_per_second));
    let segments = units::rate(recent.map(|rates| rates.segments_per_second));
    vec![
        Text::plain(bit_rate),
        Text::plain(format!("req {requests}/s")),
        Text::label(format!("(playlist {playlists}  segment {segments})")),
        Text::plain(units::bytes(frame.snapshot.totals.bytes())),
    ]
}

fn playback(frame: &Frame) -> Vec<Text> {
    let abnormal = |count: u64, role: Role| if count == 0 { Role::Label } else { role };
    let speed = frame.speed.average.map_or(units::UNKNOWN.to_owned(), |speed| format!("{speed:.2}x"));
    let drift = std::time::Duration::from_micros(frame.speed.max_drift_us);
    let open = frame.snapshot.totals.in_flight;
    vec![
        Text::plain(format!("speed {speed}")),
        Text::new(
            abnormal(frame.speed.slow, Role::Warning),
            format!("slow {}", units::count(frame.speed.slow)),
        ),
        Text::label(format!("drift max {}", units::span(drift))),
        Text::label(format!("open requests {}", units::count(open))),
    ]
}
