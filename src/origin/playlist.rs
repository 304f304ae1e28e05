//! Builds the playlists of the origin as text (RFC 8216bis section 4).

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::path::{Container, Presentation, Stream};
use super::timeline::{self, Timeline};

/// A variant as the multivariant playlist advertises it.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Bits per second of its segments: both the peak and the mean, since all segments are alike.
    pub bitrate: u64,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Codecs in the format of RFC 6381.
    pub codecs: &'static str,
}

/// Builds the multivariant playlist, with the highest variant first.
pub fn multivariant(variants: &[Variant]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for (place, Variant { bitrate, width, height, codecs }) in variants.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bitrate},AVERAGE-BANDWIDTH={bitrate},RESOLUTION={width}x{height},\
             CODECS=\"{codecs}\",FRAME-RATE=25.000\nv{place}/index.m3u8\n"
        );
    }
    text
}

/// Builds the media playlist of any variant. `first` is the first live segment; `started_at` is the origin's start.
pub fn media(stream: Stream, timeline: &Timeline, first: u64, started_at: Timestamp) -> String {
    let live = stream.presentation == Presentation::Live;
    let mut text = header(stream, timeline);
    let range = if live {
        let _ = write!(
            text,
            "#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
            timeline::discontinuities_gone(first)
        );
        first..first.saturating_add(timeline.window)
    } else {
        text.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:0\n");
        0..timeline.vod_segments
    };
    if stream.container == Container::Fmp4 {
        text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    }
    let ending = stream.container.ending();
    let seconds = timeline.segment.as_secs_f64();
    for sequence in range {
        if live && timeline::is_discontinuity(sequence) {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        // Media time jumps at a discontinuity, but the date does not: state it there as well as at the beginning.
        if live && (sequence == first || timeline::is_discontinuity(sequence)) {
            let begin =
                SignedDuration::try_from_secs_f64(timeline.live_begin_seconds(sequence)).unwrap_or_default();
            let date_time = started_at.saturating_add(begin).unwrap_or(started_at);
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date_time:.3}");
        }
        let _ = write!(text, "#EXTINF:{seconds:.3},\nsegment_{sequence}.{ending}\n");
    }
    if !live {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

fn header(stream: Stream, timeline: &Timeline) -> String {
    // Decimal EXTINF requires version 3, EXT-X-MAP outside of I-frame playlists requires 6 (section 8).
    let version = match stream.container {
        Container::Ts => 3,
        Container::Fmp4 => 6,
    };
    let target = timeline.segment.as_secs_f64().ceil() as u64;
    format!("#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMELINE: Timeline = Timeline { segment: Duration::from_secs(2), window: 3, vod_segments: 2 };
    const LIVE_TS: Stream = Stream { presentation: Presentation::Live, container: Container::Ts };
    const VOD_FMP4: Stream = Stream { presentation: Presentation::Vod, container: Container::Fmp4 };

    #[test]
    fn a_live_playlist_lists_its_window() {
        let text = media(LIVE_TS, &TIMELINE, 29, Timestamp::UNIX_EPOCH);
        let expected = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:29\n\
            #EXT-X-DISCONTINUITY-SEQUENCE:0\n\
            #EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:52.000Z\n#EXTINF:2.000,\nsegment_29.ts\n\
            #EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:54.000Z\n#EXTINF:2.000,\nsegment_30.ts\n\
            #EXTINF:2.000,\nsegment_31.ts\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_vod_playlist_lists_everything_and_ends() {
        let text = media(VOD_FMP4, &TIMELINE, 0, Timestamp::UNIX_EPOCH);
        let expected = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n\
            #EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-MAP:URI=\"init.mp4\"\n\
            #EXTINF:2.000,\nsegment_0.m4s\n#EXTINF:2.000,\nsegment_1.m4s\n#EXT-X-ENDLIST\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_target_duration_is_never_below_a_segment() {
        let timeline = Timeline { segment: Duration::from_millis(2_300), ..TIMELINE };
        assert!(media(LIVE_TS, &timeline, 0, Timestamp::UNIX_EPOCH).contains("#EXT-X-TARGETDURATION:3\n"));
    }

    #[test]
    fn a_multivariant_playlist_lists_variants_with_their_attributes() {
        let variant = Variant { bitrate: 3_000_000, width: 1920, height: 1080, codecs: "avc1.640028" };
        let text = multivariant(&[variant, variant]);
        assert!(text.contains(
            "#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=3000000,RESOLUTION=1920x1080,\
             CODECS=\"avc1.640028\",FRAME-RATE=25.000\nv0/index.m3u8\n"
        ));
        assert!(text.ends_with("v1/index.m3u8\n"));
    }
}
