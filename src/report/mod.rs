//! Report of a run: one serialised value, written as JSON and as text from the same numbers.
//!
//! * The report is made from the final sample, which is taken after every client has left, so it is exact.
//! * A value that was not measured is absent or `null`, never 0.

mod after_warmup;
mod answer;
mod audience;
mod build;
mod calibration;
#[cfg(test)]
mod calibration_tests;
mod canary;
mod card;
mod cells;
mod changes;
pub mod check;
mod columns;
mod compact;
mod compare;
mod doc;
mod drawing;
mod escape;
#[cfg(test)]
mod expected_tests;
mod failures;
#[cfg(test)]
mod fixtures;
mod format;
mod hard_stops;
mod history;
mod hosts;
mod html;
mod junit;
mod markdown;
mod merge;
mod origin_metrics;
mod outcomes;
mod page;
#[cfg(test)]
mod pages_tests;
mod plan;
mod plan_page;
mod playback;
mod progress;
mod run;
mod screen;
#[cfg(test)]
mod screen_tests;
mod search;
pub mod selftest;
mod series;
mod sessions;
mod text;
#[cfg(test)]
mod threshold_tests;
mod thresholds;
mod trust;
mod types;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::verdict;

pub use after_warmup::AfterWarmupReport;
pub use audience::AudienceReport;
pub use build::{Facts, build};
pub use calibration::{AtFloor, Calibrated, CalibrationReport, costs};
pub use canary::CanaryReport;
pub use cells::LatencyRow;
pub use check::CheckReport;
pub use compare::compare;
pub use doc::Doc;
pub use format::ReportFormat;
pub use hard_stops::HardStopsReport;
pub use history::HistoryReport;
pub use merge::{NotMergeable, merge};
pub use origin_metrics::OriginMetricsReport;
pub use outcomes::{FailureDetails, OutcomeCounts};
pub use plan::{DestinationReport, PlanReport};
pub use plan_page::{PlanPage, text as plan_text};
pub use playback::PlaybackReport;
pub use progress::{progress_line, trust_line};
pub use run::{ClockOffset, Exit, Run, RunOptions, TargetReport};
pub use screen::{EdgeRow, Fact, KeyNumber, OutcomeRow, ProblemRow, ReportScreen};
pub use search::{SearchReport, has_search};
pub use series::Series;
pub use sessions::SessionSpread;
pub use text::text;
pub use thresholds::ThresholdReport;
pub use trust::TrustReport;
pub use types::{
    BucketLayout, BytesReport, ConnectionsReport, FailureReport, FindingReport, HealthReport, InternalReport,
    KindReport, KneeReport, LatencyReport, LoadChangeReport, MarkReport, PipelineReport, RecordReport,
    RequestsReport, StreamReport, ThroughputReport,
};

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
    pub health: HealthReport,
    /// Verdict on whether the load tester itself limited the result.
    pub trust: TrustReport,
    /// Criteria that the run was judged by; the exit code follows from them.
    pub checks: Vec<verdict::Check>,
    /// Criteria of the operator (`--threshold`), in the order in which they were given; they are among the checks.
    pub thresholds: Vec<ThresholdReport>,
    /// The main numbers without the warm-up; `null` without one, and in merged reports.
    pub after_warmup: Option<AfterWarmupReport>,
    /// Search for a capacity; `null`: the run was none.
    pub search: Option<SearchReport>,
    /// Requests by kind.
    pub requests: RequestsReport,
    /// Body bytes on the wire by kind.
    pub bytes: BytesReport,
    /// Requests by outcome; outcomes that did not occur are absent.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, u64>"))]
    pub outcomes: OutcomeCounts,
    /// Outcomes other than ok in the order in which they first occurred.
    pub failures: Vec<FailureReport>,
    /// Failed HTTP statuses, `other` for those outside 400..=599; absent where they did not occur.
    pub http_errors: BTreeMap<String, u64>,
    /// Cause of the first failure of each outcome, where more is known than the outcome's name.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub failure_details: FailureDetails,
    /// Requests of each kind by outcome, with the body bytes that came with them; unused kinds are absent.
    pub kinds: BTreeMap<String, KindReport>,
    /// Times by name, in microseconds; names without a measurement are absent. `segment` covers requests that ended
    /// ok, `segment_failed` all others, `segment_all` both.
    pub latency_us: BTreeMap<String, LatencyReport>,
    /// Bucket layout of all histograms; histograms of reports with the same layout can be added.
    pub histogram: BucketLayout,
    /// Fingerprint of the names of all counters, durations and outcomes; reports with the same one can be added.
    pub catalogue: String,
    /// Playback as viewers would have seen it.
    pub playback: PlaybackReport,
    /// Body bits per second.
    pub throughput_bits_per_second: ThroughputReport,
    /// Price of the plan, and what the run used of it; `null`: the plan was not priced.
    pub plan: Option<PlanReport>,
    /// Hard stops: the amounts at which the run was to end.
    pub hard_stops: HardStopsReport,
    /// Values that exporters told about the origin, in the order of `--origin-metrics`.
    pub origin_metrics: Vec<OriginMetricsReport>,
    /// Connections of the clients.
    pub connections: ConnectionsReport,
    /// The audience that the run represents to the origin.
    pub audience: AudienceReport,
    /// Counts over time.
    pub series: Series,
    /// Failures by outcome, need, verdict and durations over time.
    pub history: HistoryReport,
    /// Problems that clients found in the stream; empty if there were none.
    pub findings: Vec<FindingReport>,
    /// Moments that the operator marked.
    pub marks: Vec<MarkReport>,
    /// Every change of the load, starting with the plan's initial target.
    pub load_changes: Vec<LoadChangeReport>,
    /// Samples and events that clients offered, delivered or dropped.
    pub pipeline: PipelineReport,
    /// Internal faults of hlswarm.
    pub internal: InternalReport,
    /// The built-in origin's own counts; absent with any other origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<serde_json::Value>,
}

impl Report {
    /// Returns the report as JSON, pretty-printed, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a report that was built here; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| compact::compact(&text) + "\n")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares a schema with the file in `assets`, or writes it there.
    pub(crate) fn assert_published(file: &str, schema: &impl Serialize) {
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
        assert_published("calibration.schema.json", &schemars::schema_for!(crate::capacity::Calibration));
    }
}
