//! Values of thresholds over intervals of a run that its reader chooses: a search judges each level by itself.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::stretch::{CountReading, StallPeaks, Stretch, distributions};
use super::{RunSample, Sources};
use crate::verdict::{Distribution, Threshold};

/// Readings that are kept: ten minutes of them, one a second.
const READINGS: usize = 600;

/// Reads the counters of a run once a second, so that thresholds can be judged over any interval between two readings.
#[derive(Debug)]
pub struct StretchMeter {
    sources: Sources,
    thresholds: Vec<Threshold>,
    /// Distributions that the thresholds need.
    needed: Vec<Distribution>,
    /// Oldest first, each with the largest values since the one before.
    readings: VecDeque<(CountReading, StallPeaks)>,
    /// Largest values since the newest reading.
    peaks: StallPeaks,
    newest: Arc<RunSample>,
}

impl StretchMeter {
    /// Creates a meter for these thresholds, which have no window and no begin of their own.
    pub fn new(sources: Sources, thresholds: Vec<Threshold>) -> Self {
        Self {
            needed: distributions(&thresholds),
            sources,
            thresholds,
            readings: VecDeque::new(),
            peaks: StallPeaks::default(),
            newest: Arc::default(),
        }
    }

    /// Reports whether the clients leave.
    pub fn is_ending(&self) -> bool {
        self.sources.status.state().is_ending()
    }

    /// Returns the thresholds.
    pub fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// Takes the newest sample. Returns true if it ends a second, and is a reading that an interval may begin or end with.
    pub fn observe(&mut self, sample: &Arc<RunSample>) -> bool {
        self.peaks.raise(StallPeaks::of(sample));
        self.newest = Arc::clone(sample);
        let last = self.readings.back().map_or(Duration::ZERO, |(reading, _)| reading.at);
        if sample.at.as_secs() == last.as_secs() {
            return false;
        }
        if self.readings.len() == READINGS {
            self.readings.pop_front();
        }
        let peaks = std::mem::take(&mut self.peaks);
        self.readings.push_back((CountReading::new(sample, &self.sources, &self.needed), peaks));
        true
    }

    /// Returns the value of each threshold over an interval that begins and ends with a reading; `None` if nothing was
    /// measured.
    pub fn values(&self, interval: &Range<Duration>) -> Vec<Option<f64>> {
        let place = |at: Duration| self.readings.iter().rposition(|(reading, _)| reading.at <= at);
        let (Some(first), Some(last)) = (place(interval.start), place(interval.end)) else {
            return vec![None; self.thresholds.len()];
        };
        let (Some((from, _)), Some((to, _))) = (self.readings.get(first), self.readings.get(last)) else {
            return vec![None; self.thresholds.len()];
        };
        let mut peaks = StallPeaks::default();
        self.readings.range(first + 1..=last).for_each(|(_, since)| peaks.raise(*since));
        let stretch = Stretch::new(from, to, peaks);
        let value = |of: &Threshold| stretch.value(of.quantity, &self.newest, &self.sources);
        self.thresholds.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Timings;
    use crate::vocabulary::{ClientState, Clock, Kind, Outcome};

    #[test]
    fn an_interval_has_only_what_happened_within_it() {
        let texts = ["http_errors{503}==0", "segment_ttfb_p95<1s", "stalled_clients_max<1"];
        let thresholds = texts.map(|text| Threshold::parse(text).expect(text)).to_vec();
        let sources = Sources::new(1);
        let client = sources.registry.add();
        let meter = client.meter(0, Clock::start());
        let mut readings = StretchMeter::new(sources.clone(), thresholds);
        // Ten seconds: failures in the third, slow segments in the seventh, with a stall.
        for second in 1..=10 {
            let first_byte_us = if second == 7 { 2_000_000 } else { 1_000 };
            let ok = meter.start(Kind::Segment);
            ok.finish(Outcome::Ok, Some(Timings { first_byte_us, ..Timings::default() }));
            if second == 3 {
                meter.start(Kind::Segment).finish(Outcome::from_status(503, false), None);
            }
            let state = if second == 7 { ClientState::Stalled } else { ClientState::Playing };
            meter.set_state(state);
            for quarter in 0..4 {
                let at = Duration::from_millis(1_000 * second + 250 * quarter);
                let mut sample = RunSample { at, ..RunSample::default() };
                sources.registry.snapshot(0, &mut sample.snapshot);
                sample.health.stalled_share = Some(if second == 7 { 1.0 } else { 0.0 });
                assert_eq!(readings.observe(&Arc::new(sample)), quarter == 0, "{at:?}");
            }
        }
        let values = |from, to| readings.values(&(Duration::from_secs(from)..Duration::from_secs(to)));
        let [calm, failing, slow] = [values(3, 6), values(2, 3), values(6, 8)];
        assert_eq!((calm[0], failing[0], slow[0]), (Some(0.0), Some(1.0), Some(0.0)));
        assert!(calm[1] < Some(2_000.0) && slow[1] > Some(1_900_000.0), "{calm:?} {slow:?}");
        assert_eq!((calm[2], slow[2], values(8, 10)[2]), (Some(0.0), Some(1.0), Some(0.0)));
        assert_eq!(values(0, 1), [None; 3], "there is no reading at its begin");
    }
}
