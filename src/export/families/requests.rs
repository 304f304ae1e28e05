//! Metrics of requests: counts, bytes, rates, times and failures.

use crate::export::bounds::{CONNECTION, REQUEST, Step};
use crate::export::family::Family;
use crate::export::scrape::Scrape;
use crate::export::series::Series;
use crate::stats::{Metric, Rates};
use crate::vocabulary::{Kind, Outcome, Timed};

/// The table.
pub(in crate::export) const TABLE: &[Family] = &[
    Family::counter("manifest_requests_total", "Playlist requests started.", |s, out| {
        out.count(&[], s.total(Metric::PlaylistStarted));
    }),
    Family::counter("segment_requests_total", "Segment requests started.", |s, out| {
        out.count(&[], s.total(Metric::SegmentStarted));
    }),
    Family::counter("part_requests_total", "Part requests started.", |s, out| {
        out.count(&[], s.total(Metric::PartStarted));
    }),
    Family::counter("init_requests_total", "Initialization section requests started.", |s, out| {
        out.count(&[], s.total(Metric::InitStarted));
    }),
    Family::counter("key_requests_total", "Key requests started.", |s, out| {
        out.count(&[], s.total(Metric::KeyStarted));
    }),
    Family::counter("unknown_requests_total", "Requests of no known kind started.", |s, out| {
        out.count(&[], s.total(Metric::UnknownStarted));
    }),
    Family::counter("request_outcomes_total", "Requests that reached their outcome.", |s, out| {
        for kind in Kind::ALL {
            for (outcome, tally) in s.sample.snapshot.totals.kind(kind).outcomes() {
                out.count(&[("kind", kind.name()), ("outcome", &outcome.to_string())], tally.requests);
            }
        }
    }),
    Family::gauge("requests_in_flight", "Requests that are open.", |s, out| {
        out.count(&[], s.sample.snapshot.totals.in_flight);
    }),
    Family::counter(
        "bytes_downloaded_total",
        "Body bytes of all kinds as they arrived on the wire.",
        |s, out| {
            out.count(&[], s.sample.snapshot.totals.bytes());
        },
    ),
    Family::counter(
        "segment_bytes_downloaded_total",
        "Body bytes of segments as they arrived on the wire.",
        |s, out| {
            out.count(&[], s.total(Metric::SegmentBytes));
        },
    ),
    Family::counter("kind_bytes_total", "Body bytes as they arrived on the wire, by kind.", |s, out| {
        for kind in Kind::ALL {
            out.count(&[("kind", kind.name())], s.sample.snapshot.totals.bytes_of(kind));
        }
    }),
    Family::gauge(
        "manifest_requests_per_second",
        "Playlist requests per second over the last ten seconds.",
        |s, out| {
            out.known(&[], s.sample.recent.map(|rates| rates.playlists_per_second));
        },
    ),
    Family::gauge(
        "segment_requests_per_second",
        "Segment requests per second over the last ten seconds.",
        |s, out| {
            out.known(&[], s.sample.recent.map(|rates| rates.segments_per_second));
        },
    ),
    Family::gauge(
        "throughput_bytes_per_second",
        "Body bytes per second over the last ten seconds.",
        |s, out| {
            out.known(&[], s.sample.recent.map(|rates| rates.bits_per_second / 8.0));
        },
    ),
    Family::gauge(
        "segment_throughput_1s_bytes_per_second",
        "Segment bytes per second over the last second.",
        |s, out| {
            out.known(&[], segment_bytes_per_second(s.sample.windows[0]));
        },
    ),
    Family::gauge(
        "segment_throughput_30s_bytes_per_second",
        "Segment bytes per second over 30 seconds.",
        |s, out| {
            out.known(&[], segment_bytes_per_second(s.sample.windows[1]));
        },
    ),
    Family::gauge(
        "segment_throughput_60s_bytes_per_second",
        "Segment bytes per second over a minute.",
        |s, out| {
            out.known(&[], segment_bytes_per_second(s.sample.windows[2]));
        },
    ),
    Family::gauge(
        "segment_throughput_300s_bytes_per_second",
        "Segment bytes per second over five minutes.",
        |s, out| {
            out.known(&[], segment_bytes_per_second(s.sample.windows[3]));
        },
    ),
    Family::histogram(
        "inferred_latency_seconds",
        "Time from the start of a segment request to its end, for those that ended ok; measured, not inferred.",
        |s, out| timed(s, out, &[(&[], Timed::Total(Kind::Segment))], &REQUEST),
    ),
    Family::gauge("inferred_latency_p50_seconds", "Median of these times over the whole run.", |s, out| {
        out.known(&[], s.segment_time(|summary| summary.p50));
    }),
    Family::gauge(
        "inferred_latency_p95_seconds",
        "95th percentile of these times over the whole run.",
        |s, out| {
            out.known(&[], s.segment_time(|summary| summary.p95));
        },
    ),
    Family::gauge(
        "inferred_latency_p99_seconds",
        "99th percentile of these times over the whole run.",
        |s, out| {
            out.known(&[], s.segment_time(|summary| summary.p99));
        },
    ),
    Family::gauge("inferred_latency_max_seconds", "Longest of these times.", |s, out| {
        out.known(&[], s.segment_time(|summary| summary.max));
    }),
    Family::histogram(
        "time_to_first_byte_seconds",
        "Time from sending a request to the first byte of its response, for requests that ended ok.",
        |s, out| {
            let kinds = Kind::ALL.map(|kind| ([("kind", kind.name())], Timed::FirstByte(kind)));
            kinds.iter().for_each(|(labels, of)| timed(s, out, &[(labels, *of)], &REQUEST));
        },
    ),
    Family::histogram(
        "request_duration_seconds",
        "Time from the start of a request to its end; requests that hlswarm cut are left out.",
        |s, out| {
            for kind in Kind::ALL {
                let labels = |result| [("kind", kind.name()), ("result", result)];
                let (ok, failed) = (labels("ok"), labels("failed"));
                let both = [(&ok[..], Timed::Total(kind)), (&failed[..], Timed::Failed(kind))];
                timed(s, out, &both, &REQUEST);
            }
        },
    ),
    Family::histogram("dns_lookup_seconds", "Time to resolve a name.", |s, out| {
        timed(s, out, &[(&[], Timed::Dns)], &CONNECTION);
    }),
    Family::histogram("connect_seconds", "Time to open a TCP connection.", |s, out| {
        timed(s, out, &[(&[], Timed::Connect)], &CONNECTION);
    }),
    Family::histogram("tls_handshake_seconds", "Time of a TLS handshake.", |s, out| {
        timed(s, out, &[(&[], Timed::Tls)], &CONNECTION);
    }),
    Family::counter("connections_opened_total", "Connections that became usable.", |s, out| {
        out.count(&[], s.total(Metric::Connections));
    }),
    Family::counter(
        "reconnections_total",
        "Connections that replaced a lost one to the same endpoint.",
        |s, out| {
            out.count(&[], s.total(Metric::Reconnections));
        },
    ),
    Family::counter("redirects_total", "Redirects that were followed.", |s, out| {
        out.count(&[], s.total(Metric::Redirects));
    }),
    Family::counter(
        "stale_retries_total",
        "Requests sent again because their connection had been closed.",
        |s, out| {
            out.count(&[], s.total(Metric::StaleRetries));
        },
    ),
    Family::counter(
        "http_errors_total",
        "Requests that ended with a failed HTTP status; other: outside 400 to 599.",
        |s, out| {
            for error in s.sample.snapshot.totals.http_errors() {
                out.count(&[("status_code", &error.code.to_string())], error.count);
            }
        },
    ),
    Family::counter("timeouts_total", "Requests that ended in a timeout of any phase.", |s, out| {
        out.count(&[], s.total(Metric::Timeouts));
    }),
    Family::counter(
        "requests_failed_total",
        "Requests that failed, except those that hlswarm cut and expected responses.",
        |s, out| {
            out.count(&[], s.sample.snapshot.totals.errors());
        },
    ),
    Family::counter(
        "requests_expected_total",
        "Responses with an expected status (--expect), which are no failures.",
        |s, out| {
            out.count(&[], s.sample.snapshot.totals.expected_responses());
        },
    ),
    Family::counter("requests_ok_total", "Requests that ended ok.", |s, out| {
        out.count(&[], s.sample.snapshot.totals.ended(Outcome::Ok));
    }),
    Family::gauge(
        "error_rate",
        "Share of failures among all requests so far that the origin could answer, from 0 to 1.",
        |s, out| out.known(&[], s.sample.snapshot.totals.error_share()),
    ),
];

fn segment_bytes_per_second(rates: Option<Rates>) -> Option<f64> {
    rates.map(|rates| rates.segment_bits_per_second / 8.0)
}

/// Writes the distributions that have a value.
fn timed(scrape: &Scrape<'_>, out: &mut dyn Series, of: &[(&[(&str, &str)], Timed)], bounds: &[f64]) {
    for (labels, timed) in of {
        let values = scrape.distributions.latency(*timed);
        values.into_iter().for_each(|values| out.histogram(labels, values, Step::Micros, bounds));
    }
}
