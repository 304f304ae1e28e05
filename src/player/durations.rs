//! Durations of a playlist, with a stand-in where it gives none.

use std::time::Duration;

use crate::hls::{Media, Segment};
use crate::vocabulary::limits;

/// Stand-in for a duration that the playlist does not give: something must pace the client.
pub(super) const UNKNOWN_DURATION: Duration = Duration::from_secs(1);

/// Returns the target duration, at most the longest wait for a reload.
pub(super) fn target_duration(media: &Media) -> Duration {
    if media.target_duration.is_zero() {
        UNKNOWN_DURATION
    } else {
        media.target_duration.min(limits::RELOAD_MAX)
    }
}

/// Returns the duration of a segment.
pub(super) fn duration(segment: Segment<'_>) -> Duration {
    let duration = segment.duration();
    if duration.is_zero() { UNKNOWN_DURATION } else { duration }
}
