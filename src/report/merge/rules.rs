//! Rule by which each value of a report is merged: one table, first match wins.

/// Rule for the values at a place of two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Members are merged one by one.
    Object,
    /// Counts and lengths of time add up.
    Sum,
    /// A limit or an option adds up, unless one of the reports has none.
    SumOfBoth,
    /// The largest value.
    Max,
    /// The smallest value; of texts, the first in the order of the alphabet.
    Min,
    /// The value must be the same: otherwise the reports describe different things.
    Same,
    /// The value stays if it is the same, otherwise it is unknown.
    SameOrNull,
    /// Different texts are listed, separated by ` + `.
    Joined,
    /// True if it is true in both.
    Both,
    /// True if it is true in one.
    Either,
    /// Texts of both lists, each once, in the order of the alphabet.
    Union,
    /// The worse health verdict.
    Health,
    /// The worse trust verdict.
    Trust,
    /// The exit code that applies first.
    ExitCode,
    /// The number of reports that were merged.
    Reports,
    /// End of the later run, since the start of the earlier one.
    Length,
    /// A knee: the earlier one.
    Knee,
    /// A histogram in microseconds with its summary.
    Summary,
    /// A histogram in steps of a unit with its summary.
    Spread,
    /// Items with the same name are merged, times are those of the earlier start.
    Failures,
    /// The same for findings.
    Findings,
    /// The same for reasons of the trust verdict.
    Reasons,
    /// Items of both, by their time since the earlier start.
    Moments,
    /// Intervals of both, by their time since the earlier start; those that touch become one.
    Intervals,
    /// Worst value of a gauge.
    Gauge,
    /// Checks with the same name are merged and judged again.
    Checks,
    /// Columns over bins of Unix time.
    Bins,
    /// Computed from other values once those are merged.
    Derived,
    /// Cannot be merged: unknown afterwards.
    Unknown,
    /// The reason that a merged report gives for its missing calibration.
    Uncalibrated,
}

/// Places and their rules. `*` stands for one name.
const RULES: &[(&str, Rule)] = &[
    ("/schema", Rule::Same),
    ("/histogram", Rule::Same),
    ("/catalogue", Rule::Same),
    ("/run/target_hash", Rule::Same),
    ("/run/started_at", Rule::Min),
    ("/run/started_unix_ms", Rule::Min),
    ("/run/seed", Rule::Min),
    ("/run/clock/*", Rule::Unknown),
    ("/run/duration_s", Rule::Length),
    ("/run/duration_asked_s", Rule::SameOrNull),
    ("/run/ramp_rate", Rule::SumOfBoth),
    ("/run/merged_reports", Rule::Reports),
    ("/run/tls_verified", Rule::Both),
    ("/run/resolve_unused", Rule::Union),
    ("/run/clients_target", Rule::Sum),
    ("/run/clients_peak", Rule::Sum),
    ("/run/clients_started", Rule::Sum),
    ("/run/clients_asked", Rule::Sum),
    ("/run/late_starts", Rule::Sum),
    ("/run/clock", Rule::Object),
    ("/run/*", Rule::Joined),
    ("/exit/code", Rule::ExitCode),
    // Together with the code of each report, see `exit`.
    ("/exit/reasons", Rule::Unknown),
    ("/health/verdict", Rule::Health),
    ("/health/verdict_at_end", Rule::Health),
    ("/health/error_share", Rule::Derived),
    ("/health/knee_errors", Rule::Knee),
    ("/health/knee_stalls", Rule::Knee),
    // One machine's share says nothing about all of them.
    ("/health/stalled_share_max", Rule::Unknown),
    // Of the report with the worse verdict, see `verdict_s`.
    ("/health/verdict_s", Rule::Unknown),
    ("/health/*", Rule::Max),
    ("/trust/verdict", Rule::Trust),
    ("/trust/allow_untrusted", Rule::Either),
    ("/trust/reasons", Rule::Reasons),
    ("/trust/masked_intervals", Rule::Intervals),
    ("/trust/all_seconds/failed_share", Rule::Derived),
    ("/trust/trusted_seconds/failed_share", Rule::Derived),
    ("/trust/all_seconds/segment_ttfb_us", Rule::Summary),
    ("/trust/trusted_seconds/segment_ttfb_us", Rule::Summary),
    ("/trust/all_seconds/*", Rule::Sum),
    ("/trust/trusted_seconds/*", Rule::Sum),
    ("/trust/all_seconds", Rule::Object),
    ("/trust/trusted_seconds", Rule::Object),
    ("/trust/generator_delay_us", Rule::Summary),
    ("/trust/canary", Rule::Unknown),
    ("/trust/calibration", Rule::Unknown),
    ("/trust/uncalibrated_because", Rule::Uncalibrated),
    ("/trust/gauges/*", Rule::Gauge),
    ("/trust/gauges", Rule::Object),
    ("/trust/*", Rule::Sum),
    ("/checks", Rule::Checks),
    ("/requests/failed_share", Rule::Derived),
    ("/requests/*", Rule::Sum),
    ("/bytes/*", Rule::Sum),
    ("/outcomes/*", Rule::Sum),
    ("/http_errors/*", Rule::Sum),
    ("/failures", Rule::Failures),
    ("/failure_details/*", Rule::Min),
    ("/kinds/*/outcomes/*", Rule::Sum),
    ("/kinds/*/outcome_bytes/*", Rule::Sum),
    ("/kinds/*/outcomes", Rule::Object),
    ("/kinds/*/outcome_bytes", Rule::Object),
    ("/kinds/*/*", Rule::Sum),
    ("/kinds/*", Rule::Object),
    ("/latency_us/*", Rule::Summary),
    ("/playback/startup_ms", Rule::Spread),
    ("/playback/live_latency_ms", Rule::Spread),
    ("/playback/rebuffer_ratio", Rule::Derived),
    ("/playback/average_speed", Rule::Derived),
    ("/playback/stalls_per_hour", Rule::Derived),
    ("/playback/bits_per_second", Rule::Derived),
    ("/playback/drift_max_s", Rule::Max),
    ("/playback/sessions/played", Rule::Sum),
    ("/playback/sessions/*", Rule::Spread),
    ("/playback/sessions", Rule::Object),
    ("/playback/*", Rule::Sum),
    ("/throughput_bits_per_second/run", Rule::Derived),
    ("/throughput_bits_per_second/*", Rule::Unknown),
    ("/plan", Rule::Unknown),
    ("/hard_stops/*", Rule::Unknown),
    ("/connections/*", Rule::Sum),
    ("/audience/source_addresses", Rule::Union),
    ("/audience/edges/*/hit_share", Rule::Derived),
    ("/audience/edges/*/*", Rule::Sum),
    ("/audience/edges/*", Rule::Object),
    ("/audience/hosts/*/*", Rule::Sum),
    ("/audience/hosts/*", Rule::Object),
    ("/audience/protocols/*", Rule::Sum),
    ("/audience/players/*", Rule::Sum),
    ("/audience/edges", Rule::Object),
    ("/audience/hosts", Rule::Object),
    ("/audience/protocols", Rule::Object),
    ("/audience/players", Rule::Object),
    ("/audience/*", Rule::Sum),
    ("/series", Rule::Bins),
    ("/history", Rule::Bins),
    ("/findings", Rule::Findings),
    ("/marks", Rule::Moments),
    ("/load_changes", Rule::Moments),
    ("/pipeline/peak_drop_rate", Rule::Unknown),
    ("/pipeline/record", Rule::Unknown),
    ("/pipeline/progress/*", Rule::Sum),
    ("/pipeline/events/*", Rule::Sum),
    ("/pipeline/progress", Rule::Object),
    ("/pipeline/events", Rule::Object),
    ("/pipeline/*", Rule::Sum),
    ("/internal/*", Rule::Sum),
    ("/origin", Rule::Unknown),
    ("/*", Rule::Object),
    ("", Rule::Object),
];

/// Returns the rule for the place with these names; `None` if the table has none.
pub(super) fn rule_of(place: &[&str]) -> Option<Rule> {
    let matches = |pattern: &str| {
        let names = pattern.split('/').skip(1);
        names.clone().count() == place.len() && names.zip(place).all(|(name, at)| name == "*" || name == *at)
    };
    RULES.iter().find(|(pattern, _)| matches(pattern)).map(|(_, rule)| *rule)
}
