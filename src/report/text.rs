//! The report as text, 80 columns wide: the form that people read first and paste into a ticket.

use super::answer;
use super::cells::{clients, count, known, latency_cells, percent, plural, rate, shown};
use super::columns::{Columns, most_of_parts};
use super::doc::{Doc, Part};
use super::page::Page;
use super::{
    Run, after_warmup, calibration, changes, failures, hard_stops, hosts, origin_metrics, plan, search,
    thresholds, trust,
};
use crate::verdict::Verdict;
use crate::vocabulary::units::{self, UNKNOWN};
use crate::vocabulary::{Finding, Severity};

/// Maximum number of edge addresses that are listed.
const EDGES: usize = 4;
/// Maximum number of findings that are listed: as many as there are kinds.
const FINDINGS: usize = Finding::COUNT;
/// Width of a strip over the run, in columns.
const STRIP: usize = 20;
/// Signs of a strip from none to the most.
const LEVELS: [char; 5] = ['.', ':', '+', '*', '#'];

/// Returns a document as text, 80 columns wide, with a newline at its end.
pub fn text(doc: &Doc) -> String {
    let mut page = Page::default();
    page.line(answer::headline(doc).text());
    // The trust stands above every other number, so that none is quoted without it.
    trust::lines(doc.at("/trust"), &mut page);
    calibration::line(doc, &mut page);
    page.rule();
    head(doc, &mut page);
    page.rule();
    verdicts(doc, &mut page);
    thresholds::lines(doc, &mut page);
    after_warmup::lines(doc, &mut page);
    search::lines(doc, &mut page);
    page.rule();
    latency(doc, &mut page);
    page.rule();
    traffic(doc, &mut page);
    page.rule();
    errors(doc, &mut page);
    pipeline(doc.at("/pipeline"), &mut page);
    page.rule();
    finding_lines(findings_of(doc), &mut page);
    let [panics, broken] =
        ["/panics", "/invariant_violations"].map(|path| doc.at("/internal").at(path).count());
    if panics > 0 || broken > 0 {
        page.line(format!(
            "XX      internal faults: {} caught, {}",
            units::plural(panics, "panic"),
            units::plural(broken, "broken invariant"),
        ));
    }
    page.rule();
    changes::lines(doc).iter().for_each(|line| page.line(line));
    ending(doc, &mut page);
    page.0
}

fn head(doc: &Doc, page: &mut Page) {
    let run = doc.at("/run");
    let word = |path: &str| run.at(path).word();
    page.line(format!("hlswarm {}  {}", word("/version"), word("/target")));
    let length = units::span(run.at("/duration_s").seconds());
    let merged = run.at("/merged_reports");
    let merged =
        if merged.is_known() { format!(", {} merged", plural(merged, "report")) } else { String::new() };
    page.line(format!(
        "{}, {length}, variant {}, seed {}{merged}",
        word("/started_at"),
        word("/variant"),
        run.at("/seed").count()
    ));
    let ramp =
        run.at("/ramp_rate").number().map_or("all at once".to_owned(), |rate| format!("ramp {rate}/s"));
    let stages = run.at("/stages");
    let arrivals = run.at("/arrivals");
    let asked = count(run.at("/clients_asked"));
    let ramp = match (stages.is_known(), arrivals.is_known()) {
        (true, _) => format!("peak of {asked} planned"),
        (_, true) => format!("{} arriving, at most {asked} at once", arrivals.word()),
        _ => ramp,
    };
    let late = run.at("/late_starts").count();
    let late = if late > 0 { format!(", {} late", units::count(late)) } else { String::new() };
    page.line(format!(
        "load    {} (target {}, {} started{late}), {ramp}",
        clients(run.at("/clients_peak")),
        count(run.at("/clients_target")),
        count(run.at("/clients_started")),
    ));
    if stages.is_known() {
        page.line(format!("stages  {}", stages.word()));
    }
    if run.at("/proxy").is_known() {
        page.line(format!("proxy   {}", run.at("/proxy").word()));
    }
    let mix = run.at("/mix");
    if mix.is_known() {
        page.line(format!("mix     {}", mix.word()));
    }
    for reason in answer::reasons(doc) {
        page.line(format!("!!      {reason}"));
    }
    let is_lowered = doc.at("/plan/clients").count() < run.at("/clients_asked").count();
    let sentence = Some(doc.at("/plan/sentence")).filter(|_| is_lowered);
    for why in [Some(run.at("/clamped")), sentence].into_iter().flatten().filter(|why| why.is_known()) {
        let by = if doc.at("/search").is_known() { "limit" } else { "--clamp" };
        page.line(format!("!!      {by}: {}", why.word()));
    }
    if run.at("/tls_verified").value().as_bool() == Some(false) {
        page.line("!!      certificates were NOT verified (--insecure)");
    }
    run.at("/resolve_unused").list().for_each(|entry| unused_entry(&entry.word(), page));
}

/// Writes the entries of `--resolve` that matched nothing.
pub(super) fn unused(run: &Run, page: &mut Page) {
    run.options.resolve_unused.iter().for_each(|entry| unused_entry(entry, page));
}

fn unused_entry(entry: &str, page: &mut Page) {
    page.line(format!("!!      --resolve {entry} matched nothing: no connection went there"));
}

fn verdicts(doc: &Doc, page: &mut Page) {
    page.line(format!("health  {}", health(doc)));
    if doc.at("/playback/started").count() == 0 {
        page.line("KNEE    not known: no client ever played");
        return;
    }
    page.line(format!("KNEE    errors first at 1%  {}", knee(doc, "/health/knee_errors")));
    page.line(format!("        stalls first at 1%  {}", knee(doc, "/health/knee_stalls")));
}

/// Returns the result of the run with its numbers: `FAILED for 1 m 13 s of 2 m 41 s: 10.5% of requests ...`.
fn health(doc: &Doc) -> String {
    let health = doc.at("/health");
    let verdict = health.at("/verdict").verdict();
    if verdict == Verdict::Unknown {
        return format!("-- {}", answer::unjudged(doc));
    }
    let is_bad = verdict >= Verdict::Degraded;
    let held = health.at("/verdict_s").seconds();
    let whole = units::span(doc.at("/run/duration_s").seconds());
    let length = if is_bad && !held.is_zero() {
        format!(" for {} of {whole}", units::span(held))
    } else {
        String::new()
    };
    let mut line = format!(
        "{}{length}: {} of requests failed{}, at most {} of clients stalled at once",
        verdict.past(),
        percent(health.at("/error_share")),
        failures::mostly(doc).map_or(String::new(), |name| format!(" (mostly {name})")),
        percent(health.at("/stalled_share_max")),
    );
    let at_end = health.at("/verdict_at_end").verdict();
    if is_bad && at_end != verdict {
        line.push_str(&format!("; {} at the end", at_end.name()));
    }
    line
}

fn knee(doc: &Doc, path: &str) -> String {
    let knee = doc.at(path);
    if !knee.is_known() {
        return "never".to_owned();
    }
    let at = units::clock(knee.at("/at_s").seconds());
    let cpu = origin_metrics::cpu_at(doc, knee);
    format!("at {}, {} ({at}){cpu}", clients(knee.at("/clients")), rate(knee.at("/bits_per_second")))
}

fn latency(doc: &Doc, page: &mut Page) {
    page.line(format!(
        "{:<17}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}",
        "latency ms", "p50", "p95", "p99", "p99.9", "max", "count"
    ));
    let own = doc.at("/trust/generator_delay_us/p99");
    let mut is_empty = true;
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
        let latency = doc.at("/latency_us").member(name);
        if latency.is_known() {
            page.line(latency_line(label, latency, own));
            is_empty = false;
        }
    }
    if is_empty {
        page.line("  nothing was timed");
    }
}

/// Returns a line of the table.
fn latency_line(label: &str, latency: Part<'_>, own: Part<'_>) -> String {
    let [p50, p95, p99, p999, max] = latency_cells(latency, own);
    let values = count(latency.at("/count"));
    format!("  {label:<15}{p50:>9}{p95:>9}{p99:>9}{p999:>9}{max:>9}{values:>13}")
}

fn traffic(doc: &Doc, page: &mut Page) {
    let throughput = doc.at("/throughput_bits_per_second");
    page.line(format!(
        "bytes   {}, {} on average, {} in the peak second",
        units::bytes(doc.at("/bytes/total").count()),
        rate(throughput.at("/run")),
        rate(throughput.at("/peak"))
    ));
    let kinds = doc.at("/kinds").table();
    let kinds = kinds.map(|(kind, of)| {
        format!("{} {} ({})", shown(kind), count(of.at("/requests")), units::bytes(of.at("/bytes").count()))
    });
    let kinds: Vec<String> = kinds.collect();
    page.line(format!("sent    {}: {}", plural(doc.at("/requests/started"), "request"), kinds.join(", ")));
    let connections = doc.at("/connections");
    page.line(format!(
        "conns   {} opened, {} reconnected, {}",
        count(connections.at("/opened")),
        count(connections.at("/reconnections")),
        plural(connections.at("/redirects"), "redirect")
    ));
    origin_metrics::lines(doc, page);
    plan::lines(doc.at("/plan")).iter().for_each(|line| page.line(line));
    hard_stops::lines(doc.at("/hard_stops")).iter().for_each(|line| page.line(line));
    playback(doc, page);
    audience(doc, page);
}

/// Writes how clients played, then the ways in which viewers left.
fn playback(doc: &Doc, page: &mut Page) {
    let playback = doc.at("/playback");
    let number = |path: &str| playback.at(path).number().map_or(UNKNOWN.to_owned(), units::number);
    page.line(format!(
        "players {} started (p95 after {} ms), {} finished, {}, rebuffer ratio {}",
        count(playback.at("/started")),
        number("/startup_ms/p95"),
        count(playback.at("/finished_clients")),
        plural(playback.at("/stalls"), "stall"),
        percent(playback.at("/rebuffer_ratio"))
    ));
    let seconds =
        |path: &str| playback.at(path).number().map_or(UNKNOWN.to_owned(), |ms| units::number(ms / 1e3));
    page.line(format!(
        "        {} stalls/h, {} played, live latency p50 {} s, p95 {} s",
        number("/stalls_per_hour"),
        rate(playback.at("/bits_per_second")),
        seconds("/live_latency_ms/p50"),
        seconds("/live_latency_ms/p95"),
    ));
    let speed =
        playback.at("/average_speed").number().map_or(UNKNOWN.to_owned(), |speed| format!("{speed:.3}"));
    page.line(format!(
        "        average speed {speed}, drift max {} s, {} skipped, {}, variant switches {}, \
         reloads from cache {}",
        number("/drift_max_s"),
        plural(playback.at("/segments_skipped"), "segment"),
        plural(playback.at("/edge_jumps"), "edge jump"),
        count(playback.at("/variant_switches")),
        count(playback.at("/cached_reloads")),
    ));
    page.line(format!(
        "viewers {}: left after failures {}, at session end {}, before start {}; start failures {}; replaced {}",
        doc.at("/run/player").word(),
        count(playback.at("/gave_up")),
        count(playback.at("/sessions_over")),
        count(playback.at("/exits_before_start")),
        count(playback.at("/start_failures")),
        count(playback.at("/replacements")),
    ));
    let honoured = playback.at("/retry_after_honoured");
    if honoured.count() > 0 {
        page.line(format!("        honoured Retry-After {}", plural(honoured, "time")));
    }
}

/// Writes the protocols and TLS handshakes, and the edges with the most responses.
fn audience(doc: &Doc, page: &mut Page) {
    let audience = doc.at("/audience");
    let protocols = audience.at("/protocols").table();
    let protocols: Vec<String> =
        protocols.map(|(name, responses)| format!("{} {}", shown(name), count(responses))).collect();
    let mut edges: Vec<(&str, Part<'_>)> = audience.at("/edges").table().collect();
    page.line(format!(
        "edges   {}, {}, {}; TLS {}, {} resumed",
        units::plural(edges.len() as u64, "edge"),
        units::plural(audience.at("/source_addresses").list().len() as u64, "source"),
        if protocols.is_empty() { UNKNOWN.to_owned() } else { protocols.join(", ") },
        plural(audience.at("/tls_handshakes"), "handshake"),
        count(audience.at("/tls_resumed")),
    ));
    edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.at("/requests").count()));
    for (address, edge) in edges.into_iter().take(EDGES) {
        page.line(format!(
            "  {:>12}  {:<24}{}, cache hits {}",
            count(edge.at("/requests")),
            shown(address),
            units::bytes(edge.at("/bytes").count()),
            percent(edge.at("/hit_share"))
        ));
    }
    hosts::lines(audience.at("/hosts")).iter().for_each(|line| page.line(line));
}

fn errors(doc: &Doc, page: &mut Page) {
    let requests = doc.at("/requests");
    let cut = match doc.at("/outcomes").member("cut").count() {
        0 => String::new(),
        cut => format!(", {} cut by hlswarm itself", units::count(cut)),
    };
    let cut =
        failures::expected_sentence(doc).map_or(String::new(), |expected| format!(", {expected}")) + &cut;
    if requests.at("/failed").count() == 0 {
        page.line(format!("errors  none in {}{cut}", plural(requests.at("/judged"), "request")));
        return;
    }
    page.line(format!(
        "errors  {} of {} requests ({}){cut}",
        count(requests.at("/failed")),
        count(requests.at("/judged")),
        percent(requests.at("/failed_share"))
    ));
    let columns = Columns::new(doc);
    let failed = failures::counted(doc);
    for (outcome, count) in failed.iter().take(failures::FAILURES) {
        let (name, short) = (outcome.to_string(), failures::short(*outcome));
        let band = columns.failures.iter().find(|band| band.name == short);
        let strip = band.map_or(String::new(), |band| strip(&band.values));
        page.line(format!("  {:>12}  {name:<20}{strip:<STRIP$}", units::count(*count)));
        page.block(outcome.meaning());
        page.block(&doc.at("/failure_details").member(&name).word());
    }
    if failed.len() > failures::FAILURES {
        page.line(format!("  and {} more kinds of failure", failed.len() - failures::FAILURES));
    }
}

/// Returns values over the run as signs, each for the most of its part of the time.
fn strip(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max).ln_1p().max(f64::EPSILON);
    let sign = |value: f64| {
        let level = (value.ln_1p() / most * (LEVELS.len() - 1) as f64).ceil() as usize;
        LEVELS.get(level.min(LEVELS.len() - 1)).copied().unwrap_or('.')
    };
    most_of_parts(values, STRIP).map(sign).collect()
}

/// A finding as a page shows it.
pub(super) struct FindingLine {
    pub(super) name: String,
    pub(super) severity: Severity,
    pub(super) meaning: &'static str,
    pub(super) count: u64,
    /// Time of the finding, or its line in the playlist.
    pub(super) place: String,
    /// Detail of the first occurrence, safe to print.
    pub(super) detail: String,
}

/// Writes the problems of the stream, the worst first: name and count, meaning, and detail of the first occurrence.
pub(super) fn finding_lines(mut lines: Vec<FindingLine>, page: &mut Page) {
    if lines.is_empty() {
        page.line("stream  no problems found");
        return;
    }
    page.line(format!("stream  {}", units::plural(lines.len() as u64, "finding")));
    lines.sort_by_key(|line| std::cmp::Reverse(line.severity));
    for FindingLine { name, severity, meaning, count, place, detail } in lines {
        page.line(format!("  {:<9}{name:<34}{:>7}x  {place}", severity.name(), units::count(count)));
        page.block(meaning);
        page.block(&detail);
    }
}

/// Returns the problems of the stream.
pub(super) fn findings_of(doc: &Doc) -> Vec<FindingLine> {
    let line = |row: Part<'_>| {
        let known = Finding::from_name(row.at("/kind").text());
        FindingLine {
            name: row.at("/kind").word(),
            severity: known.map_or(Severity::Note, Finding::severity),
            meaning: known.map_or("", Finding::meaning),
            count: row.at("/count").count(),
            place: between(
                row.at("/first_s").number().unwrap_or_default(),
                row.at("/last_s").number().unwrap_or_default(),
            ),
            detail: row.at("/detail").word(),
        }
    };
    doc.at("/findings").list().take(FINDINGS).map(line).collect()
}

/// Formats the time of a finding: `00:00:12 to 00:01:30`.
pub(super) fn between(first_s: f64, last_s: f64) -> String {
    let [first, last] = [first_s, last_s]
        .map(|s| units::clock(std::time::Duration::try_from_secs_f64(s).unwrap_or_default()));
    if first == last { first } else { format!("{first} to {last}") }
}

/// Writes the counts of samples and events: one line, and one more for a file.
fn pipeline(pipeline: Part<'_>, page: &mut Page) {
    let lost = match pipeline.at("/dropped").count() {
        0 => "none dropped".to_owned(),
        dropped => format!(
            "{} dropped (peak {} in a second, {} above 1%)",
            units::count(dropped),
            percent(pipeline.at("/peak_drop_rate")),
            plural(pipeline.at("/degraded_clients"), "client")
        ),
    };
    page.line(format!(
        "pipe    {}, {}: {lost}",
        plural(pipeline.at("/events/offered"), "event"),
        plural(pipeline.at("/progress/offered"), "sample"),
    ));
    let record = pipeline.at("/record");
    if record.is_known() {
        let whole = if record.at("/complete").is_true() { "" } else { ", NOT COMPLETE" };
        page.line(format!(
            "record  {}: {}, {}{whole}",
            record.at("/file").word(),
            plural(record.at("/lines"), "line"),
            units::bytes(record.at("/bytes").count())
        ));
    }
}

fn ending(doc: &Doc, page: &mut Page) {
    let why = match doc.at("/exit/reasons").list().len() {
        0 => String::new(),
        1 => ": see the line marked !! above".to_owned(),
        reasons => format!(": see the {reasons} lines marked !! above"),
    };
    page.line(format!("exit code {}{why}", known(doc.at("/exit/code"))));
}
