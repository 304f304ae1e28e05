//! Behaviour of one kind of player, as data: the place where it begins, the times of its reloads, the size of its
//! buffer, the number of its retries and its reaction when they have failed.
//!
//! The rows are in [`super::profiles`]. Nothing else in this program asks which player it is.

use std::time::Duration;

use super::retry_wait::Wait;
use crate::vocabulary::HttpProfile;

/// One kind of player.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Value of `--player`.
    pub name: &'static str,
    /// Place where live playback begins.
    pub start: StartAt,
    /// True if the player first loads the oldest segment of a live playlist, to identify its media. It does not play
    /// it.
    pub probes_oldest: bool,
    /// Wait before a media playlist is reloaded, counted from the start of the last load.
    pub reload: Reload,
    /// URL that a playlist is reloaded from after a redirect.
    pub reload_url: ReloadUrl,
    /// Media to keep ahead of the playhead.
    pub buffer_goal: Duration,
    /// Media that is left when a player that has reached its goal loads again; equal to the goal if the player never
    /// pauses.
    pub refill_at: Duration,
    /// Reaction when the URL that the operator gave cannot be loaded.
    pub entry: Retry,
    /// Reaction when a media playlist cannot be loaded.
    pub playlist: Retry,
    /// Reaction when a segment, its initialization section or its key cannot be loaded.
    pub segment: Retry,
    /// Reaction when the server refuses a request (4xx).
    pub refused: Refused,
    /// Reaction when a 429 or 503 asks for a wait.
    pub retry_after: RetryAfter,
    /// Place at which a client that was too slow for the window continues.
    pub behind: Behind,
    /// Playlists of a presentation that the player opens.
    pub opening: Opening,
    /// True if the initialization section is loaded again after each reload of the playlist.
    pub reloads_init: bool,
    /// True if playlists are kept in an HTTP cache while they are fresh.
    pub caches: bool,
    /// Condition for switching to another variant.
    pub failover: Failover,
    /// Variant that playback begins with, if the best is to be played.
    pub start_variant: StartVariant,
    /// Place where separate audio begins.
    pub audio_start: AudioStart,
    /// Format of the requests and use of the connections.
    pub http_profile: HttpProfile,
}

/// Place where live playback begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The last segment that begins at least this many target durations from the end, unless the playlist says
    /// otherwise (`EXT-X-START`, `HOLD-BACK`).
    TargetDurations(u32),
    /// The segment that is this many from the end, the last one being 1, whatever the playlist says.
    Segments(usize),
}

/// Condition for leaving a variant whose playlist or media cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failover {
    /// Never.
    Never,
    /// After its retries are used up, or at once after a refusal or without a response. The player does not return to
    /// it.
    AfterRetries,
    /// At the first failure. The player may return to it after this time.
    AtOnce {
        /// Time for which the variant is left out.
        penalty: Duration,
    },
}

/// Variant that playback begins with, if the best is to be played. After its first segment, the best one plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartVariant {
    /// The best variant.
    Preferred,
    /// The lowest variant.
    Lowest,
    /// The highest that fits a first estimate: the bandwidth of the variant that is listed first, at least `default`
    /// and at most `most` bits per second.
    Estimated {
        /// Lowest estimate.
        default: u64,
        /// Highest estimate.
        most: u64,
    },
}

/// Playlists of a presentation that the player opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Those that it plays.
    Chosen,
    /// All variants and audio renditions, to identify their media: it loads this many segments of each, each over a
    /// connection of its own.
    All {
        /// Segments of each playlist.
        segments: u32,
    },
}

/// Place where separate audio begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioStart {
    /// The place that its own playlist gives.
    Alone,
    /// The place of the video, once the first segment of the video has arrived.
    WithVideo,
}

/// Wait before a media playlist is reloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// After a load that brought something new.
    pub changed: Pace,
    /// After one that did not.
    pub unchanged: Pace,
    /// After one that brought something new, including the time for which the player pauses.
    pub slowest: Pace,
}

/// A wait that the stream itself measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// This many half target durations.
    HalfTargets(u32),
    /// The duration of the last segment.
    LastSegment,
}

/// URL that a redirected playlist is reloaded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadUrl {
    /// The URL that the redirects led to.
    Final,
    /// The URL of the first request.
    Given,
}

/// Place at which a client continues after its next segment has left the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// The place where a client that joins now would begin, even if only a skipped segment has left the window.
    LiveEdge,
    /// The oldest segment that is listed.
    Oldest,
    /// Nowhere: the viewer sees an error and leaves. So does a viewer that stalled and is now farther from the live
    /// edge than one that joins.
    Leave,
}

/// Reaction when the server refuses a request: a status of 400 to 499.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A refusal is a failure like any other.
    AsAnyFailure,
    /// A refused request is not retried. The viewer leaves if the URL that the operator gave is refused, and skips a
    /// segment of a live playlist that is refused, or whose key is. The last segment of a playlist is an exception, a
    /// failure like any other, because it may have been listed before it existed. So is a media playlist.
    Final,
}

/// Reaction to the `Retry-After` of a 429 or 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// The player does not read it: its own waits apply.
    Ignored,
    /// The player makes no request until that time, and then continues as after any failure. What it has buffered
    /// plays on.
    Honoured,
}

/// Reaction when a resource cannot be loaded. Counted separately for each resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Number of retries; `None`: retry forever.
    pub times: Option<u32>,
    /// The wait before each retry.
    pub wait: Wait,
    /// Reaction when all retries have failed.
    pub then: Then,
}

/// Reaction when all retries have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The viewer sees an error and leaves.
    Leave,
    /// The player skips the segment and tries the next one as often.
    Skip,
    /// The player skips the segment, and then each following one after one attempt, until a segment arrives. While
    /// quick retries are left, it reloads the playlist as if it had not changed.
    SkipOn,
    /// The player retries forever, with growing waits.
    BackOff,
}

impl Failover {
    /// Returns the time for which a failed variant is left out; `None`: forever.
    pub(super) fn penalty(self) -> Option<Duration> {
        match self {
            Self::AtOnce { penalty } => Some(penalty),
            Self::Never | Self::AfterRetries => None,
        }
    }
}

impl Pace {
    /// Returns the wait for a playlist with this target duration and this last segment.
    pub(super) fn wait(self, target: Duration, last_segment: Option<Duration>) -> Duration {
        match self {
            Self::HalfTargets(halves) => target * halves / 2,
            Self::LastSegment => last_segment.unwrap_or(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(4);

    #[test]
    fn a_pace_is_measured_by_the_stream() {
        let last = Some(Duration::from_secs(3));
        assert_eq!(Pace::HalfTargets(1).wait(TARGET, last), Duration::from_secs(2));
        assert_eq!(Pace::HalfTargets(4).wait(TARGET, last), Duration::from_secs(8));
        assert_eq!(Pace::LastSegment.wait(TARGET, last), Duration::from_secs(3));
        assert_eq!(Pace::LastSegment.wait(TARGET, None), TARGET);
    }
}
