//! The key numbers for a screen without room for panels, the one that most shows trouble first: a screen of ten lines
//! must say what is broken, not what is fine.

use std::time::Duration;

use crate::report::ReportScreen;
use crate::sample::{Moment, RunSample};
use crate::tui::app::{Access, App, View};
use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, Kind, RunState, Timed, Tone, units};

use super::columns::Columns;
use super::{Text, Weight, errors, reason, report, share_role, stream, top, trust};

/// Time that small charts cover at most: as many seconds as there are columns.
const SPARK: Duration = Duration::from_secs(40);

/// One key number.
#[derive(Clone, Debug)]
pub(in crate::tui) struct TinyLine {
    pub(in crate::tui) name: Text,
    pub(in crate::tui) texts: Vec<Text>,
    /// The last seconds, the newest last.
    pub(in crate::tui) spark: Vec<Option<f64>>,
    pub(in crate::tui) tone: Tone,
}

/// The screen without panels.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Tiny {
    /// State, time and clients.
    pub(in crate::tui) run: Vec<Text>,
    /// Time for which the verdict has held.
    pub(in crate::tui) since: Vec<Text>,
    pub(in crate::tui) lines: Vec<TinyLine>,
    /// Verdict of each column of the time axis.
    pub(in crate::tui) ribbon: Vec<Option<Tone>>,
    /// The number that shows most trouble, for a screen with no room but for the verdict.
    pub(in crate::tui) worst: Vec<Text>,
}

impl Tiny {
    pub(super) fn new(app: &App) -> Self {
        let sample = &*app.steady;
        let worst = match sample.health.pending {
            // Only a verdict of playing clients has a clock.
            None if !sample.state.is_ending() && reason::has_clock(sample.health.verdict) => {
                reason::line(sample).into_iter().skip(1).collect()
            }
            _ => reason::line(sample),
        };
        let ribbon = Columns::new(&app.shown.history, app.axis(app.screen_width())).verdicts();
        Self {
            run: run(app),
            since: top::trusted(sample, reason::verdict(sample), reason::since(sample)).1,
            lines: lines(app),
            ribbon,
            worst,
        }
    }
}

fn run(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let state = if sample.state == RunState::Hold { Role::Warning } else { Role::Title };
    let frozen = app.frozen_since.map(|since| {
        let seconds = units::whole_span(app.live.at.saturating_sub(since));
        let is_replay = app.access == Access::Replay;
        let words = if is_replay { "PAUSED".to_owned() } else { format!("FROZEN {seconds}") };
        Text::new(Role::Warning, words).weighing(Weight::OutOfBounds)
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
    match &app.report {
        Some(report) if app.view == View::Report => result(&report.screen),
        _ => key_numbers(app),
    }
}

/// Returns the result of a run that has ended.
fn result(screen: &ReportScreen) -> Vec<TinyLine> {
    let [startup, _, _, behind, stalled, rebuffer, ..] = &screen.viewers;
    let [_, bits, _] = &screen.numbers;
    let bits = Text::label(format!("{} {}", bits.digits, bits.unit));
    let trust = screen.trust.first().map(|sentence| Text::new(Role::In(screen.trust_tone), sentence));
    vec![
        line("result", vec![Text::title(&screen.result).weighing(Weight::OutOfBounds), bits]),
        line("failed", vec![report::value(&screen.failed).weighing(Weight::OutOfBounds)]),
        line("viewers", [rebuffer, stalled].map(report::named).into()),
        line("", [startup, behind].map(report::named).into()),
        line("trust", trust.into_iter().collect()),
        line("ended", report::exit(screen).collect()),
    ]
}

fn key_numbers(app: &App) -> Vec<TinyLine> {
    let sample = &*app.steady;
    let mut lines = vec![
        fail(sample).over(app, Tone::Fail, |moment| moment.failed_per_s()),
        stalled(sample).over(app, Tone::Fail, |moment| moment.stalled_share()),
        segment(sample),
        open(sample),
        got(sample).over(app, Tone::Data, |moment| moment.got_bits_per_s()),
        knee(sample),
    ];
    if let Some(late) = stream::late(&sample.stream) {
        lines.insert(2, line("stream", vec![late]));
    }
    let mut measured = trust::verdict(&sample.trust);
    // The name of the line says as much as the first text.
    measured.remove(0);
    measured.extend(trust::nearest(&sample.trust));
    lines.push(line("measured", measured));
    lines.push(line("clients", states(sample)));
    lines
}

fn line(name: &str, texts: Vec<Text>) -> TinyLine {
    TinyLine { name: Text::label(name), texts, spark: Vec::new(), tone: Tone::Data }
}

impl TinyLine {
    /// Adds a small chart of the last seconds.
    fn over(self, app: &App, tone: Tone, of: fn(&Moment<'_>) -> Option<f64>) -> Self {
        let from = app.shown.at.saturating_sub(SPARK);
        let spark = app.shown.history.since(from).iter().map(of).collect();
        Self { spark, tone, ..self }
    }
}

/// Returns a share in the role of its verdict.
fn share(value: Option<f64>) -> Text {
    let role = match share_role(value) {
        Role::Plain => Role::Title,
        role => role,
    };
    Text::new(role, units::percent(value)).weighing(Weight::OutOfBounds)
}

fn fail(sample: &RunSample) -> TinyLine {
    let most = reason::most_frequent_now(sample).map(|most| {
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
    let oldest = sample.open.and_then(|open| open.oldest_us);
    let oldest = oldest.map(|us| Text::plain(format!("oldest {}", units::span(Duration::from_micros(us)))));
    line("open", std::iter::once(Text::title(open).weighing(Weight::Subject)).chain(oldest).collect())
}

fn got(sample: &RunSample) -> TinyLine {
    let got = sample.recent.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second));
    let need =
        sample.need_bits_per_second.map(|need| Text::plain(format!("of {} needed", units::bit_rate(need))));
    line("got", std::iter::once(Text::title(got).weighing(Weight::Subject)).chain(need).collect())
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
    let texts = if texts.is_empty() { none() } else { texts };
    TinyLine { name: Text::new(Role::Mark, "knee"), ..line("", texts) }
}

fn states(sample: &RunSample) -> Vec<Text> {
    let counts = ClientState::ALL.into_iter().map(|state| (state, sample.snapshot.in_state(state)));
    let shown = counts.filter(|(_, count)| *count > 0);
    shown.map(|(state, count)| Text::label(format!("{} {}", state.name(), units::count(count)))).collect()
}
