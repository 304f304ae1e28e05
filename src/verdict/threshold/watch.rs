//! State of a threshold while a run goes on, and the check that it becomes.

use std::time::Duration;

use super::{After, Threshold};
use crate::verdict::check::{Check, CheckResult, Consequence};
use crate::verdict::{Trust, TrustVerdict};
use crate::vocabulary::units;

/// State of a threshold at one moment of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Newest value; `None` before the first one, and while nothing is measured.
    pub value: Option<f64>,
    /// Value farthest beyond the limit, or nearest to it while it was never crossed.
    pub worst: Option<f64>,
    /// Time of the run at which it was first crossed.
    pub crossed_at: Option<Duration>,
    /// Time since which it is crossed without interruption.
    pub crossed_since: Option<Duration>,
    /// Time at which it had been crossed for the grace of `--abort-on-fail`: nothing changes after that.
    pub aborted_at: Option<Duration>,
}

/// A threshold and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedThreshold {
    /// The threshold.
    pub threshold: Threshold,
    /// Its state.
    pub standing: Standing,
}

impl JudgedThreshold {
    /// Returns the value that decides: the worst window, or the newest value without windows.
    pub fn value(&self) -> Option<f64> {
        if self.threshold.over.is_some() { self.standing.worst } else { self.standing.value }
    }

    /// Reports whether it is crossed now. A count that has not yet reached what is asked of it is not: it only grows.
    pub fn is_crossed(&self) -> bool {
        let grows = self.threshold.quantity.only_grows();
        let is_awaited = |value| grows && value < self.threshold.limit.number();
        self.standing.crossed_since.is_some() && !self.standing.value.is_some_and(is_awaited)
    }

    /// Returns the result so far; `Unknown` if nothing was measured.
    pub fn result(&self) -> CheckResult {
        match self.value() {
            _ if self.standing.aborted_at.is_some() => CheckResult::Fail,
            None => CheckResult::Unknown,
            Some(value) if self.threshold.limit.holds(value) => CheckResult::Pass,
            Some(_) => CheckResult::Fail,
        }
    }
}

/// Judges one threshold, moment after moment.
#[derive(Clone, Debug)]
pub struct ThresholdWatch {
    judged: JudgedThreshold,
    /// Time that it must stay crossed to end the run; `None`: it does not end the run.
    grace: Option<Duration>,
}

impl ThresholdWatch {
    /// Creates the judge of a threshold that ends the run once it was crossed for `grace`.
    pub fn new(threshold: Threshold, grace: Option<Duration>) -> Self {
        Self { judged: JudgedThreshold { threshold, standing: Standing::default() }, grace }
    }

    /// Returns the threshold and where it stands.
    pub fn judged(&self) -> &JudgedThreshold {
        &self.judged
    }

    /// Judges the value of a moment. Nothing measured neither crosses the limit nor keeps it.
    pub fn judge(&mut self, at: Duration, value: Option<f64>) {
        let JudgedThreshold { threshold, standing } = &mut self.judged;
        if standing.aborted_at.is_some() {
            return;
        }
        standing.value = value;
        let Some(value) = value else {
            standing.crossed_since = None;
            return;
        };
        let limit = threshold.limit;
        if standing.worst.is_none_or(|worst| limit.is_worse(value, worst)) {
            standing.worst = Some(value);
        }
        if limit.holds(value) {
            standing.crossed_since = None;
            return;
        }
        standing.crossed_at.get_or_insert(at);
        standing.crossed_since.get_or_insert(at);
    }

    /// Ends the run if the threshold has been crossed for the grace. To be called only while that is a reason to end it.
    pub fn end_run_if_due(&mut self, at: Duration) {
        let standing = &mut self.judged.standing;
        let lasted = standing.crossed_since.map(|since| at.saturating_sub(since));
        if lasted.zip(self.grace).is_some_and(|(lasted, grace)| lasted >= grace) {
            standing.aborted_at.get_or_insert(at);
        }
    }
}

/// Returns the checks of the thresholds. At the end one without a value is inconclusive, which is no pass; while the
/// run goes on it is unknown.
pub fn threshold_checks(
    judged: &[JudgedThreshold],
    trust: &Trust,
    has_ended: bool,
    allow_untrusted: bool,
) -> Vec<Check> {
    let is_believed = trust.verdict != TrustVerdict::Invalid || allow_untrusted;
    judged.iter().map(|judged| check(judged, is_believed, has_ended)).collect()
}

fn check(judged: &JudgedThreshold, is_believed: bool, has_ended: bool) -> Check {
    let (threshold, standing) = (&judged.threshold, judged.standing);
    let result = match judged.result() {
        CheckResult::Unknown if has_ended => CheckResult::Inconclusive,
        CheckResult::Pass | CheckResult::Fail if !is_believed => CheckResult::Inconclusive,
        result => result,
    };
    let sentence = match (result, judged.value()) {
        (CheckResult::Inconclusive, Some(_)) => {
            format!("threshold {threshold} is inconclusive: this machine limited the result")
        }
        (_, None) => format!("threshold {threshold} is inconclusive: {}", missing(threshold)),
        (_, Some(value)) => failure(threshold, standing, value),
    };
    Check {
        name: threshold.text().to_owned().into(),
        value: judged.value(),
        limit: threshold.limit,
        result,
        consequence: Consequence::Criteria,
        sentence,
    }
}

/// Returns why a threshold has no value.
fn missing(threshold: &Threshold) -> String {
    match (threshold.over, threshold.after) {
        (Some(over), _) => format!("no window of {} with a value was filled", units::span(over)),
        (None, After::Ramp) => "nothing was measured after the ramp".to_owned(),
        (None, After::Time(time)) => format!("nothing was measured after {}", units::span(time)),
        (None, After::Start) => "nothing was measured".to_owned(),
    }
}

fn failure(threshold: &Threshold, standing: Standing, value: f64) -> String {
    let of = if threshold.over.is_some() { "at worst " } else { "" };
    let value = threshold.shown(value);
    let first = standing.crossed_at.map_or(String::new(), |at| format!(", first at {}", units::clock(at)));
    let aborted =
        standing.aborted_at.map_or(String::new(), |at| format!(", ended the run at {}", units::clock(at)));
    format!("threshold {threshold} crossed: {of}{value}{first}{aborted}")
}
