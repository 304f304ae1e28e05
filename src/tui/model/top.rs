//! The four lines at the top: the run, its verdict, the point at which the stream first was not served well, and the
//! trust in the measurement, with the thresholds and the nearest hard stop.

use crate::run_state::{ChangeKind, ChangeSource};
use crate::sample::RunSample;
use crate::stats::Spent;
use crate::tui::app::{Access, App};
use crate::tui::theme::Role;
use crate::verdict::{DEGRADED_SHARE, Knee, TrustVerdict, Verdict};
use crate::vocabulary::{RunState, units};

use super::{Text, Weight, origin, reason, stage, trust};

/// Share of a hard stop from which on its end is near: the operator may want to prepare for it.
const LIMIT_NEAR: f64 = 0.8;

/// The four lines at the top.
#[derive(Debug)]
pub(in crate::tui) struct Top {
    /// State, time, clients.
    pub(in crate::tui) run: Vec<Text>,
    /// Admitted share of the target, or the share of the stages that is over, 0 to 1.
    pub(in crate::tui) ramp: Option<f64>,
    /// Rate of the ramp, or since when it is held, or the place of the run in its stages.
    pub(in crate::tui) pace: Vec<Text>,
    /// Address of the stream, or its host alone.
    pub(in crate::tui) target: Text,
    /// Word of the verdict.
    pub(in crate::tui) verdict: Text,
    /// Time for which the verdict has held, and its reason in pieces.
    pub(in crate::tui) reason: Vec<Text>,
    /// Points at which the stream first was not served well.
    pub(in crate::tui) knee: Vec<Text>,
    /// Reasons to trust the measurement or not.
    pub(in crate::tui) measurement: Vec<Text>,
    /// The shown view and the keys of the others, for a screen without a line of views.
    pub(in crate::tui) view: Text,
}

impl Top {
    pub(super) fn new(app: &App) -> Self {
        let sample = &app.steady;
        let (verdict, reason) = trusted(sample, reason::verdict(sample), reason::line(sample));
        let shown = format!("[{} {}]", app.view.number(), app.view.name());
        Self {
            run: run(app),
            ramp: stage::share(app).or_else(|| app.shown.ramp_share()),
            pace: pace(app),
            target: target(app),
            verdict,
            reason,
            knee: knee(app),
            measurement: measurement(app),
            view: Text::title(shown),
        }
    }
}

/// Returns the verdict and its reason, or that nothing here can be believed: then the health of the stream is only a
/// part of the reason.
pub(super) fn trusted(sample: &RunSample, verdict: Text, mut reason: Vec<Text>) -> (Text, Vec<Text>) {
    if sample.trust.verdict != TrustVerdict::Invalid {
        return (verdict, reason);
    }
    let health = Text::new(verdict.role, format!("stream {}", verdict.text));
    let weight =
        if sample.health.verdict >= Verdict::Degraded { Weight::OutOfBounds } else { Weight::Subject };
    reason.insert(0, health.weighing(weight));
    (Text::new(Role::Failing, TrustVerdict::Invalid.words()), reason)
}

fn run(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let state = if sample.state == RunState::Hold { Role::Warning } else { Role::Title };
    let is_replay = app.access == Access::Replay;
    let mut line = vec![
        Text::title(if is_replay { "hlswarm replay" } else { "hlswarm" }).weighing(Weight::Decoration),
        Text::new(state, sample.state_name()).weighing(Weight::Subject),
    ];
    line.extend((is_replay && app.report.is_none()).then(|| {
        Text::new(Role::Mark, app.speed.to_string())
            .then(Role::Label, " speed")
            .or_short(app.speed.to_string())
    }));
    line.extend(app.frozen_since.map(|since| {
        let seconds = units::whole_span(app.live.at.saturating_sub(since));
        let frozen = Text::new(Role::Warning, format!("DISPLAY FROZEN FOR {seconds}"));
        if is_replay {
            return Text::new(Role::Warning, "PAUSED").weighing(Weight::OutOfBounds);
        }
        frozen.or_short(format!("FROZEN {seconds}")).weighing(Weight::OutOfBounds)
    }));
    line.extend(app.scope.since(&app.steady).map(|at| {
        let number = app.scope.mark_number(sample).unwrap_or_default();
        let since = Text::new(Role::Mark, format!("counts since m{number}, {}", units::short_clock(at)));
        since.or_short(format!("since m{number}")).weighing(Weight::OutOfBounds)
    }));
    let time = Text::title(units::clock(sample.at));
    let time = match app.title.duration {
        Some(end) => time.then(Role::Label, &format!(" of {}", units::clock(end))),
        None => time,
    };
    line.push(time.or_short(units::short_clock(sample.at)).weighing(Weight::Subject));
    let [clients, target] = [sample.active_clients(), sample.target.into()].map(units::count);
    let clients_of = Text::title(clients.as_str()).then(Role::Label, &format!(" of {target} clients"));
    line.push(clients_of.or_short(format!("{clients}/{target}")).weighing(Weight::Subject));
    line
}

/// Returns the rate of the ramp while it runs or is held.
fn pace(app: &App) -> Vec<Text> {
    if let Some(words) = stage::words(app) {
        return words;
    }
    let sample = &app.shown;
    let rate = app.title.profile.rate();
    let rate_words = units::rate(rate);
    match sample.state {
        RunState::Hold => {
            let held = sample.journal.changes().filter(|change| change.kind == ChangeKind::Hold).last();
            let since =
                held.map_or(String::new(), |change| format!(", held at {}", units::short_clock(change.at)));
            let pace =
                rate.map_or(since.trim_start_matches(", ").to_owned(), |_| format!("{rate_words}/s{since}"));
            vec![Text::label(pace), Text::label("p resumes").weighing(Weight::Subject)]
        }
        RunState::Ramping => match rate.and_then(|rate| sample.ramp_left(rate)) {
            Some(left) => vec![Text::label(format!("{rate_words}/s, {} left", units::short_clock(left)))],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn target(app: &App) -> Text {
    let whole = app.title.identity.target.as_str();
    let rest = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    Text::label(rest).or_short(rest.split('/').next().unwrap_or(rest))
}

/// Returns what a search has found so far.
fn search(sample: &RunSample) -> Vec<Text> {
    let (held, broken) = sample.journal.levels();
    let clients = |number: u32| units::plural(number.into(), "client");
    let mut line = vec![Text::new(Role::Mark, "SEARCH  ").weighing(Weight::Decoration)];
    line.push(match held {
        Some(held) => Text::new(Role::Good, format!("{} held", clients(held))).weighing(Weight::OutOfBounds),
        None => Text::label("no level has held yet").weighing(Weight::Subject),
    });
    let broken = broken.map(|broken| Text::new(Role::Failing, format!("{} broke", clients(broken))));
    line.extend(broken.map(|broken| broken.weighing(Weight::OutOfBounds)));
    line.push(Text::label(format!("now {}", clients(sample.target))));
    line
}

fn knee(app: &App) -> Vec<Text> {
    let sample = &app.steady;
    if app.title.is_search {
        return search(sample);
    }
    let knees = in_order(sample);
    if knees.is_empty() && matches!(sample.health.verdict, Verdict::Unknown | Verdict::NothingPlays) {
        return vec![Text::label("the knee is unknown until a client has played").weighing(Weight::Subject)];
    }
    if knees.is_empty() {
        // A knee follows a share only after some seconds.
        let shares = [sample.health.error_share, sample.health.stalled_share];
        let is_quiet = shares.into_iter().all(|share| share.is_some_and(|share| share < DEGRADED_SHARE));
        let quiet = match is_quiet && sample.health.verdict == Verdict::Ok {
            true => {
                Text::label("no trouble so far: errors and stalls below 1%").or_short("no trouble so far")
            }
            false => Text::label("no knee yet"),
        };
        let mut line = vec![quiet.weighing(Weight::Subject)];
        line.extend(arrival(app).map(Text::label));
        return line;
    }
    let title = Text::new(Role::Mark, "KNEE    ").weighing(Weight::Decoration);
    let mut line: Vec<Text> = std::iter::once(title)
        .chain(knees.into_iter().map(|(name, knee)| knee_text(name, knee, sample)))
        .collect();
    if sample.state == RunState::Hold && sample.held_by() == Some(ChangeSource::Brake) {
        let storm = Text::new(Role::Warning, sample.storm_in_short());
        line.push(storm.or_short(sample.storm_in_few_words()).weighing(Weight::OutOfBounds));
    }
    line
}

/// Returns the knees with the names of their trouble, the earlier one first.
pub(super) fn in_order(sample: &RunSample) -> Vec<(&'static str, Knee)> {
    let named = [("errors", sample.knees.errors), ("stalls", sample.knees.stalls)];
    let mut knees: Vec<_> = named.into_iter().filter_map(|(name, knee)| Some((name, knee?))).collect();
    knees.sort_by_key(|(_, knee)| knee.at);
    knees
}

fn knee_text(name: &str, knee: Knee, sample: &RunSample) -> Text {
    let clients = units::plural(knee.clients, "client");
    let throughput = knee.bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    let cpu = origin::cpu_at(sample, knee.at);
    let rest = format!(" at {throughput}, {}: {name} 1%{cpu}", units::clock(knee.at));
    let short = format!("{clients}: {name} 1%, {}", units::short_clock(knee.at));
    Text::new(Role::Mark, clients).then(Role::Plain, &rest).or_short(short).weighing(Weight::OutOfBounds)
}

/// Returns the time at which the ramp reaches the target; `None` without a ramp, or if no client is missing.
fn arrival(app: &App) -> Option<String> {
    let sample = &app.steady;
    let is_ramp =
        sample.state == RunState::Ramping && app.title.stages.is_none() && app.title.arrivals.is_none();
    let rate = app.title.profile.rate().filter(|_| is_ramp)?;
    let at = sample.at + sample.ramp_left(rate)?;
    Some(format!("at this pace, {} by {}", units::plural(sample.target.into(), "client"), units::clock(at)))
}

/// Returns the used share of a hard stop, a warning when most of it is used.
fn limit(spent: Spent) -> Text {
    let text = format!("{} of {}", units::percent(Some(spent.share())), spent.stop.option());
    match spent.share() >= LIMIT_NEAR {
        true => Text::new(Role::Warning, text).weighing(Weight::OutOfBounds),
        false => Text::label(text),
    }
}

/// Returns the first threshold that is crossed, with its value, or how many are kept; `None` without a threshold.
fn thresholds(sample: &RunSample) -> Option<Text> {
    let all = sample.thresholds.len() as u64;
    if all == 0 {
        return None;
    }
    let crossed: Vec<_> = sample.crossed_thresholds().collect();
    let Some(first) = crossed.first() else {
        let kept = sample.kept_thresholds();
        let text = format!("{} of {} kept", units::count(kept), units::plural(all, "threshold"));
        return Some(if kept == all { Text::new(Role::Good, text) } else { Text::label(text) });
    };
    let value = first.value().map_or(units::UNKNOWN.to_owned(), |value| first.threshold.shown(value));
    let more = if crossed.len() > 1 { format!(" and {} more", crossed.len() - 1) } else { String::new() };
    let text = Text::new(Role::Failing, format!("CROSSED {}: {value}{more}", first.threshold));
    Some(text.or_short(format!("{} of {all} crossed", crossed.len())).weighing(Weight::OutOfBounds))
}

fn measurement(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let fault = |text: String| Text::new(Role::Failing, text).weighing(Weight::OutOfBounds);
    let mut line = trust::verdict(&sample.trust);
    if sample.panics > 0 {
        line.push(fault(units::plural(sample.panics, "internal fault")));
    }
    let violations = sample.snapshot.invariant_violations;
    if violations > 0 {
        line.push(fault(units::plural(violations, "broken invariant")));
    }
    line.extend(origin::texts(&app.steady));
    line.extend(thresholds(&app.steady));
    line.extend(app.steady.nearest_hard_stop().map(limit));
    line.extend(trust::nearest(&app.steady.trust));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::run_state::{Note, NoteKind};

    use crate::verdict::{JudgedThreshold, Threshold, ThresholdWatch};
    use crate::vocabulary::HardStop;

    #[test]
    fn a_threshold_that_is_crossed_is_never_left_out() {
        let judged = |text: &str, value: Option<f64>| {
            let mut watch = ThresholdWatch::new(Threshold::parse(text).expect(text), None);
            watch.judge(Duration::from_secs(9), value);
            watch.judged().clone()
        };
        let shown = |list: Vec<JudgedThreshold>| {
            thresholds(&RunSample { thresholds: list.into(), ..RunSample::default() })
        };
        assert_eq!(shown(Vec::new()), None);
        let (good, bad) = (judged("stalls<5", Some(1.0)), judged("error_rate<1% over 5s", Some(0.032)));
        let kept = shown(vec![good.clone()]);
        assert_eq!(kept, Some(Text::new(Role::Good, "1 of 1 threshold kept")));
        let open = shown(vec![good.clone(), judged("stalls<9", None)]);
        assert_eq!(open, Some(Text::label("1 of 2 thresholds kept")));
        let crossed = Text::new(Role::Failing, "CROSSED error_rate<1% over 5s: 3.20%");
        let crossed = crossed.or_short("1 of 2 crossed").weighing(Weight::OutOfBounds);
        assert_eq!(shown(vec![good, bad]), Some(crossed));
    }

    #[test]
    fn a_hard_stop_is_a_warning_when_most_of_it_is_used() {
        let shown = |used| limit(Spent { stop: HardStop::Bytes, limit: 1_000, used });
        assert_eq!(shown(340), Text::label("34.0% of --max-bytes"));
        let near = Text::new(Role::Warning, "80.0% of --max-bytes").weighing(Weight::OutOfBounds);
        assert_eq!(shown(800), near);
    }

    #[test]
    fn a_search_shows_what_held_and_what_broke() {
        let sample = RunSample { target: 35, ..RunSample::default() };
        let shown = || search(&sample).iter().map(|text| text.text.clone()).collect::<Vec<_>>();
        assert_eq!(shown(), ["SEARCH  ", "no level has held yet", "now 35 clients"]);
        for (clients, held) in
            [(20, Some(true)), (40, Some(false)), (36, Some(false)), (38, Some(true)), (9, None)]
        {
            let kind = NoteKind::Level { clients, held };
            sample.journal.note(Note { at: Duration::ZERO, kind, text: String::new() });
        }
        assert_eq!(shown(), ["SEARCH  ", "20 clients held", "36 clients broke", "now 35 clients"]);
    }
}
