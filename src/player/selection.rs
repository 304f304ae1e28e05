//! Selection of the media playlists that a client plays: its variants, and the audio and subtitles beside them.
//!
//! * A variant whose audio group has playlists of its own is played with one of them: the default one, else one with
//!   AUTOSELECT, else the first (RFC 8216bis section 4.4.6.1.1).
//! * Subtitles are loaded if the playlist makes them the default: a simulated viewer does not switch on others.
//! * A playlist is loaded once, however often it is named: an audio-only variant and its rendition are the same.

use super::track::{Role, Track};
use crate::hls::{Multivariant, Rendition, RenditionKind, Text};
use crate::vocabulary::SecretUrl;

/// Returns the tracks of the chosen variants, the variants first.
pub(super) fn tracks(presentation: &Multivariant, chosen: &[usize], at: &SecretUrl) -> Vec<Track> {
    let variants: Vec<_> = chosen.iter().filter_map(|index| presentation.variants.get(*index)).collect();
    let mut tracks = Vec::new();
    for variant in &variants {
        add(&mut tracks, at, variant.uri.as_str(), Role::Main, variant.bandwidth);
    }
    for variant in &variants {
        let sound = variant.audio.as_ref().and_then(|group| audio(presentation, group));
        let text = variant.subtitles.as_ref().and_then(|group| subtitles(presentation, group));
        for (rendition, role) in sound
            .map(|sound| (sound, Role::Audio))
            .into_iter()
            .chain(text.map(|text| (text, Role::Subtitles)))
        {
            if let Some(uri) = &rendition.uri {
                add(&mut tracks, at, uri.as_str(), role, 0);
            }
        }
    }
    tracks
}

/// Adds the tracks that are only probed: the audio renditions and variants that are not played.
pub(super) fn add_others(tracks: &mut Vec<Track>, presentation: &Multivariant, at: &SecretUrl) {
    let audio = presentation.renditions.iter().filter(|rendition| rendition.kind == RenditionKind::Audio);
    let variants = presentation.variants.iter().map(|variant| &variant.uri);
    for uri in audio.filter_map(|rendition| rendition.uri.as_ref()).chain(variants) {
        add(tracks, at, uri.as_str(), Role::Other, 0);
    }
}

fn add(tracks: &mut Vec<Track>, at: &SecretUrl, uri: &str, role: Role, bandwidth: u64) {
    let url = at.refer(uri);
    if !tracks.iter().any(|track| track.is_at(&url)) {
        let mut track = Track::new(url, role, bandwidth);
        track.named_securely = at.is_secure();
        tracks.push(track);
    }
}

fn audio<'a>(presentation: &'a Multivariant, group: &'a Text) -> Option<&'a Rendition> {
    let renditions = || presentation.group(RenditionKind::Audio, group);
    let default = renditions().find(|rendition| rendition.default);
    default.or_else(|| renditions().find(|rendition| rendition.autoselect)).or_else(|| renditions().next())
}

fn subtitles<'a>(presentation: &'a Multivariant, group: &'a Text) -> Option<&'a Rendition> {
    presentation.group(RenditionKind::Subtitles, group).find(|rendition| rendition.default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::{Playlist, VariantChoice, choose, parse};

    fn chosen(lines: &str, choice: VariantChoice) -> Vec<(Role, String)> {
        let text = format!("#EXTM3U\n{lines}");
        let Playlist::Multivariant(presentation) = parse(text.as_bytes()).expect("a playlist") else {
            panic!("a multivariant playlist")
        };
        let at = SecretUrl::parse("http://o.test/live/master.m3u8").expect("an address");
        let tracks = tracks(&presentation, &choose(&presentation, choice), &at);
        tracks.iter().map(|track| (track.role, track.base.file_name())).collect()
    }

    const SOUND: &str = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"swe\",URI=\"swe.m3u8\",AUTOSELECT=YES\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"eng\",URI=\"eng.m3u8\",DEFAULT=YES\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900,AUDIO=\"a\"\nhigh.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=100,AUDIO=\"a\"\nlow.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=50,AUDIO=\"a\"\neng.m3u8\n";

    fn named(role: Role, name: &str) -> (Role, String) {
        (role, name.to_owned())
    }

    #[test]
    fn a_variant_is_played_with_its_default_sound() {
        let expected = [named(Role::Main, "high.m3u8"), named(Role::Audio, "eng.m3u8")];
        assert_eq!(chosen(SOUND, VariantChoice::Highest), expected);
        let without = SOUND.replace(",DEFAULT=YES", "");
        assert_eq!(chosen(&without, VariantChoice::Highest)[1].1, "swe.m3u8");
        assert_eq!(chosen(&without.replace(",AUTOSELECT=YES", ""), VariantChoice::Highest)[1].1, "swe.m3u8");
    }

    #[test]
    fn a_track_remembers_whether_it_was_named_over_https() {
        let Ok(Playlist::Multivariant(presentation)) = parse(format!("#EXTM3U\n{SOUND}").as_bytes()) else {
            panic!("a multivariant playlist")
        };
        for (base, expected) in [("https://o.test/a.m3u8", true), ("http://o.test/a.m3u8", false)] {
            let at = SecretUrl::parse(base).expect(base);
            let tracks = tracks(&presentation, &choose(&presentation, VariantChoice::Highest), &at);
            assert!(tracks.iter().all(|track| track.named_securely == expected), "{base}");
        }
    }

    #[test]
    fn the_same_playlist_is_loaded_once() {
        assert_eq!(chosen(SOUND, VariantChoice::Lowest), [named(Role::Main, "eng.m3u8")]);
        let all = chosen(SOUND, VariantChoice::All);
        assert_eq!(all.iter().filter(|(_, name)| name == "eng.m3u8").count(), 1, "{all:?}");
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn sound_within_the_variant_needs_nothing_else() {
        let muxed = SOUND.replace(",URI=\"eng.m3u8\"", "");
        assert_eq!(chosen(&muxed, VariantChoice::Highest), [named(Role::Main, "high.m3u8")]);
    }

    #[test]
    fn subtitles_are_loaded_where_they_are_the_default() {
        let lines = |default: &str| {
            format!(
                "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"eng\",URI=\"s.m3u8\",DEFAULT={default}\n\
                 #EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES=\"s\"\nv.m3u8\n"
            )
        };
        let shown = [named(Role::Main, "v.m3u8"), named(Role::Subtitles, "s.m3u8")];
        assert_eq!(chosen(&lines("YES"), VariantChoice::Highest), shown);
        assert_eq!(chosen(&lines("NO"), VariantChoice::Highest), [named(Role::Main, "v.m3u8")]);
    }
}
