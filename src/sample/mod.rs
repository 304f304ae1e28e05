//! State of a run at one moment, as every reader sees it, and the sampler that produces it.
//!
//! * One sampler reads the registry; screen, progress lines and report all read its samples. No other code keeps a
//!   previous value to compute a rate from.
//! * Every derived number is computed once, here or in `stats`.

mod bins;
mod blocks;
mod canary;
mod client_detail;
mod clients;
mod distributions;
mod failure_lines;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod hard_stops;
mod history;
mod history_bins;
mod history_changes;
mod history_recorder;
mod lateness;
mod moment;
mod notes;
mod numbers;
mod open;
mod origin;
mod origin_meter;
mod pipeline;
mod planned;
mod point;
mod ports;
mod replay;
mod sampler;
#[cfg(test)]
mod sampler_tests;
mod sampler_thread;
mod sources;
mod storm;
mod stream;
mod stream_meter;
mod stretch;
mod stretch_meter;
mod tape;
mod threshold_meter;
#[cfg(test)]
mod threshold_tests;
mod timeline;
mod trust;
mod trusted;
mod warmup;
mod watch_list;
mod who;

use std::sync::Arc;
use std::time::Duration;

use crate::forecast::Priced;
use crate::generator::Generator;
use crate::load::ClientLimit;
use crate::pipeline::{Example, LogEntry};
use crate::run_state::{Journal, LoadChange};
use crate::stats::{FindingRow, LatencyDigest, Quality, Rates, Snapshot, Spent};
use crate::verdict::{CheckResult, Health, JudgedThreshold, Knees, RunHealth, Trust};
use crate::vocabulary::{ClientState, HardStop, Kind, Mark, RunState, Timed, per_second, share};

pub use canary::CanaryReading;
pub use client_detail::ClientDetail;
pub use distributions::Distributions;
pub use failure_lines::{FailureLine, FailureTracker};
pub use history::History;
pub use history_bins::HistoryBins;
pub use moment::{ENOUGH, Moment, missing_bits};
pub use open::{AGES_S, OpenRequests};
pub use origin::{ExporterSample, GLANCE, OriginSample, OriginSeries, glance_words};
pub use origin_meter::OriginMeans;
pub use pipeline::{Lane, PipelineSample};
pub use point::{BINS as HISTORY_BINS, CODES, HeatOf, Point};
pub use replay::{Replay, recorded_facts};
pub use sampler::{Sampler, TICK};
pub use sampler_thread::{SamplerHandle, WholeSamples};
pub use sources::Sources;
pub use stream::{Behind, EdgeSample, PLAYHEADS, RungSample, StreamSample};
pub use stretch_meter::StretchMeter;
pub use timeline::{BINS as TIMELINE_BINS, Bin, Timeline};
pub use trusted::SomeSeconds;
pub use warmup::AfterWarmup;
pub use watch_list::WatchedClient;
#[cfg(test)]
pub use watch_list::WatchedSecond;
#[cfg(test)]
pub use who::Dimension;
pub use who::{GroupKey, Who, WhoGroup, trouble_share};

/// Durations that samples show: connections, then requests by kind and phase, then start-up.
pub const TIMED: [Timed; 12] = [
    Timed::Connect,
    Timed::Tls,
    Timed::FirstByte(Kind::Playlist),
    Timed::Total(Kind::Playlist),
    Timed::Failed(Kind::Playlist),
    Timed::Total(Kind::Init),
    Timed::Total(Kind::Key),
    Timed::FirstByte(Kind::Segment),
    Timed::Body(Kind::Segment),
    Timed::Total(Kind::Segment),
    Timed::Failed(Kind::Segment),
    Timed::Startup,
];

/// One moment of a run. Its one serial form is [`Report`](crate::report::Report), which several machines can add up;
/// a sample itself stays in its process.
#[derive(Clone, Debug, Default)]
pub struct RunSample {
    /// Time since the start of the run.
    pub at: Duration,
    /// State of the run.
    pub state: RunState,
    /// Target number of clients.
    pub target: u32,
    /// Maximum that the target can be set to, and the reason for it.
    pub limit: ClientLimit,
    /// Time of the stages that set the target; `None`: none do, or the operator has set one.
    pub plan_time: Option<Duration>,
    /// Clients that were admitted and have not been removed.
    pub admitted: u64,
    /// Largest number of clients active at once so far.
    pub peak_clients: u64,
    /// All counters.
    pub snapshot: Snapshot,
    /// Rates over the last ten seconds, or over the run if it is shorter.
    pub recent: Option<Rates>,
    /// Rates over 1, 30, 60 and 300 seconds; unknown until the run has lasted that long.
    pub windows: [Option<Rates>; 4],
    /// Highest bit rate over one second so far.
    pub peak_bits_per_second: Option<f64>,
    /// Highest number of requests started within one second so far.
    pub peak_requests_per_second: Option<f64>,
    /// Durations, in the order of [`TIMED`].
    pub latencies: [LatencyDigest; TIMED.len()],
    /// Latency of the viewers of a live stream.
    pub live_latency: LatencyDigest,
    /// Quality of playback of all viewers together, since the start of the run.
    pub quality: Quality,
    /// Verdict on how well the stream is served.
    pub health: Health,
    /// Loads at which the stream first was not served well.
    pub knees: Knees,
    /// Verdict on the whole run so far.
    pub run_health: RunHealth,
    /// Problems that clients found in the stream, in the order of the closed list.
    pub findings: Vec<FindingRow>,
    /// Failed outcomes so far.
    pub failures: Vec<FailureLine>,
    /// History of the finished seconds of the run.
    pub history: Arc<History>,
    /// Bits per second that viewers needed in the last second; `None` if they needed none, or no variant announces its
    /// bit rate.
    pub need_bits_per_second: Option<f64>,
    /// Share of the bits that viewers needed in the last ten seconds that arrived; `None` like the need.
    pub got_share: Option<f64>,
    /// Open requests by age at the last reading of the clients; `None` before the first.
    pub open: Option<OpenRequests>,
    /// Clients in trouble by what they have in common, once a second.
    pub who: Arc<Who>,
    /// State of the stream itself, once a second.
    pub stream: Arc<StreamSample>,
    /// More of the client that is open on the screen; `None` without one, or after it has left.
    pub detail: Option<Arc<ClientDetail>>,
    /// The last minute of the client that is open on the screen; `None` without one, and until it is watched.
    pub watched: Option<Arc<WatchedClient>>,
    /// Changes of the load and of the verdict, marks and notes; entries after [`RunSample::at`] may be among them.
    pub journal: Arc<Journal>,
    /// Starts that came too late for their place in the plan.
    pub late_starts: u64,
    /// Panics that were caught in client tasks.
    pub panics: u64,
    /// Usage of the load tester itself.
    pub generator: Generator,
    /// Verdict on whether the load tester itself limited the result, judged once a second.
    pub trust: Arc<Trust>,
    /// The operator's thresholds and where they stand, judged once a second.
    pub thresholds: Arc<[JudgedThreshold]>,
    /// The main numbers without the warm-up; `None` without one, and before its end.
    pub after_warmup: Option<Arc<AfterWarmup>>,
    /// Price of the plan, once it is known.
    pub priced: Option<Arc<Priced>>,
    /// Amounts used of the hard stops, in the order of [`HardStop::ALL`]; `None` without a limit.
    pub spendings: [Option<Spent>; HardStop::ALL.len()],
    /// The canary and the crowd; `None` without one, and before both have values.
    pub canary: Option<CanaryReading>,
    /// State of the origin as its exporters tell it, once a second.
    pub origin: Arc<OriginSample>,
    /// State of the pipeline for samples and events.
    pub pipeline: PipelineSample,
    /// Most recent entries of the log, oldest first; replaced at most once a second.
    pub log: Arc<[LogEntry]>,
    /// Examples of failed requests, the last ones of each outcome, newest first; replaced at most once a second.
    pub examples: Arc<[Example]>,
    /// Distributions, of a whole sample only.
    pub distributions: Option<Arc<Distributions>>,
}

impl RunSample {
    /// Returns the digest of one duration of [`TIMED`]; empty for any other.
    pub fn latency(&self, timed: Timed) -> LatencyDigest {
        let place = TIMED.iter().position(|shown| *shown == timed);
        place.and_then(|place| self.latencies.get(place).copied()).unwrap_or_default()
    }

    /// Returns the bits per second over the whole run; `None` if it has just begun.
    pub fn bits_per_second(&self) -> Option<f64> {
        per_second(self.snapshot.totals.bytes() as f64 * 8.0, self.at)
    }

    /// Returns the number of clients that were stalled at the last reading of the clients.
    pub fn stalled_clients(&self) -> u64 {
        // The client's own last report counts: after it has left, its playhead means nothing.
        let stalled = self.snapshot.clients.iter().filter(|row| row.playback.state == ClientState::Stalled);
        stalled.count() as u64
    }

    /// Returns the largest distance between a client's time and its position.
    pub fn drift_max(&self) -> Duration {
        let drifts = self.snapshot.clients.iter().map(|row| row.playback.max_drift_us);
        Duration::from_micros(drifts.max().unwrap_or_default())
    }

    /// Returns the marks of the operator so far, oldest first.
    pub fn marks(&self) -> Vec<Mark> {
        // The journal goes on while a sample is read: leave out entries after the moment of the sample.
        let mut marks: Vec<_> = self.journal.marks().filter(|mark| mark.at <= self.at).cloned().collect();
        marks.sort();
        marks
    }

    /// Returns the changes of the load so far, oldest first.
    pub fn load_changes(&self) -> Vec<LoadChange> {
        let changes = self.journal.changes().filter(|change| change.at <= self.at);
        let mut changes: Vec<_> = changes.copied().collect();
        changes.sort();
        changes
    }

    /// Returns the admitted share of the target, at most 1; `None` if the target is 0.
    pub fn ramp_share(&self) -> Option<f64> {
        share(self.admitted, self.target.into()).map(|share| share.min(1.0))
    }

    /// Returns the time that it takes to admit the missing clients at `rate` per second; `None` if none is missing.
    pub fn ramp_left(&self, rate: f64) -> Option<Duration> {
        let missing = u64::from(self.target).checked_sub(self.admitted).filter(|missing| *missing > 0)?;
        Duration::try_from_secs_f64(missing as f64 / rate).ok()
    }

    /// Returns the share of the listed clients that are in this state; `None` if none is listed.
    pub fn state_share(&self, state: ClientState) -> Option<f64> {
        share(self.snapshot.in_state(state), self.snapshot.listed())
    }

    /// Returns the thresholds that would fail if the run ended now.
    pub fn crossed_thresholds(&self) -> impl Iterator<Item = &JudgedThreshold> {
        self.thresholds.iter().filter(|judged| judged.result() == CheckResult::Fail)
    }

    /// Returns the number of thresholds that are kept so far.
    pub fn kept_thresholds(&self) -> u64 {
        self.thresholds.iter().filter(|judged| judged.result() == CheckResult::Pass).count() as u64
    }

    /// Reports whether a threshold stayed crossed for the grace of `--abort-on-fail`.
    pub fn is_aborted(&self) -> bool {
        self.thresholds.iter().any(|judged| judged.standing.aborted_at.is_some())
    }

    /// Returns the number of active clients: all but finished and dead ones.
    pub fn active_clients(&self) -> u64 {
        self.snapshot.active()
    }
}
