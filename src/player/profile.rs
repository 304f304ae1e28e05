//! How one kind of player behaves, as data: where it begins, when it loads a playlist again, how far it buffers, how
//! often it tries what failed and what it does then.
//!
//! The rows are in [`super::profiles`]; nothing else in this program asks which player it is.

use std::time::Duration;

use crate::vocabulary::HttpProfile;

/// One kind of player.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The word of `--player`.
    pub name: &'static str,
    /// Where live playback begins.
    pub start: StartAt,
    /// Whether the oldest segment of a live list is loaded before any other, to see what it is; it is not played.
    pub probes_oldest: bool,
    /// When a media playlist is loaded again, counted from the start of the last load.
    pub reload: Reload,
    /// Where it is loaded from after a redirect.
    pub address: Address,
    /// Media that is kept ahead of the playhead.
    pub buffer_goal: Duration,
    /// Media that is left when a player that has reached its goal loads again; as much as the goal where it never
    /// pauses.
    pub refill_at: Duration,
    /// What is done when the address that the operator gave cannot be loaded.
    pub entry: Retry,
    /// What is done when a media playlist cannot be loaded.
    pub playlist: Retry,
    /// What is done when a segment, its initialization section or its key cannot be loaded.
    pub segment: Retry,
    /// What is done when the server refuses something (4xx).
    pub refused: Refused,
    /// Where a client goes on that was too slow for the window.
    pub behind: Behind,
    /// The playlists of a presentation that are opened.
    pub opening: Opening,
    /// Whether an initialization section is loaded again after each reload of the playlist.
    pub reloads_init: bool,
    /// Whether playlists are kept in an HTTP cache while they are fresh.
    pub caches: bool,
    /// When another variant is played.
    pub failover: Failover,
    /// The variant that playback begins with, where the best is to be played.
    pub start_variant: StartVariant,
    /// Where separate audio begins.
    pub audio_start: AudioStart,
    /// How requests are written and connections used.
    pub http_profile: HttpProfile,
}

/// Where live playback begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At the last segment that begins at least this many target durations from the end, unless the playlist says
    /// otherwise (`EXT-X-START`, `HOLD-BACK`).
    TargetDurations(u32),
    /// At the segment that is this many from the end, the last one being 1, whatever the playlist says.
    Segments(usize),
}

/// When a variant is left for another, because its playlist or its media cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failover {
    /// Never.
    Never,
    /// When its retries are used up; at once after a refusal, or where no response came. It is not played again.
    AfterRetries,
    /// At the first failure. It may be played again after this time.
    AtOnce {
        /// How long it is left out.
        penalty: Duration,
    },
}

/// The variant that playback begins with, where the best is to be played. After its first segment the best is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartVariant {
    /// The best.
    Preferred,
    /// The lowest.
    Lowest,
    /// The highest that fits a first estimate: `default` bits per second, or the bandwidth of the variant that is
    /// listed first, up to `most`.
    Estimated {
        /// The estimate before the playlist is known.
        default: u64,
        /// The highest estimate.
        most: u64,
    },
}

/// The playlists of a presentation that are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Those that are played.
    Chosen,
    /// All variants and audio renditions, to see what they are: so many segments of each are loaded, each over a
    /// connection of its own.
    All {
        /// Segments of each.
        segments: u32,
    },
}

/// Where separate audio begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioStart {
    /// Where its own playlist says.
    Alone,
    /// Where the video does, once its first segment is there.
    WithVideo,
}

/// When a media playlist is loaded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// After a load that brought something new.
    pub changed: Pace,
    /// After one that did not.
    pub unchanged: Pace,
    /// After one that brought something new, where the player pauses for as long as it does.
    pub slowest: Pace,
}

/// A wait that the stream itself measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// This many halves of a target duration.
    HalfTargets(u32),
    /// The duration of the last segment.
    LastSegment,
}

/// Where a playlist that was redirected is loaded from the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Where the redirects led to.
    Final,
    /// Where the first request went to.
    Given,
}

/// Where a client goes on after what came next has left the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Where one that joins now would begin, also when only what was left out before has left the window.
    LiveEdge,
    /// With the oldest segment that is listed.
    Oldest,
    /// Nowhere: the viewer sees an error and leaves. So does one that stood still and is now farther behind than one that
    /// joins.
    Leave,
}

/// What is done when the server refuses something: a status of 400 to 499.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is a failure like any other.
    AsAnyFailure,
    /// It is not asked for again: without the address that the operator gave the viewer leaves, a segment of a live list
    /// is left out. The last segment of a list is a failure like any other: it may have been listed before it was
    /// there. So is a media playlist.
    Final,
}

/// What is done when something cannot be loaded. Counted anew for each thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried again; `None`: for ever.
    pub times: Option<u32>,
    /// The wait before each retry.
    pub wait: Wait,
    /// What is done when all retries have failed.
    pub then: Then,
}

/// The wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// None.
    AtOnce,
    /// This long, then twice as long each time up to a limit.
    Doubling {
        /// Before the first retry.
        first: Duration,
        /// The longest.
        longest: Duration,
    },
    /// This many halves of a target duration.
    HalfTargets(u32),
}

/// What is done when all retries have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The viewer sees an error and leaves.
    Leave,
    /// The segment is left out; the next one is tried as often.
    Skip,
    /// The segment is left out, and so is each that follows after one try, until one comes. Meanwhile the playlist is
    /// loaded again as if it had not changed.
    SkipOn,
    /// It is tried for ever, with growing waits.
    BackOff,
}

impl Failover {
    /// How long a variant that failed is left out; `None`: for good.
    pub(super) fn penalty(self) -> Option<Duration> {
        match self {
            Self::AtOnce { penalty } => Some(penalty),
            Self::Never | Self::AfterRetries => None,
        }
    }
}

impl Pace {
    /// The wait in time, for a playlist with this target duration and this last segment.
    pub(super) fn wait(self, target: Duration, last_segment: Option<Duration>) -> Duration {
        match self {
            Self::HalfTargets(halves) => target * halves / 2,
            Self::LastSegment => last_segment.unwrap_or(target),
        }
    }
}

impl Wait {
    /// The wait before retry number `retry`, the first being 0.
    pub(super) fn before(self, retry: u32, target: Duration) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::Doubling { first, longest } => {
                first.saturating_mul(1_u32.checked_shl(retry).unwrap_or(u32::MAX)).min(longest)
            }
            Self::HalfTargets(halves) => target * halves / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(4);

    #[test]
    fn waits_double_up_to_their_limit() {
        let wait = Wait::Doubling { first: Duration::from_secs(1), longest: Duration::from_secs(8) };
        let waits = [0, 1, 2, 3, 4, 31, 32, 500].map(|retry| wait.before(retry, TARGET).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 8, 8, 8, 8]);
        assert_eq!(Wait::AtOnce.before(3, TARGET), Duration::ZERO);
        assert_eq!(Wait::HalfTargets(1).before(3, TARGET), Duration::from_secs(2));
    }

    #[test]
    fn a_pace_is_measured_by_the_stream() {
        let last = Some(Duration::from_secs(3));
        assert_eq!(Pace::HalfTargets(1).wait(TARGET, last), Duration::from_secs(2));
        assert_eq!(Pace::HalfTargets(4).wait(TARGET, last), Duration::from_secs(8));
        assert_eq!(Pace::LastSegment.wait(TARGET, last), Duration::from_secs(3));
        assert_eq!(Pace::LastSegment.wait(TARGET, None), TARGET);
    }
}
