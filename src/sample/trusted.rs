//! Main quantities of the seconds whose numbers are to be believed, beside those of all seconds.
//!
//! * What masked seconds counted is kept apart, and taken from the whole when it is shown.
//! * A second is masked once its streak is long enough, some seconds later. So the counters of the last [`KEPT`]
//!   moments are kept. A second that touches a masked stretch counts as masked.

use std::collections::VecDeque;
use std::time::Duration;

use super::RunSample;
use crate::stats::{LatencySnapshot, Registry, Totals};
use crate::verdict::{Interval, Trust};
use crate::vocabulary::{Kind, Outcome, Timed, share};

/// Number of moments that are kept, a second apart: the longest streak takes ten seconds. With 26 KB for each histogram,
/// half a megabyte.
const KEPT: usize = 20;
/// Duration whose distribution is kept.
const FIRST_BYTE: Timed = Timed::FirstByte(Kind::Segment);

/// Main quantities of some seconds of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SomeSeconds {
    /// Their length.
    pub length: Duration,
    /// Requests that ended in them.
    pub finished: u64,
    /// Those that failed; neither these nor the next include requests that hlswarm cut.
    pub failed: u64,
    /// Those that ended ok.
    pub ok: u64,
    /// Times to the first byte of segments; `None` if there are none.
    first_byte: Option<LatencySnapshot>,
}

impl SomeSeconds {
    fn counted(length: Duration, totals: &Totals) -> Self {
        let (finished, failed, ok) = (totals.finished(), totals.errors(), totals.ended(Outcome::Ok));
        Self { length, finished, failed, ok, first_byte: None }
    }

    /// Returns the number of requests that failed or ended ok.
    pub fn judged(&self) -> u64 {
        self.failed + self.ok
    }

    /// Returns the failures as a share of the requests that failed or ended ok; `None` if there are none.
    pub fn failure_share(&self) -> Option<f64> {
        share(self.failed, self.judged())
    }

    /// Returns the times to the first byte of segments; `None` if there are none.
    pub fn first_byte(&self) -> Option<&LatencySnapshot> {
        self.first_byte.as_ref()
    }

    /// Adds other seconds.
    fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.finished += other.finished;
        self.failed += other.failed;
        self.ok += other.ok;
        match (&mut self.first_byte, &other.first_byte) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
    }

    /// Returns these seconds without some of them.
    fn without(mut self, part: &Self) -> Self {
        self.length = self.length.saturating_sub(part.length);
        self.finished = self.finished.saturating_sub(part.finished);
        self.failed = self.failed.saturating_sub(part.failed);
        self.ok = self.ok.saturating_sub(part.ok);
        if let (Some(mine), Some(theirs)) = (&mut self.first_byte, &part.first_byte) {
            mine.subtract(theirs);
        }
        self.first_byte = self.first_byte.filter(|values| values.count() > 0);
        self
    }
}

impl RunSample {
    /// Returns the main quantities of all seconds, then those of the seconds that are not masked; `None` if none is
    /// masked, or the sample is a light one.
    pub fn all_and_trusted_seconds(&self) -> Option<[SomeSeconds; 2]> {
        let distributions = self.distributions.as_deref()?;
        let masked = &distributions.masked_seconds;
        let counted = SomeSeconds::counted(self.trust.measured, &self.snapshot.totals);
        let all = SomeSeconds { first_byte: distributions.latency(FIRST_BYTE).cloned(), ..counted };
        (!masked.length.is_zero()).then(|| [all.clone(), all.without(masked)])
    }
}

/// Counters at one moment.
#[derive(Clone, Debug, Default)]
struct Moment {
    at: Duration,
    counted: SomeSeconds,
    first_byte: LatencySnapshot,
    /// True if the second that ends here has been added to the masked ones.
    is_masked: bool,
}

/// Adds up the masked seconds.
#[derive(Debug, Default)]
pub(super) struct MaskedMeter {
    /// Oldest first; the oldest is only the begin of a second.
    moments: VecDeque<Moment>,
    masked: SomeSeconds,
}

impl MaskedMeter {
    /// Takes the counters of a sample that was just judged.
    pub(super) fn measure(
        &mut self,
        sample: &RunSample,
        load_end: Option<Duration>,
        registry: &Registry,
        trust: &Trust,
    ) {
        if self.moments.is_empty() {
            self.moments.push_back(Moment::default());
        }
        // The memory of the oldest moment is used again.
        let full = if self.moments.len() >= KEPT { self.moments.pop_front() } else { None };
        let mut moment = full.unwrap_or_default();
        moment.at = load_end.map_or(sample.at, |end| sample.at.min(end));
        moment.counted = SomeSeconds::counted(moment.at, &sample.snapshot.totals);
        moment.is_masked = false;
        registry.latency(FIRST_BYTE, &mut moment.first_byte);
        self.moments.push_back(moment);
        for place in 1..self.moments.len() {
            self.mask(place, trust);
        }
    }

    /// Adds the second that ends at a moment to the masked ones, if it is masked now and was not before.
    fn mask(&mut self, place: usize, trust: &Trust) {
        let Some(from) = place.checked_sub(1).and_then(|before| self.moments.get(before)) else { return };
        let Some(to) = self.moments.get(place).filter(|to| !to.is_masked) else { return };
        if !trust.masked.meets(Interval { from: from.at, to: to.at }) {
            return;
        }
        let mut first_byte = to.first_byte.clone();
        first_byte.subtract(&from.first_byte);
        let first_byte = Some(first_byte).filter(|values| values.count() > 0);
        self.masked.add(&SomeSeconds { first_byte, ..to.counted.clone().without(&from.counted) });
        if let Some(to) = self.moments.get_mut(place) {
            to.is_masked = true;
        }
    }

    /// Returns the masked seconds so far.
    pub(super) fn masked(&self) -> &SomeSeconds {
        &self.masked
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sample::{Distributions, Sources};
    use crate::stats::Timings;
    use crate::verdict::{Gauge, TrustJudge, TrustNumbers, Values};
    use crate::vocabulary::outcome::Fault;

    /// Runs seconds with this lag and time to the first byte, in which one request ends ok and another one fails if
    /// the lag is long.
    fn run(seconds: &[(f64, u64)]) -> RunSample {
        let sources = Sources::new(1);
        let client = sources.registry.add();
        let meter = client.meter(0, sources.clock);
        let (mut judge, mut masked, mut sample) =
            (TrustJudge::default(), MaskedMeter::default(), RunSample::default());
        for (lag_us, first_byte_us) in seconds {
            let timings = Timings { first_byte_us: *first_byte_us, ..Timings::default() };
            meter.start(Kind::Segment).finish(Outcome::Ok, Some(timings));
            if *lag_us > 0.0 {
                meter.start(Kind::Segment).finish(Fault::TimeoutIdle.into(), None);
            }
            sample.at += Duration::from_secs(1);
            sources.registry.snapshot(0, &mut sample.snapshot);
            let mut values = Values::default();
            values[Gauge::LoopLag] = Some(*lag_us);
            judge.judge(&TrustNumbers { at: sample.at, values, ..TrustNumbers::default() });
            masked.measure(&sample, None, &sources.registry, judge.trust());
        }
        let read = Distributions { masked_seconds: masked.masked().clone(), ..Distributions::read(&sources) };
        (sample.trust, sample.distributions) = (Arc::new(judge.trust().clone()), Some(Arc::new(read)));
        sample
    }

    #[test]
    fn the_numbers_of_masked_seconds_are_left_out_also_of_those_that_were_masked_later() {
        let calm = [(0.0, 2_000); 40];
        let bad = [(80_000.0, 90_000); 12];
        let sample = run(&[&calm[..], &bad[..], &calm[..]].concat());
        let [all, trusted] = sample.all_and_trusted_seconds().expect("masked seconds");
        assert_eq!((all.length, trusted.length), (Duration::from_secs(92), Duration::from_secs(80)));
        assert_eq!((all.finished, all.failed, trusted.finished, trusted.failed), (104, 12, 80, 0));
        assert_eq!((all.failure_share(), trusted.failure_share()), (Some(12.0 / 104.0), Some(0.0)));
        let summary = |seconds: SomeSeconds| seconds.first_byte()?.summary();
        let [all, trusted] = [all, trusted].map(|seconds| summary(seconds).expect("timed"));
        assert_eq!((all.count, trusted.count), (92, 80));
        assert!(all.p95 > 80_000 && trusted.p95 < 2_100, "{all:?} {trusted:?}");
    }

    #[test]
    fn without_a_masked_second_there_is_only_the_whole() {
        assert_eq!(run(&[(0.0, 2_000); 30]).all_and_trusted_seconds(), None);
        let mut light = run(&[(80_000.0, 90_000); 30]);
        assert!(light.all_and_trusted_seconds().is_some());
        light.distributions = None;
        assert_eq!(light.all_and_trusted_seconds(), None);
    }
}
