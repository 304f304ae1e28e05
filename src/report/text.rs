//! The report as text, 80 columns wide: the form that people read first and paste into a ticket.

use std::time::Duration;

use super::page::Page;
use super::trust::{self, GeneratorDelay};
use super::{KneeReport, LatencyReport, Report, Run, calibration, changes, hosts};
use crate::verdict::{Verdict, is_blurred};
use crate::vocabulary::Finding;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::units::{self, UNKNOWN};

/// Maximum number of edge addresses that are listed.
const EDGES: usize = 4;
/// Maximum number of outcomes that are listed.
const OUTCOMES: usize = 12;

/// Returns the report as text, 80 columns wide, with a newline at its end.
pub fn text(report: &Report) -> String {
    let mut page = Page::default();
    // The verdict stands above every number, so that no number is quoted without it.
    trust::lines(&report.trust, &mut page);
    calibration::line(report, &mut page);
    page.rule();
    head(report, &mut page);
    page.rule();
    verdicts(report, &mut page);
    page.rule();
    latency(report, &mut page);
    page.rule();
    traffic(report, &mut page);
    page.rule();
    errors(report, &mut page);
    pipeline(report, &mut page);
    page.rule();
    findings(report, &mut page);
    if report.internal.panics > 0 || report.internal.invariant_violations > 0 {
        page.line(format!(
            "XX      internal faults: {} caught, {}",
            units::plural(report.internal.panics, "panic"),
            units::plural(report.internal.invariant_violations, "broken invariant"),
        ));
    }
    page.rule();
    changes::lines(report).iter().for_each(|line| page.line(line));
    ending(report, &mut page);
    page.0
}

fn head(report: &Report, page: &mut Page) {
    let run = &report.run;
    page.line(format!("hlswarm {}  {}", run.identity.version, run.identity.target));
    let length = units::span(Duration::try_from_secs_f64(run.duration_s).unwrap_or_default());
    let identity = &run.identity;
    page.line(format!(
        "{}, {length}, variant {}, seed {}",
        identity.started_at, run.options.variant, identity.seed
    ));
    let ramp = run.options.ramp_rate.map_or("all at once".to_owned(), |rate| format!("ramp {rate}/s"));
    let late =
        if run.late_starts > 0 { format!(", {} late", units::count(run.late_starts)) } else { String::new() };
    page.line(format!(
        "load    {} (target {}, {} started{late}), {ramp}",
        units::plural(run.clients_peak, "client"),
        units::count(u64::from(run.clients_target)),
        units::count(run.clients_started),
    ));
    for reason in &report.exit.reasons {
        page.line(format!("!!      {reason}"));
    }
    let sentence = report
        .plan
        .as_ref()
        .and_then(|plan| plan.sentence.as_ref().filter(|_| plan.clients < run.options.clients_asked));
    for why in run.options.clamped.iter().chain(sentence) {
        page.line(format!("!!      --clamp: {why}"));
    }
    if !run.options.tls_verified {
        page.line("!!      certificates were NOT verified (--insecure)");
    }
    unused(run, page);
}

/// Writes the entries of `--resolve` that matched nothing.
pub(super) fn unused(run: &Run, page: &mut Page) {
    for entry in &run.options.resolve_unused {
        page.line(format!("!!      --resolve {entry} matched nothing: no connection went there"));
    }
}

fn verdicts(report: &Report, page: &mut Page) {
    page.line(format!("health  {}", health(report)));
    if report.playback.started == 0 {
        page.line("KNEE    not known: no client ever played");
        return;
    }
    page.line(format!("KNEE    errors first at 1%  {}", knee(report.health.knee_errors.as_ref())));
    page.line(format!("        stalls first at 1%  {}", knee(report.health.knee_stalls.as_ref())));
}

/// Returns the result of the run with its numbers: `FAILED for 1 m 13 s of 2 m 41 s: 10.5% of requests failed, ...`.
fn health(report: &Report) -> String {
    let health = &report.health;
    let verdict = health.verdict;
    let [held, whole] = [health.verdict_s, report.run.duration_s]
        .map(|seconds| units::span(Duration::try_from_secs_f64(seconds).unwrap_or_default()));
    let is_bad = verdict >= Verdict::Degraded;
    let length =
        if is_bad && health.verdict_s > 0.0 { format!(" for {held} of {whole}") } else { String::new() };
    let most = report.outcomes.mostly().map_or(String::new(), |outcome| format!(" (mostly {outcome})"));
    let mut line = format!(
        "{}{length}: {} of answerable requests failed{most}, at most {} of clients stalled at once",
        verdict.past(),
        units::percent(health.error_share),
        units::percent(health.stalled_share_max),
    );
    if is_bad && health.verdict_at_end != health.verdict {
        line.push_str(&format!("; {} at the end", health.verdict_at_end.name()));
    }
    if verdict == Verdict::Unknown { "-- nothing was measured".to_owned() } else { line }
}

fn knee(knee: Option<&KneeReport>) -> String {
    let Some(knee) = knee else { return "never".to_owned() };
    let at = units::clock(Duration::try_from_secs_f64(knee.at_s).unwrap_or_default());
    let rate = knee.bits_per_second.map_or(UNKNOWN.to_owned(), units::bit_rate);
    format!("at {}, {rate} ({at})", units::plural(knee.clients, "client"))
}

fn latency(report: &Report, page: &mut Page) {
    page.line(format!(
        "{:<17}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}",
        "latency ms", "p50", "p95", "p99", "p99.9", "max", "count"
    ));
    for (name, label) in [
        ("dns", "dns"),
        ("connect", "tcp connect"),
        ("tls", "tls handshake"),
        ("playlist_ttfb", "playlist ttfb"),
        ("playlist", "playlist"),
        ("init", "init"),
        ("segment_ttfb", "segment ttfb"),
        ("segment_body", "segment body"),
        ("segment", "segment"),
        ("playlist_failed", "playlist failed"),
        ("segment_failed", "segment failed"),
    ] {
        if let Some(latency) = report.latency_us.get(name) {
            page.line(latency_line(label, latency, report.trust.generator_delay_us.as_ref()));
        }
    }
    if report.latency_us.is_empty() {
        page.line("  nothing was timed");
    }
}

/// Returns a line of the table. A p99 that may be the load tester's own has the sign `~`, and other values that are
/// about as short as this machine can measure them `<`.
fn latency_line(label: &str, latency: &LatencyReport, own_delay: Option<&GeneratorDelay>) -> String {
    let [mut p50, p95, mut p99, p999, max] =
        [latency.p50, latency.p95, latency.p99, latency.p999, latency.max].map(units::milliseconds);
    if own_delay.is_some_and(|own| is_blurred(latency.p99, own.p99)) {
        p99.insert(0, '~');
    } else if latency.at_floor.is_some_and(|at_floor| at_floor.p99) {
        p99.insert(0, '<');
    }
    if latency.at_floor.is_some_and(|at_floor| at_floor.p50) {
        p50.insert(0, '<');
    }
    format!("  {label:<15}{p50:>9}{p95:>9}{p99:>9}{p999:>9}{max:>9}{:>13}", units::count(latency.count))
}

fn traffic(report: &Report, page: &mut Page) {
    let rate = |rate: Option<f64>| rate.map_or(UNKNOWN.to_owned(), units::bit_rate);
    let throughput = &report.throughput_bits_per_second;
    page.line(format!(
        "bytes   {}, {} on average, {} in the peak second",
        units::bytes(report.bytes.total),
        rate(throughput.run),
        rate(throughput.peak)
    ));
    let kinds: Vec<_> = report
        .kinds
        .iter()
        .map(|(kind, of)| format!("{kind} {} ({})", units::count(of.requests), units::bytes(of.bytes)))
        .collect();
    page.line(format!("sent    {}: {}", units::plural(report.requests.started, "request"), kinds.join(", ")));
    let connections = &report.connections;
    page.line(format!(
        "conns   {} opened, {} reconnected, {}",
        units::count(connections.opened),
        units::count(connections.reconnections),
        units::plural(connections.redirects, "redirect")
    ));
    report.plan.iter().flat_map(|plan| plan.lines()).for_each(|line| page.line(line));
    report.hard_stops.lines().iter().for_each(|line| page.line(line));
    playback(report, page);
    audience(report, page);
}

fn playback(report: &Report, page: &mut Page) {
    let playback = &report.playback;
    let startup = playback.startup_ms.as_ref().map_or(UNKNOWN.to_owned(), |s| units::number(s.p95));
    page.line(format!(
        "players {} started (p95 after {startup} ms), {} finished, {}, rebuffer ratio {}",
        units::count(playback.started),
        units::count(playback.finished_clients),
        units::plural(playback.stalls, "stall"),
        units::percent(playback.rebuffer_ratio)
    ));
    let number = |value: Option<f64>| value.map_or(UNKNOWN.to_owned(), units::number);
    let latency = playback.live_latency_ms.as_ref();
    page.line(format!(
        "        {} stalls/h, {} played, live latency p50 {} s, p95 {} s",
        number(playback.stalls_per_hour),
        playback.bits_per_second.map_or(UNKNOWN.to_owned(), units::bit_rate),
        number(latency.map(|latency| latency.p50 / 1e3)),
        number(latency.map(|latency| latency.p95 / 1e3)),
    ));
    let speed = playback.average_speed.map_or(UNKNOWN.to_owned(), |speed| format!("{speed:.3}"));
    page.line(format!(
        "        average speed {speed}, drift max {} s, {} skipped, {}, variant switches {}, \
         reloads from cache {}",
        units::number(playback.drift_max_s),
        units::plural(playback.segments_skipped, "segment"),
        units::plural(playback.edge_jumps, "edge jump"),
        units::count(playback.variant_switches),
        units::count(playback.cached_reloads),
    ));
    page.line(format!(
        "viewers {}: left after failures {}, at session end {}, before start {}; start failures {}; \
         replaced {}",
        report.run.options.player,
        units::count(playback.gave_up),
        units::count(playback.sessions_over),
        units::count(playback.exits_before_start),
        units::count(playback.start_failures),
        units::count(playback.replacements),
    ));
    if playback.retry_after_honoured > 0 {
        let times = units::plural(playback.retry_after_honoured, "time");
        page.line(format!("        honoured Retry-After {times}"));
    }
}

/// Writes the protocols and TLS handshakes, and the edges with the most responses.
fn audience(report: &Report, page: &mut Page) {
    let audience = &report.audience;
    let protocols: Vec<_> =
        audience.protocols.iter().map(|(name, n)| format!("{name} {}", units::count(*n))).collect();
    page.line(format!(
        "edges   {}, {}, {}; TLS {}, {} resumed",
        units::plural(audience.edges.len() as u64, "edge"),
        units::plural(audience.source_addresses.len() as u64, "source"),
        if protocols.is_empty() { UNKNOWN.to_owned() } else { protocols.join(", ") },
        units::plural(audience.tls_handshakes, "handshake"),
        units::count(audience.tls_resumed),
    ));
    let mut edges: Vec<_> = audience.edges.iter().collect();
    edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.requests));
    for (address, edge) in edges.into_iter().take(EDGES) {
        page.line(format!(
            "  {:>12}  {address:<24}{}, cache hits {}",
            units::count(edge.requests),
            units::bytes(edge.bytes),
            units::percent(edge.hit_share)
        ));
    }
    hosts::lines(audience).iter().for_each(|line| page.line(line));
}

fn errors(report: &Report, page: &mut Page) {
    let requests = &report.requests;
    let cut = match report.outcomes.get(Fault::Cut.into()) {
        0 => String::new(),
        cut => format!(", {} cut by hlswarm itself", units::count(cut)),
    };
    if requests.failed == 0 {
        page.line(format!("errors  none in {}{cut}", units::plural(requests.judged, "request")));
        return;
    }
    page.line(format!(
        "errors  {} of {} requests ({}){cut}",
        units::count(requests.failed),
        units::count(requests.judged),
        units::percent(requests.failed_share)
    ));
    let failed = report.outcomes.failures();
    for (outcome, count) in failed.iter().take(OUTCOMES) {
        let name = outcome.to_string();
        page.line(format!("  {:>12}  {name:<20}{}", units::count(*count), outcome.meaning()));
        if let Some(detail) = report.failure_details.get(*outcome) {
            page.block(detail);
        }
    }
    if failed.len() > OUTCOMES {
        page.line(format!("  and {} more kinds of failure", failed.len() - OUTCOMES));
    }
}

/// A finding as a page shows it.
pub(super) struct FindingLine<'a> {
    pub(super) finding: Finding,
    pub(super) count: u64,
    /// Time of the finding, or its line in the playlist.
    pub(super) place: String,
    /// Detail of the first occurrence, safe to print.
    pub(super) detail: &'a str,
}

/// Writes the problems of the stream, the worst first: name and count, meaning, and detail of the first occurrence.
pub(super) fn finding_lines(mut lines: Vec<FindingLine<'_>>, page: &mut Page) {
    if lines.is_empty() {
        page.line("stream  no problems found");
        return;
    }
    page.line(format!("stream  {}", units::plural(lines.len() as u64, "finding")));
    lines.sort_by_key(|line| std::cmp::Reverse(line.finding.severity()));
    for FindingLine { finding, count, place, detail } in lines {
        let (severity, name) = (finding.severity().name(), finding.name());
        page.line(format!("  {severity:<9}{name:<34}{:>7}x  {place}", units::count(count)));
        page.block(finding.meaning());
        page.block(detail);
    }
}

fn findings(report: &Report, page: &mut Page) {
    let lines = report.findings.iter().map(|row| FindingLine {
        finding: row.kind,
        count: row.count,
        place: between(row.first_s, row.last_s),
        detail: &row.detail,
    });
    finding_lines(lines.collect(), page);
}

/// Formats the time of a finding: `00:00:12 to 00:01:30`.
pub(super) fn between(first_s: f64, last_s: f64) -> String {
    let [first, last] =
        [first_s, last_s].map(|s| units::clock(Duration::try_from_secs_f64(s).unwrap_or_default()));
    if first == last { first } else { format!("{first} to {last}") }
}

/// Writes the counts of samples and events: one line, and one more for a file.
fn pipeline(report: &Report, page: &mut Page) {
    let pipeline = &report.pipeline;
    let rate = pipeline.peak_drop_rate.map_or(UNKNOWN.to_owned(), |rate| units::percent(Some(rate)));
    let lost = if pipeline.dropped == 0 {
        "none dropped".to_owned()
    } else {
        format!(
            "{} dropped (peak {rate} in a second, {} above 1%)",
            units::count(pipeline.dropped),
            units::plural(pipeline.degraded_clients, "client")
        )
    };
    page.line(format!(
        "pipe    {}, {}: {lost}",
        units::plural(pipeline.events.offered, "event"),
        units::plural(pipeline.progress.offered, "sample"),
    ));
    if let Some(record) = &pipeline.record {
        let whole = if record.complete { "" } else { ", NOT COMPLETE" };
        page.line(format!(
            "record  {}: {}, {}{whole}",
            record.file,
            units::plural(record.lines, "line"),
            units::bytes(record.bytes)
        ));
    }
}

fn ending(report: &Report, page: &mut Page) {
    let reasons = report.exit.reasons.len() as u64;
    let why = if reasons == 0 {
        String::new()
    } else {
        let lines = if reasons == 1 { "line" } else { "lines" };
        format!(": see the {} {lines} marked !! above", units::count(reasons))
    };
    page.line(format!("exit code {}{why}", report.exit.code));
}
