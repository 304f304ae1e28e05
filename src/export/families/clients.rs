//! Metrics of clients: starts and departures, speed and drift, and, on request, series of each client.

use crate::export::bounds::{STAY, Step};
use crate::export::family::Family;
use crate::export::scrape::Scrape;
use crate::stats::{ClientRow, Metric};
use crate::vocabulary::ExitCategory;

/// The table.
pub(in crate::export) const TABLE: &[Family] = &[
    Family::counter("client_starts_total", "Clients that were started.", |s, out| {
        out.count(&[], s.sample.snapshot.created);
    }),
    Family::counter(
        "client_restarts_total",
        "Clients that took the place of one that had left.",
        |s, out| {
            out.count(&[], s.total(Metric::Replacements));
        },
    ),
    Family::counter(
        "client_exits_total",
        "Clients that left. success: stream or session over; error: no retry left, or a panic; signal: removed.",
        |s, out| {
            for category in ExitCategory::ALL {
                out.count(&[("category", category.name())], s.distributions.exited(category));
            }
        },
    ),
    Family::histogram("client_uptime_seconds", "Time that clients stayed which have left.", |s, out| {
        out.histogram(&[], &s.distributions.stayed(), Step::Millis, &STAY);
    }),
    Family::gauge("uptime_p50_seconds", "Median time that clients stayed which have left.", |s, out| {
        out.known(&[], s.stayed(|summary| summary.p50));
    }),
    Family::gauge(
        "uptime_p95_seconds",
        "95th percentile of the time that clients stayed which have left.",
        |s, out| {
            out.known(&[], s.stayed(|summary| summary.p95));
        },
    ),
    Family::gauge(
        "uptime_p99_seconds",
        "99th percentile of the time that clients stayed which have left.",
        |s, out| {
            out.known(&[], s.stayed(|summary| summary.p99));
        },
    ),
    Family::gauge(
        "clients_above_realtime",
        "Clients that play at real time: speed of at least 0.9.",
        |s, out| {
            out.count(&[], s.sample.clients_by_speed()[0]);
        },
    ),
    Family::gauge(
        "clients_below_realtime",
        "Clients that play slower than that: speed below 0.9.",
        |s, out| {
            out.count(&[], s.sample.clients_by_speed()[1]);
        },
    ),
    Family::gauge(
        "stalled_clients",
        "Slow clients: speed below 0.9 for more than five seconds.",
        |s, out| {
            out.count(&[], s.sample.slow_clients());
        },
    ),
    Family::gauge("high_drift_clients", "Active clients whose drift is more than five seconds.", |s, out| {
        out.count(&[], s.sample.high_drift_clients());
    }),
    Family::gauge(
        "average_drift_seconds",
        "Mean over active clients of their age minus their position.",
        |s, out| {
            out.known(&[], s.sample.average_drift().map(|drift| drift.as_secs_f64()));
        },
    ),
    Family::gauge("max_drift_seconds", "Largest drift that a listed client ever noticed.", |s, out| {
        out.number(&[], s.sample.drift_max().as_secs_f64());
    }),
    Family::gauge("client_speed", "Speed of a client (--metrics-per-client).", |s, out| {
        each(s, |id, row| out.known(&[("client_id", id)], row.speed));
    }),
    Family::gauge("client_drift_seconds", "Drift of a client (--metrics-per-client).", |s, out| {
        each(s, |id, row| out.number(&[("client_id", id)], s.sample.drift(row).as_secs_f64()));
    }),
    Family::counter("client_bytes_total", "Body bytes of a client (--metrics-per-client).", |s, out| {
        each(s, |id, row| out.count(&[("client_id", id)], row.bytes));
    }),
    Family::gauge(
        "clients_without_series",
        "Clients that have no series of their own: beyond the first 1,000 (--metrics-per-client).",
        |s, out| s.clients.iter().for_each(|(_, left_out)| out.count(&[], *left_out)),
    ),
];

/// Calls `write` with the number and the row of each client that has series of its own.
fn each(scrape: &Scrape<'_>, mut write: impl FnMut(&str, &ClientRow)) {
    let rows = scrape.clients.iter().flat_map(|(rows, _)| rows);
    rows.for_each(|row| write(&row.id.to_string(), row));
}
