//! What viewers saw: the `playback` block of the report, made from counters and histograms.

use std::time::Duration;

use serde::Serialize;

use crate::sample::{Details, RunSample};
use crate::stats::{LatencySnapshot, Metric, SessionNumber, Timed};
use crate::vocabulary::ClientState;

/// A distribution in numbers.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spread {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// How many values.
    pub count: u64,
    /// The sum.
    pub sum: f64,
    /// Filled buckets as [upper end, count], in steps of `unit`: they add where percentiles do not.
    pub buckets: Vec<(u64, u64)>,
    /// What one step of a bucket is.
    pub unit: f64,
}

/// What viewers would have seen.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Playback {
    /// Clients whose playback began.
    pub started: u64,
    /// From a client's first request to its first media; `null`: nothing was played.
    pub startup_ms: Option<Spread>,
    /// Stalls that began.
    pub stalls: u64,
    /// Clients that were stalled at the end.
    pub stalled_clients: u64,
    /// Clients that played the stream to its end.
    pub finished_clients: u64,
    /// Clients whose task was lost to a panic.
    pub dead_clients: u64,
    /// Seconds that playback stood still after it had begun, all clients together.
    pub stall_s: f64,
    /// Seconds of media played, all clients together.
    pub play_s: f64,
    /// stall / (stall + play); `null`: nothing was played.
    pub rebuffer_ratio: Option<f64>,
    /// play / (start-up + play + stall), all clients together; `null` without clients.
    pub average_speed: Option<f64>,
    /// The largest distance between a client's time and its position, in seconds.
    pub drift_max_s: f64,
    /// Segments that left the live window before they were fetched, or were given up.
    pub segments_skipped: u64,
    /// Clients that gave up before anything was played.
    pub start_failures: u64,
    /// Clients whose session was over, or that were removed, before anything was played.
    pub exits_before_start: u64,
    /// Clients that gave up because what failed had been tried as often as their player does.
    pub gave_up: u64,
    /// Clients that left because they had stayed as long as they should.
    pub sessions_over: u64,
    /// Clients that took the place of one that had left.
    pub replacements: u64,
    /// Stalls an hour of (stall + play); `null`: nothing was played.
    pub stalls_per_hour: Option<f64>,
    /// Time-weighted bit rate of what was played; `null`: nothing was played.
    pub bits_per_second: Option<f64>,
    /// How far viewers were behind a live stream, in milliseconds; `null`: it was not live, or nothing was played.
    pub live_latency_ms: Option<Spread>,
    /// Times that a client went on elsewhere in a live stream than behind what it had.
    pub edge_jumps: u64,
    /// Times that a client went on with another variant.
    pub variant_switches: u64,
    /// Reloads of playlists that clients answered from their own cache, without a request.
    pub cached_reloads: u64,
    /// How the sessions that ever played differ from one another.
    pub sessions: Sessions,
}

/// Numbers of playback as distributions over sessions; `null` where nothing was ever played.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sessions {
    /// Sessions that ever played.
    pub played: u64,
    /// stall / (stall + play).
    pub rebuffer_ratio: Option<Spread>,
    /// Stalls an hour of (stall + play).
    pub stalls_per_hour: Option<Spread>,
    /// Time-weighted bit rate.
    pub bits_per_second: Option<Spread>,
}

/// The block of a run whose clients have all left.
pub(super) fn playback(frame: &RunSample, details: &Details) -> Playback {
    let totals = &frame.snapshot.totals;
    let seconds = |metric| Duration::from_micros(totals.get(metric)).as_secs_f64();
    let quality = &frame.quality;
    Playback {
        started: totals.get(Metric::PlaybackStarts),
        startup_ms: timed_ms(details, Timed::Startup),
        stalls: totals.get(Metric::Stalls),
        stalled_clients: frame.stalled_clients(),
        finished_clients: frame.snapshot.in_state(ClientState::Finished),
        dead_clients: frame.snapshot.in_state(ClientState::Dead),
        stall_s: seconds(Metric::StallMicros),
        play_s: seconds(Metric::PlayMicros),
        rebuffer_ratio: quality.rebuffer_ratio(),
        average_speed: quality.average_speed(),
        drift_max_s: frame.drift_max().as_secs_f64(),
        segments_skipped: totals.get(Metric::SegmentsSkipped),
        start_failures: totals.get(Metric::StartFailures),
        exits_before_start: totals.get(Metric::ExitsBeforeStart),
        gave_up: totals.get(Metric::GaveUp),
        sessions_over: totals.get(Metric::SessionsOver),
        replacements: totals.get(Metric::Replacements),
        stalls_per_hour: quality.stalls_per_hour(),
        bits_per_second: quality.bits_per_second(),
        live_latency_ms: timed_ms(details, Timed::LiveLatency),
        edge_jumps: totals.get(Metric::EdgeJumps),
        variant_switches: totals.get(Metric::VariantSwitches),
        cached_reloads: totals.get(Metric::CachedReloads),
        sessions: sessions(details),
    }
}

fn timed_ms(details: &Details, timed: Timed) -> Option<Spread> {
    details.latency(timed).and_then(|values| spread(values, 1e-3))
}

fn sessions(details: &Details) -> Sessions {
    let of =
        |number: SessionNumber| details.sessions(number).and_then(|values| spread(values, number.unit()));
    Sessions {
        played: details.sessions(SessionNumber::RebufferRatio).map_or(0, LatencySnapshot::count),
        rebuffer_ratio: of(SessionNumber::RebufferRatio),
        stalls_per_hour: of(SessionNumber::StallsPerHour),
        bits_per_second: of(SessionNumber::BitsPerSecond),
    }
}

/// A histogram in numbers, one of its steps being `unit`.
fn spread(values: &LatencySnapshot, unit: f64) -> Option<Spread> {
    let of = |value: u64| value as f64 * unit;
    values.summary().map(|summary| Spread {
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
