//! The main numbers of a run without its warm-up (`--warmup`), beside those of the whole run.

use std::sync::Arc;
use std::time::Duration;

use super::stretch::{CountReading, StallPeaks, Stretch, has_begun};
use super::{RunSample, Sources};
use crate::verdict::{After, Distribution, Quantity, RunNumber, Statistic};
use crate::vocabulary::{Kind, Timed};

const SEGMENT_TTFB: Distribution = Distribution::Of(Timed::FirstByte(Kind::Segment));
const SEGMENT: Distribution = Distribution::Of(Timed::Total(Kind::Segment));
const PLAYLIST_TTFB: Distribution = Distribution::Of(Timed::FirstByte(Kind::Playlist));

/// Numbers that are taken, in the order of the report.
const NUMBERS: [Quantity; 11] = [
    Quantity::Number(RunNumber::Requests),
    Quantity::Number(RunNumber::RequestsPerSecond),
    Quantity::Number(RunNumber::ErrorRate),
    Quantity::Number(RunNumber::Throughput),
    Quantity::Number(RunNumber::Stalls),
    Quantity::Number(RunNumber::StalledShareMax),
    Quantity::Number(RunNumber::RebufferRatio),
    Quantity::Duration(PLAYLIST_TTFB, Statistic::P95),
    Quantity::Duration(SEGMENT_TTFB, Statistic::P50),
    Quantity::Duration(SEGMENT_TTFB, Statistic::P95),
    Quantity::Duration(SEGMENT, Statistic::P95),
];

/// A run without its warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterWarmup {
    /// End of the warm-up, as time of the run.
    pub from: Duration,
    /// Quantities with their values, in the unit of the report; `None` where nothing was measured.
    pub numbers: Vec<(Quantity, Option<f64>)>,
}

/// Takes the numbers once a second.
#[derive(Debug, Default)]
pub(super) struct WarmupMeter {
    /// Reading at the end of the warm-up; `None` before it.
    begin: Option<CountReading>,
    /// Largest values since then.
    peaks: StallPeaks,
    newest: Option<Arc<AfterWarmup>>,
}

impl WarmupMeter {
    /// Takes the largest values of a sample.
    pub(super) fn observe(&mut self, sample: &RunSample) {
        if self.begin.is_some() {
            self.peaks.raise(StallPeaks::of(sample));
        }
    }

    /// Takes the numbers at the end of a second. Without a warm-up it reads nothing.
    pub(super) fn measure(&mut self, sample: &RunSample, sources: &Sources) {
        let warmup = sources.criteria.warmup;
        if warmup == After::Start || (self.begin.is_none() && !has_begun(warmup, sample)) {
            return;
        }
        let now = CountReading::new(sample, sources, &[PLAYLIST_TTFB, SEGMENT_TTFB, SEGMENT]);
        let Some(begin) = &self.begin else {
            self.begin = Some(now);
            return;
        };
        let stretch = Stretch::new(begin, &now, self.peaks);
        let numbers = NUMBERS.map(|quantity| (quantity, stretch.value(quantity, sample, sources)));
        self.newest = Some(Arc::new(AfterWarmup { from: begin.at, numbers: numbers.to_vec() }));
    }

    /// Returns the newest numbers; `None` without a warm-up, and before its end.
    pub(super) fn newest(&self) -> Option<Arc<AfterWarmup>> {
        self.newest.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Timings;
    use crate::verdict::Criteria;
    use crate::vocabulary::{Clock, Outcome, RunState};

    #[test]
    fn what_happens_in_the_warm_up_is_in_none_of_the_numbers() {
        let criteria = Criteria { warmup: After::Ramp, ..Criteria::default() };
        let sources = Sources { criteria: Arc::new(criteria), ..Sources::new(1) };
        let client = sources.registry.add();
        let requests = client.meter(0, Clock::start());
        let mut meter = WarmupMeter::default();
        for second in 1..=6_u64 {
            let (outcome, first_byte_us) = match second {
                ..=3 => (Outcome::from_status(503, false), 0),
                _ => (Outcome::Ok, 1_000 * second),
            };
            let timings = Timings { first_byte_us, ..Timings::default() };
            requests.start(Kind::Segment).finish(outcome, (!outcome.is_failure()).then_some(timings));
            let state = if second < 3 { RunState::Ramping } else { RunState::Running };
            let at = Duration::from_secs(second);
            let mut sample = RunSample { at, state, ..RunSample::default() };
            sources.registry.snapshot(0, &mut sample.snapshot);
            meter.observe(&sample);
            meter.measure(&sample, &sources);
            assert_eq!(meter.newest().is_some(), second > 3, "{second}");
        }
        let after = meter.newest().expect("a warm-up that has ended");
        let of = |quantity| {
            after.numbers.iter().find(|(known, _)| *known == quantity).and_then(|(_, value)| *value)
        };
        assert_eq!(after.from, Duration::from_secs(3));
        assert_eq!(of(Quantity::Number(RunNumber::Requests)), Some(3.0));
        assert_eq!(of(Quantity::Number(RunNumber::ErrorRate)), Some(0.0));
        assert_eq!(of(Quantity::Number(RunNumber::RequestsPerSecond)), Some(1.0));
        let median = of(Quantity::Duration(SEGMENT_TTFB, Statistic::P50)).expect("measured");
        assert!((4_900.0..5_100.0).contains(&median), "{median}");
    }

    #[test]
    fn a_run_without_a_warm_up_has_no_such_numbers() {
        let (sources, mut meter) = (Sources::new(1), WarmupMeter::default());
        meter.measure(&RunSample { at: Duration::from_secs(9), ..RunSample::default() }, &sources);
        assert_eq!(meter.newest(), None);
    }
}
