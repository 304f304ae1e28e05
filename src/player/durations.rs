//! How long things of a playlist take, where it may not say.

use std::time::Duration;

use crate::hls::{Media, Segment};
use crate::vocabulary::limits;

/// What stands in for a duration that the playlist does not say: a client must be paced by something.
pub(super) const UNKNOWN_DURATION: Duration = Duration::from_secs(1);

/// The target duration, at most the longest wait for a reload.
pub(super) fn target_duration(media: &Media) -> Duration {
    if media.target_duration.is_zero() {
        UNKNOWN_DURATION
    } else {
        media.target_duration.min(limits::RELOAD_MAX)
    }
}

/// How long a segment plays.
pub(super) fn duration(segment: Segment<'_>) -> Duration {
    let duration = segment.duration();
    if duration.is_zero() { UNKNOWN_DURATION } else { duration }
}
