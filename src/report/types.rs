//! Blocks of the report that are plain records: health, requests, bytes, times, connections, findings, the journal and
//! the pipeline. Names carry their units; JSON keeps the order of the fields.

use serde::Serialize;

use super::AtFloor;
use super::outcomes::{self, OutcomeCounts};
use crate::run_state::{ChangeKind, ChangeSource};
use crate::stats::LatencySnapshot;
use crate::verdict::Verdict;
use crate::vocabulary::{Finding, Outcome, Severity};

/// Verdict on how well the stream was served.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HealthReport {
    /// Worst verdict of the run: `OK`, `DEGRADED`, `FAILING`, `NOTHING PLAYS`, or `--` when nothing was measured.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict: Verdict,
    /// Seconds that this verdict held; 0 if it follows only from the totals of the run.
    pub verdict_s: f64,
    /// Verdict over the last ten seconds before clients left.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict_at_end: Verdict,
    /// Share of failures among the requests that the origin could answer: `failed` and ok, without `local.*`, `cut` and
    /// expected responses; `null`: there are none. `requests.failed_share` also counts `local.*`.
    pub error_share: Option<f64>,
    /// Largest share of active clients that were stalled at once; `null`: there were no clients.
    pub stalled_share_max: Option<f64>,
    /// Largest number of clients that were stalled at once; `null`: there were no clients.
    pub stalled_clients_max: Option<u64>,
    /// Active clients at the last moment before clients left.
    pub clients_at_end: u64,
    /// Those of them that played.
    pub clients_playing_at_end: u64,
    /// Those of them that were stalled.
    pub clients_stalled_at_end: u64,
    /// First time that errors reached 1 % of requests.
    pub knee_errors: Option<KneeReport>,
    /// First time that stalls reached 1 % of clients.
    pub knee_stalls: Option<KneeReport>,
}

/// The load at which a stream first was not served well.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KneeReport {
    /// Active clients.
    pub clients: u64,
    /// Throughput over the last ten seconds.
    pub bits_per_second: Option<f64>,
    /// Seconds since the start.
    pub at_s: f64,
    /// Busy share of the busiest machine of `origin_metrics` then; `null`: unknown.
    pub origin_cpu_share: Option<f64>,
}

/// Requests by kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestsReport {
    /// Requests started.
    pub started: u64,
    /// Requests that reached their outcome; equal to `started` at the end.
    pub finished: u64,
    /// Finished requests that failed; requests that hlswarm cut and expected responses are not failures.
    pub failed: u64,
    /// Responses whose status is expected (`--expect`); `outcomes` and `http_errors` count them too, shares leave them out.
    pub expected: u64,
    /// Statuses that are expected, ascending: `404`, `500-503`, `other`.
    pub expected_statuses: Vec<String>,
    /// Requests that failed or ended ok.
    pub judged: u64,
    /// `failed` as a share of `judged`; `null`: there are none.
    pub failed_share: Option<f64>,
    /// Playlist requests.
    pub playlist: u64,
    /// Segment requests.
    pub segment: u64,
    /// Part requests.
    pub part: u64,
    /// Initialization section requests.
    pub init: u64,
    /// Key requests.
    pub key: u64,
    /// Requests of no known kind.
    pub unknown: u64,
}

/// Body bytes by kind, as they arrived on the wire, without headers and chunk framing.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BytesReport {
    /// All kinds.
    pub total: u64,
    /// Playlists, as compressed on the wire.
    pub playlist: u64,
    /// Segments.
    pub segment: u64,
    /// Parts.
    pub part: u64,
    /// Initialization sections.
    pub init: u64,
    /// Keys.
    pub key: u64,
    /// Requests of no known kind.
    pub unknown: u64,
}

/// Requests of one kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KindReport {
    /// Requests started.
    pub requests: u64,
    /// Requests that reached their outcome.
    pub finished: u64,
    /// Body bytes.
    pub bytes: u64,
    /// Requests by outcome.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, u64>"))]
    pub outcomes: OutcomeCounts,
    /// Body bytes by the outcome of their request.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, u64>"))]
    pub outcome_bytes: OutcomeCounts,
}

/// Bucket layout of a histogram, in the terms of the `histogram` crate: each value up to 2^`grouping_power` has its
/// own bucket; above that, each power of two is divided into 2^`grouping_power` buckets.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BucketLayout {
    /// Base-two logarithm of the number of buckets for each power of two.
    pub grouping_power: u8,
    /// Values of 2^`max_value_power` and above are clamped.
    pub max_value_power: u8,
}

/// Summary of a histogram, in microseconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatencyReport {
    /// Number of values.
    pub count: u64,
    /// Smallest value.
    pub min: u64,
    /// Sum of all values. Sums of several reports can be added; means cannot.
    pub sum: u64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The 99.9th percentile.
    pub p999: u64,
    /// Largest value.
    pub max: u64,
    /// Percentiles that are about as short as this machine can measure them; `null`: without a calibration, or for
    /// durations that it does not have.
    pub at_floor: Option<AtFloor>,
    /// Non-empty buckets as [upper end, count]; adding them merges reports of several machines exactly.
    pub buckets: Vec<(u64, u64)>,
}

impl LatencyReport {
    /// Returns the summary of a histogram; `None` if it is empty.
    pub(super) fn new(snapshot: &LatencySnapshot) -> Option<Self> {
        let summary = snapshot.summary()?;
        Some(Self {
            count: summary.count,
            min: summary.min,
            sum: snapshot.sum(),
            mean: summary.mean,
            p50: summary.p50,
            p90: summary.p90,
            p95: summary.p95,
            p99: summary.p99,
            p999: summary.p999,
            max: summary.max,
            at_floor: None,
            buckets: snapshot.buckets().collect(),
        })
    }
}

/// Body bits per second over windows that end with the run; `null` if the run was shorter.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThroughputReport {
    /// The last second.
    pub w1s: Option<f64>,
    /// The last 30 seconds.
    pub w30s: Option<f64>,
    /// The last minute.
    pub w60s: Option<f64>,
    /// The last five minutes.
    pub w300s: Option<f64>,
    /// The whole run.
    pub run: Option<f64>,
    /// The second with the highest rate.
    pub peak: Option<f64>,
}

/// Connections of the clients.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConnectionsReport {
    /// Connections that became usable.
    pub opened: u64,
    /// Opened connections that replaced a lost one to the same endpoint.
    pub reconnections: u64,
    /// Requests sent again because their kept-alive connection had been closed.
    pub stale_retries: u64,
    /// Redirects that were followed.
    pub redirects: u64,
}

/// A problem in the stream.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingReport {
    /// Name from a closed list, such as `playlist_stale`.
    #[serde(serialize_with = "outcomes::finding")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub kind: Finding,
    /// `error`: can cost viewers their playback; `warning`: breaks a rule that common players tolerate; `note`:
    /// allowed, but has a cost.
    #[serde(serialize_with = "outcomes::severity")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub severity: Severity,
    /// Number of times that clients found it.
    pub count: u64,
    /// Seconds from the start of the run to the first occurrence.
    pub first_s: f64,
    /// Seconds from the start of the run to the last occurrence.
    pub last_s: f64,
    /// Details of the first occurrence.
    pub detail: String,
}

/// Occurrences of an outcome other than ok.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailureReport {
    /// Name of the outcome.
    #[serde(serialize_with = "outcomes::outcome")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub outcome: Outcome,
    /// Requests that ended so.
    pub count: u64,
    /// `count` as a share of `requests.finished`.
    pub share: Option<f64>,
    /// Seconds from the start of the run to the first such request.
    pub first_s: f64,
    /// Seconds from the start of the run to the last such request.
    pub last_s: f64,
    /// Clients that were active at the first one.
    pub clients_at_first: u64,
}

/// A moment that the operator marked.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MarkReport {
    /// Seconds since the start.
    pub at_s: f64,
    /// The operator's note; may be empty.
    pub note: String,
}

/// A change of the load.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LoadChangeReport {
    /// Seconds since the start.
    pub at_s: f64,
    /// `target`, `hold`, `resume` or `stop`.
    #[serde(serialize_with = "outcomes::change")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub change: ChangeKind,
    /// Target before the change.
    pub from: u32,
    /// Target after the change.
    pub to: u32,
    /// Cause of the change: `plan`, `preflight` (`--clamp`), `operator` (keys), `ctl` (the control socket), `brake` (a storm of 429 and 503), or the hard
    /// stop that was reached (`max_bytes`, `max_requests`, `max_bandwidth`), or `threshold` (`--abort-on-fail`).
    #[serde(serialize_with = "outcomes::source")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub by: ChangeSource,
}

/// Samples and events that clients offered. Dropped ones do not affect any count.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PipelineReport {
    /// Samples, one per client and second.
    pub progress: StreamReport,
    /// Admissions, departures, state changes, faults, stalls, changes of the load, marks.
    pub events: StreamReport,
    /// Samples and events that were dropped.
    pub dropped: u64,
    /// Highest share dropped within one second; `null`: nothing was offered.
    pub peak_drop_rate: Option<f64>,
    /// Clients listed at the end that lost more than 1 % of their samples and events.
    pub degraded_clients: u64,
    /// The file of `--record`; `null` without one.
    pub record: Option<RecordReport>,
}

/// One stream of the pipeline: offered = delivered + dropped.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamReport {
    /// Offered by clients and the controller.
    pub offered: u64,
    /// Written to the record or, without a record, to the log.
    pub delivered: u64,
    /// Offered but not delivered.
    pub dropped: u64,
}

/// The file of `--record`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecordReport {
    /// File name.
    pub file: String,
    /// Complete lines written.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// True if it contains every sample, event and frame.
    pub complete: bool,
}

/// Internal faults of hlswarm; all zero in a healthy run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InternalReport {
    /// Caught panics.
    pub panics: u64,
    /// Counters that contradicted each other.
    pub invariant_violations: u64,
    /// Times too long for their histogram.
    pub histogram_clamped: u64,
    /// Marks, changes of the load and other entries of the run's story that were not kept, because there were too many.
    pub entries_not_kept: u64,
}
