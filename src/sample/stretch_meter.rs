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
