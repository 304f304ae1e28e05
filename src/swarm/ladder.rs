//! Publishes what clients learn of the ladder: the names of its rungs, and the newest playlist of each.

use crate::hls::wall_clock::impossible_age;
use crate::hls::{Loaded, Media, Multivariant, Playlist, Rendition, RenditionKind, Variant};
use crate::player::Player;
use crate::stats::{Listing, Meter, Progress, RungKind, RungName};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Rung, Untrusted, units};

use super::inspection::Look;

/// Maximum width of the label of a rung, in columns.
const LABEL_COLUMNS: usize = 16;
/// Maximum width of its codecs, in columns.
const CODECS_COLUMNS: usize = 24;
/// Frames per second from which on they are part of the label, as in `1080p60`.
const HIGH_FRAME_RATE: f64 = 48.0;
/// Distance from the end at which players begin if the playlist gives none, in target durations (RFC 8216bis section
/// 4.4.3.8).
const HOLD_BACK_TARGETS: u32 = 3;

/// Publishes a playlist that the player awaits and accepts. Only the first client of a worker to load it has more to
/// do than a few comparisons.
pub(super) fn publish(player: &Player, look: &Look<'_>, playlist: &Playlist) {
    match playlist {
        Playlist::Multivariant(multivariant) => name_rungs(look.meter, multivariant),
        Playlist::Media(media) => {
            let rung = player.rung(look.fetch.what);
            rung.into_iter().for_each(|rung| list(rung, look.meter, look.loaded, media));
        }
    }
}

fn name_rungs(meter: &Meter, multivariant: &Multivariant) {
    for (index, variant) in multivariant.variants.iter().enumerate().take(Rung::PLACES) {
        meter.name_rung(Rung::variant(index), || variant_name(index, variant));
    }
    for (index, rendition) in multivariant.own_playlists().enumerate().take(Rung::PLACES) {
        meter.name_rung(Rung::rendition(index), || rendition_name(index, rendition));
    }
}

fn variant_name(index: usize, variant: &Variant) -> RungName {
    let pixels = |length| u32::try_from(length).ok();
    let size = variant.resolution.and_then(|size| Some((pixels(size.width)?, pixels(size.height)?)));
    let bandwidth = Some(variant.bandwidth).filter(|bandwidth| *bandwidth > 0);
    let frame_rate = variant.frame_rate.filter(|rate| rate.is_finite());
    let label = match (size, bandwidth) {
        // The shorter side names the format, also of a video in portrait.
        (Some((width, height)), _) => {
            let high = frame_rate.filter(|rate| *rate >= HIGH_FRAME_RATE);
            format!("{}p{}", width.min(height), high.map_or(String::new(), |rate| format!("{rate:.0}")))
        }
        (None, Some(bandwidth)) => units::bit_rate(bandwidth as f64),
        (None, None) => format!("variant {}", index + 1),
    };
    let codecs = variant.codecs.as_ref().map_or(String::new(), |codecs| codecs.shown());
    RungName {
        kind: RungKind::Variant,
        label: fit(&label, LABEL_COLUMNS),
        size,
        frame_rate,
        bandwidth,
        codecs: fit(&codecs, CODECS_COLUMNS),
    }
}

fn rendition_name(index: usize, rendition: &Rendition) -> RungName {
    let (kind, word) = match rendition.kind {
        RenditionKind::Subtitles => (RungKind::Subtitles, "subs"),
        _ => (RungKind::Audio, "audio"),
    };
    let named = Some(&rendition.name).filter(|name| !name.as_str().is_empty());
    let which = rendition.language.as_ref().or(named).map_or((index + 1).to_string(), |text| text.shown());
    RungName {
        kind,
        label: fit(&format!("{word} {which}"), LABEL_COLUMNS),
        size: None,
        frame_rate: None,
        bandwidth: None,
        codecs: "".into(),
    }
}

fn fit(text: &str, columns: usize) -> Box<str> {
    Untrusted::new(text).shown_in(columns).into()
}

fn list(rung: Rung, meter: &Meter, loaded: Loaded, media: &Media) {
    // Stand-ins for numbers that cannot be read do not rise when the window moves on.
    let Some(newest) = media.last_sequence().filter(|_| !media.is_unnumbered()) else { return };
    let parts = media.unfinished_parts() as u64;
    let progress = Progress { newest, parts, is_ended: media.endlist };
    let came_us = micros(loaded.until);
    meter.list(rung, progress, came_us, || {
        let hold_back = media.server_control.as_ref().and_then(|control| control.hold_back);
        let target = media.target_duration;
        Listing {
            progress,
            came_us,
            ends_us: ends_us(meter, loaded, media),
            target_us: micros(target),
            window_us: micros(media.total_duration()),
            hold_back_us: micros(hold_back.unwrap_or(target.saturating_mul(HOLD_BACK_TARGETS))),
            segments: media.segments.len() as u64,
        }
    });
}

/// Returns the time of the run at which the newest media ends, as the player sees it: by its dates if they can be
/// right, but not after the playlist was requested; without dates, at that request.
fn ends_us(meter: &Meter, loaded: Loaded, media: &Media) -> i64 {
    let asked_us = i64::try_from(micros(loaded.since)).unwrap_or(i64::MAX);
    let epoch = meter.clock().started_at();
    let dated_us = || {
        let asked = epoch.checked_add(loaded.since).ok()?;
        let end = media.ends_at().filter(|_| impossible_age(media, asked).is_none())?;
        end.as_microsecond().checked_sub(epoch.as_microsecond())
    };
    dated_us().map_or(asked_us, |dated_us| dated_us.min(asked_us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::{Text, parse};
    use crate::stats::Registry;
    use crate::vocabulary::Clock;
    use crate::vocabulary::untrusted::HOSTILE;
    use std::sync::Arc;
    use std::time::Duration;
    use unicode_width::UnicodeWidthStr;

    fn playlist(lines: &str) -> Playlist {
        parse(format!("#EXTM3U\n{lines}").as_bytes()).expect("a playlist")
    }

    /// Returns the name and the newest playlist of each rung after a client whose clock began at noon has published.
    fn rows(publish: impl FnOnce(&Meter)) -> Vec<(Option<Arc<RungName>>, Option<Listing>)> {
        let (registry, noon) = (Registry::new(1), "2026-01-02T12:00:00Z".parse().expect("a time"));
        let (client, mut index) = (registry.add(), Default::default());
        publish(&client.meter(0, Clock::start().started_at_wall(noon)));
        registry.placements(&mut index);
        index.rungs.into_iter().map(|row| (row.name, row.listing)).collect()
    }

    fn names(lines: &str) -> Vec<RungName> {
        let Playlist::Multivariant(multivariant) = playlist(lines) else { panic!("a multivariant playlist") };
        let rows = rows(|meter| name_rungs(meter, &multivariant));
        rows.into_iter().filter_map(|(name, _)| name).map(|name| RungName::clone(&name)).collect()
    }

    #[test]
    fn a_rung_is_named_by_its_format_its_bit_rate_or_its_language() {
        let names = names(
            "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"c\",INSTREAM-ID=\"CC1\"\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",URI=\"en.m3u8\"\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Commentary\",URI=\"c.m3u8\"\n\
             #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"Svenska\",LANGUAGE=\"sv\",URI=\"sv.m3u8\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1920x1080,FRAME-RATE=25,CODECS=\"avc1.640028,mp4a.40.2\"\na\n\
             #EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=720x1280,FRAME-RATE=59.94\nb\n\
             #EXT-X-STREAM-INF:BANDWIDTH=128000\nc\n",
        );
        let labels: Vec<_> = names.iter().map(|name| &*name.label).collect();
        assert_eq!(labels, ["1080p", "720p60", "128 kb/s", "audio en", "audio Commentary", "subs sv"]);
        let first = &names[0];
        assert_eq!((first.size, first.frame_rate), (Some((1_920, 1_080)), Some(25.0)));
        assert_eq!((first.bandwidth, &*first.codecs), (Some(6_000_000), "avc1.640028,mp4a.40.2"));
        assert_eq!((names[5].kind, names[5].bandwidth), (RungKind::Subtitles, None));
    }

    #[test]
    fn texts_of_the_origin_are_harmless_and_short() {
        for text in HOSTILE.iter().copied().chain([&*"x".repeat(5_000)]).map(Text::from) {
            let variant = Variant { codecs: Some(text.clone()), ..Variant::default() };
            let spoken = Rendition { language: Some(text.clone()), ..Rendition::default() };
            let named =
                Rendition { name: text.clone(), kind: RenditionKind::Subtitles, ..Rendition::default() };
            for name in [variant_name(0, &variant), rendition_name(0, &spoken), rendition_name(0, &named)] {
                for (shown, columns) in [(&name.label, LABEL_COLUMNS), (&name.codecs, CODECS_COLUMNS)] {
                    assert!(shown.width() <= columns, "{shown}");
                    assert_eq!(**shown, Untrusted::new(shown).shown(), "{text:?}");
                }
            }
        }
    }

    /// Returns what is published of a playlist that was requested 20 s and came 21 s after noon.
    fn listing(lines: &str) -> Option<Listing> {
        let Playlist::Media(media) = playlist(&format!("#EXT-X-TARGETDURATION:4\n{lines}")) else {
            panic!("a media playlist")
        };
        let [since, until] = [20, 21].map(Duration::from_secs);
        rows(|meter| list(Rung::Single, meter, Loaded { since, until }, &media)).first()?.1
    }

    const SEGMENTS: &str = "#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n#EXTINF:4,\nb\n";

    #[test]
    fn a_playlist_is_listed_with_its_window_and_its_hold_back() {
        let listed = listing(SEGMENTS).expect("a listing");
        let progress = Progress { newest: 8, parts: 0, is_ended: false };
        assert_eq!((listed.progress, listed.came_us, listed.segments), (progress, 21_000_000, 2));
        assert_eq!((listed.target_us, listed.window_us), (4_000_000, 8_000_000));
        assert_eq!(listed.hold_back_us, 12_000_000);
        let held = listing(&format!("#EXT-X-SERVER-CONTROL:HOLD-BACK=16\n{SEGMENTS}#EXT-X-ENDLIST\n"));
        assert_eq!(
            held.map(|listed| (listed.hold_back_us, listed.progress.is_ended)),
            Some((16_000_000, true))
        );
        let numberless = SEGMENTS.replace(":7", ":-7");
        assert_eq!((listing(&numberless), listing("")), (None, None));
    }

    #[test]
    fn the_newest_media_ends_when_the_dates_say_so_if_they_can_be_right() {
        for (dated, ends_s) in [
            ("", 20),
            // It ends at 12:00:15, at 11:59:55, after the request, and an hour ago.
            ("12:00:07", 15),
            ("11:59:47", -5),
            ("12:00:30", 20),
            ("11:00:07", 20),
        ] {
            let date = format!("#EXT-X-PROGRAM-DATE-TIME:2026-01-02T{dated}Z\n");
            let lines = if dated.is_empty() { SEGMENTS.to_owned() } else { date + SEGMENTS };
            let ends_us = listing(&lines).map(|listed| listed.ends_us);
            assert_eq!(ends_us, Some(ends_s * 1_000_000), "{dated}");
        }
    }
}
