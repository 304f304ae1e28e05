//! Builds the report from the final sample.

use std::collections::BTreeMap;

use super::{
    AfterWarmupReport, BucketLayout, BytesReport, Calibrated, CanaryReport, ClockOffset, ConnectionsReport,
    Exit, FailureReport, FindingReport, HardStopsReport, HealthReport, InternalReport, KindReport,
    KneeReport, LatencyReport, LoadChangeReport, MarkReport, PipelineReport, PlanReport, RecordReport,
    Report, RequestsReport, Run, RunOptions, SCHEMA, SearchReport, StreamReport, ThresholdReport,
    ThroughputReport, TrustReport, audience, calibration, history, origin_metrics, playback, series,
    thresholds, trust,
};
use crate::capacity::TransportCosts;
use crate::pipeline::Counts;
use crate::sample::{Distributions, FailureLine, PipelineSample, RunSample};
use crate::stats::{self, FindingRow, GROUPING_POWER, MAX_VALUE_POWER, Metric, Rates, Totals};
use crate::verdict::{self, Check, RunEnd};
use crate::vocabulary::{Kind, RunIdentity};

/// Parts of a report that come from outside the sample.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Identity of the run.
    pub identity: RunIdentity,
    /// Options of the run.
    pub options: RunOptions,
    /// Worker threads that were lost to a panic.
    pub lost_workers: u64,
    /// End of the run; `None` while it goes on.
    pub end: Option<RunEnd>,
    /// True if the exit code is not to depend on the trust verdict.
    pub allow_untrusted: bool,
    /// Calibration of this machine, or the reason why none is used.
    pub calibration: Calibrated,
    /// Result of the search for a capacity, if the run was one.
    pub search: Option<SearchReport>,
    /// Counts of the built-in origin.
    pub origin: Option<serde_json::Value>,
}

/// Builds the report of a whole sample. Its numbers are exact once the run has ended, because every client has left.
pub fn build(facts: Facts, sample: &RunSample) -> Report {
    let distributions = sample.distributions.clone().unwrap_or_default();
    let totals = &sample.snapshot.totals;
    let started = sample.snapshot.created;
    let (checks, thresholds) = judged(&facts, sample);
    let audience = audience::audience(&distributions.audience, &facts.options, started);
    let latency_us = latencies(&distributions, calibration::costs(&facts.calibration, &facts.identity));
    let trust = trust::trust(sample, &distributions.own_delays);
    let mut trust = TrustReport { allow_untrusted: facts.allow_untrusted, ..trust };
    // The verdict knows neither the canary nor the calibration.
    trust.canary = sample.canary.map(CanaryReport::from);
    calibration::add(&mut trust, &facts.calibration, &facts.identity, sample);
    let run = Run {
        identity: facts.identity,
        // A machine alone is the clock of its own report.
        clock: ClockOffset::default(),
        merged_reports: None,
        duration_s: sample.at.as_secs_f64(),
        clients_target: sample.target,
        clients_peak: sample.peak_clients,
        clients_started: started,
        late_starts: sample.late_starts,
        options: facts.options,
    };
    Report {
        schema: SCHEMA,
        run,
        // The caller knows the codes.
        exit: Exit::default(),
        health: health(sample),
        trust,
        checks,
        thresholds,
        after_warmup: sample.after_warmup.as_deref().map(AfterWarmupReport::from),
        search: facts.search,
        requests: requests(totals),
        bytes: bytes(totals),
        outcomes: totals.outcomes().collect(),
        failures: sample.failures.iter().map(|line| failure(line, totals)).collect(),
        http_errors: totals.http_errors().map(|code| (code.code.to_string(), code.count)).collect(),
        failure_details: distributions.explanations.iter().cloned().collect(),
        kinds: Kind::ALL.into_iter().filter_map(|kind| kind_report(totals, kind)).collect(),
        playback: playback::playback(sample, &distributions),
        latency_us,
        catalogue: stats::catalogue(),
        histogram: BucketLayout { grouping_power: GROUPING_POWER, max_value_power: MAX_VALUE_POWER },
        throughput_bits_per_second: throughput(sample),
        plan: PlanReport::compared(sample),
        hard_stops: HardStopsReport::new(sample),
        origin_metrics: origin_metrics::block(sample),
        connections: ConnectionsReport {
            opened: totals.get(Metric::Connections),
            reconnections: totals.get(Metric::Reconnections),
            stale_retries: totals.get(Metric::StaleRetries),
            redirects: totals.get(Metric::Redirects),
        },
        audience,
        series: series::series(&distributions.timeline),
        history: history::history(&distributions.history),
        findings: sample.findings.iter().map(finding).collect(),
        marks: marks(sample),
        load_changes: load_changes(sample),
        pipeline: pipeline(&sample.pipeline),
        internal: internal(sample, &distributions, facts.lost_workers),
        origin: facts.origin,
    }
}

/// Judges the run: the checks, among them the thresholds of the operator, and the block of the latter. Text, HTML, JUnit
/// and the exit code read this list.
fn judged(facts: &Facts, sample: &RunSample) -> (Vec<Check>, Vec<ThresholdReport>) {
    let numbers = sample.end_numbers(facts.lost_workers);
    let (has_ended, allow_untrusted) = (facts.end.is_some(), facts.allow_untrusted);
    let mut checks = verdict::checks(&numbers, &sample.trust, facts.end.as_ref());
    let of_operator =
        verdict::threshold_checks(&sample.thresholds, &sample.trust, has_ended, allow_untrusted);
    let thresholds = thresholds::block(sample, &of_operator);
    checks.extend(of_operator);
    if allow_untrusted {
        verdict::allow_untrusted(&mut checks);
    }
    (checks, thresholds)
}

fn internal(sample: &RunSample, distributions: &Distributions, lost_workers: u64) -> InternalReport {
    InternalReport {
        // Panics of client tasks were caught; each lost worker thread is one more panic.
        panics: sample.panics + lost_workers,
        invariant_violations: sample.snapshot.invariant_violations,
        histogram_clamped: distributions.clamped,
        entries_not_kept: sample.journal.not_kept(),
    }
}

fn requests(totals: &Totals) -> RequestsReport {
    RequestsReport {
        started: totals.started(),
        finished: totals.finished(),
        failed: totals.errors(),
        expected: totals.expected_responses(),
        expected_statuses: totals.expected.names(),
        judged: totals.judged(),
        failed_share: totals.failure_share(),
        playlist: totals.started_of(Kind::Playlist),
        segment: totals.started_of(Kind::Segment),
        part: totals.started_of(Kind::Part),
        init: totals.started_of(Kind::Init),
        key: totals.started_of(Kind::Key),
        unknown: totals.started_of(Kind::Unknown),
    }
}

fn bytes(totals: &Totals) -> BytesReport {
    BytesReport {
        total: totals.bytes(),
        playlist: totals.bytes_of(Kind::Playlist),
        segment: totals.bytes_of(Kind::Segment),
        part: totals.bytes_of(Kind::Part),
        init: totals.bytes_of(Kind::Init),
        key: totals.bytes_of(Kind::Key),
        unknown: totals.bytes_of(Kind::Unknown),
    }
}

fn finding(row: &FindingRow) -> FindingReport {
    FindingReport {
        kind: row.finding,
        severity: row.finding.severity(),
        count: row.count,
        first_s: row.first.as_secs_f64(),
        last_s: row.last.as_secs_f64(),
        detail: row.detail.to_string(),
    }
}

fn failure(line: &FailureLine, totals: &Totals) -> FailureReport {
    FailureReport {
        outcome: line.outcome,
        count: totals.ended(line.outcome),
        share: totals.outcome_share(line.outcome),
        first_s: line.first.as_secs_f64(),
        last_s: line.last.as_secs_f64(),
        clients_at_first: line.clients_at_first,
    }
}

fn kind_report(totals: &Totals, kind: Kind) -> Option<(String, KindReport)> {
    let requests = totals.started_of(kind);
    let outcomes = || totals.kind(kind).outcomes();
    let report = KindReport {
        requests,
        finished: totals.finished_of(kind),
        bytes: totals.bytes_of(kind),
        outcomes: outcomes().map(|(outcome, tally)| (outcome, tally.requests)).collect(),
        outcome_bytes: outcomes().map(|(outcome, tally)| (outcome, tally.bytes)).collect(),
    };
    (requests > 0).then(|| (kind.name().to_owned(), report))
}

fn latencies(
    distributions: &Distributions,
    costs: Option<&TransportCosts>,
) -> BTreeMap<String, LatencyReport> {
    let named = distributions.latencies.iter().map(|(timed, values)| (timed.name(), values));
    let of_all =
        distributions.latencies_of_all.iter().map(|(kind, values)| (format!("{}_all", kind.name()), values));
    let reports = named.chain(of_all).filter_map(|(name, values)| {
        let mut latency = LatencyReport::new(values)?;
        latency.at_floor = calibration::at_floor(costs, &name, [latency.p50, latency.p99]);
        Some((name, latency))
    });
    reports.collect()
}

fn throughput(sample: &RunSample) -> ThroughputReport {
    let [w1s, w30s, w60s, w300s] =
        sample.windows.map(|rates: Option<Rates>| rates.map(|r| r.bits_per_second));
    ThroughputReport {
        w1s,
        w30s,
        w60s,
        w300s,
        run: sample.bits_per_second(),
        peak: sample.peak_bits_per_second,
    }
}

fn pipeline(pipeline: &PipelineSample) -> PipelineReport {
    let stream = |counts: Counts| StreamReport {
        offered: counts.offered,
        delivered: counts.delivered,
        dropped: counts.dropped,
    };
    let recorder = &pipeline.recorder;
    PipelineReport {
        progress: stream(pipeline.progress),
        events: stream(pipeline.events),
        dropped: pipeline.dropped(),
        peak_drop_rate: pipeline.peak_drop_rate,
        degraded_clients: pipeline.degraded_clients,
        record: recorder.file.as_ref().map(|file| RecordReport {
            file: file.to_string(),
            lines: recorder.lines,
            bytes: recorder.bytes,
            complete: pipeline.incomplete().is_none(),
        }),
    }
}

fn health(sample: &RunSample) -> HealthReport {
    let knee = |knee: verdict::Knee| KneeReport {
        clients: knee.clients,
        bits_per_second: knee.bits_per_second,
        at_s: knee.at.as_secs_f64(),
        origin_cpu_share: sample.origin.cpu_at(knee.at),
    };
    let result = sample.run_health;
    HealthReport {
        verdict: result.worst,
        verdict_s: result.held.as_secs_f64(),
        verdict_at_end: sample.health.verdict,
        error_share: result.error_share,
        stalled_share_max: result.stalled_share_max,
        stalled_clients_max: result.stalled_clients_max,
        clients_at_end: sample.health.clients,
        clients_playing_at_end: sample.health.playing,
        clients_stalled_at_end: sample.health.stalled,
        knee_errors: sample.knees.errors.map(knee),
        knee_stalls: sample.knees.stalls.map(knee),
    }
}

fn marks(sample: &RunSample) -> Vec<MarkReport> {
    let marks = sample.marks().into_iter();
    marks.map(|mark| MarkReport { at_s: mark.at.as_secs_f64(), note: mark.note }).collect()
}

fn load_changes(sample: &RunSample) -> Vec<LoadChangeReport> {
    let changes = sample.load_changes().into_iter().map(|change| LoadChangeReport {
        at_s: change.at.as_secs_f64(),
        change: change.kind,
        from: change.from,
        to: change.to,
        by: change.by,
    });
    changes.collect()
}
