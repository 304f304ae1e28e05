//! The verdict in words, with its clock: since when it holds, what it follows from, and what comes next.
//!
//! * A sentence never contradicts its number: while the numbers have left the verdict, it says for how long and which
//!   verdict follows.
//! * The end of a run has the worst verdict that held, never that of the last ten seconds.

use crate::sample::{ENOUGH, FailureLine, RunSample};
use crate::tui::theme::Role;
use crate::verdict::{DEGRADED_SHARE, Health, Pending, Verdict};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Outcome, units};

use super::{Text, Weight, errors, share_role};

/// Returns the word of the verdict.
pub(super) fn verdict(sample: &RunSample) -> Text {
    if sample.state.is_ending() {
        let worst = sample.run_health.worst;
        return Text::new(role(worst), worst.past());
    }
    Text::new(role(sample.health.verdict), sample.health.verdict.name())
}

/// Returns the role of a verdict.
pub(in crate::tui) fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Unknown => Role::Label,
        Verdict::Ok => Role::Good,
        Verdict::Degraded => Role::Warning,
        Verdict::Failing | Verdict::NothingPlays => Role::Failing,
    }
}

/// Returns the time for which the verdict has held, and its reason in pieces.
pub(super) fn line(sample: &RunSample) -> Vec<Text> {
    let health = &sample.health;
    let verdict = if sample.state.is_ending() { sample.run_health.worst } else { health.verdict };
    match (verdict, health.pending) {
        (Verdict::NothingPlays, _) => nothing_plays(sample),
        _ if sample.state.is_ending() => result(sample),
        (Verdict::Unknown, _) => vec![Text::label(health.reason()).weighing(Weight::Subject)],
        (_, Some(pending)) => vec![held(sample), changing(health, pending)],
        (_, None) => standing(sample),
    }
}

/// Reports whether the reason of a verdict begins with the time for which it has held.
pub(super) const fn has_clock(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Unknown | Verdict::NothingPlays)
}

fn held(sample: &RunSample) -> Text {
    let length = sample.at.saturating_sub(sample.health.since);
    let verdict = sample.health.verdict;
    // Since when it is bad is asked first.
    let weight = if verdict >= Verdict::Degraded { Weight::OutOfBounds } else { Weight::Subject };
    Text::new(role(verdict), units::whole_span(length)).weighing(weight)
}

/// Returns the reason of a verdict that the numbers call for.
fn standing(sample: &RunSample) -> Vec<Text> {
    let health = &sample.health;
    let outcome = most_frequent_now(sample).map(|most| most.outcome);
    let gone = |name: fn(Outcome) -> String| outcome.map_or(String::new(), |it| format!(", {}", name(it)));
    let percent = units::percent(health.error_share);
    let fail = judged(health.error_share, &percent, &format!(" of requests fail{}", gone(errors::name)))
        .or_short(format!("{percent} fail{}", gone(errors::short)));
    let percent = units::percent(health.stalled_share);
    let stalled =
        judged(health.stalled_share, &percent, " of clients stalled").or_short(format!("{percent} stalled"));
    let mut line = vec![held(sample), fail, stalled];
    line.extend(crossed(health));
    line.extend(sample.got_share.filter(|got| *got < ENOUGH && suffers(health)).map(|got| {
        let got = units::percent(Some(got));
        let text = Text::plain("the origin gives ").then(Role::Title, &format!("{got} of what they need"));
        text.or_short(format!("{got} of need")).weighing(Weight::OutOfBounds)
    }));
    line
}

/// Returns how many thresholds of the operator are crossed; `None` if none is.
fn crossed(health: &Health) -> Option<Text> {
    let text = || Text::new(Role::Warning, health.crossed()).weighing(Weight::OutOfBounds);
    (health.thresholds_crossed > 0).then(text)
}

/// Reports whether viewers suffer: only then do bits that did not arrive matter, because buffers even out the rest.
fn suffers(health: &Health) -> bool {
    health.stalled_share.is_some_and(|share| share >= DEGRADED_SHARE)
}

/// Returns a share in the role of the verdict that it calls for; one that calls for a bad one is never left out.
fn judged(share: Option<f64>, value: &str, words: &str) -> Text {
    let (role, weight) = match share_role(share) {
        Role::Plain => (Role::Title, Weight::Subject),
        role => (role, Weight::OutOfBounds),
    };
    Text::new(role, value).then(Role::Plain, words).weighing(weight)
}

/// Returns that the numbers have left the verdict: `better for 3 s: 0% fail, 0% stalled; OK in 2 s`.
fn changing(health: &Health, pending: Pending) -> Text {
    let is_worse = pending.verdict > health.verdict;
    let named = [
        (health.error_share, "of requests fail", "fail"),
        (health.stalled_share, "of clients stalled", "stalled"),
    ];
    // What gets worse is named alone, because the other number is not the reason.
    let shown =
        named.iter().filter(|(share, ..)| !is_worse || share.is_some_and(|share| share >= DEGRADED_SHARE));
    let shown: Vec<_> = shown.map(|(share, long, short)| (units::percent(*share), *long, *short)).collect();
    let crossed = (health.thresholds_crossed > 0).then(|| health.crossed());
    let join = |words: Vec<String>| words.into_iter().chain(crossed.clone()).collect::<Vec<_>>().join(", ");
    let long = join(shown.iter().map(|(share, long, _)| format!("{share} {long}")).collect());
    let short = join(shown.iter().map(|(share, _, short)| format!("{share} {short}")).collect());
    let (trend, outlook) = (health.trend(pending), pending.outlook());
    let text =
        Text::plain(format!("{trend}: {long}; {outlook}")).or_short(format!("{trend}: {short}; {outlook}"));
    text.weighing(Weight::OutOfBounds)
}

/// Returns the verdict of a run that ends: the time that the worst one held.
fn result(sample: &RunSample) -> Vec<Text> {
    let result = &sample.run_health;
    if result.worst == Verdict::Unknown {
        let ended = sample.snapshot.totals.finished();
        let text = match units::plural(ended, "request") {
            _ if ended == 0 => Text::label("nothing was measured"),
            ended => Text::label(format!("no client played, {ended} ended; try a longer --duration"))
                .or_short("no client played"),
        };
        return vec![text.weighing(Weight::Subject)];
    }
    let mut line = Vec::new();
    if result.worst >= Verdict::Degraded && !result.held.is_zero() {
        let times = [result.held, sample.at].map(units::whole_span);
        let [held, run] = &times;
        let text = Text::new(role(result.worst), held.as_str()).then(Role::Label, &format!(" of {run}"));
        line.push(text.or_short(held.as_str()).weighing(Weight::OutOfBounds));
    } else {
        line.push(Text::label(format!("in {}", units::whole_span(sample.at))));
    }
    let most = most_frequent(sample).map(|most| most.outcome);
    let gone =
        |name: fn(Outcome) -> String| most.map_or(String::new(), |it| format!(", mostly {}", name(it)));
    let percent = units::percent(result.error_share);
    let failed = judged(result.error_share, &percent, &format!(" of requests failed{}", gone(errors::name)));
    line.push(failed.or_short(format!("{percent} failed{}", gone(errors::short))));
    let percent = units::percent(result.stalled_share_max);
    let stalled = judged(result.stalled_share_max, &percent, " of clients stalled at the worst moment");
    line.push(stalled.or_short(format!("{percent} stalled at worst")));
    let rebuffer = units::percent(sample.quality.rebuffer_ratio());
    let rebuffer =
        Text::label("rebuffer ratio ").then(Role::Plain, &rebuffer).or_short(format!("rebuffer {rebuffer}"));
    // The overview has it in large digits.
    line.push(rebuffer.weighing(Weight::Decoration));
    line
}

fn most_frequent(sample: &RunSample) -> Option<&FailureLine> {
    failures(sample).max_by_key(|line| line.count)
}

/// Returns the failure with the highest rate of the last ten seconds.
pub(super) fn most_frequent_now(sample: &RunSample) -> Option<&FailureLine> {
    let most = failures(sample).max_by(|one, other| one.per_second.total_cmp(&other.per_second));
    most.filter(|most| most.per_second > 0.0)
}

/// Returns the failures that count against the stream: what hlswarm cut is in no share.
fn failures(sample: &RunSample) -> impl Iterator<Item = &FailureLine> {
    sample.failures.iter().filter(|line| line.outcome != Outcome::Failed(Fault::Cut))
}

/// Returns the one answer that every client gets, and the question that it raises.
fn nothing_plays(sample: &RunSample) -> Vec<Text> {
    let Some(most) = most_frequent(sample) else { return vec![Text::label(sample.health.reason())] };
    let totals = &sample.snapshot.totals;
    let (name, question) = (errors::name(most.outcome), question(most.outcome));
    let text = Text::plain(match (most.count, totals.finished()) {
        (count, all) if count >= all => format!("every request ends with {name}{question}"),
        (count, all) if count > all / 2 => format!("most requests end with {name}{question}"),
        // The URL was right for what ended well.
        (count, _) => format!("no client plays; {} ended with {name}", units::plural(count, "request")),
    });
    let text = text.or_short(format!("{}{question}", errors::short(most.outcome)));
    vec![text.weighing(Weight::OutOfBounds)]
}

/// Returns the question that an answer raises when nothing plays.
pub(super) fn question(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Http(failure) => match failure.status() {
            Some(401 | 403 | 407) => ": is access allowed?",
            Some(400 | 404 | 410) => ": is the URL right?",
            Some(429 | 503) => ": is the service ready?",
            _ => "",
        },
        Outcome::Failed(Fault::DnsNotFound) => ": is the host name right?",
        Outcome::Failed(Fault::ConnRefused) => ": does a server listen there?",
        Outcome::Failed(Fault::TlsCert) => ": is the certificate right?",
        Outcome::Failed(Fault::PlaylistNotM3u8) => ": is this the URL of a playlist?",
        _ => "",
    }
}

/// Returns the time since which the verdict holds, for a screen with no room for its reason.
pub(super) fn since(sample: &RunSample) -> Vec<Text> {
    if sample.state.is_ending() || sample.health.verdict == Verdict::Unknown {
        let result = line(sample);
        return result.into_iter().take(1).collect();
    }
    let held = held(sample);
    // The numbers below have left the verdict: without the outlook they would contradict it.
    if let Some(pending) = sample.health.pending {
        return vec![held, Text::plain(pending.outlook()).weighing(Weight::OutOfBounds)];
    }
    vec![held, Text::label(format!("since {}", units::short_clock(sample.health.since)))]
}
