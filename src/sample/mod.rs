//! What one moment of a run shows: the one value that every reader reads, and the sampler that makes it.
//!
//! * One sampler reads the registry; screen, progress lines and report all read its samples. Nobody else keeps a
//!   "previous" to compute a rate from.
//! * Every derived number is computed here or in `stats`, once.

mod details;
mod failures;
mod history;
mod numbers;
mod pipeline;
mod sampler;
mod sources;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use crate::generator::Generator;
use crate::pipeline::LogEntry;
use crate::run_state::Journal;
use crate::stats::{FindingRow, LatencyDigest, Quality, Rates, Snapshot, SpeedSummary, Timed};
use crate::verdict::{Health, Knees, RunResult};
use crate::vocabulary::{ClientState, Kind, RunState, share};

pub use details::Details;
pub use failures::{FailureLine, FailureTracker};
pub use history::{History, Point, Series};
pub use pipeline::{Lane, Pipeline};
pub use sampler::{Sampler, SamplerHandle, TICK, WholeSamples};
pub use sources::Sources;
pub use timeline::{BINS, Bin, Timeline};

/// What samples show the times of: connections, then requests by kind and phase.
pub const TIMED: [Timed; 11] = [
    Timed::Connect,
    Timed::Tls,
    Timed::FirstByte(Kind::Playlist),
    Timed::Total(Kind::Playlist),
    Timed::Total(Kind::Init),
    Timed::Total(Kind::Key),
    Timed::FirstByte(Kind::Segment),
    Timed::Body(Kind::Segment),
    Timed::Total(Kind::Segment),
    Timed::Failed(Kind::Segment),
    Timed::Startup,
];

/// One moment of a run.
#[derive(Clone, Debug, Default)]
pub struct RunSample {
    /// Time since the start of the run.
    pub at: Duration,
    /// What the run is doing.
    pub state: RunState,
    /// Clients that are wanted.
    pub target: u32,
    /// Clients that were admitted and have not been removed.
    pub admitted: u64,
    /// The most clients that were active at once so far.
    pub peak_clients: u64,
    /// Everything that is counted.
    pub snapshot: Snapshot,
    /// Rates over the last ten seconds, or as much of them as there is.
    pub recent: Option<Rates>,
    /// Rates over 1, 30, 60 and 300 seconds; unknown until the run has lasted that long.
    pub windows: [Option<Rates>; 4],
    /// The highest bit rate over one second so far.
    pub peak_bits_per_second: Option<f64>,
    /// Speed and drift of the clients.
    pub speed: SpeedSummary,
    /// How long things took, in the order of [`TIMED`].
    pub latencies: [LatencyDigest; TIMED.len()],
    /// How far viewers of a live stream are behind it.
    pub live_latency: LatencyDigest,
    /// What all viewers saw together, since the start of the run.
    pub quality: Quality,
    /// Whether the stream is served well.
    pub health: Health,
    /// When it first was not.
    pub knees: Knees,
    /// The result of the run so far.
    pub result: RunResult,
    /// What clients found wrong with the stream, in the order of the closed list.
    pub findings: Vec<FindingRow>,
    /// Each way in which requests failed so far.
    pub failures: Vec<FailureLine>,
    /// How the run went so far.
    pub history: Arc<History>,
    /// What was done to the run; entries after [`RunSample::at`] may be in it.
    pub journal: Arc<Journal>,
    /// Starts that came too late for their place in the plan.
    pub late_starts: u64,
    /// Panics that were caught in client tasks.
    pub panics: u64,
    /// The load tester itself.
    pub generator: Generator,
    /// What became of what clients told.
    pub pipeline: Pipeline,
    /// The last things that happened, oldest first; a new list at most once a second.
    pub log: Arc<[LogEntry]>,
    /// Distributions and texts, of a whole sample only.
    pub details: Option<Arc<Details>>,
}

impl RunSample {
    /// How long one of the things of [`TIMED`] took.
    pub fn latency(&self, timed: Timed) -> LatencyDigest {
        let place = TIMED.iter().position(|shown| *shown == timed);
        place.and_then(|place| self.latencies.get(place).copied()).unwrap_or_default()
    }

    /// Bits per second over the whole run; `None`: it has just begun.
    pub fn bits_per_second(&self) -> Option<f64> {
        let seconds = self.at.as_secs_f64();
        (seconds > 0.0).then(|| self.snapshot.totals.bytes() as f64 * 8.0 / seconds)
    }

    /// Clients that were stalled when they were looked at last.
    pub fn stalled_clients(&self) -> u64 {
        // What a client itself said when it left: after that its playhead means nothing any more.
        let stalled = self.snapshot.clients.iter().filter(|row| row.playback.state == ClientState::Stalled);
        stalled.count() as u64
    }

    /// The largest distance between a client's time and its position.
    pub fn drift_max(&self) -> Duration {
        let drifts = self.snapshot.clients.iter().map(|row| row.playback.max_drift_us);
        Duration::from_micros(drifts.max().unwrap_or_default())
    }

    /// How much of the target has been admitted, at most all of it; `None`: no client is wanted.
    pub fn ramp_share(&self) -> Option<f64> {
        share(self.admitted, self.target.into()).map(|share| share.min(1.0))
    }

    /// How long it takes to admit the clients that are missing at so many a second; `None`: none is missing.
    pub fn ramp_left(&self, rate: f64) -> Option<Duration> {
        let missing = u64::from(self.target).checked_sub(self.admitted).filter(|missing| *missing > 0)?;
        Duration::try_from_secs_f64(missing as f64 / rate).ok()
    }

    /// The share of the listed clients that are in this state; `None`: none is listed.
    pub fn state_share(&self, state: ClientState) -> Option<f64> {
        share(self.snapshot.in_state(state), self.snapshot.listed())
    }

    /// Clients that are doing something: all but finished and dead ones.
    pub fn active_clients(&self) -> u64 {
        self.snapshot.active()
    }
}
