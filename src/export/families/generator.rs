//! Metrics of the load tester itself: trust, gauges, process, and the pipeline of events.

use std::time::Duration;

use crate::export::family::Family;
use crate::export::scrape::Scrape;
use crate::export::series::Series;
use crate::verdict::{RULES, TrustVerdict, Unit};

/// The table.
pub(in crate::export) const TABLE: &[Family] = &[
    Family::gauge(
        "trust_verdict",
        "Whether the load tester itself limited the result: 1 for the current verdict.",
        |s, out| {
            let mut verdicts = TrustVerdict::ALL.into_iter().map(TrustVerdict::name);
            out.state("verdict", &mut verdicts, s.sample.trust.verdict.name());
        },
    ),
    Family::gauge(
        "trust_masked_ratio",
        "Share of the time so far whose numbers cannot be believed.",
        |s, out| {
            out.known(&[], s.sample.trust.masked_share());
        },
    ),
    Family::gauge(
        "generator_ratio",
        "Gauges of the load tester that are shares, over the last second.",
        |s, out| {
            gauges(s, out, Unit::Share, "_share", |share| share);
        },
    ),
    Family::gauge(
        "generator_seconds",
        "Gauges of the load tester that are times, over the last second.",
        |s, out| {
            gauges(s, out, Unit::Micros, "_us", |us| us / 1e6);
        },
    ),
    Family::gauge(
        "generator_quantity",
        "Gauges of the load tester that are numbers, over the last second.",
        |s, out| {
            gauges(s, out, Unit::Count, "", |number| number);
        },
    ),
    Family::counter("generator_cpu_seconds_total", "CPU time of the process.", |s, out| {
        out.number(&[], s.sample.generator.cpu_time.as_secs_f64());
    }),
    Family::gauge(
        "generator_cores_allowed",
        "Cores that the process may use, by affinity and quota.",
        |s, out| {
            out.known(&[], s.sample.generator.cores_allowed);
        },
    ),
    Family::gauge("generator_resident_memory_bytes", "Resident memory of the process.", |s, out| {
        known_count(out, s.sample.generator.resident_bytes);
    }),
    Family::gauge("generator_open_files", "Open file descriptors of the process.", |s, out| {
        known_count(out, s.sample.generator.open_files);
    }),
    Family::gauge("generator_files_limit", "Maximum number of open file descriptors.", |s, out| {
        known_count(out, s.sample.generator.files_limit);
    }),
    Family::gauge(
        "generator_delay_p99_seconds",
        "99th percentile of how late workers ran what was due.",
        |s, out| {
            let delay = s.sample.generator.own_delay;
            out.known(&[], delay.map(|delay| Duration::from_micros(delay.p99).as_secs_f64()));
        },
    ),
    Family::counter("panics_total", "Panics that were caught.", |s, out| out.count(&[], s.sample.panics)),
    Family::counter("invariant_violations_total", "Counters that contradicted each other.", |s, out| {
        out.count(&[], s.sample.snapshot.invariant_violations);
    }),
    Family::counter(
        "stats_lines_offered_total",
        "Samples and events that were offered to the pipeline.",
        |s, out| {
            streams(s, out, |counts| counts.offered);
        },
    ),
    Family::counter(
        "stats_lines_parsed_total",
        "Samples and events that reached the record or the log.",
        |s, out| {
            streams(s, out, |counts| counts.delivered);
        },
    ),
    Family::counter(
        "stats_lines_dropped_total",
        "Samples and events that the pipeline dropped.",
        |s, out| {
            streams(s, out, |counts| counts.dropped);
        },
    ),
    Family::gauge(
        "stats_clients_degraded",
        "Clients that lost more than 1 % of their samples and events.",
        |s, out| {
            out.count(&[], s.sample.pipeline.degraded_clients);
        },
    ),
    Family::gauge("stats_drop_rate", "Share of samples and events dropped in the last second.", |s, out| {
        out.known(&[], s.sample.pipeline.drop_rate);
    }),
    Family::gauge(
        "stats_peak_drop_rate",
        "Highest share of samples and events dropped in a second.",
        |s, out| {
            out.known(&[], s.sample.pipeline.peak_drop_rate);
        },
    ),
];

fn known_count(out: &mut dyn Series, value: Option<u64>) {
    value.into_iter().for_each(|value| out.count(&[], value));
}

fn streams(scrape: &Scrape<'_>, out: &mut dyn Series, of: fn(&crate::pipeline::Counts) -> u64) {
    let pipeline = &scrape.sample.pipeline;
    for (stream, counts) in [("progress", &pipeline.progress), ("events", &pipeline.events)] {
        out.count(&[("stream", stream)], of(counts));
    }
}

/// Writes the gauges of a unit, each under its name without the unit.
fn gauges(scrape: &Scrape<'_>, out: &mut dyn Series, unit: Unit, ending: &str, convert: fn(f64) -> f64) {
    for rule in RULES.iter().filter(|rule| rule.unit == unit) {
        let value = scrape.sample.trust.values[rule.gauge];
        let name = rule.name.strip_suffix(ending).unwrap_or(rule.name);
        out.known(&[("gauge", name)], value.map(convert));
    }
}
