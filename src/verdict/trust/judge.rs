//! The judge: a state machine that takes the gauges of one second after another.

use std::time::Duration;

use super::{Demand, Gauge, Interval, RULES, Reason, Rule, Trust, TrustVerdict, Values, Weight, worsen};

/// Maximum number of masked intervals that a run keeps apart.
const INTERVALS: usize = 1_000;

/// Part of the run that a second belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The load lasts: the second is measured.
    #[default]
    Load,
    /// The run ends: only evidence about the load before counts.
    End,
}

/// Gauges of the time since the last judgement.
#[derive(Clone, Debug, Default)]
pub struct TrustNumbers<'a> {
    /// End of that time, as time of the run.
    pub at: Duration,
    /// Part of the run.
    pub phase: Phase,
    /// Values of the gauges.
    pub values: Values,
    /// Median time to the first byte over the last ten seconds; `None` if nothing was answered.
    pub first_byte_us: Option<u64>,
    /// Worker with the largest loop lag.
    pub worker: Option<usize>,
    /// Times since the last judgement in which the process did not run at all.
    pub gaps: &'a [Interval],
    /// Resources that the load needs.
    pub demand: Demand,
}

/// Seconds in a row in which a gauge crossed a limit.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    seconds: u32,
    since: Duration,
    worst: f64,
}

impl Streak {
    /// Counts a second that began at `from`; `beyond` is its value, if it crossed the limit. Returns the begin of the
    /// streak and its worst value once it is long enough.
    fn count(&mut self, rule: &Rule, beyond: Option<f64>, from: Duration) -> Option<(Duration, f64)> {
        let Some(value) = beyond else {
            *self = Self::default();
            return None;
        };
        if self.seconds == 0 {
            (self.since, self.worst) = (from, value);
        }
        self.seconds = self.seconds.saturating_add(1);
        if rule.is_worse(value, self.worst) {
            self.worst = value;
        }
        (self.seconds >= rule.seconds).then_some((self.since, self.worst))
    }
}

/// Judge of a run, second after second.
#[derive(Clone, Debug, Default)]
pub struct TrustJudge {
    trust: Trust,
    judged_at: Duration,
    suspect: [Streak; Gauge::COUNT],
    invalid: [Streak; Gauge::COUNT],
}

/// A level that a gauge has reached, and the limit that it crossed.
#[derive(Clone, Copy, Debug)]
struct Finding {
    level: TrustVerdict,
    value: f64,
    threshold: f64,
    interval: Interval,
}

impl TrustJudge {
    /// Returns the trust in the run so far.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Judges the time since the last judgement.
    pub fn judge(&mut self, numbers: &TrustNumbers<'_>) {
        let window = Interval { from: self.judged_at, to: numbers.at };
        if window.length().is_zero() {
            return;
        }
        self.judged_at = numbers.at;
        if numbers.phase == Phase::Load {
            self.trust.measured += window.length();
            self.trust.values = numbers.values;
        }
        self.trust.now = TrustVerdict::Valid;
        for rule in &RULES {
            let value = numbers.values.get(rule.gauge.index()).copied().flatten();
            let value = value.filter(|value| value.is_finite());
            worsen(&mut self.trust.worst, rule, value);
            if rule.gauge == Gauge::ProcessGap {
                numbers.gaps.iter().for_each(|gap| self.judge_gap(rule, *gap, numbers));
            } else if let Some(finding) = self.find(rule, value, window, numbers) {
                self.convict(rule, finding, numbers);
            }
        }
        self.trust.verdict = self.trust.assess();
    }

    /// Returns the level of a gauge, if it has crossed a limit for long enough.
    fn find(
        &mut self,
        rule: &Rule,
        value: Option<f64>,
        window: Interval,
        numbers: &TrustNumbers<'_>,
    ) -> Option<Finding> {
        let limits = [rule.suspect, rule.invalid].map(|limit| Some(limit?.in_force(numbers.first_byte_us)));
        let streaks = [self.suspect.get_mut(rule.gauge.index())?, self.invalid.get_mut(rule.gauge.index())?];
        let mut found = None;
        // The worse level comes last and replaces the other.
        let levels = [TrustVerdict::Suspect, TrustVerdict::Invalid];
        for ((level, limit), streak) in levels.into_iter().zip(limits).zip(streaks) {
            let beyond = value.zip(limit).filter(|(value, limit)| rule.is_worse(*value, *limit));
            let long_enough = streak.count(rule, beyond.map(|(value, _)| value), window.from);
            if let (Some((_, threshold)), Some((from, value))) = (beyond, long_enough) {
                found = Some(Finding { level, value, threshold, interval: Interval { from, to: window.to } });
            }
        }
        found
    }

    /// Judges a time in which the process did not run. It is known to the millisecond, so no whole second is masked.
    fn judge_gap(&mut self, rule: &Rule, gap: Interval, numbers: &TrustNumbers<'_>) {
        let value = gap.length().as_secs_f64() * 1e6;
        worsen(&mut self.trust.worst, rule, Some(value));
        let levels = [(TrustVerdict::Invalid, rule.invalid), (TrustVerdict::Suspect, rule.suspect)];
        let mut levels = levels.into_iter().filter_map(|(level, limit)| Some((level, limit?.floor)));
        if let Some((level, threshold)) = levels.find(|(_, limit)| value > *limit) {
            self.convict(rule, Finding { level, value, threshold, interval: gap }, numbers);
        }
    }

    /// Records the evidence of a gauge that convicts.
    fn convict(&mut self, rule: &Rule, finding: Finding, numbers: &TrustNumbers<'_>) {
        if rule.weight == Weight::Shown {
            return;
        }
        let Finding { level, value, threshold, interval } = finding;
        let trust = &mut self.trust;
        trust.now = trust.now.max(level);
        trust.doubtful.add_within(interval, INTERVALS);
        if level == TrustVerdict::Invalid {
            trust.masked.add_within(interval, INTERVALS);
        }
        let known = trust.reasons.iter().position(|reason| reason.gauge == rule.gauge);
        let counted_to = known.and_then(|place| trust.reasons.get(place)).map_or(Duration::ZERO, |r| r.last);
        let reason = Reason {
            gauge: rule.gauge,
            level,
            first: interval.from,
            last: interval.to,
            // A streak begins before the second in which it is long enough: count no time twice.
            lasted: interval.to.saturating_sub(interval.from.max(counted_to)),
            worst: value,
            threshold,
            worker: numbers.worker.filter(|_| rule.gauge == Gauge::LoopLag),
            advice: numbers.demand.advice(rule, value),
        };
        match known.and_then(|place| trust.reasons.get_mut(place)) {
            Some(known) => known.merge(&reason),
            None => {
                trust.reasons.push(reason);
                trust.reasons.sort_by_key(|reason| reason.gauge);
            }
        }
    }
}
