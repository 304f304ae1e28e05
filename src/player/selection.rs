//! Selection of the media playlists that a client plays: its variants, and the audio and subtitles beside them.
//!
//! * A variant whose audio group has playlists of its own is played with one of them: the default one, else one with
//!   AUTOSELECT, else the first (RFC 8216bis section 4.4.6.1.1).
//! * Subtitles are loaded if the playlist makes them the default: a simulated viewer does not switch on others.
//! * A playlist is loaded once, however often it is named: an audio-only variant and its rendition are the same.

use super::track::{Role, Track};
use crate::hls::{Multivariant, Rendition, RenditionKind, Text, Variant};
use crate::vocabulary::{Rung, SecretUrl};

/// Returns the tracks of the chosen variants, the variants first.
pub(super) fn tracks(presentation: &Multivariant, chosen: &[usize], at: &SecretUrl) -> Vec<Track> {
    let variants: Vec<_> = chosen.iter().filter_map(|index| presentation.variants.get(*index)).collect();
    let mut tracks = Vec::new();
    for variant in &variants {
        add(&mut tracks, variant_track(presentation, variant, at));
    }
    for variant in &variants {
        let sound = variant.audio.as_ref().and_then(|group| audio(presentation, group));
        let text = variant.subtitles.as_ref().and_then(|group| subtitles(presentation, group));
        for (rendition, role) in sound
            .map(|sound| (sound, Role::Audio))
            .into_iter()
            .chain(text.map(|text| (text, Role::Subtitles)))
        {
            if let Some(track) = rendition_track(presentation, rendition, role, at) {
                add(&mut tracks, track);
            }
        }
    }
    tracks
}

/// Adds the tracks that are only probed: the audio renditions and variants that are not played.
pub(super) fn add_others(tracks: &mut Vec<Track>, presentation: &Multivariant, at: &SecretUrl) {
    let own = presentation.own_playlists().enumerate();
    let audio = own.filter(|(_, rendition)| rendition.kind == RenditionKind::Audio);
    let audio = audio.filter_map(|(index, audio)| Some((Rung::rendition(index), audio.uri.as_ref()?)));
    let variants = presentation.variants.iter().enumerate();
    for (rung, uri) in audio.chain(variants.map(|(index, variant)| (Rung::variant(index), &variant.uri))) {
        add(tracks, named(at, uri.as_str(), rung, Role::Other));
    }
}

/// Adds a track, unless its playlist is loaded already.
fn add(tracks: &mut Vec<Track>, track: Track) {
    if !tracks.iter().any(|known| known.is_at(&track.url)) {
        tracks.push(track);
    }
}

/// Returns the track of a variant. Its rung is that of the first variant with this playlist: a ladder that offers each
/// playlist with several groups of audio lists it several times.
fn variant_track(presentation: &Multivariant, variant: &Variant, at: &SecretUrl) -> Track {
    let first = presentation.variants.iter().position(|other| other.uri == variant.uri);
    let rung = Rung::variant(first.unwrap_or(usize::MAX));
    let mut track = named(at, variant.uri.as_str(), rung, Role::Main);
    track.bandwidth = variant.bandwidth;
    track
}

fn rendition_track(
    presentation: &Multivariant,
    rendition: &Rendition,
    role: Role,
    at: &SecretUrl,
) -> Option<Track> {
    let uri = rendition.uri.as_ref()?;
    let first = presentation.own_playlists().position(|other| other.uri == rendition.uri);
    Some(named(at, uri.as_str(), Rung::rendition(first.unwrap_or(usize::MAX)), role))
}

/// Returns the track of a playlist that the multivariant playlist at `at` names.
fn named(at: &SecretUrl, uri: &str, rung: Rung, role: Role) -> Track {
    let mut track = Track::new(at.refer(uri), rung, role);
    track.named_securely = at.is_secure();
    track
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
    fn a_track_has_the_rung_under_which_its_playlist_is_named_first() {
        let rungs = |lines: &str, choice| {
            let Ok(Playlist::Multivariant(presentation)) = parse(format!("#EXTM3U\n{lines}").as_bytes())
            else {
                panic!("a multivariant playlist")
            };
            let at = SecretUrl::parse("http://o.test/live/master.m3u8").expect("an address");
            let mut tracks = tracks(&presentation, &choose(&presentation, choice), &at);
            let played = tracks.len();
            add_others(&mut tracks, &presentation, &at);
            let rungs: Vec<_> = tracks.iter().map(|track| track.rung).collect();
            (rungs[..played].to_vec(), rungs[played..].to_vec())
        };
        let (english, swedish) = (Rung::Rendition(1), Rung::Rendition(0));
        assert_eq!(
            rungs(SOUND, VariantChoice::Highest),
            (vec![Rung::Variant(0), english], vec![swedish, Rung::Variant(1)])
        );
        // Each playlist of a variant is offered with two groups of audio.
        let twice = format!("{}{}", SOUND.replace("=900", "=800"), SOUND.replace("\"a\"", "\"b\""));
        assert_eq!(rungs(&twice, VariantChoice::Highest).0, [Rung::Variant(0), english]);
        let no_captions = format!("#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"c\"\n{SOUND}");
        assert_eq!(rungs(&no_captions, VariantChoice::Highest).0, [Rung::Variant(0), english]);
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
