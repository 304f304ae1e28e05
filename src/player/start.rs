//! Place in a media playlist where playback begins.
//!
//! * A viewer joins a live stream no nearer to its end than HOLD-BACK says or, without it, than the profile does (RFC
//!   8216bis sections 4.4.3.8 and 6.3.3). A shorter window is joined at its oldest segment.
//! * EXT-X-START moves the place (section 4.4.2.2), but not nearer to the end of a live stream. Playback begins at
//!   the beginning of that segment: PRECISE changes nothing on the wire.
//! * Without EXT-X-START, a stream that has ended begins at its first segment.

use std::time::Duration;

use super::durations::{duration, target_duration};
use super::profile::StartAt;
use crate::hls::{Media, Segment, Start};

/// Returns the sequence number that playback begins with. `given` is the multivariant playlist's EXT-X-START, which
/// takes precedence over that of the media playlist (section 4.4.2; hls.js does the same).
pub(super) fn first_to_play(media: &Media, rule: StartAt, given: Option<Start>) -> u64 {
    let oldest = media.segments.first().map_or(media.media_sequence, Segment::sequence);
    let start = given.or(media.start).filter(|_| !matches!(rule, StartAt::Segments(_)));
    let nearest = if media.endlist { media.last_sequence().unwrap_or(oldest) } else { edge(media, rule) };
    match start {
        Some(start) => at_offset(media, start.time_offset).unwrap_or(oldest).min(nearest),
        None if media.endlist => oldest,
        None => nearest,
    }
}

/// Returns the newest segment of a live stream that may be played first.
fn edge(media: &Media, rule: StartAt) -> u64 {
    let hold_back = media.server_control.as_ref().and_then(|control| control.hold_back);
    match (hold_back, rule) {
        (Some(distance), StartAt::TargetDurations(_)) => at_distance(media, distance),
        (None, StartAt::TargetDurations(targets)) => at_distance(media, target_duration(media) * targets),
        (_, StartAt::Segments(from_end)) => {
            let at = media.segments.len().saturating_sub(from_end);
            media.segments.get(at).map_or(media.media_sequence, Segment::sequence)
        }
    }
}

/// Returns the last segment that begins at least `distance` from the end, or the oldest one.
fn at_distance(media: &Media, distance: Duration) -> u64 {
    let mut from_end = Duration::ZERO;
    let mut newest_first = media.segments.iter().rev();
    let found = newest_first.find(|segment| {
        from_end += duration(*segment);
        from_end >= distance
    });
    found.or(media.segments.first()).map_or(media.media_sequence, Segment::sequence)
}

/// Returns the segment that contains the place `seconds` from the beginning or, if negative, from the end.
fn at_offset(media: &Media, seconds: f64) -> Option<u64> {
    let distance = Duration::try_from_secs_f64(seconds.abs()).unwrap_or(Duration::MAX);
    if seconds.is_sign_negative() {
        return Some(at_distance(media, distance));
    }
    let mut begins = Duration::ZERO;
    let holds = |segment: &Segment<'_>| {
        begins = begins.saturating_add(duration(*segment));
        begins > distance
    };
    media.segments.iter().find(holds).or(media.segments.last()).map(Segment::sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::{Playlist, parse};

    const WEB: StartAt = StartAt::TargetDurations(3);

    /// Builds a window of `segments` four-second segments that begins with sequence number 10.
    fn window(segments: usize, more: &str) -> Media {
        let list = "#EXTINF:4,\ns.ts\n".repeat(segments);
        let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:10\n{more}\n{list}");
        match parse(text.as_bytes()).expect("a playlist") {
            Playlist::Media(media) => media,
            Playlist::Multivariant(_) => panic!("a media playlist"),
        }
    }

    #[test]
    fn a_live_stream_begins_three_target_durations_from_its_end() {
        assert_eq!(first_to_play(&window(6, ""), WEB, None), 13);
        assert_eq!(first_to_play(&window(6, ""), StartAt::Segments(3), None), 13);
    }

    #[test]
    fn segments_that_are_a_little_shorter_than_the_target_do_not_move_a_place_that_is_counted_in_segments() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:10\n".to_owned();
        let text = text + &"#EXTINF:3.97,\ns.ts\n".repeat(6);
        let Ok(Playlist::Media(media)) = parse(text.as_bytes()) else { panic!("a media playlist") };
        assert_eq!(first_to_play(&media, StartAt::Segments(3), None), 13);
        assert_eq!(first_to_play(&media, WEB, None), 12);
    }

    #[test]
    fn the_server_may_hold_clients_back_further() {
        let held = window(6, "#EXT-X-SERVER-CONTROL:HOLD-BACK=18.5");
        assert_eq!(first_to_play(&held, WEB, None), 11);
        assert_eq!(first_to_play(&held, StartAt::Segments(1), None), 15, "a player that does not know it");
    }

    #[test]
    fn a_window_that_is_shorter_than_the_hold_back_begins_at_its_oldest_segment() {
        for rule in [WEB, StartAt::Segments(3)] {
            assert_eq!(first_to_play(&window(2, ""), rule, None), 10);
        }
        assert_eq!(first_to_play(&window(0, ""), WEB, None), 10);
    }

    #[test]
    fn a_stream_that_has_ended_begins_at_its_beginning() {
        assert_eq!(first_to_play(&window(6, "#EXT-X-ENDLIST"), WEB, None), 10);
    }

    #[test]
    fn a_start_that_is_named_is_kept_but_not_nearer_to_a_live_end() {
        for (seconds, ended, expected) in [
            (0.0, false, 10),
            (3.9, false, 10),
            (4.0, false, 11),
            (23.0, false, 13),
            (-24.0, false, 10),
            (-17.0, false, 11),
            (-1.0, false, 13),
            (-1e9, false, 10),
            (9.0, true, 12),
            (1e9, true, 15),
            (-1.0, true, 15),
        ] {
            let end = if ended { "#EXT-X-ENDLIST\n" } else { "" };
            let named = window(6, &format!("{end}#EXT-X-START:TIME-OFFSET={seconds}"));
            assert_eq!(first_to_play(&named, WEB, None), expected, "{seconds} {ended}");
        }
        let given = Some(Start { time_offset: -20.0 });
        assert_eq!(first_to_play(&window(6, ""), WEB, given), 11);
        let own = window(6, "#EXT-X-START:TIME-OFFSET=0");
        assert_eq!(first_to_play(&own, WEB, given), 11, "the multivariant playlist's comes first");
    }
}
