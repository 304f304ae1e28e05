//! Films: played in real time with a bounded buffer, to their end.

use super::*;
use crate::player::profiles::{FFMPEG, NATIVE, WEB};
use crate::vocabulary::ClientState;

#[test]
fn a_film_is_played_in_real_time_with_a_bounded_buffer_and_then_it_ends() {
    let mut origin = Origin::film(100);
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    let ended = run.ended.expect("an end").0.as_secs_f64();
    assert!((200.0..200.5).contains(&ended), "{ended}");
    assert_eq!(origin.count(is_playlist), 1);
    assert_eq!(origin.count(is_segment), 100);
    assert_eq!(run.tally.play, 200 * SECOND);
    assert_eq!((run.tally.stalls, run.tally.played_bytes), (0, 100_000));
    for (nth, at) in origin.times(is_segment).into_iter().enumerate() {
        let ahead = (2 * SECOND * nth as u32).saturating_sub(at);
        assert!(ahead <= WEB.buffer_goal + SECOND, "segment {nth} was asked for {ahead:?} ahead");
    }
}

#[test]
fn ffmpeg_takes_a_film_as_fast_as_it_comes_and_still_plays_it() {
    let mut origin = Origin::film(15);
    let run = play(&mut player(&FFMPEG, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert!(origin.times(is_segment).last().expect("some") < &SECOND);
    assert_eq!(run.tally.play, 30 * SECOND);
}

#[test]
fn the_native_player_loads_twelve_seconds_and_then_two_segments_whenever_six_are_left() {
    for (seconds, at_once, each_time, every) in [(4, 3, 2, 8), (2, 6, 3, 6), (6, 2, 1, 6)] {
        let mut origin = Origin::new(move |_, _| window(0, 60, seconds) + "#EXT-X-ENDLIST\n");
        play(&mut player(&NATIVE, Duration::ZERO), &mut origin, Duration::ZERO, 60 * SECOND);
        let times: Vec<_> = origin.times(is_segment).into_iter().map(|at| at.as_secs()).collect();
        let (first, later) = times.split_at(at_once);
        assert!(first.iter().all(|at| *at == 0), "{times:?}");
        let wakes: Vec<_> = later.chunks(each_time).map(|wake| (wake[0], wake[wake.len() - 1])).collect();
        assert!(wakes.len() >= 6 && wakes.iter().all(|(first, last)| first == last), "{wakes:?}");
        assert!(wakes.windows(2).all(|two| two[1].0 - two[0].0 == every), "{wakes:?}");
    }
}

#[test]
fn the_native_player_survives_a_film_that_stands_still_and_leaves_a_live_stream_that_moved_on() {
    // Segment 6 takes longer than the buffer lasts.
    let slow = |what| matches!(what, Resource::Segment(_, 6));
    let latency = move |what| if slow(what) { 20 * SECOND } else { Duration::from_millis(10) };
    let mut film = Origin::new(|_, _| window(0, 15, 4) + "#EXT-X-ENDLIST\n");
    film.latency = Box::new(latency);
    let run = play(&mut player(&NATIVE, Duration::ZERO), &mut film, Duration::ZERO, HOUR);
    assert_eq!((run.tally.play, run.tally.stalls), (60 * SECOND, 1));
    assert!(matches!(run.ended, Some((_, Action::Finished))));
    // No new playlist for longer than the buffer lasts, with room in the window for every missed segment; then for
    // less.
    for (outage, leaves) in [(24, true), (6, false)] {
        let silent = (40 * SECOND)..((40 + outage) * SECOND);
        let mut live = Origin::new(|now, _| window(now.as_secs() / 4, 15, 4))
            .failing(move |at, what| is_playlist(what) && silent.contains(&at));
        let run = play(&mut player(&NATIVE, Duration::ZERO), &mut live, Duration::ZERO, 100 * SECOND);
        assert_eq!(run.ended.is_some(), leaves, "{outage} {:?}", run.tally);
    }
}

#[test]
fn a_film_begins_where_it_says() {
    let mut origin = Origin::new(|_, _| window(0, 10, 2) + "#EXT-X-START:TIME-OFFSET=9.5\n#EXT-X-ENDLIST\n");
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!((origin.count(is_segment), run.tally.play), (6, 12 * SECOND));
}

#[test]
fn gaps_are_not_requested() {
    let mut origin = Origin::new(|_, _| {
        let list = window(0, 10, 2) + "#EXT-X-ENDLIST\n";
        list.replace("#EXTINF:2,\nsegment_4.ts", "#EXT-X-GAP\n#EXTINF:2,\nsegment_4.ts")
            .replace("#EXTINF:2,\nsegment_9.ts", "#EXT-X-GAP\n#EXTINF:2,\nsegment_9.ts")
    });
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    let files: Vec<_> = origin.asked.iter().map(|asked| asked.file.as_str()).collect();
    assert!(!files.contains(&"segment_4.ts") && !files.contains(&"segment_9.ts"), "{files:?}");
    assert_eq!((run.tally.play, run.tally.segments_skipped), (16 * SECOND, 0));
    assert!(run.ended.is_some());
}

#[test]
fn what_a_reader_computes_from_a_moment_is_what_the_player_knows() {
    let mut player = player(&WEB, Duration::ZERO);
    let mut origin = Origin::film(3);
    play(&mut player, &mut origin, Duration::ZERO, 2 * SECOND);
    let moment = player.playback(2 * SECOND);
    assert_eq!(moment.state, ClientState::Playing);
    // Playback began after three requests of ten milliseconds.
    assert_eq!(moment.offset_us, -30_000);
    assert_eq!(moment.dry_at_us, 6_030_000);
    assert_eq!(moment.live_offset_us, None);
}

#[test]
fn a_playlist_that_names_nothing_is_refused() {
    let player = player(&WEB, Duration::ZERO);
    let media = parse(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n").expect("a playlist");
    let multivariant = parse(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n").expect("a playlist");
    assert_eq!(player.accepts(Resource::Entry, &media), Ok(()));
    assert_eq!(player.accepts(Resource::Entry, &multivariant), Ok(()));
    assert_eq!(player.accepts(Resource::Playlist(0), &media), Ok(()));
    assert_eq!(player.accepts(Resource::Playlist(0), &multivariant), Err(Fault::PlaylistSemantic));
}
