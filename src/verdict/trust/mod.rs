//! Trust verdict: whether the load tester itself limited the result, judged once a second from its own gauges.
//!
//! * A gauge that crosses its limit for long enough makes those seconds doubtful or invalid, and is a reason, for each
//!   level of its own. Reasons are sticky: a recovery does not erase them.
//! * Invalid seconds are masked. The run is INVALID if they are more than 1 % of it, or if a reason says that one was
//!   enough. It is SUSPECT if any second was invalid or more than 5 % were doubtful. Otherwise it is VALID.
//! * The shares are of the time measured so far: a run that is bad from its start is INVALID within seconds, and one
//!   bad moment in an hour makes the hour SUSPECT.
//! * Before a second has been measured there is no verdict: UNASSESSED.
//! * The trust of several machines merges: the worst verdict, the union of the reasons and of the masked intervals.

mod advice;
mod evidence;
mod gauge;
mod gauge_rules;
mod intervals;
mod judge;
mod per_gauge;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::check::{Check, Consequence, Limit};
use crate::vocabulary::units;

pub use advice::Demand;
pub use gauge::{Gauge, GaugeLimit, Rule, Unit, Weight, Worse};
pub use gauge_rules::RULES;
pub use intervals::{Interval, Intervals};
pub use judge::{TrustJudge, TrustNumbers};
pub use per_gauge::{PerGauge, Values};

/// Share of the measured time from which on invalid seconds make a run INVALID.
pub const INVALID_SHARE: f64 = 0.01;
/// Share of the measured time from which on doubtful seconds make a run SUSPECT.
pub const SUSPECT_SHARE: f64 = 0.05;

/// Verdict on whether the load tester itself limited the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustVerdict {
    /// Nothing has been measured yet.
    #[default]
    Unassessed,
    /// The load tester kept up.
    Valid,
    /// It may have limited the result.
    Suspect,
    /// It limited the result.
    Invalid,
}

impl TrustVerdict {
    /// All verdicts, the worst last.
    pub const ALL: [Self; 4] = [Self::Unassessed, Self::Valid, Self::Suspect, Self::Invalid];

    /// Returns the word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unassessed => "UNASSESSED",
            Self::Valid => "VALID",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
        }
    }

    /// Returns the words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Invalid => "NOT TRUSTWORTHY",
            other => other.name(),
        }
    }
}

/// Evidence against a result: a gauge that crossed a limit for long enough. A gauge has a reason for each level that
/// it reached; a second counts for the worse one.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The gauge.
    pub gauge: Gauge,
    /// Level of the limit: SUSPECT or INVALID.
    pub level: TrustVerdict,
    /// Begin of its first second beyond the limit.
    pub first: Duration,
    /// End of its last one.
    pub last: Duration,
    /// Sum of the time beyond the limit.
    pub lasted: Duration,
    /// Worst value.
    pub worst: f64,
    /// Limit that held for the worst value.
    pub threshold: f64,
    /// Worker with the worst value, if the gauge belongs to a worker.
    pub worker: Option<usize>,
    /// Advice to the operator.
    pub advice: String,
}

impl Reason {
    /// Returns the gauge and its worst value: `cpu 84.0%`.
    pub fn short(&self) -> String {
        let rule = self.gauge.rule();
        let worker = self.worker.map_or(String::new(), |worker| format!(" of worker {worker}"));
        let colon = if rule.unit == Unit::Count { ":" } else { "" };
        format!("{}{worker}{colon} {}", rule.label, formatted(rule.unit, self.worst))
    }

    /// Returns the reason as a sentence with its limit and times.
    pub fn sentence(&self) -> String {
        let rule = self.gauge.rule();
        let side = if rule.worse == Worse::Larger { "above" } else { "below" };
        format!(
            "{}, {side} {} for {} from {} on",
            self.short(),
            formatted(rule.unit, self.threshold),
            units::span(self.lasted),
            units::clock(self.first),
        )
    }

    /// Takes over the value, its limit and the advice of `other`, a reason of the same gauge and level, if they are
    /// worse, and adds its times.
    fn merge(&mut self, other: &Self) {
        let worst = |reason: &Self| {
            let rule = reason.gauge.rule();
            let badness = if rule.worse == Worse::Larger { reason.worst } else { -reason.worst };
            (badness, reason.threshold, reason.worker)
        };
        let [mine, theirs] = [worst(self), worst(other)];
        let order = mine.0.total_cmp(&theirs.0).then(mine.1.total_cmp(&theirs.1)).then(mine.2.cmp(&theirs.2));
        let order = order.then_with(|| self.advice.cmp(&other.advice));
        if order.is_lt() {
            (self.worst, self.threshold) = (other.worst, other.threshold);
            (self.worker, self.advice) = (other.worker, other.advice.clone());
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.lasted += other.lasted;
    }
}

/// Multiple of the load tester's own delay below which a latency is mostly that delay.
const BLUR: u64 = 3;

/// Reports whether the 99th percentile of a latency may be the load tester's own, with this 99th percentile of its
/// own delays. Percentiles do not add, so the delay cannot be subtracted.
pub fn is_blurred(latency_p99_us: u64, own_delay_p99_us: u64) -> bool {
    latency_p99_us < own_delay_p99_us.saturating_mul(BLUR)
}

/// Formats a value in its unit: `84.0%`, `12.3 ms`, `213`.
pub fn formatted(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => units::percent(Some(value)),
        Unit::Micros => format!("{} ms", units::milliseconds(value.round() as u64)),
        Unit::Count => units::count(value.round() as u64),
    }
}

/// Trust in a run so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trust {
    /// The verdict.
    pub verdict: TrustVerdict,
    /// Level of the last second alone.
    pub now: TrustVerdict,
    /// Evidence against the result, in the order of the gauges, the worse level first.
    pub reasons: Vec<Reason>,
    /// Invalid stretches of time.
    pub masked: Intervals,
    /// Stretches of time that are at least doubtful.
    pub doubtful: Intervals,
    /// Time that was judged.
    pub measured: Duration,
    /// Values of the last second.
    pub values: Values,
    /// Median time to the first byte on which the limits depend now.
    pub first_byte_us: Option<u64>,
    /// Worst values of the run.
    pub worst: Values,
}

impl Trust {
    /// Returns the share of the judged time that is masked; `None` if nothing was judged.
    pub fn masked_share(&self) -> Option<f64> {
        share_of_time(self.masked.length(), self.measured)
    }

    /// Returns the share of the judged time that is at least doubtful; `None` if nothing was judged.
    pub fn doubtful_share(&self) -> Option<f64> {
        share_of_time(self.doubtful.length(), self.measured)
    }

    /// Returns the reason that weighs most: the worst level, then the longest time.
    pub fn main_reason(&self) -> Option<&Reason> {
        let hard = |reason: &Reason| reason.gauge.rule().weight == Weight::ConvictsAtOnce;
        self.reasons.iter().max_by_key(|reason| (reason.level, hard(reason), reason.lasted))
    }

    /// Returns the verdict that follows from the reasons and the intervals.
    fn assess(&self) -> TrustVerdict {
        let convicted = |reason: &Reason| {
            reason.level == TrustVerdict::Invalid && reason.gauge.rule().weight == Weight::ConvictsAtOnce
        };
        let exceeds = |share: Option<f64>, limit: f64| share.is_some_and(|share| share > limit);
        if self.reasons.iter().any(convicted) || exceeds(self.masked_share(), INVALID_SHARE) {
            TrustVerdict::Invalid
        } else if self.measured.is_zero() {
            TrustVerdict::Unassessed
        } else if !self.masked.length().is_zero() || exceeds(self.doubtful_share(), SUSPECT_SHARE) {
            TrustVerdict::Suspect
        } else {
            TrustVerdict::Valid
        }
    }

    /// Returns the check that a run fails if it is INVALID. Its value is 0 for VALID, 1 for SUSPECT, 2 for INVALID.
    pub fn check(&self) -> Check {
        let state = (self.verdict as u8).checked_sub(TrustVerdict::Valid as u8).map(f64::from);
        let why: Vec<_> = self.reasons.iter().map(Reason::sentence).collect();
        Check::new("trust", state, Limit::Below(2.0), Consequence::Untrusted).says(format!(
            "{}: {}",
            self.verdict.words(),
            why.join("; ")
        ))
    }
}

/// Replaces the gauge's value in `values` if `value` is worse.
fn worsen(values: &mut Values, rule: &Rule, value: Option<f64>) {
    let Some(value) = value else { return };
    let kept = &mut values[rule.gauge];
    if kept.is_none_or(|kept| rule.is_worse(value, kept)) {
        *kept = Some(value);
    }
}

fn share_of_time(part: Duration, whole: Duration) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}
