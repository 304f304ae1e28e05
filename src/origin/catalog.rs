//! Catalog of the origin: maps a resource and a time to content and the headers that describe it.
//!
//! * The same URL returns the same media bytes in every run with the same settings; only live playlists change.
//! * Segments are never larger than their variant advertises.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::content::Content;
use super::h264::Pictures;
use super::path::{Container, Presentation, Resource, Stream, VARIANTS};
use super::playlist::{self, Variant};
use super::settings::Settings;
use super::timeline::{self, Timeline};
use super::{fmp4, mpegts};

const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
/// `Cache-Control` of a live playlist, which no cache may keep: it is out of date as soon as the next segment exists.
const KEEP_NOT: &str = "no-cache";
/// `Cache-Control` of everything else, which never changes. An hour is long enough to be worth caching, and short
/// enough to change settings.
const KEEP: &str = "public, max-age=3600";

/// Frames per second, as the multivariant playlist advertises. Segments without room for all of them have fewer.
const FRAME_RATE: u64 = 25;

/// All streams of one origin.
#[derive(Debug)]
pub struct Catalog {
    timeline: Timeline,
    variants: [Variant; VARIANTS],
    media: [Media; VARIANTS],
    started_at: Timestamp,
}

/// The media of a variant.
#[derive(Debug)]
struct Media {
    ts: mpegts::Template,
    fmp4: fmp4::Template,
    init: Content,
}

impl Media {
    fn new(variant: &Variant, level: u8, segment: Duration, noise: &Bytes) -> Self {
        let milliseconds = u64::try_from(segment.as_millis()).unwrap_or(u64::MAX);
        let length = variant.bitrate.saturating_mul(milliseconds) / 8_000;
        let pictures = milliseconds.saturating_mul(FRAME_RATE) / 1_000;
        let ticks = milliseconds.saturating_mul(90);
        let video = Pictures::new(variant.width, variant.height, level);
        Self {
            ts: mpegts::Template::new(noise, &video, length, pictures, ticks),
            fmp4: fmp4::Template::new(noise, &video, length, pictures, ticks),
            init: fmp4::init(variant.width, variant.height, &video),
        }
    }
}

/// A resource as it is served.
#[derive(Debug)]
pub struct Found {
    /// Bytes of the resource.
    pub content: Content,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// Set for text that is worth compressing; media is served in ranges instead.
    pub is_text: bool,
}

impl Catalog {
    /// Creates the streams that the settings ask for, beginning at `started_at`.
    pub fn new(settings: &Settings, started_at: Timestamp) -> Self {
        let timeline = Timeline {
            segment: settings.segment_duration,
            window: u64::from(settings.window),
            vod_segments: u64::from(settings.vod_segments),
        };
        let variant = |divisor, width, height, codecs| Variant {
            bitrate: settings.bitrate / divisor,
            width,
            height,
            codecs,
        };
        let variants = [
            variant(1, 1920, 1080, "avc1.640028"),
            variant(2, 1280, 720, "avc1.64001f"),
            variant(5, 640, 360, "avc1.64001e"),
        ];
        let noise = mpegts::block(settings.seed);
        // Levels of H.264 that fit these sizes (table A-1), in agreement with the codecs above.
        let [high, middle, low] = &variants;
        let media = [(high, 40), (middle, 31), (low, 30)]
            .map(|(variant, level)| Media::new(variant, level, settings.segment_duration, &noise));
        Self { timeline, variants, media, started_at }
    }

    /// Returns the resource as it is `elapsed` after the start, or `None` if it does not exist then.
    pub fn find(&self, resource: Resource, elapsed: Duration) -> Option<Found> {
        match resource {
            Resource::Page => Some(text(page(), "text/plain; charset=utf-8", KEEP)),
            Resource::Multivariant(_) => {
                Some(text(playlist::multivariant(&self.variants), PLAYLIST_TYPE, KEEP))
            }
            Resource::Media(stream, _) => Some(self.media_playlist(stream, elapsed)),
            Resource::Init(_, variant) => Some(media(self.media.get(variant)?.init.clone(), "video/mp4")),
            Resource::Segment(stream, variant, sequence) => self.segment(stream, variant, sequence, elapsed),
        }
    }

    fn media_playlist(&self, stream: Stream, elapsed: Duration) -> Found {
        let first = self.timeline.first_listed(elapsed);
        let keep = match stream.presentation {
            Presentation::Live => KEEP_NOT,
            Presentation::Vod => KEEP,
        };
        text(playlist::media(stream, &self.timeline, first, self.started_at), PLAYLIST_TYPE, keep)
    }

    fn segment(&self, stream: Stream, variant: usize, sequence: u64, elapsed: Duration) -> Option<Found> {
        let live = stream.presentation == Presentation::Live;
        let (available, jumps) = if live {
            (self.timeline.live_available(sequence, elapsed), timeline::discontinuities_until(sequence))
        } else {
            (self.timeline.vod_available(sequence), 0)
        };
        let segments = self.media.get(variant).filter(|_| available)?;
        let ticks = self.timeline.media_ticks(sequence, jumps);
        let after_jump = live && timeline::is_discontinuity(sequence);
        Some(match stream.container {
            Container::Ts => {
                media(segments.ts.segment(mpegts::Place { sequence, ticks, after_jump }), "video/mp2t")
            }
            Container::Fmp4 => media(segments.fmp4.segment(sequence, ticks), "video/iso.segment"),
        })
    }
}

fn text(text: String, content_type: &'static str, cache_control: &'static str) -> Found {
    Found { content: Content::whole(text), content_type, cache_control, is_text: true }
}

fn media(content: Content, content_type: &'static str) -> Found {
    Found { content, content_type, cache_control: KEEP, is_text: false }
}

fn page() -> String {
    let streams = Stream::ALL.map(|stream| format!("{}\n", stream.path())).concat();
    format!("The built-in test origin of hlswarm. Its streams:\n\n{streams}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        Catalog::new(&Settings::default(), Timestamp::UNIX_EPOCH)
    }

    fn find(path: &str, elapsed: Duration) -> Option<Found> {
        catalog().find(Resource::parse(path)?, elapsed)
    }

    fn length(path: &str) -> u64 {
        find(path, Duration::ZERO).unwrap().content.length()
    }

    #[test]
    fn segments_have_the_advertised_bitrate() {
        for (variant, bits) in [("v0", 3_000_000), ("v1", 1_500_000), ("v2", 600_000)] {
            assert_eq!(length(&format!("/live/fmp4/{variant}/segment_3.m4s")), bits * 2 / 8);
            let ts = length(&format!("/vod/ts/{variant}/segment_29.ts"));
            assert!(ts <= bits * 2 / 8 && ts + 188 > bits * 2 / 8);
        }
    }

    #[test]
    fn everything_that_a_playlist_lists_can_be_fetched_as_long_as_it_stands() {
        for stream in ["live/ts", "live/fmp4", "vod/ts", "vod/fmp4"] {
            let elapsed = Duration::from_millis(123_456);
            let list = find(&format!("/{stream}/v1/index.m3u8"), elapsed).unwrap();
            let list = String::from_utf8(list.content.head().to_vec()).unwrap();
            let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(listed.len() >= 6);
            for name in listed {
                assert!(find(&format!("/{stream}/v1/{name}"), elapsed).is_some(), "{name}");
                assert!(find(&format!("/{stream}/v1/{name}"), elapsed + Duration::from_secs(14)).is_some());
            }
        }
    }

    #[test]
    fn segments_before_and_after_their_time_are_not_there() {
        assert!(find("/live/ts/v0/segment_6.ts", Duration::ZERO).is_none());
        assert!(find("/live/ts/v0/segment_0.ts", Duration::from_secs(60)).is_none());
        assert!(find("/vod/ts/v0/segment_30.ts", Duration::ZERO).is_none());
    }

    #[test]
    fn the_smallest_settings_still_make_whole_segments() {
        let settings = Settings {
            bitrate: 200_000,
            segment_duration: Duration::from_millis(500),
            ..Settings::default()
        };
        let catalog = Catalog::new(&settings, Timestamp::UNIX_EPOCH);
        for path in ["/live/ts/v2/segment_0.ts", "/live/fmp4/v2/segment_0.m4s"] {
            let found = catalog.find(Resource::parse(path).unwrap(), Duration::ZERO).unwrap();
            assert!((2_312..=2_500).contains(&found.content.length()), "{path}");
        }
    }
}
