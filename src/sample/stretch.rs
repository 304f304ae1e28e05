//! Values of the quantities of thresholds over any interval of a run, from the counters at its two ends.
//!
//! The value of the whole run equals the number of the report, which a test over the whole catalogue checks.

use std::borrow::Cow;
use std::time::Duration;

use super::{RunSample, Sources};
use crate::generator::own_delays;
use crate::stats::{LatencySnapshot, LatencySummary, Metric, Quality, Totals};
use crate::verdict::{After, Distribution, Quantity, RunNumber, Statistic, Threshold};
use crate::vocabulary::{ClientState, Finding, Outcome, RunState, SessionNumber, per_second, share};

/// Returns the distributions that these thresholds need.
pub(super) fn distributions(thresholds: &[Threshold]) -> Vec<Distribution> {
    let mut needed = Vec::new();
    for threshold in thresholds {
        match threshold.quantity {
            Quantity::Duration(of, _) if !needed.contains(&of) => needed.push(of),
            _ => {}
        }
    }
    needed
}

/// Reports whether the part of a run that counts has begun.
pub(super) fn has_begun(after: After, sample: &RunSample) -> bool {
    match after {
        After::Start => true,
        After::Ramp => sample.state == RunState::Running,
        After::Time(time) => sample.at >= time,
    }
}

/// Clients in two states, as numbers and as shares of the active clients: of a moment, or the worst within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Levels {
    stalled: Option<u64>,
    stalled_share: Option<f64>,
    playing: Option<u64>,
    playing_share: Option<f64>,
}

impl Levels {
    /// Returns those of now, or of the last moment before clients began to leave.
    fn of(sample: &RunSample) -> Self {
        let health = sample.health;
        Self {
            stalled: Some(health.stalled),
            stalled_share: health.stalled_share,
            playing: Some(health.playing),
            playing_share: health.playing_share(),
        }
    }

    /// Takes the worse of each: more that are stalled, fewer that play.
    fn worsen(&mut self, other: Self) {
        self.stalled = self.stalled.max(other.stalled);
        self.stalled_share = self.stalled_share.into_iter().chain(other.stalled_share).reduce(f64::max);
        self.playing = self.playing.into_iter().chain(other.playing).min();
        self.playing_share = self.playing_share.into_iter().chain(other.playing_share).reduce(f64::min);
    }
}

/// Largest values within some time, and the worst levels; they do not follow from the counters at its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct StallPeaks {
    share: Option<f64>,
    clients: Option<u64>,
    levels: Levels,
}

impl StallPeaks {
    /// Returns the values of one moment; unknown while clients leave.
    pub(super) fn of(sample: &RunSample) -> Self {
        if sample.state.is_ending() {
            return Self::default();
        }
        let share = sample.health.stalled_share;
        let clients = share.map(|_| sample.snapshot.in_state(ClientState::Stalled));
        Self { share, clients, levels: Levels::of(sample) }
    }

    /// Returns those of the whole run.
    pub(super) fn of_run(sample: &RunSample) -> Self {
        let of_run = sample.run_health;
        Self { share: of_run.stalled_share_max, clients: of_run.stalled_clients_max, ..Self::default() }
    }

    /// Returns these values with the levels of now instead of the worst ones.
    pub(super) fn at_end(self, sample: &RunSample) -> Self {
        Self { levels: Levels::of(sample), ..self }
    }

    pub(super) fn raise(&mut self, other: Self) {
        self.share = self.share.into_iter().chain(other.share).reduce(f64::max);
        self.clients = self.clients.max(other.clients);
        self.levels.worsen(other.levels);
    }
}

/// Counters at one moment, as far as thresholds need them.
#[derive(Clone, Debug, Default)]
pub(super) struct CountReading {
    pub(super) at: Duration,
    totals: Totals,
    clients_started: u64,
    findings: Vec<(Finding, u64)>,
    histograms: Vec<(Distribution, LatencySnapshot)>,
}

impl CountReading {
    /// Reads the counters of a sample that was taken just now, and these distributions.
    pub(super) fn new(sample: &RunSample, sources: &Sources, needed: &[Distribution]) -> Self {
        let read = |of: &Distribution| {
            let mut histogram = LatencySnapshot::default();
            match *of {
                Distribution::Of(timed) => sources.registry.latency(timed, &mut histogram),
                Distribution::OfAll(kind) => sources.registry.latency_of_all(kind, &mut histogram),
            }
            (*of, histogram)
        };
        Self {
            at: sample.at,
            totals: sample.snapshot.totals.clone(),
            clients_started: sample.snapshot.created,
            findings: sample.findings.iter().map(|row| (row.finding, row.count)).collect(),
            histograms: needed.iter().map(read).collect(),
        }
    }

    fn histogram(&self, of: Distribution) -> Option<&LatencySnapshot> {
        self.histograms.iter().find(|(known, _)| *known == of).map(|(_, histogram)| histogram)
    }

    fn found(&self, finding: Option<Finding>) -> u64 {
        let counted = self.findings.iter().filter(|(known, _)| finding.is_none_or(|it| it == *known));
        counted.map(|(_, count)| count).sum()
    }
}

/// An interval of a run. One that begins with the run has the exact numbers of its report.
pub(super) struct Stretch<'a> {
    from: &'a CountReading,
    to: &'a CountReading,
    totals: Cow<'a, Totals>,
    peaks: StallPeaks,
}

impl<'a> Stretch<'a> {
    /// Creates the interval between two readings, with the largest values within it.
    pub(super) fn new(from: &'a CountReading, to: &'a CountReading, peaks: StallPeaks) -> Self {
        let totals = match from.at.is_zero() {
            true => Cow::Borrowed(&to.totals),
            false => Cow::Owned(to.totals.since(&from.totals)),
        };
        Self { from, to, totals, peaks }
    }

    /// Returns the value of a quantity; `None` if nothing was measured. `sample` is that of the end of the interval: it has
    /// the numbers that exist only for the whole run.
    pub(super) fn value(&self, quantity: Quantity, sample: &RunSample, sources: &Sources) -> Option<f64> {
        let requests = |count: u64| (self.totals.finished() > 0).then_some(count as f64);
        match quantity {
            Quantity::Number(number) => self.number(number).or_else(|| of_whole_run(number, sample, sources)),
            Quantity::Duration(of, statistic) => self.statistic(of, statistic),
            Quantity::Sessions(of, statistic) => of_sessions(of, statistic, sources),
            Quantity::HttpErrors(Some(code)) => requests(self.totals.ended(Outcome::Http(code))),
            Quantity::HttpErrors(None) => requests(self.totals.get(Metric::HttpErrors)),
            Quantity::Outcomes(outcome) => requests(self.totals.ended(outcome)),
            Quantity::Findings(finding) => {
                requests(self.to.found(finding).saturating_sub(self.from.found(finding)))
            }
        }
    }

    fn statistic(&self, of: Distribution, statistic: Statistic) -> Option<f64> {
        let mut histogram = Cow::Borrowed(self.to.histogram(of)?);
        if let Some(earlier) = self.from.histogram(of) {
            histogram.to_mut().subtract(earlier);
        }
        Some(pick(&histogram.summary()?, statistic))
    }

    /// Returns a number that exists for any interval.
    fn number(&self, number: RunNumber) -> Option<f64> {
        let totals = &*self.totals;
        let quality = Quality::from_totals(totals);
        let rate = |count: u64| per_second(count as f64, self.to.at.saturating_sub(self.from.at));
        if let Some(metric) = metric(number) {
            return Some(totals.get(metric) as f64);
        }
        match number {
            RunNumber::ErrorRate => totals.error_share(),
            RunNumber::SuccessShare => totals.error_share().map(|share| 1.0 - share),
            RunNumber::FailedShare => share(totals.errors(), totals.judged()),
            RunNumber::Requests => Some(totals.started() as f64),
            RunNumber::FailedRequests => Some(totals.errors() as f64),
            RunNumber::RequestsPerSecond => rate(totals.started()),
            RunNumber::Throughput => rate(totals.bytes()).map(|bytes| bytes * 8.0),
            RunNumber::Bytes => Some(totals.bytes() as f64),
            RunNumber::StalledShareMax => self.peaks.share,
            RunNumber::StalledClientsMax => self.peaks.clients.map(|clients| clients as f64),
            RunNumber::ClientsPlaying => self.peaks.levels.playing.map(|clients| clients as f64),
            RunNumber::PlayingShare => self.peaks.levels.playing_share,
            RunNumber::ClientsStalled => self.peaks.levels.stalled.map(|clients| clients as f64),
            RunNumber::StalledShare => self.peaks.levels.stalled_share,
            RunNumber::StallsPerHour => quality.stalls_per_hour(),
            RunNumber::StallTime => Some(Duration::from_micros(quality.stall_us).as_secs_f64()),
            RunNumber::RebufferRatio => quality.rebuffer_ratio(),
            RunNumber::AverageSpeed => quality.average_speed(),
            RunNumber::PlayedBitRate => quality.bits_per_second(),
            RunNumber::ClientsStarted => {
                Some(self.to.clients_started.saturating_sub(self.from.clients_started) as f64)
            }
            _ => None,
        }
    }
}

/// Returns the counter that a number is; `None` if it is not one.
const fn metric(number: RunNumber) -> Option<Metric> {
    Some(match number {
        RunNumber::Stalls => Metric::Stalls,
        RunNumber::ClientsPlayed => Metric::PlaybackStarts,
        RunNumber::StartFailures => Metric::StartFailures,
        RunNumber::ExitsBeforeStart => Metric::ExitsBeforeStart,
        RunNumber::GaveUp => Metric::GaveUp,
        RunNumber::SegmentsSkipped => Metric::SegmentsSkipped,
        RunNumber::EdgeJumps => Metric::EdgeJumps,
        RunNumber::VariantSwitches => Metric::VariantSwitches,
        RunNumber::Connections => Metric::Connections,
        RunNumber::Reconnections => Metric::Reconnections,
        RunNumber::Redirects => Metric::Redirects,
        _ => return None,
    })
}

/// Returns a number that exists only for the whole run.
fn of_whole_run(number: RunNumber, sample: &RunSample, sources: &Sources) -> Option<f64> {
    match number {
        RunNumber::PeakThroughput => sample.peak_bits_per_second,
        RunNumber::DriftMax => Some(sample.drift_max().as_secs_f64()),
        RunNumber::ClientsPeak => Some(sample.peak_clients as f64),
        RunNumber::LateStarts => Some(sample.late_starts as f64),
        RunNumber::PeakDropRate => sample.pipeline.peak_drop_rate,
        RunNumber::DelayP99 => own_delays(&sources.workers).summary().map(|delays| delays.p99 as f64),
        RunNumber::DelayMax => own_delays(&sources.workers).summary().map(|delays| delays.max as f64),
        _ => None,
    }
}

/// Returns a statistic of a distribution.
fn pick(summary: &LatencySummary, statistic: Statistic) -> f64 {
    match statistic {
        Statistic::P50 => summary.p50 as f64,
        Statistic::P90 => summary.p90 as f64,
        Statistic::P95 => summary.p95 as f64,
        Statistic::P99 => summary.p99 as f64,
        Statistic::P999 => summary.p999 as f64,
        Statistic::Mean => summary.mean,
        Statistic::Min => summary.min as f64,
        Statistic::Max => summary.max as f64,
    }
}

/// Returns a statistic of a number over the sessions that have ended.
fn of_sessions(number: SessionNumber, statistic: Statistic, sources: &Sources) -> Option<f64> {
    let mut values = LatencySnapshot::default();
    sources.registry.sessions(number, &mut values);
    Some(pick(&values.summary()?, statistic) * number.unit())
}
