//! The report as Markdown, for a pull request or a ticket: the answer, the numbers that matter and the evidence.

use std::fmt::Write as _;

use super::cells::{clients, clock, floor_legend, known, latency_cells, rate};
use super::doc::Doc;
use super::escape::markdown;
use super::{answer, failures, origin_metrics};
use crate::vocabulary::units;

/// Maximum number of findings, and of edges, that are listed. The page stays below sixty lines.
const LISTED: usize = 8;

/// Returns the report as Markdown, with a newline at its end.
pub(super) fn page(doc: &Doc) -> String {
    let mut page = String::new();
    let headline = answer::headline(doc);
    _ = writeln!(page, "## {} {}: {}\n", headline.sign, headline.word, markdown(&headline.rest));
    // Each sentence by itself: a text is cut where it is escaped.
    let sentences = |sentences: &[String], between: &str| {
        sentences.iter().map(|sentence| markdown(sentence)).collect::<Vec<_>>().join(between)
    };
    _ = writeln!(page, "{}\n", sentences(&answer::subtitle(doc), " · "));
    let trust = [answer::trust_sentence(doc.at("/trust")), answer::audience_sentence(doc)];
    _ = writeln!(page, "Measurement {}.\n", sentences(&trust, ". "));
    numbers(doc, &mut page);
    latencies(doc, &mut page);
    origin(doc, &mut page);
    failure_table(doc, &mut page);
    findings(doc, &mut page);
    changes(doc, &mut page);
    let run = doc.at("/run");
    _ = writeln!(
        page,
        "hlswarm {}, run {}, seed {}: {}",
        markdown(&run.at("/version").word()),
        markdown(&run.at("/run_id").word()),
        run.at("/seed").count(),
        markdown(&run.at("/command").word()),
    );
    page
}

/// Writes a line of a table.
fn row(cells: &[&str], page: &mut String) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(&markdown(cell));
        page.push(' ');
    }
    page.push_str("|\n");
}

/// Writes the head of a table: the first column holds words, all others numbers.
fn head(cells: &[&str], page: &mut String) {
    row(cells, page);
    for place in 0..cells.len() {
        page.push_str(if place == 0 { "| --- " } else { "| ---: " });
    }
    page.push_str("|\n");
}

fn numbers(doc: &Doc, page: &mut String) {
    head(&["Result", "Value", "Of"], page);
    for tile in answer::tiles(doc) {
        row(&[tile.label, &tile.value, &tile.note], page);
    }
    let knees = answer::knees(doc);
    for knee in &knees {
        let cpu = origin_metrics::cpu_at(doc, knee.at);
        let at = format!("at {}, {}{cpu}", clock(knee.at.at("/at_s")), rate(knee.at.at("/bits_per_second")));
        row(&[&knee.label, &clients(knee.at.at("/clients")), &at], page);
    }
    let throughput = doc.at("/throughput_bits_per_second");
    let peak = format!("{} in the peak second", rate(throughput.at("/peak")));
    row(&["throughput", &rate(throughput.at("/run")), &peak], page);
    row(&["received", &units::bytes(doc.at("/bytes/total").count()), ""], page);
    let passed = doc.at("/checks").list().filter(|check| check.at("/result").text() == "pass").count();
    let all = format!("of {} checks passed", doc.at("/checks").list().len());
    row(&["exit code", &known(doc.at("/exit/code")), &format!("{passed} {all}")], page);
    if let Some(kept) = answer::thresholds_sentence(doc) {
        row(&["thresholds", &kept, ""], page);
    }
    page.push('\n');
}

fn latencies(doc: &Doc, page: &mut String) {
    let known = [("playlist", "playlist"), ("segment_ttfb", "segment, first byte"), ("segment", "segment")];
    let known = known.map(|(name, label)| (doc.at("/latency_us").member(name), label));
    if known.iter().all(|(latency, _)| !latency.is_known()) {
        return;
    }
    let own = doc.at("/trust/generator_delay_us/p99");
    head(&["Latency, ms", "p50", "p95", "p99", "max", "count"], page);
    for (latency, label) in known.into_iter().filter(|(latency, _)| latency.is_known()) {
        let [p50, p95, p99, _, max] = latency_cells(latency, own);
        row(&[label, &p50, &p95, &p99, &max, &units::count(latency.at("/count").count())], page);
    }
    let blurred = own.is_known().then_some("~: p99 below three times the delay of the load tester");
    for legend in [blurred, floor_legend(doc)].into_iter().flatten() {
        _ = writeln!(page, "\n{}", markdown(legend));
    }
    page.push('\n');
}

fn origin(doc: &Doc, page: &mut String) {
    let rows = origin_metrics::rows(doc);
    if rows.is_empty() {
        return;
    }
    head(&origin_metrics::COLUMNS, page);
    rows.iter().for_each(|cells| row(&cells.each_ref().map(String::as_str), page));
    page.push('\n');
}

fn failure_table(doc: &Doc, page: &mut String) {
    let rows = failures::failures(doc);
    if rows.is_empty() {
        return;
    }
    head(&["Failed with", "Requests", "Of all", "First", "Clients then", "Last"], page);
    for failure in rows {
        let count = units::count(failure.count);
        row(&[&failure.name, &count, &failure.share, &failure.first, &failure.clients, &failure.last], page);
    }
    page.push('\n');
}

fn findings(doc: &Doc, page: &mut String) {
    let findings = doc.at("/findings").list();
    let more = findings.len().saturating_sub(LISTED);
    for finding in findings.take(LISTED) {
        let [kind, severity, detail] = ["/kind", "/severity", "/detail"].map(|path| finding.at(path).word());
        let times = units::count(finding.at("/count").count());
        _ = writeln!(
            page,
            "- {}: **{}** {times}x, {} to {}: {}",
            markdown(&severity),
            markdown(&kind),
            clock(finding.at("/first_s")),
            clock(finding.at("/last_s")),
            markdown(&detail)
        );
    }
    if more > 0 {
        _ = writeln!(page, "- and {more} more findings");
    }
    if doc.at("/findings").list().len() > 0 {
        page.push('\n');
    }
}

fn changes(doc: &Doc, page: &mut String) {
    let marks = answer::marks(doc);
    for mark in &marks {
        _ = writeln!(page, "- {} at {}", markdown(&mark.label), clock(mark.at.at("/at_s")));
    }
    if !marks.is_empty() {
        page.push('\n');
    }
    for reason in answer::reasons(doc) {
        _ = writeln!(page, "- exit code {}: {}", known(doc.at("/exit/code")), markdown(&reason));
    }
    if doc.at("/exit/reasons").list().len() > 0 {
        page.push('\n');
    }
}
