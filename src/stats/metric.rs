//! Catalogue of scalar counters. Each is counted once for a client and once for the whole run.
//!
//! All of them only grow. To add one, add its line here and count it in `swarm/client.rs`; snapshots and the audit of
//! clients against totals iterate over [`Metric::ALL`]. The order of the lines is the order of the cells in memory,
//! so a new counter goes to the end unless every request counts it.

use crate::vocabulary::Kind;

/// Declares the catalogue: variant, name, meaning.
macro_rules! metrics {
    ($($variant:ident $name:literal $meaning:literal,)+) => {
        /// A counter that is kept both for each client and for the run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Metric { $(#[doc = $meaning] $variant,)+ }

        impl Metric {
            /// All counters, in the order of the catalogue.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant,)+];

            /// Number of counters.
            pub const COUNT: usize = [$($name,)+].len();

            /// Returns the name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

metrics! {
    // Touched by almost every request: one cache line.
    PlaylistStarted "playlist_requests" "Playlist requests started.",
    SegmentStarted "segment_requests" "Segment requests started.",
    PlaylistFinished "playlist_finished" "Playlist requests that reached their outcome.",
    SegmentFinished "segment_finished" "Segment requests that reached their outcome.",
    PlaylistBytes "playlist_bytes" "Body bytes of playlists as they arrived on the wire.",
    SegmentBytes "segment_bytes" "Body bytes of segments as they arrived on the wire.",
    Ok "ok" "Requests that ended ok.",
    HttpErrors "http_errors" "Requests that ended with a failed HTTP status.",
    // Touched by playback and the pipeline; a snapshot reads some of them for each client: one more line.
    PlayMicros "play_us" "Microseconds of media played.",
    Faults "faults" "Requests that ended neither ok nor with an HTTP status.",
    Stalls "stalls" "Stalls that began after playback had started.",
    Reconnections "reconnections" "Connections that replaced one to the same endpoint that had been lost.",
    ProgressOffered "progress_offered" "Samples offered to the pipeline, one a second.",
    ProgressDropped "progress_dropped" "Samples that the pipeline dropped.",
    EventsOffered "events_offered" "Events offered to the pipeline.",
    EventsDropped "events_dropped" "Events that the pipeline dropped.",
    // Also read by a snapshot: the last line.
    PartStarted "part_requests" "Part requests started.",
    InitStarted "init_requests" "Initialization section requests started.",
    KeyStarted "key_requests" "Key requests started.",
    UnknownStarted "unknown_requests" "Requests of no known kind started.",
    PartBytes "part_bytes" "Body bytes of parts as they arrived on the wire.",
    InitBytes "init_bytes" "Body bytes of initialization sections as they arrived on the wire.",
    KeyBytes "key_bytes" "Body bytes of keys as they arrived on the wire.",
    UnknownBytes "unknown_bytes" "Body bytes of requests of no known kind as they arrived on the wire.",
    // The rest.
    StallMicros "stall_us" "Microseconds that playback stood still after it had started.",
    StartupMicros "startup_us" "Microseconds that clients waited for playback to begin.",
    PlaybackStarts "playback_starts" "Playback that began for the first time.",
    Timeouts "timeouts" "Requests that ended in a timeout of any phase.",
    PartFinished "part_finished" "Part requests that reached their outcome.",
    InitFinished "init_finished" "Initialization section requests that reached their outcome.",
    KeyFinished "key_finished" "Key requests that reached their outcome.",
    UnknownFinished "unknown_finished" "Requests of no known kind that reached their outcome.",
    Connections "connections" "Connections that were opened and became usable.",
    Redirects "redirects" "Redirects that were followed.",
    StaleRetries "stale_retries" "Requests sent again because their kept-alive connection had been closed.",
    PlayedBytes "played_bytes" "Bytes of the media played, at the mean bit rate of what each client had loaded.",
    SegmentsSkipped "segments_skipped" "Segments that left the live window unfetched, or were skipped.",
    GaveUp "gave_up" "Clients whose viewer left after as many retries as its player makes.",
    SessionsOver "sessions_over" "Clients whose viewer left at the end of its session.",
    StartFailures "start_failures" "Clients that left after their retries, before playback began.",
    ExitsBeforeStart "exits_before_start" "Clients whose session ended, or that were removed, before playback began.",
    Replacements "replacements" "Clients that took the place of one that had left.",
    EdgeJumps "edge_jumps" "Times that a client skipped to a new position in a live stream.",
    VariantSwitches "variant_switches" "Times that a client switched to another variant.",
    CachedReloads "cached_reloads" "Reloads of playlists that clients answered from their own cache, without a request.",
    RetryAfterHonoured "retry_after_honoured" "Responses of 429 or 503 after which a client waited as their Retry-After asked.",
}

impl Metric {
    /// Returns the counter of requests of this kind that were started.
    pub const fn started(kind: Kind) -> Self {
        Self::of_kind(kind, 0)
    }

    /// Returns the counter of requests of this kind that reached their outcome.
    pub const fn finished(kind: Kind) -> Self {
        Self::of_kind(kind, 1)
    }

    /// Returns the counter of body bytes of this kind.
    pub const fn bytes(kind: Kind) -> Self {
        Self::of_kind(kind, 2)
    }

    #[expect(clippy::indexing_slicing, reason = "the tables are as long as the enum")]
    const fn of_kind(kind: Kind, table: usize) -> Self {
        Self::ALL_BY_KIND[table][kind as usize]
    }

    /// Reports whether this is one of the counters of [`Metric::finished`].
    pub fn is_finished(self) -> bool {
        Kind::ALL.into_iter().any(|kind| Self::finished(kind) == self)
    }

    /// Reports whether this is one of the counters of [`Metric::started`].
    pub fn is_started(self) -> bool {
        Kind::ALL.into_iter().any(|kind| Self::started(kind) == self)
    }

    /// Counters that exist once per kind, in the order of [`Kind::ALL`]: started, finished, bytes.
    const ALL_BY_KIND: [[Self; Kind::COUNT]; 3] = [
        [
            Self::PlaylistStarted,
            Self::SegmentStarted,
            Self::PartStarted,
            Self::InitStarted,
            Self::KeyStarted,
            Self::UnknownStarted,
        ],
        [
            Self::PlaylistFinished,
            Self::SegmentFinished,
            Self::PartFinished,
            Self::InitFinished,
            Self::KeyFinished,
            Self::UnknownFinished,
        ],
        [
            Self::PlaylistBytes,
            Self::SegmentBytes,
            Self::PartBytes,
            Self::InitBytes,
            Self::KeyBytes,
            Self::UnknownBytes,
        ],
    ];

    /// Returns the index in a table of [`Metric::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// One number for each counter of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalars([u64; Metric::COUNT]);

impl Default for Scalars {
    fn default() -> Self {
        Self([0; Metric::COUNT])
    }
}

impl Scalars {
    /// Returns the number of one counter.
    pub fn get(&self, metric: Metric) -> u64 {
        self.0.get(metric.index()).copied().unwrap_or_default()
    }

    /// Adds to one counter.
    pub fn add(&mut self, metric: Metric, amount: u64) {
        if let Some(value) = self.0.get_mut(metric.index()) {
            *value = value.wrapping_add(amount);
        }
    }

    /// Subtracts an earlier reading. A counter never falls, so no difference is negative.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (now, then) in self.0.iter_mut().zip(&earlier.0) {
            *now = now.saturating_sub(*then);
        }
    }

    /// Sets all counters to zero.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_counters_of_its_own_name() {
        for kind in Kind::ALL {
            assert_eq!(Metric::started(kind).name(), format!("{}_requests", kind.name()));
            assert_eq!(Metric::finished(kind).name(), format!("{}_finished", kind.name()));
            assert_eq!(Metric::bytes(kind).name(), format!("{}_bytes", kind.name()));
        }
    }
}
