//! Sections of the page below its charts: failures, latencies, sessions, the stream, the audience, trust, and how the
//! run was made.

use std::fmt::Write as _;

use super::charts::key;
use super::tone_class;
use crate::report::answer;
use crate::report::cells::{clients, clock, floor_legend, known, latency_rows, milliseconds, percent, rate};
use crate::report::columns::Columns;
use crate::report::doc::{Doc, Part};
use crate::report::drawing::{self, Scale};
use crate::report::escape::{push_xml, xml};
use crate::report::failures::{self, FailureRow};
use crate::report::origin_metrics;
use crate::report::sessions::{SessionSpread, spreads};
use crate::report::thresholds;
use crate::verdict::{RULES, formatted};
use crate::vocabulary::Finding;
use crate::vocabulary::units::{self, UNKNOWN};

/// Maximum number of lines of each list; the JSON in the page has all.
const LISTED: usize = 24;
/// Width and height of a strip and of a small bar chart, in their own units.
const STRIP: (f64, f64) = (240.0, 16.0);
const BARS: (f64, f64) = (250.0, 40.0);
/// Number of bars in a small chart.
const BAR_COUNT: usize = 20;

/// Writes all sections.
pub(super) fn write(doc: &Doc, columns: &Columns, page: &mut String) {
    failure_table(doc, columns, page);
    page.push_str("<div class=\"two\"><div>");
    latencies(doc, page);
    page.push_str("</div><div>");
    sessions(doc, page);
    page.push_str("</div></div>\n");
    origin(doc, page);
    findings(doc, page);
    page.push_str("<div class=\"two\"><div>");
    audience(doc, page);
    page.push_str("</div><div>");
    trust(doc, page);
    page.push_str("</div></div>\n");
    run(doc, page);
    checks(doc, page);
}

fn heading(title: &str, aside: &str, page: &mut String) {
    _ = write!(page, "<h2>{title}<small>");
    push_xml(aside, page);
    page.push_str("</small></h2>\n");
}

/// Writes a line of a table; its texts are escaped here.
fn row(cells: &[&str], page: &mut String) {
    page.push_str("<tr>");
    for cell in cells {
        page.push_str("<td>");
        push_xml(cell, page);
        page.push_str("</td>");
    }
    page.push_str("</tr>");
}

fn table(head: &[&str], page: &mut String) {
    page.push_str("<div class=\"scroll\"><table><thead><tr>");
    for cell in head {
        // A column of words begins at its left.
        match cell.strip_prefix('<') {
            Some(words) => _ = write!(page, "<th scope=\"col\" class=\"l\">{words}</th>"),
            None => _ = write!(page, "<th scope=\"col\">{cell}</th>"),
        }
    }
    page.push_str("</tr></thead><tbody>");
}

fn table_end(page: &mut String) {
    page.push_str("</tbody></table></div>\n");
}

/// Writes a term and its text.
fn entry(term: &str, text: &str, page: &mut String) {
    page.push_str("<dt>");
    push_xml(term, page);
    page.push_str("</dt><dd>");
    push_xml(text, page);
    page.push_str("</dd>");
}

fn failure_table(doc: &Doc, columns: &Columns, page: &mut String) {
    let requests = doc.at("/requests");
    let [failed, judged] = ["/failed", "/judged"].map(|path| units::count(requests.at(path).count()));
    let expected = failures::expected_sentence(doc).map_or(String::new(), |sentence| format!(", {sentence}"));
    heading("Failures", &format!("{failed} of {judged} requests{expected}"), page);
    let rows = failures::failures(doc);
    if rows.is_empty() {
        page.push_str("<p class=\"none\">No request failed.</p>\n");
        return;
    }
    table(&["outcome", "<over the run", "requests", "of all", "first", "clients then", "last"], page);
    for failure in rows {
        page.push_str("<tr><td>");
        key(failure.tone, page);
        push_xml(&failure.name, page);
        page.push_str("</td><td class=\"l\">");
        strip(&failure, columns, page);
        page.push_str("</td>");
        let count = units::count(failure.count);
        for cell in [&count, &failure.share, &failure.first, &failure.clients, &failure.last] {
            _ = write!(page, "<td>{}</td>", xml(cell));
        }
        page.push_str("</tr>");
    }
    table_end(page);
}

fn strip(failure: &FailureRow, columns: &Columns, page: &mut String) {
    let (width, height) = STRIP;
    let scale = Scale { length_s: columns.length_s, top: 1.0, width, height };
    _ = write!(page, "<svg class=\"strip\" viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\">");
    let band = columns.failures.iter().find(|band| band.name == failure.short);
    for (from, to, opacity) in band.iter().flat_map(|band| drawing::strip(&band.values, &columns.times)) {
        let (from, to) = (scale.x(from), scale.x(to));
        _ = write!(
            page,
            "<rect class=\"{}\" x=\"{from:.1}\" width=\"{:.1}\" height=\"{height}\" fill-opacity=\"{opacity:.2}\"/>",
            tone_class(failure.tone),
            to - from
        );
    }
    page.push_str("</svg>");
}

fn latencies(doc: &Doc, page: &mut String) {
    heading("Latency", "ms, whole run", page);
    table(&["", "p50", "p95", "p99", "p99.9", "max", "count"], page);
    for latency in latency_rows(doc) {
        let [p50, p95, p99, p999, max, count] = latency.cells.each_ref().map(String::as_str);
        row(&[latency.label, p50, p95, p99, p999, max, count], page);
    }
    table_end(page);
    let delay = doc.at("/trust/generator_delay_us");
    if delay.is_known() {
        let [p99, max] = ["/p99", "/max"].map(|path| milliseconds(delay.at(path)));
        _ = writeln!(
            page,
            "<p class=\"none\">generator delay p99 {p99} ms, max {max} ms; ~: p99 below three times that</p>"
        );
    }
    if let Some(legend) = floor_legend(doc) {
        _ = writeln!(page, "<p class=\"none\">{}</p>", xml(legend));
    }
}

fn origin(doc: &Doc, page: &mut String) {
    let rows = origin_metrics::rows(doc);
    if rows.is_empty() {
        return;
    }
    heading("The origin", "as its exporters tell", page);
    table(&origin_metrics::COLUMNS, page);
    rows.iter().for_each(|cells| row(&cells.each_ref().map(String::as_str), page));
    table_end(page);
}

fn sessions(doc: &Doc, page: &mut String) {
    let playback = doc.at("/playback");
    let count = |path: &str| units::count(playback.at(path).count());
    heading(
        "Sessions",
        &format!("{} started to play", units::plural(playback.at("/started").count(), "client")),
        page,
    );
    page.push_str("<dl>");
    let number = |path: &str| playback.at(path).number().map_or(UNKNOWN.to_owned(), units::number);
    let stalls = format!(
        "{}; {} per hour",
        units::plural(playback.at("/stalls").count(), "stall"),
        number("/stalls_per_hour")
    );
    entry("stalls", &stalls, page);
    entry("rebuffer ratio", &percent(playback.at("/rebuffer_ratio")), page);
    entry("bit rate played", &rate(playback.at("/bits_per_second")), page);
    let left = format!(
        "after failures {}, at session end {}, before start {}",
        count("/gave_up"),
        count("/sessions_over"),
        count("/exits_before_start")
    );
    entry("left", &left, page);
    spreads(doc, BAR_COUNT).iter().for_each(|spread| bars(spread, page));
    page.push_str("</dl>\n");
}

/// Writes a distribution as bars, with its ends.
fn bars(spread: &SessionSpread, page: &mut String) {
    let SessionSpread { label, from, to, counts, tone } = spread;
    let most = counts.iter().copied().fold(1.0, f64::max);
    let (width, height) = BARS;
    let each = width / BAR_COUNT as f64;
    _ = write!(
        page,
        "<dt>{label}<br>{} to {}</dt><dd><svg class=\"bars\" role=\"img\" aria-label=\"{label} of sessions\" \
         viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\">",
        xml(from),
        xml(to)
    );
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        let tall = (count / most * height).max(1.0);
        _ = write!(
            page,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
            tone_class(*tone),
            place as f64 * each,
            height - tall,
            each - 1.0
        );
    }
    page.push_str("</svg></dd>");
}

fn findings(doc: &Doc, page: &mut String) {
    let findings = doc.at("/findings").list();
    let count = findings.len();
    heading(
        "The stream",
        &format!("{}; sections of RFC 8216bis", units::plural(count as u64, "finding")),
        page,
    );
    if count == 0 {
        page.push_str("<p class=\"none\">No problems found.</p>\n");
    }
    for finding in findings.take(LISTED) {
        let kind = finding.at("/kind");
        let class = match finding.at("/severity").text() {
            "error" => "error",
            "warning" => "warning",
            _ => "note",
        };
        _ = write!(page, "<div class=\"finding {class}\"><b>{}</b> ", xml(&kind.word()));
        _ = write!(
            page,
            "{} {}x, {} to {}: ",
            xml(&finding.at("/severity").word()),
            units::count(finding.at("/count").count()),
            clock(finding.at("/first_s")),
            clock(finding.at("/last_s")),
        );
        push_xml(&finding.at("/detail").word(), page);
        if let Some(known) = Finding::from_name(kind.text()) {
            _ = write!(page, "<p>{}</p>", xml(known.meaning()));
        }
        page.push_str("</div>\n");
    }
    if count > LISTED {
        _ = writeln!(page, "<p class=\"none\">and {} more</p>", count - LISTED);
    }
}

fn audience(doc: &Doc, page: &mut String) {
    let audience = doc.at("/audience");
    heading("Who asked", &answer::audience_sentence(doc), page);
    let mut edges: Vec<(&str, Part<'_>)> = audience.at("/edges").table().collect();
    edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.at("/requests").count()));
    table(&["edge", "responses", "received", "cache hits"], page);
    for (address, edge) in edges.into_iter().take(LISTED) {
        let responses = units::count(edge.at("/requests").count());
        row(
            &[address, &responses, &units::bytes(edge.at("/bytes").count()), &percent(edge.at("/hit_share"))],
            page,
        );
    }
    table_end(page);
    page.push_str("<dl>");
    let protocols: Vec<String> = audience
        .at("/protocols")
        .table()
        .map(|(name, count)| format!("{name} {}", units::count(count.count())))
        .collect();
    entry("protocols", &protocols.join(", "), page);
    let connections = doc.at("/connections");
    let opened = format!(
        "{} opened, {} reconnected, {}",
        units::count(connections.at("/opened").count()),
        units::count(connections.at("/reconnections").count()),
        units::plural(connections.at("/redirects").count(), "redirect")
    );
    entry("connections", &opened, page);
    for (name, host) in audience.at("/hosts").table().take(LISTED) {
        let refused = units::plural(host.at("/refused").count(), "time");
        entry(
            "host",
            &format!("{name}: {}, refused {refused}", units::plural(host.at("/requests").count(), "request")),
            page,
        );
    }
    page.push_str("</dl>\n");
}

fn trust(doc: &Doc, page: &mut String) {
    let trust = doc.at("/trust");
    heading("Can it be trusted", &answer::trust_sentence(doc.at("/trust")), page);
    page.push_str("<dl>");
    for reason in trust.at("/reasons").list().take(LISTED) {
        let level = reason.at("/level").word();
        let sentence = reason.at("/sentence").word();
        let sentence = if sentence.is_empty() { reason.at("/gauge").word() } else { sentence };
        entry(&level, &sentence, page);
        // By itself: a text is cut where it is escaped.
        entry("advice", &reason.at("/advice").word(), page);
    }
    let reason = trust.at("/uncalibrated_because");
    if reason.is_known() {
        entry("not calibrated", &reason.word(), page);
    } else {
        entry("used capacity", &percent(trust.at("/calibration/capacity_share")), page);
    }
    let mut calm = 0;
    for rule in &RULES {
        let gauge = trust.at("/gauges").member(rule.name);
        match gauge.at("/worst").number().filter(|_| gauge.at("/convicts").is_true()) {
            Some(0.0) => calm += 1,
            Some(worst) => entry(rule.label, &formatted(rule.unit, worst), page),
            None => {}
        }
    }
    if calm > 0 {
        entry("all others", &format!("0, {calm} gauges"), page);
    }
    let dropped = units::count(doc.at("/pipeline/dropped").count());
    entry("samples and events dropped", &dropped, page);
    page.push_str("</dl>\n");
}

fn run(doc: &Doc, page: &mut String) {
    let run = doc.at("/run");
    heading("How it was run", &format!("exit code {}", known(doc.at("/exit/code"))), page);
    page.push_str("<dl><dt>command</dt><dd><code>");
    push_xml(&run.at("/command").word(), page);
    page.push_str("</code></dd>");
    // Enough to repeat the run, random choices included.
    let version = format!(
        "hlswarm {}, run {}, seed {}",
        run.at("/version").word(),
        run.at("/run_id").word(),
        run.at("/seed").count()
    );
    entry("program", &version, page);
    let load = format!(
        "{} at most, target {}, {} started, {} late; player {}, variant {}",
        clients(run.at("/clients_peak")),
        units::count(run.at("/clients_target").count()),
        units::count(run.at("/clients_started").count()),
        units::count(run.at("/late_starts").count()),
        run.at("/player").word(),
        run.at("/variant").word()
    );
    entry("load", &load, page);
    let throughput = doc.at("/throughput_bits_per_second");
    let received = format!(
        "{}, {} on average, {} in the peak second",
        units::bytes(doc.at("/bytes/total").count()),
        rate(throughput.at("/run")),
        rate(throughput.at("/peak"))
    );
    entry("received", &received, page);
    // The story of the run in its order: changes, then marks, then the reasons of its end.
    for change in doc.at("/load_changes").list().take(LISTED) {
        let [what, by] = ["/change", "/by"].map(|path| change.at(path).word());
        let [from, to] = ["/from", "/to"].map(|path| units::count(change.at(path).count()));
        entry(&format!("at {}", clock(change.at("/at_s"))), &format!("{what} {from} to {to}, by {by}"), page);
    }
    for mark in answer::marks(doc) {
        entry(&format!("at {}", clock(mark.at.at("/at_s"))), &mark.label, page);
    }
    for reason in answer::reasons(doc) {
        entry("ended", &reason, page);
    }
    page.push_str(
        "<dt>data</dt><dd>every number of this page is in it as JSON: \
         <code>&lt;script type=\"application/json\" id=\"report\"&gt;</code></dd></dl>\n",
    );
}

/// Formats a number of a check, of which most are counts.
fn short_number(value: f64) -> String {
    if value.fract() == 0.0 && value >= 0.0 { units::count(value as u64) } else { units::number(value) }
}

/// Reports whether a check failed, or should have been conclusive and is not.
fn does_not_pass(check: &Part<'_>) -> bool {
    ["fail", "inconclusive"].contains(&check.at("/result").text())
}

fn checks(doc: &Doc, page: &mut String) {
    let checks = doc.at("/checks").list();
    let failed = doc.at("/checks").list().filter(does_not_pass).count();
    heading("Checks", &format!("{failed} of {} failed", checks.len()), page);
    table(&["check", "value", "limit", "result"], page);
    for check in checks.take(LISTED) {
        let number = || check.at("/value").number().map_or(UNKNOWN.to_owned(), short_number);
        let [name, limit, result] = ["/name", "/limit", "/result"].map(|path| check.at(path).word());
        let (value, limit) = thresholds::shown(check).unwrap_or_else(|| (number(), limit));
        row(&[&name, &value, &limit, &result], page);
    }
    table_end(page);
}
