//! Values of a document as texts: counts, shares, rates and times, as all formats write them.

use super::doc::{Doc, Part};
use crate::verdict::is_blurred;
use crate::vocabulary::Untrusted;
use crate::vocabulary::units::{self, UNKNOWN};

/// Latencies in the tables: name in the JSON, name for people, and rank by importance, 0 for the most important one.
pub(super) const LATENCIES: [(&str, &str, u8); 11] = [
    ("dns", "name lookup", 6),
    ("connect", "tcp connect", 4),
    ("tls", "tls handshake", 5),
    ("playlist_ttfb", "playlist, first byte", 8),
    ("playlist", "playlist", 2),
    ("init", "init", 10),
    ("segment_ttfb", "segment, first byte", 1),
    ("segment_body", "segment, body", 7),
    ("segment", "segment", 0),
    ("playlist_failed", "playlist, failed", 9),
    ("segment_failed", "segment, failed", 3),
];

/// Returns a number of clients, which a merged report may not know.
pub(super) fn clients(count: Part<'_>) -> String {
    if count.is_known() { plural(count, "client") } else { format!("{UNKNOWN} clients") }
}

/// Formats a count.
pub(super) fn count(value: Part<'_>) -> String {
    units::count(value.count())
}

/// Formats a count; `--` if it is unknown, where 0 would be a claim.
pub(super) fn known(value: Part<'_>) -> String {
    if value.is_known() { count(value) } else { UNKNOWN.to_owned() }
}

/// Formats a count with its noun.
pub(super) fn plural(value: Part<'_>, singular: &str) -> String {
    units::plural(value.count(), singular)
}

/// Returns a name of a document, sanitised.
pub(super) fn shown(name: &str) -> String {
    Untrusted::new(name).shown()
}

/// Formats a share.
pub(super) fn percent(share: Part<'_>) -> String {
    units::percent(share.number())
}

/// Formats bits per second.
pub(super) fn rate(bits_per_second: Part<'_>) -> String {
    bits_per_second.number().map_or(UNKNOWN.to_owned(), units::bit_rate)
}

/// Formats the time of a moment in seconds since the start: `1:24`, `1:02:03`; `--` if it is unknown.
pub(super) fn clock(seconds: Part<'_>) -> String {
    if seconds.number().is_none() { UNKNOWN.to_owned() } else { short_clock(seconds.seconds().as_secs()) }
}

/// Formats seconds as a time of the run: `1:24`, `1:02:03`.
pub(super) fn short_clock(seconds: u64) -> String {
    let [hours, minutes, rest] = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// Formats milliseconds as a length of time, rounded as a measurement and not cut as a clock: `0.82 ms`, `8.0 s`; `--` if
/// it is unknown.
pub(super) fn from_ms(ms: Part<'_>) -> String {
    let length = ms.number().and_then(|ms| std::time::Duration::try_from_secs_f64(ms / 1e3).ok());
    match length {
        None => UNKNOWN.to_owned(),
        Some(length) if length.as_micros() < 999_500 => {
            format!("{} ms", units::milliseconds(length.as_micros() as u64))
        }
        Some(length) if length.as_millis() < 59_950 => format!("{:.1} s", length.as_secs_f64()),
        Some(length) => units::span(length),
    }
}

/// Formats microseconds as milliseconds; `--` if they are unknown.
pub(super) fn milliseconds(us: Part<'_>) -> String {
    if us.is_known() { units::milliseconds(us.count()) } else { UNKNOWN.to_owned() }
}

/// Returns the meaning of the sign `<` if a latency of the document has it.
pub(super) fn floor_legend(doc: &Doc) -> Option<&'static str> {
    let is_reached =
        |latency: Part<'_>| ["/at_floor/p50", "/at_floor/p99"].iter().any(|path| latency.at(path).is_true());
    doc.at("/latency_us").table().any(|(_, latency)| is_reached(latency)).then_some("<: at floor")
}

/// Returns the median, the 95th, 99th and 99.9th percentile and the maximum of a latency. A p99 that may be the load
/// tester's own has the sign `~`, and other values that are about as short as this machine can measure them `<`.
pub(super) fn latency_cells(latency: Part<'_>, own_p99: Part<'_>) -> [String; 5] {
    let [mut p50, p95, mut p99, p999, max] =
        ["/p50", "/p95", "/p99", "/p999", "/max"].map(|path| milliseconds(latency.at(path)));
    if own_p99.is_known() && is_blurred(latency.at("/p99").count(), own_p99.count()) {
        p99.insert(0, '~');
    } else if latency.at("/at_floor/p99").is_true() {
        p99.insert(0, '<');
    }
    if latency.at("/at_floor/p50").is_true() {
        p50.insert(0, '<');
    }
    [p50, p95, p99, p999, max]
}

/// A latency of the whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyRow {
    /// Name for people.
    pub label: &'static str,
    /// Percentiles 50, 95, 99 and 99.9 and the maximum in milliseconds, and the number of values.
    pub cells: [String; 6],
    /// Rank by importance for a short table, 0 for the most important one.
    pub rank: u8,
}

/// Returns the latencies that a document has.
pub(super) fn latency_rows(doc: &Doc) -> Vec<LatencyRow> {
    let own = doc.at("/trust/generator_delay_us/p99");
    let row = |(name, label, rank)| {
        let latency = doc.at("/latency_us").member(name);
        let [p50, p95, p99, p999, max] = latency_cells(latency, own);
        let cells = [p50, p95, p99, p999, max, count(latency.at("/count"))];
        latency.is_known().then_some(LatencyRow { label, cells, rank })
    };
    LATENCIES.into_iter().filter_map(row).collect()
}
