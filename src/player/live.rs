//! Live latency: the delay of a viewer against the live event.
//!
//! * If the playlist dates its segments (EXT-X-PROGRAM-DATE-TIME), the latency is the wall-clock time minus the date
//!   of the frame on the screen. If dates and clock cannot both be right, the latency is unknown.
//! * Otherwise it is the distance from the end of the playlist, which was new when it was requested. With dates, it
//!   is never less than that distance.
//! * Either way the offset from the playhead is constant: latency = time - position + offset. A stall increases the
//!   latency, a jump to the live edge reduces it.

use std::time::Duration;

use jiff::Timestamp;

use super::durations::duration;
use crate::hls::Media;
use crate::hls::wall_clock::impossible_age;

/// Place of the next segment: its sequence number, and the media before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Sequence number of the segment to load next.
    pub(super) next: u64,
    /// Media loaded before it, from the beginning of playback.
    pub(super) buffered: Duration,
}

/// Returns the offset, in microseconds, for a live playlist that was requested at `asked`. `None`: the stream has
/// ended, or its dates cannot be right. `epoch` is the wall-clock time at time zero.
pub(super) fn offset_us(media: &Media, place: Place, asked: Duration, epoch: Timestamp) -> Option<i64> {
    if media.endlist {
        return None;
    }
    let from_edge = from_edge_us(media, place, asked)?;
    let Some(date) = date_of(media, place.next) else { return Some(from_edge) };
    if impossible_age(media, epoch.checked_add(asked).ok()?).is_some() {
        return None;
    }
    let passed = epoch.as_microsecond().checked_sub(date.as_microsecond())?;
    Some(passed.checked_add(signed_us(place.buffered)?)?.max(from_edge))
}

/// Returns the offset of a viewer for whom the end of the playlist is the present.
fn from_edge_us(media: &Media, place: Place, asked: Duration) -> Option<i64> {
    let from = media.index_of(place.next);
    let to_come: Duration =
        from.into_iter().flat_map(|at| media.segments.range(at..media.segments.len())).map(duration).sum();
    signed_us(place.buffered)?.checked_add(signed_us(to_come)?)?.checked_sub(signed_us(asked)?)
}

fn signed_us(time: Duration) -> Option<i64> {
    i64::try_from(time.as_micros()).ok()
}

/// Returns the latency of a viewer whose time minus position is `behind`.
pub(super) fn latency(behind: Duration, offset_us: i64) -> Duration {
    let offset = Duration::from_micros(offset_us.unsigned_abs());
    if offset_us < 0 { behind.saturating_sub(offset) } else { behind.saturating_add(offset) }
}

/// Returns the date at which segment `next` begins. It may be the one after the last that is listed.
fn date_of(media: &Media, next: u64) -> Option<Timestamp> {
    if let Some(date) = media.date_time_of(next) {
        return Some(date);
    }
    let last = media.segments.last().filter(|last| last.sequence().checked_add(1) == Some(next))?;
    media.date_time_of(last.sequence())?.checked_add(duration(last)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::{Playlist, parse};

    fn window(more: &str) -> Media {
        let text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:10\n{more}#EXTINF:4,\na\n#EXTINF:4,\nb\n"
        );
        match parse(text.as_bytes()).expect("a playlist") {
            Playlist::Media(media) => media,
            Playlist::Multivariant(_) => panic!("a media playlist"),
        }
    }

    /// Computes the latency at `at` seconds, with `position` seconds played.
    fn latency(media: &Media, next: u64, buffered: u64, asked: u64, at: i64, position: i64) -> Option<i64> {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a date");
        let place = Place { next, buffered: Duration::from_secs(buffered) };
        let offset = offset_us(media, place, Duration::from_secs(asked), epoch)?;
        Some(at - position + offset / 1_000_000)
    }

    #[test]
    fn dates_tell_how_old_the_picture_is() {
        let media = window("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00Z\n");
        // Nothing is loaded yet. At 75 s the first segment, 15 s old, begins to play.
        assert_eq!(latency(&media, 10, 0, 75, 75, 0), Some(15));
        // Both segments are loaded and half played: the frame of 00:01:04 is on the screen at 00:01:19.
        assert_eq!(latency(&media, 12, 8, 75, 79, 4), Some(15));
        // A stall of three seconds adds to the latency.
        assert_eq!(latency(&media, 12, 8, 75, 82, 4), Some(18));
    }

    #[test]
    fn without_dates_it_is_the_distance_from_the_end_of_the_list() {
        let media = window("");
        assert_eq!(latency(&media, 10, 0, 75, 75, 0), Some(8));
        assert_eq!(latency(&media, 11, 4, 75, 77, 1), Some(9));
        assert_eq!(latency(&media, 12, 8, 75, 75, 0), Some(8));
    }

    #[test]
    fn dates_that_are_too_new_leave_the_distance_from_the_end_of_the_list() {
        // By its dates, the playlist ends eight seconds after it was requested.
        let media = window("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:15Z\n");
        assert_eq!(latency(&media, 10, 0, 75, 75, 0), Some(8));
        assert_eq!(latency(&media, 12, 8, 75, 79, 4), Some(8));
    }

    #[test]
    fn dates_that_are_an_hour_off_leave_the_latency_unknown() {
        for hour in ["2025-12-31T23", "2026-01-01T01"] {
            let media = window(&format!("#EXT-X-PROGRAM-DATE-TIME:{hour}:01:00Z\n"));
            assert_eq!(latency(&media, 10, 0, 75, 75, 0), None, "{hour}");
        }
    }

    #[test]
    fn what_has_ended_has_no_latency() {
        assert_eq!(latency(&window("#EXT-X-ENDLIST\n"), 10, 0, 75, 75, 0), None);
    }
}
