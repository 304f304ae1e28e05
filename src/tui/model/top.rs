//! The four lines at the top: the run, its verdict, the point at which the stream first was not served well, and the
//! trust in the measurement.
//!
//! The most important text stands first in each line: a narrow screen leaves out from the right, whole texts at a
//! time.

use crate::run_state::ChangeSource;
use crate::sample::RunSample;
use crate::stats::Spent;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::verdict::{Knee, TrustVerdict, Verdict};
use crate::vocabulary::{RunState, units};

use super::{Text, Weight, errors, generator, trust};

/// Share of a hard stop from which on its end is near: the operator may want to prepare for it.
const LIMIT_NEAR: f64 = 0.8;

/// The four lines at the top.
#[derive(Debug)]
pub(in crate::tui) struct Top {
    /// Program, state, time, clients.
    pub(in crate::tui) run: Vec<Text>,
    /// Text at the right: the target, whole and shortened, or a notice that the display is frozen.
    pub(in crate::tui) aside: Vec<Text>,
    /// The verdict's word.
    pub(in crate::tui) verdict: Text,
    /// Start of the verdict, and its reason in pieces.
    pub(in crate::tui) reason: Vec<Text>,
    /// The points at which the stream first was not served well.
    pub(in crate::tui) knee: Vec<Text>,
    /// Reasons to trust the measurement or not.
    pub(in crate::tui) measurement: Vec<Text>,
}

impl Top {
    pub(super) fn new(app: &App) -> Self {
        let sample = &app.steady;
        let (verdict, reason) = if sample.state.is_ending() {
            (Text::new(role(sample.run_health.worst), sample.run_health.worst.past()), result(sample))
        } else {
            let verdict = sample.health.verdict;
            (Text::new(role(verdict), verdict.name()), reason(sample))
        };
        let (verdict, reason) = trusted(sample, verdict, reason);
        Self {
            run: run(app),
            aside: aside(app),
            verdict,
            reason,
            knee: knee(app),
            measurement: measurement(app),
        }
    }
}

/// Returns the verdict and its reason, or that nothing here can be believed: then the health of the stream is only a
/// part of the reason.
fn trusted(sample: &RunSample, verdict: Text, mut reason: Vec<Text>) -> (Text, Vec<Text>) {
    if sample.trust.verdict != TrustVerdict::Invalid {
        return (verdict, reason);
    }
    reason.insert(0, Text::new(verdict.role, format!("stream {}", verdict.text)));
    (Text::new(Role::Failing, TrustVerdict::Invalid.words()), reason)
}

fn run(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let end = app.title.duration.map(|end| format!(" of {}", units::clock(end))).unwrap_or_default();
    let clients = units::count(sample.active_clients());
    let state = if sample.state == RunState::Hold { Role::Warning } else { Role::Title };
    vec![
        Text::new(Role::Title, format!("hlswarm {}", app.title.identity.version)),
        Text::new(state, sample.state_name()),
        Text::plain(format!("{}{end}", units::clock(sample.at))),
        Text::plain(format!("{clients} of {} clients", units::count(u64::from(sample.target)))),
    ]
}

fn aside(app: &App) -> Vec<Text> {
    match app.frozen_since {
        Some(since) => {
            let seconds = app.live.at.saturating_sub(since).as_secs();
            vec![Text::new(Role::Warning, format!("DISPLAY FROZEN {seconds} s"))]
        }
        None => {
            let whole = app.title.identity.target.as_str();
            let host =
                whole.split_once("://").map_or(whole, |(_, rest)| rest.split('/').next().unwrap_or(rest));
            vec![Text::label(whole), Text::label(host)]
        }
    }
}

pub(in crate::tui) fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Unknown => Role::Label,
        Verdict::Ok => Role::Good,
        Verdict::Degraded => Role::Warning,
        Verdict::Failing | Verdict::NothingPlays => Role::Failing,
    }
}

/// Returns the verdict of a run that ends: the time that the worst one held, never the last ten seconds alone.
fn result(sample: &RunSample) -> Vec<Text> {
    let result = &sample.run_health;
    if result.worst == Verdict::Unknown {
        return vec![Text::label("nothing was measured")];
    }
    let mut line = Vec::new();
    if result.worst >= Verdict::Degraded && !result.held.is_zero() {
        line.push(Text::plain(format!("for {} of {}", units::span(result.held), units::span(sample.at))));
    }
    line.push(Text::plain(format!("{} of requests failed", units::percent(result.error_share))));
    line.push(Text::plain(format!("at most {} stalled", units::percent(result.stalled_share_max))));
    line
}

fn reason(sample: &RunSample) -> Vec<Text> {
    let health = &sample.health;
    if health.verdict == Verdict::Unknown {
        return vec![Text::label(health.reason())];
    }
    let mut line = vec![Text::plain(format!("since {}", units::clock(health.since)))];
    // If the numbers contradict the verdict, show how long they have done so and the verdict that follows.
    line.extend(health.pending.map(|pending| Text::plain(health.trend(pending))));
    line.push(Text::plain(format!("{} of requests fail", units::percent(health.error_share))));
    line.push(Text::plain(format!("{} stalled", units::percent(health.stalled_share))));
    line.extend(health.pending.map(|pending| Text::plain(pending.outlook())));
    let most = sample.failures.iter().max_by(|one, other| one.per_second.total_cmp(&other.per_second));
    line.extend(
        most.filter(|most| most.per_second > 0.0)
            .map(|most| Text::plain(format!("mostly {}", errors::short(most.outcome)))),
    );
    line
}

fn knee(app: &App) -> Vec<Text> {
    let sample = &app.steady;
    let named = [("errors", sample.knees.errors), ("stalls", sample.knees.stalls)];
    let mut knees: Vec<(&str, Knee)> =
        named.into_iter().filter_map(|(name, knee)| Some((name, knee?))).collect();
    knees.sort_by_key(|(_, knee)| knee.at);
    if knees.is_empty() && matches!(sample.health.verdict, Verdict::Unknown | Verdict::NothingPlays) {
        return vec![Text::label("the knee is unknown until a client has played")];
    }
    if knees.is_empty() {
        let mut line = vec![Text::label("no trouble so far: errors and stalls below 1%")];
        line.extend(arrival(app).map(Text::label));
        return line;
    }
    let mut line: Vec<Text> = knees.into_iter().map(|(name, knee)| told(name, knee)).collect();
    if sample.state == RunState::Hold {
        let by = if sample.held_by() == Some(ChangeSource::Brake) { " by the brake" } else { "" };
        line.insert(1, Text::new(Role::Warning, format!("ramp held{by}: p resumes")));
    }
    line
}

fn told(name: &str, knee: Knee) -> Text {
    let clients = units::plural(knee.clients, "client");
    let at = units::clock(knee.at);
    let throughput = knee.bits_per_second.map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    Text::new(Role::Mark, format!("1% {name} first at {clients}, {throughput}, {at}"))
        .weighing(Weight::Subject)
}

/// Returns the time at which the ramp reaches the target; `None` without a ramp, or if no client is missing.
fn arrival(app: &App) -> Option<String> {
    let sample = &app.steady;
    let rate = app.title.profile.rate().filter(|_| sample.state == RunState::Ramping)?;
    let at = sample.at + sample.ramp_left(rate)?;
    Some(format!("at this pace {} at {}", units::plural(sample.target.into(), "client"), units::clock(at)))
}

/// Returns the used share of a hard stop, a warning when most of it is used.
fn limit(spent: Spent) -> Text {
    let role = if spent.share() >= LIMIT_NEAR { Role::Warning } else { Role::Label };
    Text::new(role, format!("{} of {}", units::percent(Some(spent.share())), spent.stop.option()))
}

fn measurement(app: &App) -> Vec<Text> {
    let sample = &app.shown;
    let mut line = trust::in_a_line(&sample.trust);
    if sample.panics > 0 {
        line.push(Text::new(Role::Failing, units::plural(sample.panics, "internal fault")));
    }
    let violations = sample.snapshot.invariant_violations;
    if violations > 0 {
        line.push(Text::new(Role::Failing, units::plural(violations, "broken invariant")));
    }
    if sample.late_starts > 0 {
        line.push(Text::new(Role::Warning, format!("late starts {}", units::count(sample.late_starts))));
    }
    line.extend(app.steady.nearest_hard_stop().map(limit));
    line.extend(generator::in_a_line(&app.steady));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::HardStop;

    #[test]
    fn a_hard_stop_is_a_warning_when_most_of_it_is_used() {
        let shown = |used| limit(Spent { stop: HardStop::Bytes, limit: 1_000, used });
        assert_eq!(shown(340), Text::label("34.0% of --max-bytes"));
        assert_eq!(shown(800), Text::new(Role::Warning, "80.0% of --max-bytes"));
    }
}
