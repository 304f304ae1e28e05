//! What is left of a run: one serialised value, written as JSON and as text from the same numbers.
//!
//! * The report is made from the final sample, which is taken after every client has left, so it is exact.
//! * What was not measured is absent or `null`, never 0.

mod audience;
mod build;
pub mod check;
mod playback;
mod progress;
mod series;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::verdict::{self, Verdict};

pub use audience::{Audience, Edge};
pub use build::{Facts, build};
pub use check::Check;
pub use playback::{Playback, Sessions, Spread};
pub use progress::progress_line;
pub use series::Series;
pub use text::{meaning, text};

/// The version of the JSON report.
pub const SCHEMA: &str = "hlswarm.report/1";

/// The report of a run. Names carry their units; JSON keeps the order of the fields.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Always `hlswarm.report/1`.
    pub schema: &'static str,
    /// What was run.
    pub run: Run,
    /// How the run ended.
    pub exit: Exit,
    /// Whether the stream was served well.
    pub health: Health,
    /// Whether the load tester itself limited the result.
    pub trust: Trust,
    /// What the run was judged by: the exit code follows from it.
    pub checks: Vec<verdict::Check>,
    /// Requests by kind.
    pub requests: Requests,
    /// Body bytes on the wire by kind.
    pub bytes: Bytes,
    /// Requests by outcome; outcomes that did not occur are absent.
    pub outcomes: BTreeMap<String, u64>,
    /// Failed HTTP statuses, `other` for those outside 400..=599; absent where they did not occur.
    pub http_errors: BTreeMap<String, u64>,
    /// Why the first request that failed in this way failed, where more is known than the name of its outcome.
    pub failure_details: BTreeMap<String, String>,
    /// Requests of each kind by outcome, with the body bytes that came with them; unused kinds are absent.
    pub kinds: BTreeMap<String, KindReport>,
    /// Times by name, in microseconds; what was never timed is absent. `segment` holds the requests that ended ok,
    /// `segment_failed` those that did not, `segment_all` both.
    pub latency_us: BTreeMap<String, Latency>,
    /// How the buckets of all histograms are made: those of reports that agree in it can be added.
    pub histogram: Buckets,
    /// What viewers would have seen.
    pub playback: Playback,
    /// Body bits per second.
    pub throughput_bits_per_second: Throughput,
    /// Connections of the clients.
    pub connections: Connections,
    /// What the run represents to the origin.
    pub audience: Audience,
    /// How the run went, over time.
    pub series: Series,
    /// What clients found wrong with the stream; empty where nothing was.
    pub findings: Vec<FindingReport>,
    /// Moments that the operator marked.
    pub marks: Vec<Mark>,
    /// Every change of the load, the plan's own beginning first.
    pub load_changes: Vec<LoadChange>,
    /// What became of the samples and events that clients told.
    pub pipeline: Pipeline,
    /// What the program found wrong with itself.
    pub internal: Internal,
    /// What the built-in origin counted itself; absent with any other origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<serde_json::Value>,
}

/// What was run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// The address, its secrets left out.
    pub target: String,
    /// The version of hlswarm.
    pub version: &'static str,
    /// Wall-clock time of the start, RFC 3339 in UTC.
    pub started_at: String,
    /// The same in milliseconds of Unix time, by the clock of this machine.
    pub started_unix_ms: i64,
    /// Seconds from the start to the end of the last request.
    pub duration_s: f64,
    /// The duration that was asked for; `null`: until stopped.
    pub duration_asked_s: Option<f64>,
    /// Clients that were wanted at the end.
    pub clients_target: u32,
    /// The most clients that were active at once.
    pub clients_peak: u64,
    /// Clients that were ever started.
    pub clients_started: u64,
    /// Clients started per second; `null`: all at once.
    pub ramp_rate: Option<f64>,
    /// Starts that came too late for their place in the plan.
    pub late_starts: u64,
    /// Which variants were played.
    pub variant: String,
    /// What clients behaved like.
    pub player: &'static str,
    /// How long viewers stayed: `endless`, a time, or `exp:` and the mean.
    pub session_length: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// The run id that every request carried in `X-Load-Test`.
    pub run_id: String,
    /// The command line, its secrets left out.
    pub command: String,
    /// Whether certificates were verified.
    pub tls_verified: bool,
    /// Entries of `--resolve` that no connection needed, as `host:port`; an interim report does not judge them.
    pub resolve_unused: Vec<String>,
}

/// How the run ended.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exit {
    /// The exit code of the process.
    pub code: u8,
    /// Every reason, the one that decided the code first; empty for 0.
    pub reasons: Vec<String>,
}

/// Whether the stream was served well.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Health {
    /// The worst verdict of the run: `OK`, `DEGRADED`, `FAILING`, `NOTHING PLAYS`, or `--` when nothing was measured.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict: Verdict,
    /// Seconds that this verdict held; 0 where it only follows from all requests together.
    pub verdict_s: f64,
    /// The verdict at the end, judged over the last ten seconds before clients left.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict_at_end: Verdict,
    /// Share of all requests that failed, those left out that hlswarm cut itself; `null`: none finished.
    pub error_share: Option<f64>,
    /// The largest share of active clients that were stalled at once; `null`: there were no clients.
    pub stalled_share_max: Option<f64>,
    /// Where errors first reached 1 % of requests.
    pub knee_errors: Option<Knee>,
    /// Where stalls first reached 1 % of clients.
    pub knee_stalls: Option<Knee>,
}

/// Where a stream first was not served well.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Knee {
    /// Clients that were active.
    pub clients: u64,
    /// Throughput over the last ten seconds.
    pub bits_per_second: Option<f64>,
    /// Seconds since the start.
    pub at_s: f64,
}

/// Whether the load tester itself limited the result.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trust {
    /// `INVALID` where this machine lacked files, ports or memory and that limited the result; else `UNASSESSED` until
    /// the gauges of the generator's own health exist.
    pub verdict: &'static str,
}

impl Trust {
    /// Nothing was judged.
    pub const UNASSESSED: Self = Self { verdict: "UNASSESSED" };
    /// This machine limited the result.
    pub const INVALID: Self = Self { verdict: "INVALID" };
}

/// Requests by kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requests {
    /// Requests started.
    pub started: u64,
    /// Requests that reached their outcome; equal to `started` at the end.
    pub finished: u64,
    /// Those of them that failed; what hlswarm cut itself is no failure.
    pub failed: u64,
    /// The share of `failed` among the requests that failed or ended ok; `null`: there are none.
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
    /// Playlists, compressed as they came.
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

/// How the buckets of a histogram are made (the `histogram` crate's words): up to 2^`grouping_power` each value has one of
/// its own, from there on each power of two has 2^`grouping_power`.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Buckets {
    /// See above.
    pub grouping_power: u8,
    /// Values from 2^`max_value_power` on are clamped.
    pub max_value_power: u8,
}

/// A histogram in numbers, microseconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// How many values.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The sum: means do not add, sums do.
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
    /// The largest.
    pub max: u64,
    /// Filled buckets as [upper end, count]: reports of several machines merge exactly by adding them.
    pub buckets: Vec<(u64, u64)>,
}

/// Body bits per second over windows that end with the run; `null` where the run was shorter.
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
    /// The best second.
    pub peak: Option<f64>,
}

/// Connections of the clients.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Connections {
    /// Connections that became usable.
    pub opened: u64,
    /// Those of them that replaced one to the same endpoint that had been lost.
    pub reconnections: u64,
    /// Requests sent again because their kept-alive connection had been closed.
    pub stale_retries: u64,
    /// Redirects that were followed.
    pub redirects: u64,
}

/// Something that is wrong with the stream.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingReport {
    /// Its name, from a closed list, such as `playlist_stale`.
    pub kind: &'static str,
    /// `error`: viewers can lose playback by it; `warning`: a rule is broken that common players do without; `note`:
    /// allowed, and it costs something.
    pub severity: &'static str,
    /// How often clients met it.
    pub count: u64,
    /// Seconds from the start of the run to the first time.
    pub first_s: f64,
    /// Seconds from the start of the run to the last time.
    pub last_s: f64,
    /// What the first client met.
    pub detail: String,
}

/// A moment that the operator marked.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mark {
    /// Seconds since the start.
    pub at_s: f64,
    /// What the operator typed; may be empty.
    pub note: String,
}

/// A change of the load.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LoadChange {
    /// Seconds since the start.
    pub at_s: f64,
    /// `target`, `hold` or `resume`.
    pub change: &'static str,
    /// The target before it.
    pub from: u32,
    /// The target after it.
    pub to: u32,
    /// `plan` or `operator`.
    pub by: &'static str,
}

/// What became of the samples and events that clients told. Dropped ones make no count wrong.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pipeline {
    /// One sample for each client and second.
    pub progress: Stream,
    /// Admissions, departures, state changes, faults, stalls, changes of the load, marks.
    pub events: Stream,
    /// The highest dropped share of a second; `null`: nothing was offered.
    pub peak_drop_rate: Option<f64>,
    /// Clients, of those listed at the end, of whose samples and events more than 1 % were dropped.
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
    /// Recorded, or without a record logged.
    pub delivered: u64,
    /// Neither.
    pub dropped: u64,
}

/// The file of `--record`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Where it is.
    pub file: String,
    /// Lines written whole.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Whether every sample, event and frame is in it.
    pub complete: bool,
}

/// What the program found wrong with itself; all zero in a run that can be believed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Internal {
    /// Panics that were caught.
    pub panics: u64,
    /// Counters that contradicted each other.
    pub invariant_violations: u64,
    /// Times that were too long for their histogram.
    pub histogram_clamped: u64,
}

impl Report {
    /// The report as JSON, pretty-printed, with a newline at its end.
    ///
    /// # Errors
    /// Never for a report that was built here; serde's signature.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
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
        assert_published("check.schema.json", &schemars::schema_for!(Check));
    }
}
