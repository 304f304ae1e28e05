//! Report of a run: one serialised value, written as JSON and as text from the same numbers.
//!
//! * The report is made from the final sample, which is taken after every client has left, so it is exact.
//! * A value that was not measured is absent or `null`, never 0.

mod audience;
mod build;
mod calibration;
#[cfg(test)]
mod calibration_tests;
mod canary;
mod changes;
pub mod check;
mod compact;
mod format;
mod hard_stops;
mod history;
mod hosts;
mod page;
mod plan;
mod plan_page;
mod playback;
mod progress;
mod run;
pub mod selftest;
mod series;
mod text;
mod trust;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::verdict::{self, Verdict};

pub use audience::{Audience, Edge, Host};
pub use build::{Facts, build};
pub use calibration::{AtFloor, Calibrated, CalibrationReport};
pub use canary::CanaryReport;
pub use check::CheckReport;
pub use format::ReportFormat;
pub use hard_stops::{HardStopUse, HardStops};
pub use history::HistoryReport;
pub use plan::{DestinationReport, PlanReport};
pub use plan_page::{PlanPage, text as plan_text};
pub use playback::{Playback, Sessions, Spread};
pub use progress::{progress_line, trust_line};
pub use run::{ClockOffset, Exit, Run, RunOptions};
pub use series::Series;
pub use text::{meaning, text};
pub use trust::TrustReport;

/// The version of the JSON report.
pub const SCHEMA: &str = "hlswarm.report/1";

/// The report of a run. Names carry their units; JSON keeps the order of the fields.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Always `hlswarm.report/1`.
    pub schema: &'static str,
    /// The run and its options.
    pub run: Run,
    /// Exit code of the run and its reasons.
    pub exit: Exit,
    /// Verdict on how well the stream was served.
    pub health: Health,
    /// Verdict on whether the load tester itself limited the result.
    pub trust: TrustReport,
    /// Criteria that the run was judged by; the exit code follows from them.
    pub checks: Vec<verdict::Check>,
    /// Requests by kind.
    pub requests: Requests,
    /// Body bytes on the wire by kind.
    pub bytes: Bytes,
    /// Requests by outcome; outcomes that did not occur are absent.
    pub outcomes: BTreeMap<String, u64>,
    /// Failed HTTP statuses, `other` for those outside 400..=599; absent where they did not occur.
    pub http_errors: BTreeMap<String, u64>,
    /// Cause of the first failure of each outcome, where more is known than the outcome's name.
    pub failure_details: BTreeMap<String, String>,
    /// Requests of each kind by outcome, with the body bytes that came with them; unused kinds are absent.
    pub kinds: BTreeMap<String, KindReport>,
    /// Times by name, in microseconds; names without a measurement are absent. `segment` covers requests that ended
    /// ok, `segment_failed` all others, `segment_all` both.
    pub latency_us: BTreeMap<String, Latency>,
    /// Bucket layout of all histograms; histograms of reports with the same layout can be added.
    pub histogram: Buckets,
    /// Fingerprint of the names of all counters, durations and outcomes; reports with the same one can be added.
    pub catalogue: String,
    /// Playback as viewers would have seen it.
    pub playback: Playback,
    /// Body bits per second.
    pub throughput_bits_per_second: Throughput,
    /// Price of the plan, and what the run used of it; `null`: the plan was not priced.
    pub plan: Option<PlanReport>,
    /// Amounts that were to end the run.
    pub hard_stops: HardStops,
    /// Connections of the clients.
    pub connections: Connections,
    /// The audience that the run represents to the origin.
    pub audience: Audience,
    /// Counts over time.
    pub series: Series,
    /// Failures by outcome, need, verdict and durations over time.
    pub history: HistoryReport,
    /// Problems that clients found in the stream; empty if there were none.
    pub findings: Vec<FindingReport>,
    /// Moments that the operator marked.
    pub marks: Vec<Mark>,
    /// Every change of the load, starting with the plan's initial target.
    pub load_changes: Vec<LoadChange>,
    /// Samples and events that clients offered, delivered or dropped.
    pub pipeline: Pipeline,
    /// Internal faults of hlswarm.
    pub internal: Internal,
    /// The built-in origin's own counts; absent with any other origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<serde_json::Value>,
}

/// Verdict on how well the stream was served.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Health {
    /// Worst verdict of the run: `OK`, `DEGRADED`, `FAILING`, `NOTHING PLAYS`, or `--` when nothing was measured.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict: Verdict,
    /// Seconds that this verdict held; 0 if it follows only from the totals of the run.
    pub verdict_s: f64,
    /// Verdict over the last ten seconds before clients left.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict_at_end: Verdict,
    /// Share of all requests that failed, not counting those that hlswarm cut; `null`: none finished.
    pub error_share: Option<f64>,
    /// Largest share of active clients that were stalled at once; `null`: there were no clients.
    pub stalled_share_max: Option<f64>,
    /// First time that errors reached 1 % of requests.
    pub knee_errors: Option<Knee>,
    /// First time that stalls reached 1 % of clients.
    pub knee_stalls: Option<Knee>,
}

/// The load at which a stream first was not served well.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Knee {
    /// Active clients.
    pub clients: u64,
    /// Throughput over the last ten seconds.
    pub bits_per_second: Option<f64>,
    /// Seconds since the start.
    pub at_s: f64,
}

/// Requests by kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requests {
    /// Requests started.
    pub started: u64,
    /// Requests that reached their outcome; equal to `started` at the end.
    pub finished: u64,
    /// Finished requests that failed; requests that hlswarm cut are not failures.
    pub failed: u64,
    /// `failed` as a share of the requests that failed or ended ok; `null`: there are none.
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
pub struct Bytes {
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
    pub outcomes: BTreeMap<String, u64>,
    /// Body bytes by the outcome of their request.
    pub outcome_bytes: BTreeMap<String, u64>,
}

/// Bucket layout of a histogram, in the terms of the `histogram` crate: each value up to 2^`grouping_power` has its
/// own bucket; above that, each power of two is divided into 2^`grouping_power` buckets.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Buckets {
    /// Base-two logarithm of the number of buckets for each power of two.
    pub grouping_power: u8,
    /// Values of 2^`max_value_power` and above are clamped.
    pub max_value_power: u8,
}

/// Summary of a histogram, in microseconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
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

/// Body bits per second over windows that end with the run; `null` if the run was shorter.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Throughput {
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
pub struct Connections {
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
    pub kind: &'static str,
    /// `error`: can cost viewers their playback; `warning`: breaks a rule that common players tolerate; `note`:
    /// allowed, but has a cost.
    pub severity: &'static str,
    /// Number of times that clients found it.
    pub count: u64,
    /// Seconds from the start of the run to the first occurrence.
    pub first_s: f64,
    /// Seconds from the start of the run to the last occurrence.
    pub last_s: f64,
    /// Details of the first occurrence.
    pub detail: String,
}

/// A moment that the operator marked.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mark {
    /// Seconds since the start.
    pub at_s: f64,
    /// The operator's note; may be empty.
    pub note: String,
}

/// A change of the load.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LoadChange {
    /// Seconds since the start.
    pub at_s: f64,
    /// `target`, `hold`, `resume` or `stop`.
    pub change: &'static str,
    /// Target before the change.
    pub from: u32,
    /// Target after the change.
    pub to: u32,
    /// Cause of the change: `plan`, `preflight` (`--clamp`), `operator`, `brake` (a storm of 429 and 503), or the hard
    /// stop that was reached: `max_bytes`, `max_requests`, `max_bandwidth`.
    pub by: &'static str,
}

/// Samples and events that clients offered. Dropped ones do not affect any count.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pipeline {
    /// Samples, one per client and second.
    pub progress: Stream,
    /// Admissions, departures, state changes, faults, stalls, changes of the load, marks.
    pub events: Stream,
    /// Highest share dropped within one second; `null`: nothing was offered.
    pub peak_drop_rate: Option<f64>,
    /// Clients listed at the end that lost more than 1 % of their samples and events.
    pub degraded_clients: u64,
    /// The file of `--record`; `null` without one.
    pub record: Option<Record>,
}

/// One stream of the pipeline: offered = delivered + dropped.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stream {
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
pub struct Record {
    /// File name.
    pub file: String,
    /// Complete lines written.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// True if it contains every sample, event and frame.
    pub complete: bool,
}

/// Internal faults of hlswarm; all zero in a sound run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Internal {
    /// Caught panics.
    pub panics: u64,
    /// Counters that contradicted each other.
    pub invariant_violations: u64,
    /// Times too long for their histogram.
    pub histogram_clamped: u64,
}

impl Report {
    /// Returns the report as JSON, pretty-printed but for arrays of numbers, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a report that was built here; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| compact::compact(&text) + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a schema with the file in `assets`, or writes it there.
    fn assert_published(file: &str, schema: &schemars::Schema) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(file);
        let schema = serde_json::to_string_pretty(schema).expect("serialisable") + "\n";
        if std::env::var_os("HLSWARM_UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &schema).expect("writable");
        }
        let published = std::fs::read_to_string(&path).expect("a schema in assets");
        assert_eq!(published, schema, "{file}: run the tests once with HLSWARM_UPDATE_SCHEMA=1");
    }

    #[test]
    fn the_published_schemas_are_those_of_these_values() {
        assert_published("report.schema.json", &schemars::schema_for!(Report));
        assert_published("check.schema.json", &schemars::schema_for!(CheckReport));
        assert_published("plan.schema.json", &schemars::schema_for!(PlanPage));
    }
}
