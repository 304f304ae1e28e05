//! The key numbers for a screen without room for panels, the one that most shows trouble first: a screen of ten lines
//! must say what is broken, not what is fine.

use std::time::Duration;

use crate::sample::RunSample;
use crate::stats::Timed;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::verdict::{DEGRADED_SHARE, FAILING_SHARE};
use crate::vocabulary::{ClientState, Kind, RunState, units};

use super::{Text, Weight, errors, reason, top, trust};

/// One key number.
#[derive(Clone, Debug)]
pub(in crate::tui) struct TinyLine {
    pub(in crate::tui) name: Text,
    pub(in crate::tui) texts: Vec<Text>,
}

/// The screen without panels.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Tiny {
    /// State, time and clients.
    pub(in crate::tui) run: Vec<Text>,
    /// Time for which the verdict has held.
    pub(in crate::tui) since: Vec<Text>,
    pub(in crate::tui) lines: Vec<TinyLine>,
    /// The number that shows most trouble, for a screen with no room but for the verdict.
    pub(in crate::tui) worst: Vec<Text>,
}

impl Tiny {
    pub(super) fn new(app: &App) -> Self {
        let sample = &*app.steady;
        let worst = match sample.health.pending {
            None if !sample.state.is_ending() => reason::line(sample).into_iter().skip(1).collect(),
            _ => reason::line(sample),
        };
        Self { run: run(app), since: reason::since(sample), lines: lines(app), worst }
    }
}

fn run(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let state = if sample.state == RunState::Hold { Role::Warning } else { Role::Title };
    let frozen = app.frozen_since.map(|since| {
        let seconds = units::whole_span(app.live.at.saturating_sub(since));
        Text::new(Role::Warning, format!("FROZEN {seconds}")).weighing(Weight::OutOfBounds)
    });
    let [clients, target] = [sample.active_clients(), sample.target.into()].map(units::count);
    let whole = app.title.identity.target.as_str();
    let host = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    let mut line = vec![Text::new(state, sample.state.name()).weighing(Weight::Subject)];
    line.extend(frozen);
    line.push(Text::plain(units::short_clock(sample.at)).weighing(Weight::Subject));
    line.push(Text::title(clients).then(Role::Label, &format!("/{target}")).weighing(Weight::Subject));
    line.push(Text::label(host.split('/').next().unwrap_or(host)).weighing(Weight::Decoration));
    line
}

fn lines(app: &App) -> Vec<TinyLine> {
    let sample = &*app.steady;
    let mut lines =
        vec![fail(sample), stalled(sample), segment(sample), open(sample), got(sample), knee(sample)];
    let mut measured = trust::verdict(&sample.trust);
    // The name of the line says as much as the first text.
    measured.remove(0);
    measured.extend(trust::nearest(&sample.trust));
    lines.push(line("measured", measured));
    lines.push(line("clients", states(sample)));
    lines
}

fn line(name: &str, texts: Vec<Text>) -> TinyLine {
    TinyLine { name: Text::label(name), texts }
}

/// Returns a share in the role of its verdict.
fn share(value: Option<f64>) -> Text {
    let role = match value {
        Some(share) if share >= FAILING_SHARE => Role::Failing,
        Some(share) if share >= DEGRADED_SHARE => Role::Warning,
        _ => Role::Title,
    };
    Text::new(role, units::percent(value)).weighing(Weight::OutOfBounds)
}

fn fail(sample: &RunSample) -> TinyLine {
    let most = sample.failures.iter().max_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let most = most.filter(|most| most.per_second > 0.0).map(|most| {
        Text::plain(format!("{} {}/s", errors::short(most.outcome), units::rate(Some(most.per_second))))
    });
    line("fail", std::iter::once(share(sample.health.error_share)).chain(most).collect())
}

fn stalled(sample: &RunSample) -> TinyLine {
    let count = units::count(sample.snapshot.in_state(ClientState::Stalled));
    line("stalled", vec![share(sample.health.stalled_share), Text::plain(count)])
}

fn segment(sample: &RunSample) -> TinyLine {
    let recent = sample.latency(Timed::Total(Kind::Segment)).recent;
    let p95 = recent.map_or(units::UNKNOWN.to_owned(), |summary| units::milliseconds(summary.p95));
    line("segment", vec![Text::title(p95).then(Role::Label, " ms p95").weighing(Weight::Subject)])
}

fn open(sample: &RunSample) -> TinyLine {
    let open = units::count(sample.snapshot.totals.in_flight);
    line("open", vec![Text::title(open).weighing(Weight::Subject)])
}

fn got(sample: &RunSample) -> TinyLine {
    let got = sample.recent.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second));
    line("got", vec![Text::title(got).weighing(Weight::Subject)])
}

fn knee(sample: &RunSample) -> TinyLine {
    let knees = top::in_order(sample);
    let texts = knees.into_iter().map(|(name, knee)| {
        let at: Duration = knee.at;
        let short = format!("{} {name} {}", units::count(knee.clients), units::short_clock(at));
        let bits = knee.bits_per_second.map_or(String::new(), |bits| format!(", {}", units::bit_rate(bits)));
        let long = format!("{} {name}{bits}, {}", units::count(knee.clients), units::short_clock(at));
        Text::plain(long).or_short(short).weighing(Weight::OutOfBounds)
    });
    let texts: Vec<Text> = texts.collect();
    let none = || vec![Text::label("none so far")];
    TinyLine { name: Text::new(Role::Mark, "knee"), texts: if texts.is_empty() { none() } else { texts } }
}

fn states(sample: &RunSample) -> Vec<Text> {
    let counts = ClientState::ALL.into_iter().map(|state| (state, sample.snapshot.in_state(state)));
    let shown = counts.filter(|(_, count)| *count > 0);
    shown.map(|(state, count)| Text::label(format!("{} {}", state.name(), units::count(count)))).collect()
}
