//! Decides which segments a playlist lists at a given time.
//!
//! * Time is the duration since the origin's start; nothing here reads a clock.
//! * Live segments are numbered from 0. The window is full at the start: it lists segments 0 to `window` - 1.
//! * A segment can be fetched from the moment when a playlist first lists it. After it leaves the playlist it stays
//!   available for its own duration plus that of the longest playlist (RFC 8216bis section 6.2.2), and a little
//!   longer.
//! * A VOD playlist always lists all its segments.

use std::time::Duration;

/// Distance between discontinuities: one precedes every segment whose number is a multiple of this, except 0.
pub const DISCONTINUITY_EVERY: u64 = 30;
/// Jump of media time at a discontinuity, in seconds.
const DISCONTINUITY_JUMP_SECONDS: u64 = 10;
/// Segment durations for which a segment stays available beyond the required time.
const SPARE_SEGMENTS: u64 = 2;

/// Clock arithmetic of one origin.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    /// Duration of each segment; not zero.
    pub segment: Duration,
    /// Segments that a live playlist lists.
    pub window: u64,
    /// Segments that a VOD playlist lists.
    pub vod_segments: u64,
}

impl Timeline {
    /// Returns the number of the first segment that the live playlist lists: its `EXT-X-MEDIA-SEQUENCE`.
    pub fn first_listed(&self, elapsed: Duration) -> u64 {
        let passed = elapsed.as_nanos().checked_div(self.segment.as_nanos()).unwrap_or(0);
        u64::try_from(passed).unwrap_or(u64::MAX)
    }

    /// Reports whether a live segment can be fetched.
    pub fn live_available(&self, sequence: u64, elapsed: Duration) -> bool {
        let first = self.first_listed(elapsed);
        let listed_last = first.saturating_add(self.window).saturating_sub(1);
        // A segment is last listed while `first == sequence`. It then stays for one segment, one whole playlist and a
        // spare.
        let kept = self.window.saturating_add(1 + SPARE_SEGMENTS);
        sequence <= listed_last && first <= sequence.saturating_add(kept)
    }

    /// Reports whether a VOD segment exists.
    pub fn vod_available(&self, sequence: u64) -> bool {
        sequence < self.vod_segments
    }

    /// Returns the time at which a live segment begins, relative to the origin's start. It ends when it is first
    /// listed.
    pub fn live_begin_seconds(&self, sequence: u64) -> f64 {
        (sequence as f64 - self.window as f64) * self.segment.as_secs_f64()
    }

    /// Returns the start of a segment in ticks of a 90 kHz media clock.
    pub fn media_ticks(&self, sequence: u64, discontinuities: u64) -> u64 {
        let ticks_per_segment =
            u64::try_from(self.segment.as_micros()).unwrap_or(u64::MAX).saturating_mul(9) / 100;
        let jumps = discontinuities.saturating_mul(DISCONTINUITY_JUMP_SECONDS * 90_000);
        sequence.saturating_mul(ticks_per_segment).saturating_add(jumps)
    }
}

/// Reports whether a discontinuity precedes this live segment.
pub fn is_discontinuity(sequence: u64) -> bool {
    sequence > 0 && sequence.is_multiple_of(DISCONTINUITY_EVERY)
}

/// Returns the `EXT-X-DISCONTINUITY-SEQUENCE` of a live playlist that begins with `first`: the number of
/// discontinuities that have left it. A discontinuity before `first` itself is still in the playlist (RFC 8216bis
/// section 6.2.2).
pub fn discontinuities_gone(first: u64) -> u64 {
    first.saturating_sub(1) / DISCONTINUITY_EVERY
}

/// Returns the discontinuity sequence number of a live segment.
pub fn discontinuities_until(sequence: u64) -> u64 {
    sequence / DISCONTINUITY_EVERY
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMELINE: Timeline = Timeline { segment: Duration::from_secs(2), window: 6, vod_segments: 30 };

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_window_is_full_at_the_start_and_slides_by_the_clock() {
        assert_eq!(TIMELINE.first_listed(ms(0)), 0);
        assert_eq!(TIMELINE.first_listed(ms(1_999)), 0);
        assert_eq!(TIMELINE.first_listed(ms(2_000)), 1);
        assert!(TIMELINE.live_available(5, ms(0)));
        assert!(!TIMELINE.live_available(6, ms(1_999)));
        assert!(TIMELINE.live_available(6, ms(2_000)));
    }

    #[test]
    fn a_segment_stays_for_its_duration_and_the_longest_playlist_after_it_left() {
        let left = 2_000;
        let required = left + 2_000 + 6 * 2_000;
        assert!(TIMELINE.live_available(0, ms(required)));
        assert!(!TIMELINE.live_available(0, ms(required + 3 * 2_000)));
    }

    #[test]
    fn numbers_far_away_are_not_available() {
        for sequence in [1_000, u64::MAX - 1, u64::MAX] {
            assert!(!TIMELINE.live_available(sequence, ms(0)));
            assert!(!TIMELINE.vod_available(sequence));
        }
        assert!(TIMELINE.vod_available(29));
        assert!(!TIMELINE.vod_available(30));
    }

    #[test]
    fn the_discontinuity_sequence_and_the_tags_agree_for_every_window() {
        for first in 0..200 {
            let mut number = discontinuities_gone(first);
            for sequence in first..first + 6 {
                number += u64::from(is_discontinuity(sequence));
                assert_eq!(number, discontinuities_until(sequence), "{sequence} in a list from {first}");
            }
        }
    }

    #[test]
    fn a_live_segment_has_just_ended_when_it_is_first_listed() {
        assert_eq!(TIMELINE.live_begin_seconds(5), -2.0);
        assert_eq!(TIMELINE.live_begin_seconds(6), 0.0);
    }
}
