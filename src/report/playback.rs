//! The `playback` block of the report: playback as viewers would have seen it, from counters and histograms.

use std::time::Duration;

use serde::Serialize;

use crate::sample::{Distributions, RunSample};
use crate::stats::{LatencySnapshot, Metric};
use crate::vocabulary::{ClientState, SessionNumber, Timed};

/// Summary of a distribution.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpreadReport {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
    /// Number of values.
    pub count: u64,
    /// Sum of all values.
    pub sum: f64,
    /// Non-empty buckets as [upper end, count], in steps of `unit`. Buckets of several reports can be added.
    pub buckets: Vec<(u64, u64)>,
    /// Size of one bucket step, in the unit of the other fields.
    pub unit: f64,
}

/// Playback as viewers would have seen it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlaybackReport {
    /// Clients that started to play.
    pub started: u64,
    /// Time from a client's first request to its first playable media; `null`: nothing was played.
    pub startup_ms: Option<SpreadReport>,
    /// Stalls, counted when they begin.
    pub stalls: u64,
    /// Clients stalled at the end.
    pub stalled_clients: u64,
    /// Clients that played the stream to its end.
    pub finished_clients: u64,
    /// Clients whose task was lost to a panic.
    pub dead_clients: u64,
    /// Seconds of stall after playback had begun, summed over all clients.
    pub stall_s: f64,
    /// Seconds of media played, summed over all clients.
    pub play_s: f64,
    /// stall / (stall + play); `null`: nothing was played.
    pub rebuffer_ratio: Option<f64>,
    /// play / (start-up + play + stall), over all clients; `null` without clients.
    pub average_speed: Option<f64>,
    /// Largest difference between a client's age and its playback position, in seconds.
    pub drift_max_s: f64,
    /// Segments that were not played: they left the live window first, or failed and were skipped.
    pub segments_skipped: u64,
    /// Clients that left after their retries, before anything was played.
    pub start_failures: u64,
    /// Clients whose session ended, or that were removed, before anything was played.
    pub exits_before_start: u64,
    /// Clients that left after as many retries as their player makes.
    pub gave_up: u64,
    /// Clients that left at the end of their session.
    pub sessions_over: u64,
    /// Clients that replaced one that had left.
    pub replacements: u64,
    /// Stalls per hour of (stall + play); `null`: nothing was played.
    pub stalls_per_hour: Option<f64>,
    /// Bytes of the media played: `bits_per_second` is their bits by `play_s`.
    pub played_bytes: u64,
    /// Seconds from the first request of clients until playback began, summed over all clients.
    pub startup_s: f64,
    /// Time-weighted bit rate of the media played; `null`: nothing was played.
    pub bits_per_second: Option<f64>,
    /// Live latency in milliseconds; `null`: the stream was not live, or nothing was played.
    pub live_latency_ms: Option<SpreadReport>,
    /// Number of times that a client skipped to a new live position instead of continuing after its last segment.
    pub edge_jumps: u64,
    /// Number of times that a client switched to another variant.
    pub variant_switches: u64,
    /// Playlist reloads that clients served from their own cache, without a request.
    pub cached_reloads: u64,
    /// Responses of 429 or 503 after which a client waited as long as their `Retry-After` asked, at most a minute.
    pub retry_after_honoured: u64,
    /// Distributions over the sessions that played.
    pub sessions: SessionsReport,
}

/// Playback metrics as distributions over sessions; `null`: nothing was played.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionsReport {
    /// Sessions that played anything.
    pub played: u64,
    /// stall / (stall + play).
    pub rebuffer_ratio: Option<SpreadReport>,
    /// Stalls per hour of (stall + play).
    pub stalls_per_hour: Option<SpreadReport>,
    /// Time-weighted bit rate.
    pub bits_per_second: Option<SpreadReport>,
}

/// Builds the block of a run whose clients have all left.
pub(super) fn playback(sample: &RunSample, distributions: &Distributions) -> PlaybackReport {
    let totals = &sample.snapshot.totals;
    let seconds = |metric| Duration::from_micros(totals.get(metric)).as_secs_f64();
    let quality = sample.quality;
    PlaybackReport {
        started: totals.get(Metric::PlaybackStarts),
        startup_ms: timed_ms(distributions, Timed::Startup),
        stalls: totals.get(Metric::Stalls),
        stalled_clients: sample.stalled_clients(),
        finished_clients: sample.snapshot.in_state(ClientState::Finished),
        dead_clients: sample.snapshot.in_state(ClientState::Dead),
        stall_s: seconds(Metric::StallMicros),
        play_s: seconds(Metric::PlayMicros),
        rebuffer_ratio: quality.rebuffer_ratio(),
        average_speed: quality.average_speed(),
        drift_max_s: sample.drift_max().as_secs_f64(),
        segments_skipped: totals.get(Metric::SegmentsSkipped),
        start_failures: totals.get(Metric::StartFailures),
        exits_before_start: totals.get(Metric::ExitsBeforeStart),
        gave_up: totals.get(Metric::GaveUp),
        sessions_over: totals.get(Metric::SessionsOver),
        replacements: totals.get(Metric::Replacements),
        stalls_per_hour: quality.stalls_per_hour(),
        played_bytes: quality.played_bytes,
        startup_s: seconds(Metric::StartupMicros),
        bits_per_second: quality.bits_per_second(),
        live_latency_ms: timed_ms(distributions, Timed::LiveLatency),
        edge_jumps: totals.get(Metric::EdgeJumps),
        variant_switches: totals.get(Metric::VariantSwitches),
        cached_reloads: totals.get(Metric::CachedReloads),
        retry_after_honoured: totals.get(Metric::RetryAfterHonoured),
        sessions: sessions(distributions),
    }
}

fn timed_ms(distributions: &Distributions, timed: Timed) -> Option<SpreadReport> {
    distributions.latency(timed).and_then(|values| spread(values, 1e-3))
}

fn sessions(distributions: &Distributions) -> SessionsReport {
    let values_of = |number| distributions.sessions(number);
    let of = |number: SessionNumber| spread(values_of(number)?, number.unit());
    SessionsReport {
        played: values_of(SessionNumber::RebufferRatio).map_or(0, LatencySnapshot::count),
        rebuffer_ratio: of(SessionNumber::RebufferRatio),
        stalls_per_hour: of(SessionNumber::StallsPerHour),
        bits_per_second: of(SessionNumber::BitsPerSecond),
    }
}

/// Summarises a histogram whose values are multiples of `unit`; `None` if it is empty.
fn spread(values: &LatencySnapshot, unit: f64) -> Option<SpreadReport> {
    let of = |value: u64| value as f64 * unit;
    values.summary().map(|summary| SpreadReport {
        p50: of(summary.p50),
        p95: of(summary.p95),
        p99: of(summary.p99),
        max: of(summary.max),
        count: summary.count,
        sum: of(values.sum()),
        buckets: values.buckets().collect(),
        unit,
    })
}
