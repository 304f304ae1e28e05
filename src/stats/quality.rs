//! Quality of playback as viewers saw it, in the terms of CTA-2066, which [`DEFINITIONS`] explains.
//!
//! * One formula serves a client, a session and a whole run: all are computed from the same five counters.
//! * A client that leaves adds its own numbers to the distributions over sessions, once, if it ever played.

use super::client::ClientStats;
use super::latency::LatencySnapshot;
use super::latency_cells::HistogramCells;
use super::metric::Metric;
use super::snapshot::Totals;
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::vocabulary::SessionNumber;

/// Terms of playback and their meanings.
pub const DEFINITIONS: [(&str, &str); 12] = [
    (
        "start-up time",
        "from a client's first request (its connection included) until its first media can be played",
    ),
    (
        "start failure",
        "a client that left before anything was played, after as many retries as its player makes",
    ),
    ("exit before start", "a client whose session ended, or that was removed, before anything was played"),
    (
        "stall",
        "playback stopped because the buffer ran dry; waiting before the first media is start-up, not a stall",
    ),
    ("rebuffer ratio", "stall time / (stall time + play time)"),
    ("stalls per hour", "stalls / hours of (stall time + play time)"),
    (
        "bitrate",
        "time-weighted: bits of the media played / seconds played, by the mean bit rate that each client loaded",
    ),
    (
        "live latency",
        "wall-clock time - EXT-X-PROGRAM-DATE-TIME of the media on screen, where the playlist has dates; \
      otherwise the distance from the end of the playlist, taken as current when requested; measured at \
      each new playlist",
    ),
    ("drift", "time since a client started - media that it has played"),
    (
        "speed",
        "media seconds played / seconds, over the last ten seconds; slow: below 0.9 for more than five seconds",
    ),
    (
        "edge jump",
        "a client skipped to a new live position instead of continuing after its last segment: it was too slow for \
      the window, or the stream restarted",
    ),
    ("session", "the life of one client, from its first request until it leaves, is removed or the run ends"),
];

/// Counters of a client's or a run's playback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Microseconds from the first request of clients until playback began.
    pub startup_us: u64,
    /// Microseconds of media played.
    pub play_us: u64,
    /// Microseconds that playback stood still after it had begun.
    pub stall_us: u64,
    /// Stalls that began.
    pub stalls: u64,
    /// Bytes of the media played.
    pub played_bytes: u64,
}

impl Quality {
    fn read(count: impl Fn(Metric) -> u64) -> Self {
        Self {
            startup_us: count(Metric::StartupMicros),
            play_us: count(Metric::PlayMicros),
            stall_us: count(Metric::StallMicros),
            stalls: count(Metric::Stalls),
            played_bytes: count(Metric::PlayedBytes),
        }
    }

    /// Returns the quality of all clients together.
    pub fn from_totals(totals: &Totals) -> Self {
        Self::read(|metric| totals.get(metric))
    }

    /// Returns the quality of one client.
    pub fn from_client(client: &ClientStats) -> Self {
        Self::read(|metric| client.get(metric))
    }

    /// Returns stall / (stall + play); `None` if nothing was played.
    pub fn rebuffer_ratio(&self) -> Option<f64> {
        share(self.stall_us as f64, self.watched_us())
    }

    /// Returns the stalls per hour of (stall + play); `None` if nothing was played.
    pub fn stalls_per_hour(&self) -> Option<f64> {
        share(self.stalls as f64 * 3.6e9, self.watched_us())
    }

    /// Returns the bits per second of the media played; `None` if nothing was played.
    pub fn bits_per_second(&self) -> Option<f64> {
        share(self.played_bytes as f64 * 8e6, self.play_us as f64)
    }

    /// Returns play / (start-up + play + stall); `None` if no time has been counted yet.
    pub fn average_speed(&self) -> Option<f64> {
        share(self.play_us as f64, self.startup_us as f64 + self.watched_us())
    }

    fn watched_us(&self) -> f64 {
        (self.play_us + self.stall_us) as f64
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Histograms of the sessions that ended on one worker thread, each allocated with its first value.
#[derive(Debug, Default)]
pub(super) struct Sessions([OnceLock<Box<HistogramCells>>; SessionNumber::COUNT]);

impl Sessions {
    /// Records the numbers of a session that has ended; by the one writer only.
    pub(super) fn record(&self, quality: &Quality) {
        for (number, value) in [
            (SessionNumber::RebufferRatio, quality.rebuffer_ratio()),
            (SessionNumber::StallsPerHour, quality.stalls_per_hour()),
            (SessionNumber::BitsPerSecond, quality.bits_per_second()),
        ] {
            if let (Some(cells), Some(value)) = (self.0.get(number as usize), value) {
                // Never negative, and far below 2^63: the cast only rounds.
                cells.get_or_init(Box::default).record((value / number.unit()).round() as u64);
            }
        }
    }

    /// Visits all distributions.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        self.0.iter().for_each(|cells| HistogramCells::walk_one(cells, walk));
    }

    /// Adds the values recorded so far to `snapshot`.
    pub(super) fn add_to(&self, number: SessionNumber, snapshot: &mut LatencySnapshot) {
        if let Some(cells) = self.0.get(number as usize).and_then(OnceLock::get) {
            cells.add_to(snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_what_its_definition_says() {
        let quality = Quality {
            startup_us: 1_800_000_000,
            play_us: 2_700_000_000,
            stall_us: 900_000_000,
            stalls: 3,
            played_bytes: 1_350_000_000,
        };
        assert_eq!(quality.rebuffer_ratio(), Some(0.25));
        assert_eq!(quality.stalls_per_hour(), Some(3.0));
        assert_eq!(quality.bits_per_second(), Some(4e6));
        assert_eq!(quality.average_speed(), Some(0.5));
        let nothing = Quality::default();
        let unknown = (nothing.rebuffer_ratio(), nothing.stalls_per_hour(), nothing.bits_per_second());
        assert_eq!((unknown, nothing.average_speed()), ((None, None, None), None));
    }

    #[test]
    fn sessions_are_found_again_in_their_units_and_those_that_never_played_are_left_out() {
        let sessions = Sessions::default();
        sessions.record(&Quality::default());
        for stalls in 1..=4 {
            sessions.record(&Quality {
                startup_us: 0,
                play_us: 3_600_000_000,
                stall_us: 0,
                stalls,
                played_bytes: 450_000_000,
            });
        }
        let max = |number: SessionNumber| {
            let mut snapshot = LatencySnapshot::default();
            sessions.add_to(number, &mut snapshot);
            let summary = snapshot.summary().expect("sessions");
            assert_eq!(summary.count, 4);
            summary.max as f64 * number.unit()
        };
        assert_eq!(max(SessionNumber::RebufferRatio), 0.0);
        assert_eq!(max(SessionNumber::StallsPerHour), 4.0);
        assert_eq!(max(SessionNumber::BitsPerSecond), 1e6);
    }
}
