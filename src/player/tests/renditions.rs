//! Audio and subtitles beside the video, and variants side by side.

use super::*;
use crate::player::profiles::{FFMPEG, WEB};

const SEPARATE: &str = "#EXTM3U\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"eng\",DEFAULT=YES,URI=\"sound.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"eng\",DEFAULT=YES,URI=\"text.m3u8\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900,AUDIO=\"a\",SUBTITLES=\"s\"\npictures.m3u8\n";

fn separate() -> Origin {
    let list = |now: Duration, file: &str| {
        let name = file.trim_end_matches(".m3u8").to_owned();
        window(now.as_secs() / 2, 6, 2).replace("segment", &name)
    };
    Origin { master: SEPARATE.to_owned(), ..Origin::new(list) }
}

fn count(origin: &Origin, prefix: &str) -> usize {
    origin.asked.iter().filter(|asked| is_segment(asked.what) && asked.file.starts_with(prefix)).count()
}

#[test]
fn sound_and_subtitles_are_fetched_beside_the_pictures_in_a_lane_of_their_own() {
    let mut origin = separate();
    let run = play(&mut player(&WEB, 50 * SECOND), &mut origin, 50 * SECOND, 110 * SECOND);
    for track in ["pictures", "sound", "text"] {
        assert!((32..=34).contains(&count(&origin, track)), "{track} {}", count(&origin, track));
    }
    for asked in &origin.asked {
        let beside = asked.file.starts_with("sound") || asked.file.starts_with("text");
        assert_eq!(asked.lane, usize::from(beside), "{asked:?}");
    }
    assert_eq!(run.tally.stalls, 0);
}

#[test]
fn a_player_says_which_rungs_it_plays_and_which_one_a_request_is_for() {
    let mut player = player(&WEB, 50 * SECOND);
    assert_eq!((player.plays(), player.rung(Resource::Playlist(0))), ([None; 3], None));
    play(&mut player, &mut separate(), 50 * SECOND, 60 * SECOND);
    let [video, audio, subtitles] = [Rung::Variant(0), Rung::Rendition(0), Rung::Rendition(1)].map(Some);
    assert_eq!(player.plays(), [video, audio, subtitles]);
    assert_eq!((player.rung(Resource::Playlist(2)), player.rung(Resource::Key(1))), (subtitles, audio));
    let mut single = player_of(settings(&WEB, VariantChoice::Highest), 1, Duration::ZERO);
    let mut origin = Origin { master: window(0, 3, 2), ..Origin::live() };
    play(&mut single, &mut origin, Duration::ZERO, SECOND);
    assert_eq!(
        (single.plays(), single.rung(Resource::Entry)),
        ([Some(Rung::Single), None, None], Some(Rung::Single))
    );
}

#[test]
fn playback_waits_for_sound_but_not_for_subtitles() {
    let without = |track: usize| {
        let mut origin =
            separate().failing(move |_, what| matches!(what, Resource::Segment(of, _) if of == track));
        let patient = Box::leak(Box::new(Profile { segment: profiles::PERSISTENT.segment, ..WEB }));
        let run = play(&mut player(patient, 50 * SECOND), &mut origin, 50 * SECOND, 70 * SECOND);
        run.tally.began.is_some()
    };
    assert!(!without(1), "played without sound");
    assert!(without(2), "waited for subtitles");
}

#[test]
fn the_bit_rate_is_that_of_pictures_and_sound_together() {
    let list = |_: Duration, file: &str| window(0, 10, 2).replace("segment", file) + "#EXT-X-ENDLIST\n";
    let mut origin = Origin { master: SEPARATE.to_owned(), ..Origin::new(list) };
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!((run.tally.play, run.tally.played_bytes), (20 * SECOND, 20_000));
}

#[test]
fn a_player_that_keeps_playlists_apart_has_a_lane_for_them() {
    let mut origin = separate();
    play(&mut player(&FFMPEG, 50 * SECOND), &mut origin, 50 * SECOND, 70 * SECOND);
    for asked in &origin.asked {
        assert_eq!(asked.lane, usize::from(is_segment(asked.what)), "{asked:?}");
    }
}

#[test]
fn all_variants_are_played_side_by_side_when_asked_for() {
    let mut origin = Origin { master: TWO_VARIANTS.to_owned(), ..Origin::live() };
    let mut player = player_of(settings(&WEB, VariantChoice::All), 1, Duration::ZERO);
    let run = play(&mut player, &mut origin, Duration::ZERO, 60 * SECOND);
    let of = |track: usize| {
        origin
            .asked
            .iter()
            .filter(|asked| matches!(asked.what, Resource::Segment(t, _) if t == track))
            .count()
    };
    assert!((31..=34).contains(&of(0)), "{}", of(0));
    assert_eq!(of(0), of(1));
    assert_eq!(run.tally.stalls, 0);
}
