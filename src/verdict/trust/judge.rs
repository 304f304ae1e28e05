//! The judge: a state machine that takes the gauges of one second after another.

use std::time::Duration;

use super::evidence::{Crossing, Evidence, Second};
use super::{
    Demand, Gauge, GaugeLimit, Interval, Intervals, PerGauge, RULES, Reason, Rule, Trust, TrustVerdict,
    Values, Weight, worsen,
};

/// Maximum number of masked intervals that a run keeps apart.
const INTERVALS: usize = 1_000;
/// Maximum time that a value adds to a streak. It was measured over a second; if the next one comes later, the time in
/// between is unknown.
const COUNTED: Duration = Duration::from_secs(2);

/// Gauges of the time since the last judgement.
#[derive(Clone, Debug, Default)]
pub struct TrustNumbers<'a> {
    /// End of that time, as time of the run.
    pub at: Duration,
    /// End of the load; `None` while it lasts. Later time is not measured: it can only be evidence about the load.
    pub load_end: Option<Duration>,
    /// Values of the gauges that were measured since the last judgement.
    pub values: Values,
    /// Values that were measured before and still hold: they are shown, not judged again.
    pub shown: Values,
    /// Median time to the first byte over the last ten seconds; `None` if nothing was answered.
    pub first_byte_us: Option<u64>,
    /// Worker with the largest loop lag.
    pub worker: Option<usize>,
    /// Times since the last judgement in which the process did not run at all.
    pub gaps: &'a [Interval],
    /// Resources that the load needs.
    pub demand: Demand,
}

impl TrustNumbers<'_> {
    /// Returns the part of an interval in which the load lasted; it may be empty.
    fn of_load(&self, interval: Interval) -> Interval {
        Interval { to: self.load_end.map_or(interval.to, |end| interval.to.min(end)), ..interval }
    }
}

/// Judge of a run, second after second.
#[derive(Clone, Debug, Default)]
pub struct TrustJudge {
    trust: Trust,
    judged_at: Duration,
    evidence: PerGauge<Evidence>,
}

impl TrustJudge {
    /// Returns the trust in the run so far.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Judges the time since the last judgement.
    pub fn judge(&mut self, numbers: &TrustNumbers<'_>) {
        let whole = Interval { from: self.judged_at, to: numbers.at };
        if whole.length().is_zero() {
            return;
        }
        self.judged_at = numbers.at;
        let window = numbers.of_load(whole);
        self.trust.measured += window.length();
        if numbers.load_end.is_none() {
            let shown =
                numbers.values.iter().zip(numbers.shown.iter()).map(|(value, shown)| value.or(*shown));
            self.trust.values.iter_mut().zip(shown).for_each(|(kept, value)| *kept = value);
            self.trust.first_byte_us = numbers.first_byte_us;
        }
        let stopped: Duration = numbers.gaps.iter().map(|gap| gap.within(whole).length()).sum();
        // A time in which the process did not run is judged by itself, and makes no streak longer.
        let counted = whole.length().saturating_sub(stopped).min(COUNTED);
        let second = Second { window, to: whole.to, counted };
        for rule in &RULES {
            let value = numbers.values[rule.gauge].filter(|value| value.is_finite());
            worsen(&mut self.trust.worst, rule, value);
            if rule.gauge == Gauge::ProcessGap {
                numbers.gaps.iter().for_each(|gap| self.judge_gap(rule, numbers.of_load(*gap), numbers));
            } else if let Some(value) = value {
                self.count(rule, self.crossing(rule, value, whole, numbers), second);
            }
        }
        self.conclude(numbers);
    }

    /// Judges a time in which the process did not run. It is known to the millisecond, so no whole second is masked.
    fn judge_gap(&mut self, rule: &Rule, gap: Interval, numbers: &TrustNumbers<'_>) {
        if gap.length().is_zero() {
            return;
        }
        let value = gap.length().as_secs_f64() * 1e6;
        worsen(&mut self.trust.worst, rule, Some(value));
        let second = Second { window: gap, to: numbers.at, counted: gap.length() };
        self.count(rule, self.crossing(rule, value, gap, numbers), second);
    }

    /// Returns the levels that a value reaches, as reasons.
    fn crossing(&self, rule: &Rule, value: f64, interval: Interval, numbers: &TrustNumbers<'_>) -> Crossing {
        // A reason keeps the newest advice, because the load is known best then. It has to cure the worst value.
        let worst = self.trust.worst[rule.gauge].unwrap_or(value);
        let reason = |level, limit: Option<GaugeLimit>| {
            let threshold = limit?.in_force(numbers.first_byte_us);
            rule.is_worse(value, threshold).then(|| Reason {
                gauge: rule.gauge,
                level,
                first: interval.from,
                last: interval.to,
                lasted: interval.length(),
                worst: value,
                threshold,
                worker: numbers.worker.filter(|_| rule.gauge == Gauge::LoopLag),
                advice: numbers.demand.advice(rule, worst),
            })
        };
        Crossing {
            as_suspect: reason(TrustVerdict::Suspect, rule.suspect),
            as_invalid: reason(TrustVerdict::Invalid, rule.invalid),
        }
    }

    fn count(&mut self, rule: &Rule, crossing: Crossing, second: Second) {
        if rule.weight == Weight::Shown {
            return;
        }
        let found = self.evidence[rule.gauge].count(rule, crossing, second);
        add(&mut self.trust.doubtful, &found.doubtful);
        add(&mut self.trust.masked, &found.masked);
    }

    fn conclude(&mut self, numbers: &TrustNumbers<'_>) {
        let evidence = || RULES.iter().zip(self.evidence.iter());
        self.trust.reasons = evidence().flat_map(|(rule, evidence)| evidence.reasons(rule)).collect();
        let levels = evidence().map(|(_, evidence)| evidence.level(numbers.at));
        self.trust.now = levels.fold(TrustVerdict::Valid, TrustVerdict::max);
        self.trust.verdict = self.trust.assess();
    }
}

fn add(to: &mut Intervals, found: &Intervals) {
    found.as_slice().iter().for_each(|interval| to.add_within(*interval, INTERVALS));
}
