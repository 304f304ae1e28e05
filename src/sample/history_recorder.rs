//! Makes the seconds of the history from the samples of a run.

use std::sync::Arc;

use super::RunSample;
use super::bins::Addable;
use super::history::History;
use super::history_bins::HistoryBins;
use super::point::{HeatOf, Point};
use super::timeline::Bin;
use crate::stats::{HeatMeter, LatencySnapshot, Metric, Registry, Snapshot};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{ClientState, Outcome, Timed};

/// Counts of a run at the begin of a second.
#[derive(Clone, Debug, Default)]
struct Begin {
    /// Failures, in the order of the failure lines of a sample.
    failed: Vec<u64>,
    joined: u64,
    stalls: u64,
}

/// Collects the open second and adds the finished ones to the history.
#[derive(Debug)]
pub(super) struct HistoryRecorder {
    history: Arc<History>,
    open: Point,
    /// Counts at the begin of the open second.
    begin: Begin,
    heat: Vec<(Timed, HeatOf, HeatMeter)>,
    /// Memory for reading a histogram.
    histogram: LatencySnapshot,
}

impl HistoryRecorder {
    /// Creates the recorder of a run that begins at this Unix time in milliseconds.
    pub(super) fn new(started_unix_ms: i64) -> Self {
        let durations =
            |of: HeatOf| of.durations().iter().map(move |timed| (*timed, of, HeatMeter::default()));
        Self {
            history: Arc::new(History::new(started_unix_ms)),
            open: Point::default(),
            begin: Begin::default(),
            heat: HeatOf::ALL.into_iter().flat_map(durations).collect(),
            histogram: LatencySnapshot::default(),
        }
    }

    /// Returns the history of the finished seconds.
    pub(super) fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Adds a sample, which must be judged already, to the open second; `counted` is what was counted since the
    /// previous sample.
    pub(super) fn observe(&mut self, counted: &Bin, sample: &RunSample) {
        let clamped = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        self.open.counts.add(counted);
        self.open.verdict = self.open.verdict.max(sample.health.verdict);
        self.open.ends = sample.at;
        let peaks = &mut self.open.peaks;
        peaks.stalled = peaks.stalled.max(clamped(sample.snapshot.in_state(ClientState::Stalled)));
        peaks.open = peaks.open.max(clamped(sample.snapshot.totals.in_flight));
        let oldest_us = sample.open.and_then(|open| open.oldest_us).unwrap_or_default();
        peaks.oldest_open_us = peaks.oldest_open_us.max(oldest_us);
    }

    /// Takes the durations that ended since the last call, from a histogram of the whole run.
    pub(super) fn take_heat(&mut self, timed: Timed, histogram: &LatencySnapshot) {
        for (_, of, meter) in self.heat.iter_mut().filter(|(of, ..)| *of == timed) {
            self.open.heat.get_mut(of.index()).into_iter().for_each(|heat| meter.take(histogram, heat));
        }
    }

    /// Reads all durations that ended since the last call from the registry.
    pub(super) fn read_heat(&mut self, registry: &Registry) {
        for (timed, of, meter) in &mut self.heat {
            registry.latency(*timed, &mut self.histogram);
            self.open.heat.get_mut(of.index()).into_iter().for_each(|heat| meter.take(&self.histogram, heat));
        }
    }

    /// Ends the open second with a sample that was observed.
    pub(super) fn finish_second(&mut self, sample: &RunSample) {
        let history = Arc::make_mut(&mut self.history);
        let second = std::mem::take(&mut self.open);
        push(history, second, &mut self.begin, sample);
    }

    /// Returns the whole run up to a sample that was observed, with the open second.
    pub(super) fn whole(&self, sample: &RunSample) -> HistoryBins {
        if self.open == Point::default() {
            return self.history.whole().clone();
        }
        let mut history = History::clone(&self.history);
        push(&mut history, self.open.clone(), &mut self.begin.clone(), sample);
        history.whole().clone()
    }
}

/// Completes a second with what is read at its end, and adds it. `begin` are the counts at its begin; afterwards, those
/// at its end.
fn push(history: &mut History, mut second: Point, begin: &mut Begin, sample: &RunSample) {
    let gained = |now: u64, before: &mut u64| {
        u32::try_from(now.saturating_sub(std::mem::replace(before, now))).unwrap_or(u32::MAX)
    };
    second.joined = gained(sample.snapshot.created, &mut begin.joined);
    second.stalls = gained(sample.snapshot.totals.get(Metric::Stalls), &mut begin.stalls);
    begin.failed.resize(sample.failures.len(), 0);
    for (line, before) in sample.failures.iter().zip(&mut begin.failed) {
        let count = line.count.saturating_sub(std::mem::replace(before, line.count));
        if count > 0 && line.outcome != Outcome::from(Fault::Cut) {
            second.add_code(history.place_of(line.outcome), count);
        }
    }
    let width = second.ends.saturating_sub(history.ends());
    second.need_bits = need_kilobits(&sample.snapshot).saturating_mul(width.as_millis() as u64);
    second.peaks.failed = u32::try_from(second.failed()).unwrap_or(u32::MAX);
    second.peaks.bytes = second.counts.bytes;
    for rung in &sample.stream.rungs {
        if let (Some(age), Some(peak)) = (rung.age, second.peaks.playlist_age_ms.get_mut(rung.place)) {
            // An age of 0 is known, and 0 stands for an unknown one.
            *peak = u32::try_from(age.as_millis()).unwrap_or(u32::MAX).max(1);
        }
    }
    history.push(second);
}

/// Returns the kilobits per second that the listed clients need: the announced bit rates of those that play, wait or
/// are stalled. Each is rounded, so that those of several machines add up to the bit.
fn need_kilobits(snapshot: &Snapshot) -> u64 {
    let needs = |state| matches!(state, ClientState::Playing | ClientState::Waiting | ClientState::Stalled);
    let clients = snapshot.clients.iter().filter(|row| needs(row.state));
    clients.map(|row| row.playback.bandwidth.saturating_add(500) / 1_000).sum()
}
