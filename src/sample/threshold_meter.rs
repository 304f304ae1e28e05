//! Judges the thresholds of a run once a second.
//!
//! * Counters only grow, so the value of a window is that of the difference between two readings: exact, at any length.
//!   A window of more than a minute may be some seconds longer, because older readings are kept only every five seconds.
//! * A window is judged once it is full. While clients leave, windows are judged no more: what the last requests meet
//!   says nothing about the load.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::stretch::{CountReading, StallPeaks, Stretch, distributions, has_begun};
use super::{RunSample, Sources};
use crate::verdict::{
    After, Criteria, Distribution, JudgedThreshold, Threshold, ThresholdWatch, TrustVerdict,
};

/// Time by which a reading may be late and still begin a window: the sampler's timer is not exact.
const SLACK: Duration = Duration::from_millis(30);

/// Age up to which every reading is kept: windows of up to a minute are as long as they were asked for.
const FINE: Duration = Duration::from_secs(61);
/// Time between two readings that are older. A reading takes 50 KB and more, so a longer window begins up to this much
/// earlier.
const STEP: Duration = Duration::from_secs(5);

/// A threshold with the part of the run that it judges.
#[derive(Debug)]
struct Judge {
    watch: ThresholdWatch,
    /// Reading at the begin of the part of the run that counts; `None` before it.
    begin: Option<Arc<CountReading>>,
    /// Largest values since then.
    peaks: StallPeaks,
}

/// A reading from which windows can begin.
#[derive(Debug, Default)]
struct Kept {
    reading: Arc<CountReading>,
    /// Largest values since the reading before.
    peaks: StallPeaks,
}

/// Judges the thresholds of a run.
#[derive(Debug)]
pub(super) struct ThresholdMeter {
    judges: Vec<Judge>,
    /// Distributions that the thresholds need.
    needed: Vec<Distribution>,
    /// Length of the longest window.
    longest: Duration,
    /// Readings of that time, oldest first.
    kept: VecDeque<Kept>,
    /// Largest values since the newest reading.
    peaks: StallPeaks,
    /// True if a trust verdict of INVALID is accepted.
    allow_untrusted: bool,
    judged: Arc<[JudgedThreshold]>,
}

impl ThresholdMeter {
    /// Creates the judge of these thresholds, for a run that begins now.
    pub(super) fn new(criteria: &Criteria) -> Self {
        let start = Kept::default();
        let judge = |threshold: &Threshold| Judge {
            begin: (threshold.after == After::Start).then(|| Arc::clone(&start.reading)),
            watch: ThresholdWatch::new(threshold.clone(), criteria.abort_grace),
            peaks: StallPeaks::default(),
        };
        let judges: Vec<Judge> = criteria.thresholds.iter().map(judge).collect();
        Self {
            judged: judges.iter().map(|judge| judge.watch.judged().clone()).collect(),
            needed: distributions(&criteria.thresholds),
            allow_untrusted: criteria.allow_untrusted,
            longest: criteria
                .thresholds
                .iter()
                .filter_map(|threshold| threshold.over)
                .max()
                .unwrap_or_default(),
            kept: VecDeque::from([start]),
            peaks: StallPeaks::default(),
            judges,
        }
    }

    /// Returns the thresholds and where they stand.
    pub(super) fn judged(&self) -> &Arc<[JudgedThreshold]> {
        &self.judged
    }

    /// Returns the number of readings that are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Takes the largest values of a sample, which is not the end of a second.
    pub(super) fn observe(&mut self, sample: &RunSample) {
        self.peaks.raise(StallPeaks::of(sample));
    }

    /// Judges the thresholds by a sample that ends a second. Without any it reads nothing.
    pub(super) fn measure(&mut self, sample: &RunSample, sources: &Sources, trust: TrustVerdict) {
        if self.judges.is_empty() {
            return;
        }
        // A result that cannot be trusted is no reason to end the run, and one that ends already needs none.
        let is_trusted = trust != TrustVerdict::Invalid || self.allow_untrusted;
        let may_end = is_trusted && !sample.state.is_ending();
        let peaks = std::mem::take(&mut self.peaks);
        let now = Arc::new(CountReading::new(sample, sources, &self.needed));
        let now = Kept { reading: now, peaks };
        for judge in &mut self.judges {
            judge.judge(&self.kept, &now, sample, sources);
            if may_end {
                judge.watch.end_run_if_due(sample.at);
            }
        }
        self.judged = self.judges.iter().map(|judge| judge.watch.judged().clone()).collect();
        self.keep(now);
    }

    /// Keeps a reading, and drops those that no window begins with.
    fn keep(&mut self, now: Kept) {
        let at = now.reading.at;
        self.kept.push_back(now);
        // The oldest reading that is kept begins the longest window.
        let begins = at.saturating_sub(self.longest) + SLACK;
        while self.kept.get(1).is_some_and(|next| next.reading.at <= begins) {
            self.kept.pop_front();
        }
        // The newest of the old readings has just become old.
        let old = self.kept.iter().take_while(|kept| kept.reading.at + FINE <= at).count();
        let times = |place: usize| self.kept.get(place).map(|kept| kept.reading.at);
        let pair = old.checked_sub(2).and_then(|before| times(before).zip(times(before + 1)));
        if pair.is_some_and(|(before, newest)| newest.saturating_sub(before) + SLACK < STEP)
            && let Some(dropped) = self.kept.remove(old - 1)
        {
            self.kept.get_mut(old - 1).into_iter().for_each(|next| next.peaks.raise(dropped.peaks));
        }
    }
}

impl Judge {
    fn judge(
        &mut self,
        kept: &VecDeque<Kept>,
        Kept { reading: now, peaks }: &Kept,
        sample: &RunSample,
        sources: &Sources,
    ) {
        let threshold = &self.watch.judged().threshold;
        let Some(begin) = &self.begin else {
            self.begin = has_begun(threshold.after, sample).then(|| Arc::clone(now));
            return;
        };
        self.peaks.raise(*peaks);
        let value = match threshold.over {
            None => {
                let peaks = if begin.at.is_zero() { StallPeaks::of_run(sample) } else { self.peaks };
                Stretch::new(begin, now, peaks.at_end(sample)).value(threshold.quantity, sample, sources)
            }
            Some(_) if sample.state.is_ending() => return,
            Some(over) => {
                let Some(latest) = (now.at + SLACK).checked_sub(over) else { return };
                let first = kept.iter().rposition(|kept| kept.reading.at <= latest);
                let Some(place) =
                    first.filter(|place| kept.get(*place).is_some_and(|it| it.reading.at >= begin.at))
                else {
                    return;
                };
                let mut peaks = *peaks;
                kept.iter().skip(place + 1).for_each(|kept| peaks.raise(kept.peaks));
                let Some(from) = kept.get(place) else { return };
                Stretch::new(&from.reading, now, peaks).value(threshold.quantity, sample, sources)
            }
        };
        self.watch.judge(now.at, value);
    }
}
