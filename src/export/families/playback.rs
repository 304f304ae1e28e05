//! Metrics of playback, as viewers would have seen it.

use crate::export::bounds::{PLAYBACK, Step};
use crate::export::family::Family;
use crate::stats::Metric;
use crate::vocabulary::Timed;

/// The table.
pub(in crate::export) const TABLE: &[Family] = &[
    Family::counter("playback_starts_total", "Clients that began to play.", |s, out| {
        out.count(&[], s.total(Metric::PlaybackStarts));
    }),
    Family::histogram(
        "startup_seconds",
        "Time from a client's first request to its first media.",
        |s, out| {
            let values = s.distributions.latency(Timed::Startup);
            values.into_iter().for_each(|values| out.histogram(&[], values, Step::Micros, &PLAYBACK));
        },
    ),
    Family::histogram("live_latency_seconds", "Delay of viewers against the live stream.", |s, out| {
        let values = s.distributions.latency(Timed::LiveLatency);
        values.into_iter().for_each(|values| out.histogram(&[], values, Step::Micros, &PLAYBACK));
    }),
    Family::counter(
        "start_failures_total",
        "Clients that left after their retries, before playback began.",
        |s, out| {
            out.count(&[], s.total(Metric::StartFailures));
        },
    ),
    Family::counter(
        "exits_before_start_total",
        "Clients that ended or were removed before playback began.",
        |s, out| {
            out.count(&[], s.total(Metric::ExitsBeforeStart));
        },
    ),
    Family::counter("stalls_total", "Stalls that began after playback had begun.", |s, out| {
        out.count(&[], s.total(Metric::Stalls));
    }),
    Family::counter("stall_seconds_total", "Time that playback stood still after it had begun.", |s, out| {
        out.number(&[], s.seconds(Metric::StallMicros));
    }),
    Family::counter("play_seconds_total", "Time of media played.", |s, out| {
        out.number(&[], s.seconds(Metric::PlayMicros));
    }),
    Family::gauge(
        "rebuffer_ratio",
        "Stall time as a share of stall and play time, over the whole run.",
        |s, out| {
            out.known(&[], s.sample.quality.rebuffer_ratio());
        },
    ),
    Family::gauge(
        "average_speed",
        "Play time by start-up, play and stall time, over the whole run.",
        |s, out| {
            out.known(&[], s.sample.quality.average_speed());
        },
    ),
    Family::gauge(
        "played_bytes_per_second",
        "Bytes by second of the media played, over the whole run.",
        |s, out| {
            out.known(&[], s.sample.quality.bits_per_second().map(|bits| bits / 8.0));
        },
    ),
    Family::counter(
        "segments_skipped_total",
        "Segments that were not played: they left the window, or failed.",
        |s, out| {
            out.count(&[], s.total(Metric::SegmentsSkipped));
        },
    ),
    Family::counter("edge_jumps_total", "Times that a client skipped to a new live position.", |s, out| {
        out.count(&[], s.total(Metric::EdgeJumps));
    }),
    Family::counter(
        "variant_switches_total",
        "Times that a client switched to another variant.",
        |s, out| {
            out.count(&[], s.total(Metric::VariantSwitches));
        },
    ),
];
