//! Comparison of a run with its plan.

use std::time::Duration;

use super::RunSample;
use crate::forecast::{Priced, Use};
use crate::run_state::ChangeSource;
use crate::stats::Metric;
use crate::verdict::DEGRADED_SHARE;

impl RunSample {
    /// Returns the length for which the plan is compared with the run: without the time in which the last requests end.
    pub fn planned_length(&self, priced: &Priced) -> Duration {
        priced.forecast.terms.duration.map_or(self.at, |asked| asked.min(self.at))
    }

    /// Returns what the run has used so far.
    pub fn used(&self, priced: &Priced) -> Use {
        let totals = &self.snapshot.totals;
        let (base, supply) = (&priced.forecast.terms.base, &priced.forecast.terms.supply);
        let seconds = self.at.as_secs_f64();
        let cpu_s = self.generator.cpu_time.saturating_sub(base.cpu).as_secs_f64();
        let exact = |amount: Option<u64>| amount.map(|amount| amount as f64);
        Use {
            requests: totals.started() as f64,
            bytes: totals.bytes() as f64,
            bits_per_second: self.bits_per_second(),
            bits_per_second_peak: self.peak_bits_per_second,
            cpu_s: Some(cpu_s),
            cpu_share: supply.cpus.filter(|_| seconds > 0.0).map(|cpus| cpu_s / seconds / cpus),
            open_files: exact(self.generator.open_files_peak),
            // The kernel does not tell to which address its ports are bound.
            ports: None,
            memory_bytes: exact(self.generator.resident_bytes_peak),
        }
    }

    /// Returns the reasons why the run did not follow the plan, so that the two cannot be compared.
    pub fn not_comparable(&self, priced: &Priced) -> Vec<&'static str> {
        let by = |source: ChangeSource| self.journal.changes().any(|change| change.by == source);
        let terms = &priced.forecast.terms;
        let failed = self.snapshot.totals.error_share();
        let rows = [
            (by(ChangeSource::Operator) || by(ChangeSource::Control), "the operator changed the load"),
            (by(ChangeSource::Search), "the search set the load"),
            (by(ChangeSource::Brake), "the brake held the ramp"),
            (failed.is_some_and(|share| share >= DEGRADED_SHARE), "requests failed"),
            (self.snapshot.totals.get(Metric::GaveUp) > 0, "viewers left on failures"),
            (terms.duration.is_some_and(|asked| asked > self.at), "the run ended early"),
            (!priced.forecast.is_paced(), "the player loads as fast as the network allows"),
        ];
        rows.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::priced_for_tests as priced;
    use crate::run_state::{ChangeKind, LoadChange};
    use crate::stats::Registry;
    use crate::vocabulary::{Clock, Kind, Outcome};

    #[test]
    fn a_run_is_compared_for_as_long_as_it_was_to_last_and_says_what_kept_it_from_its_plan() {
        let priced = priced(Some(Duration::from_secs(60)));
        let at = |seconds| RunSample { at: Duration::from_secs(seconds), ..RunSample::default() };
        assert_eq!(at(63).planned_length(&priced), Duration::from_secs(60));
        assert_eq!(at(63).not_comparable(&priced), [""; 0]);
        assert_eq!(at(20).planned_length(&priced), Duration::from_secs(20));
        assert_eq!(at(20).not_comparable(&priced), ["the run ended early"]);
        let sample = at(63);
        let (kind, by) = (ChangeKind::Target, ChangeSource::Operator);
        sample.journal.change(LoadChange { at: Duration::ZERO, kind, from: 1, to: 2, by });
        assert_eq!(sample.not_comparable(&priced), ["the operator changed the load"]);
    }

    #[test]
    fn a_hundredth_of_failures_makes_the_numbers_incomparable() {
        let priced = priced(None);
        let (registry, mut sample) = (Registry::new(1), RunSample::default());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let mut reasons = |status| {
            meter.start(Kind::Segment).finish(Outcome::from_status(status, false), None);
            registry.snapshot(0, &mut sample.snapshot);
            sample.not_comparable(&priced)
        };
        assert_eq!(reasons(200), [""; 0]);
        assert_eq!(reasons(503), ["requests failed"]);
        assert_eq!(sample.used(&priced).requests, 2.0);
    }
}
