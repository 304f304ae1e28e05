//! The `origin_metrics` block of the report: what exporters told about the origin; and its lines and rows.

use serde::Serialize;

use super::cells::{clock, count, plural};
use super::doc::{Doc, Part};
use super::page::Page;
use crate::origin_metrics::{EXPORTERS, OriginQuantity, OriginValues};
use crate::sample::{ExporterSample, GLANCE, OriginSeries, RunSample};

/// State of an exporter before its first scrape has ended, while it brings values, and while it does not.
const STATES: [&str; 3] = ["--", "ok", "failing"];
/// Digits after the point of values over time: more would fill the report with noise.
const KEPT: f64 = 1e4;

/// An exporter of the origin (`--origin-metrics`). A value that is not known is `null`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OriginMetricsReport {
    /// URL without its secrets.
    pub url: String,
    /// State at the end: `ok`, `failing`, or `--` before the first scrape has ended.
    pub state: &'static str,
    /// Reason for which it fails at the end; `null`: it does not.
    pub problem: Option<String>,
    /// Scrapes that have ended.
    pub scrapes: u64,
    /// Those that brought nothing.
    pub failures: u64,
    /// Busy share of all cores together.
    pub cpu_share: Extremes,
    /// Bits per second that network cards sent; those of the loopback device if only that one moved.
    pub network_out_bits_per_second: Extremes,
    /// Bits per second that they received.
    pub network_in_bits_per_second: Extremes,
    /// Bytes that programs could still get.
    pub memory_available_bytes: Extremes,
    /// Mean number of runnable tasks over a minute.
    pub load_1m: Extremes,
    /// Open connections of the web server.
    pub connections: Extremes,
    /// Connections whose request was being read.
    pub connections_reading: Extremes,
    /// Connections whose response was being written.
    pub connections_writing: Extremes,
    /// Idle connections.
    pub connections_waiting: Extremes,
    /// Requests per second of the web server.
    pub requests_per_second: Extremes,
    /// Values when the stream first was not served well; `null`: it always was.
    pub at_knee: Option<AtKnee>,
    /// Means over time.
    pub series: OriginSeriesReport,
}

/// Values of a quantity over the run.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Extremes {
    /// Value at the end.
    pub last: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
}

/// Values at the knee.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtKnee {
    /// Seconds since the start.
    pub at_s: f64,
    /// Busy share of all cores together.
    pub cpu_share: Option<f64>,
    /// Bits per second that network cards sent.
    pub network_out_bits_per_second: Option<f64>,
    /// Open connections of the web server.
    pub connections: Option<f64>,
    /// Requests per second of the web server.
    pub requests_per_second: Option<f64>,
}

/// Means in bins of Unix time; `null` where nothing was known.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OriginSeriesReport {
    /// Width of a bin in seconds: 1, 2, 4, ...; there are at most 600 bins.
    pub bin_s: u64,
    /// Begin of the first bin in seconds of Unix time: a multiple of `bin_s`.
    pub begins_unix_s: u64,
    /// Busy share of all cores together.
    pub cpu_share: Vec<Option<f64>>,
    /// Bits per second that network cards sent.
    pub network_out_bits_per_second: Vec<Option<f64>>,
    /// Open connections of the web server.
    pub connections: Vec<Option<f64>>,
    /// Requests per second of the web server.
    pub requests_per_second: Vec<Option<f64>>,
}

/// Builds the block of a whole sample.
pub(super) fn block(sample: &RunSample) -> Vec<OriginMetricsReport> {
    let series = sample.distributions.as_ref().map(|all| all.origin_series.as_slice()).unwrap_or_default();
    let series = series.iter().map(over_time).chain(std::iter::repeat_with(OriginSeriesReport::default));
    sample.origin.exporters.iter().zip(series).map(|(exporter, series)| report(exporter, series)).collect()
}

fn report(exporter: &ExporterSample, series: OriginSeriesReport) -> OriginMetricsReport {
    let state = &exporter.state;
    let of = |quantity: OriginQuantity| Extremes {
        last: state.values.get(quantity),
        min: exporter.least.get(quantity),
        max: exporter.most.get(quantity),
    };
    let place = if state.failing.is_some() { 2 } else { usize::from(state.scrapes > 0) };
    OriginMetricsReport {
        url: exporter.url.to_string(),
        state: STATES.get(place).copied().unwrap_or_default(),
        problem: state.failing.map(|(_, problem)| problem.words().into_owned()),
        scrapes: state.scrapes,
        failures: state.failures,
        cpu_share: of(OriginQuantity::Cpu),
        network_out_bits_per_second: of(OriginQuantity::BitsOut),
        network_in_bits_per_second: of(OriginQuantity::BitsIn),
        memory_available_bytes: of(OriginQuantity::Memory),
        load_1m: of(OriginQuantity::Load),
        connections: of(OriginQuantity::Connections),
        connections_reading: of(OriginQuantity::Reading),
        connections_writing: of(OriginQuantity::Writing),
        connections_waiting: of(OriginQuantity::Waiting),
        requests_per_second: of(OriginQuantity::Requests),
        at_knee: exporter.at_knee.map(|(at, values)| at_knee(at.as_secs_f64(), &values)),
        series,
    }
}

fn at_knee(at_s: f64, values: &OriginValues) -> AtKnee {
    AtKnee {
        at_s,
        cpu_share: values.get(OriginQuantity::Cpu),
        network_out_bits_per_second: values.get(OriginQuantity::BitsOut),
        connections: values.get(OriginQuantity::Connections),
        requests_per_second: values.get(OriginQuantity::Requests),
    }
}

fn over_time(series: &OriginSeries) -> OriginSeriesReport {
    let column = |place: usize| -> Vec<Option<f64>> {
        series.bins().iter().map(|bin| bin.mean(place).map(|mean| (mean * KEPT).round() / KEPT)).collect()
    };
    let [cpu_share, network_out_bits_per_second, connections, requests_per_second] = [0, 1, 2, 3].map(column);
    OriginSeriesReport {
        bin_s: series.width_s(),
        begins_unix_s: series.begins_s(),
        cpu_share,
        network_out_bits_per_second,
        connections,
        requests_per_second,
    }
}

/// Returns the worse of two states.
pub(super) fn worse_state<'a>(one: &'a str, other: &'a str) -> &'a str {
    let rank = |state: &str| STATES.iter().position(|known| *known == state);
    if rank(one) >= rank(other) { one } else { other }
}

/// Returns the exporters of a document.
fn exporters(doc: &Doc) -> impl Iterator<Item = Part<'_>> {
    doc.at("/origin_metrics").list().take(EXPORTERS)
}

/// Returns the origin's CPU at a knee, as the end of a sentence; empty without an exporter.
pub(super) fn cpu_at(doc: &Doc, knee: Part<'_>) -> String {
    if exporters(doc).next().is_none() {
        return String::new();
    }
    format!(", origin CPU {}", OriginQuantity::Cpu.shown(knee.at("/origin_cpu_share").number()))
}

/// Names of the columns of [`rows`].
pub(super) const COLUMNS: [&str; 8] =
    ["origin", "CPU max", "CPU at the knee", "sent max", "conns max", "req/s max", "scrapes", "failed"];

/// Returns a row for each exporter.
pub(super) fn rows(doc: &Doc) -> Vec<[String; COLUMNS.len()]> {
    let row = |exporter: Part<'_>| {
        let most =
            |quantity: OriginQuantity| quantity.shown(exporter.member(quantity.name()).at("/max").number());
        [
            exporter.at("/url").word(),
            most(OriginQuantity::Cpu),
            OriginQuantity::Cpu.shown(exporter.at("/at_knee/cpu_share").number()),
            most(OriginQuantity::BitsOut),
            most(OriginQuantity::Connections),
            most(OriginQuantity::Requests),
            count(exporter.at("/scrapes")),
            format!("{}{}", count(exporter.at("/failures")), problem(exporter)),
        ]
    };
    exporters(doc).map(row).collect()
}

/// Returns the reason for which the last scrape brought nothing, in brackets; empty if it brought values.
fn problem(exporter: Part<'_>) -> String {
    let problem = exporter.at("/problem");
    if problem.is_known() { format!(" ({})", problem.word()) } else { String::new() }
}

/// Writes the exporters: scrapes, the largest values with the last ones, and the values at the knee.
pub(super) fn lines(doc: &Doc, page: &mut Page) {
    for exporter in exporters(doc) {
        let (url, failed) = (exporter.at("/url").word(), count(exporter.at("/failures")));
        let scrapes = plural(exporter.at("/scrapes"), "scrape");
        page.line(format!("origin  {url}: {scrapes}, {failed} failed{}", problem(exporter)));
        let known = OriginQuantity::ALL.into_iter().filter_map(|quantity| {
            let values = exporter.member(quantity.name());
            // Of memory, the least that was left matters.
            let (worst, path) =
                if quantity == OriginQuantity::Memory { ("least", "/min") } else { ("max", "/max") };
            let most = values.at(path).number()?;
            let [last, most] = [values.at("/last").number(), Some(most)].map(|value| quantity.shown(value));
            Some(format!("{} {last} ({worst} {most})", quantity.words()))
        });
        let known: Vec<_> = known.collect();
        if !known.is_empty() {
            page.line(format!("        {}", known.join(", ")));
        }
        let knee = exporter.at("/at_knee");
        if knee.is_known() {
            let then = GLANCE.into_iter().filter_map(|quantity| {
                let value = knee.member(quantity.name()).number()?;
                Some(format!("{} {}", quantity.words(), quantity.shown(Some(value))))
            });
            let then: Vec<_> = then.collect();
            let then = if then.is_empty() { "nothing known".to_owned() } else { then.join(", ") };
            page.line(format!("        at the knee ({}): {then}", clock(knee.at("/at_s"))));
        }
    }
}
