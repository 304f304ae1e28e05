//! Live streams: joining them, reloading their playlists, and windows that misbehave.

use super::*;
use crate::player::profiles::{FFMPEG, NATIVE, PERSISTENT, WEB};
use std::cell::Cell;

fn sequence(what: Resource) -> Option<u64> {
    if let Resource::Segment(_, number) = what { Some(number) } else { None }
}

fn steps(times: &[Duration]) -> Vec<u128> {
    times.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
}

#[test]
fn a_live_viewer_begins_three_target_durations_from_the_end() {
    let mut origin = Origin::live();
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, SECOND);
    let whats: Vec<_> = origin.asked.iter().map(|asked| asked.what).collect();
    let segments = [Resource::Segment(0, 3), Resource::Segment(0, 4), Resource::Segment(0, 5)];
    assert_eq!(whats, [&[Resource::Entry, Resource::Playlist(0)], segments.as_slice()].concat());
}

#[test]
fn an_hour_of_live_is_one_playlist_and_one_segment_for_each_target_duration_without_a_stall() {
    let begin = Duration::from_millis(700);
    let mut origin = Origin::live();
    let run = play(&mut player(&WEB, begin), &mut origin, begin, begin + HOUR);
    let (playlists, segments) = (origin.count(is_playlist), origin.count(is_segment));
    assert!((1_798..=1_803).contains(&playlists), "{playlists}");
    assert!((1_801..=1_804).contains(&segments), "{segments}");
    assert_eq!((run.tally.stalls, run.tally.segments_skipped, run.tally.edge_jumps), (0, 0, 0));
    let mut files: Vec<_> = origin.asked.iter().filter(|asked| is_segment(asked.what)).collect();
    files.sort_by(|one, other| one.file.cmp(&other.file));
    files.dedup_by(|one, other| one.file == other.file);
    assert_eq!(files.len(), segments, "a segment was asked for twice");
}

#[test]
fn an_unchanged_playlist_is_loaded_again_after_half_a_target_duration() {
    let mut origin = Origin::new(|now, _| window(now.as_secs().min(20) / 4, 6, 4));
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, 40 * SECOND);
    let times = origin.times(is_playlist);
    let still: Vec<_> = times.into_iter().filter(|at| *at > 21 * SECOND).collect();
    let steps = steps(&still);
    assert!(steps.len() >= 6 && steps[1..].iter().all(|step| *step == 2_000), "{steps:?}");
}

#[test]
fn each_profile_keeps_its_own_time() {
    for (profile, changed, unchanged) in
        [(&WEB, 4_000, 2_000), (&FFMPEG, 4_000, 2_000), (&NATIVE, 8_000, 4_000)]
    {
        let mut origin = Origin::new(|now, _| window(now.as_secs() / 4, 6, 4));
        // Playback begins between two moves of the window, so the native player finds two new segments each time its
        // buffer is low.
        play(&mut player(profile, 102 * SECOND), &mut origin, 102 * SECOND, 150 * SECOND);
        let moving = steps(&origin.times(is_playlist));
        let kept = moving[1..].iter().all(|step| step.abs_diff(changed) < 100);
        assert!(moving.len() >= 4 && kept, "{} {moving:?}", profile.name);
        let mut origin = Origin::new(|_, _| window(7, 6, 4));
        play(&mut player(profile, 100 * SECOND), &mut origin, 100 * SECOND, 140 * SECOND);
        let still = steps(&origin.times(is_playlist));
        assert!(still[1..].iter().all(|step| *step == unchanged), "{} {still:?}", profile.name);
    }
}

#[test]
fn the_native_player_looks_at_the_oldest_segment_and_then_loads_two_each_time_it_wakes() {
    let mut origin = Origin::new(|now, _| window(now.as_secs() / 4, 6, 4));
    let run = play(&mut player(&NATIVE, 102 * SECOND), &mut origin, 102 * SECOND, 130 * SECOND);
    let segments: Vec<_> = origin.asked.iter().filter(|asked| is_segment(asked.what)).collect();
    let numbers: Vec<_> = segments.iter().map(|asked| asked.what).collect();
    let expected = [25, 28, 29, 30, 31, 32, 33, 34, 35, 36].map(|number| Resource::Segment(0, number));
    assert_eq!(numbers, expected);
    let wakes: Vec<_> = segments.iter().map(|asked| asked.at.as_secs()).collect();
    assert_eq!(wakes, [102, 102, 102, 102, 108, 108, 116, 116, 124, 124]);
    // The probed segment is neither played nor skipped.
    assert_eq!((run.tally.segments_skipped, run.tally.stalls), (0, 0));
    assert_eq!(u128::from(run.tally.played_bytes), run.tally.play.as_millis() / 4);
}

#[test]
fn a_viewer_of_short_segments_reloads_at_most_twice_a_second() {
    let mut origin = Origin::new(|_, _| window(7, 6, 1).replace("DURATION:1\n", "DURATION:0\n"));
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, 60 * SECOND);
    let times = origin.times(is_playlist);
    assert!(times.windows(3).all(|three| three[2] - three[0] >= SECOND), "{times:?}");
    assert!(times.len() >= 115, "{}", times.len());
}

#[test]
fn a_stream_that_counts_from_zero_again_plays_on_when_its_numbers_pass_those_that_were_reached() {
    // The packager restarts at 60 s: sequence numbers begin at zero again, under other names. Number 34 is the last
    // one that was loaded; 35 is listed again at 60 + 60 s.
    for profile in Profile::ALL {
        let mut origin = Origin::new(|now, _| match now.as_secs().checked_sub(60) {
            Some(again) => window(again / 2, 6, 2).replace("segment_", "again_"),
            None => window(now.as_secs() / 2, 6, 2),
        });
        let run = play(&mut player(profile, 30 * SECOND), &mut origin, 30 * SECOND, 140 * SECOND);
        let again: Vec<_> = origin.asked.iter().filter(|asked| asked.file.starts_with("again_")).collect();
        let first = again.first().expect("segments again");
        assert_eq!(first.what, Resource::Segment(0, 35), "{}", profile.name);
        assert!((120 * SECOND..123 * SECOND).contains(&first.at), "{} {first:?}", profile.name);
        assert_eq!((run.tally.edge_jumps, run.ended.is_none()), (0, true), "{}", profile.name);
    }
}

#[test]
fn a_segment_is_asked_for_once_however_its_url_changes_from_load_to_load() {
    type Sign = fn(&str, u64) -> String;
    let signs: [(&str, Sign); 4] = [
        ("query", |list, load| list.replace(".ts", &format!(".ts?token={load}"))),
        ("path", |list, load| list.replace("segment_", &format!("signed-{load}/segment_"))),
        ("name", |list, load| list.replace(".ts", &format!("-{load}.ts"))),
        ("host", |list, load| list.replace("segment_", &format!("http://edge{}.test/segment_", load % 2))),
    ];
    for ((signed, sign), profile) in signs.into_iter().flat_map(|sign| Profile::ALL.map(|one| (sign, one))) {
        let loads = Cell::new(0);
        let mut origin = Origin::new(move |now, _| {
            loads.set(loads.get() + 1);
            // Now and then the window goes back, or stands still.
            let first = match now.as_secs() % 30 {
                10..14 => now.as_secs() / 2 - 3,
                20..25 => (now.as_secs() - now.as_secs() % 30 + 20) / 2,
                _ => now.as_secs() / 2,
            };
            sign(&window(first, 8, 2), loads.get())
        });
        let run = play(&mut player(profile, 60 * SECOND), &mut origin, 60 * SECOND, 180 * SECOND);
        let numbers: Vec<_> = origin.asked.iter().filter_map(|asked| sequence(asked.what)).collect();
        let first = if profile.probes_oldest { 1 } else { 0 };
        assert!(
            numbers[first..].is_sorted_by(|one, other| other - one == 1),
            "{signed} {} {numbers:?}",
            profile.name
        );
        assert!(run.ended.is_some() || numbers.len() > 55, "{signed} {} {}", profile.name, numbers.len());
    }
}

#[test]
fn a_list_that_stands_still_is_unchanged_although_its_urls_are_signed_anew() {
    let loads = Cell::new(0);
    let mut origin = Origin::new(move |_, _| {
        loads.set(loads.get() + 1);
        window(7, 6, 4).replace(".ts", &format!("-{}.ts", loads.get()))
    });
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, 60 * SECOND);
    let steps = steps(&origin.times(is_playlist));
    assert!(steps.len() > 25 && steps[1..].iter().all(|step| *step == 2_000), "{steps:?}");
    assert_eq!(origin.count(is_segment), 3);
}

#[test]
fn a_window_that_slides_without_counting_is_played_as_far_as_its_numbers_reach() {
    // One file, byte ranges, MEDIA-SEQUENCE always 0: the output of ffmpeg with -hls_flags single_file.
    let mut origin = Origin::new(|now, _| {
        let first = now.as_secs() / 2;
        let line = |n| format!("#EXTINF:2,\n#EXT-X-BYTERANGE:100@{}\nall.ts\n", n * 100);
        let lines: String = (first..first + 6).map(line).collect();
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n{lines}")
    });
    let run = play(&mut player(&WEB, 50 * SECOND), &mut origin, 50 * SECOND, 110 * SECOND);
    assert_eq!((origin.count(is_segment), run.tally.play), (3, 6 * SECOND));
}

#[test]
fn a_window_whose_numbers_cannot_be_read_is_followed_by_its_media() {
    for profile in [&WEB, &PERSISTENT] {
        let mut origin = Origin::new(|now, _| {
            let first = now.as_secs() / 2;
            window(first, 6, 2).replace("SEQUENCE:", "SEQUENCE:-1031974141 ")
        });
        let run = play(&mut player(profile, 50 * SECOND), &mut origin, 50 * SECOND, 110 * SECOND);
        let files: Vec<_> = origin.asked.iter().filter(|asked| is_segment(asked.what)).collect();
        let expected: Vec<_> = (28..60).map(|n| format!("segment_{n}.ts")).collect();
        assert_eq!(
            files.iter().map(|asked| &asked.file).collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
        assert_eq!(run.tally.stalls, 0, "{run:?}");
    }
}

#[test]
fn who_is_too_slow_for_the_window_goes_on_at_the_live_edge_or_with_the_oldest() {
    for (profile, first) in [(&WEB, 53), (&FFMPEG, 50)] {
        // No playlist comes until 100 s; the window of six has moved on by fifty segments.
        let silent = |at: Duration, what| is_playlist(what) && (SECOND..100 * SECOND).contains(&at);
        let mut origin = Origin::live().failing(silent);
        // The client must not leave meanwhile: only the place at which it continues is of interest.
        let patient = Box::leak(Box::new(Profile { playlist: PERSISTENT.playlist, ..*profile }));
        let run = play(&mut player(patient, Duration::ZERO), &mut origin, Duration::ZERO, 110 * SECOND);
        let numbers: Vec<u64> = origin
            .asked
            .iter()
            .filter(|asked| asked.at >= 100 * SECOND)
            .filter_map(
                |asked| if let Resource::Segment(_, number) = asked.what { Some(number) } else { None },
            )
            .collect();
        assert_eq!(numbers.first(), Some(&first), "{} {numbers:?}", profile.name);
        assert_eq!((run.tally.edge_jumps, run.tally.segments_skipped), (1, first - 6));
    }
}

#[test]
fn an_event_grows_and_ends_and_everything_is_played() {
    let mut origin = Origin::new(|now, _| {
        let count = (now.as_secs() / 2).min(30);
        let end = if now.as_secs() > 62 { "#EXT-X-ENDLIST\n" } else { "" };
        window(0, count, 2).replace("#EXT-X-MEDIA", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA") + end
    });
    let run = play(&mut player(&WEB, 20 * SECOND), &mut origin, 20 * SECOND, HOUR);
    let (ended, action) = run.ended.expect("an end");
    assert_eq!(action, Action::Finished);
    // Playback began three target durations from the end of ten segments, and no playlist was loaded after the end.
    assert_eq!(origin.count(is_segment), 23);
    assert!(ended < 75 * SECOND && origin.times(is_playlist).last().expect("some") < &(66 * SECOND));
}

#[test]
fn live_latency_is_what_the_dates_say() {
    let dated = |now: Duration, _: &str| {
        let first = now.as_secs() / 2;
        let begins = Timestamp::from_second(
            EPOCH.parse::<Timestamp>().expect("a date").as_second() + 2 * first as i64 - 21,
        );
        let date = format!("#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF", begins.expect("a date"));
        window(first, 6, 2).replacen("#EXTINF", &date, 1)
    };
    let mut origin = Origin::new(dated);
    let mut viewer = player(&WEB, 100 * SECOND);
    play(&mut viewer, &mut origin, 100 * SECOND, 130 * SECOND);
    let latency = |player: &Player, at: Duration| {
        let moment = player.playback(at);
        let position = player.playhead.position(at);
        moment.live_offset_us.map(|offset| (at - position).as_micros() as i64 + offset)
    };
    // The first segment played is the fourth of the window, which ended nine seconds before it was listed.
    let seen = latency(&viewer, 130 * SECOND).expect("dated");
    assert!((15_000_000 - seen).abs() < 50_000, "{seen}");
    let mut origin = Origin::live();
    let mut viewer = player(&WEB, 100 * SECOND);
    play(&mut viewer, &mut origin, 100 * SECOND, 130 * SECOND);
    let seen = latency(&viewer, 130 * SECOND).expect("live");
    assert!((5_900_000..6_100_000).contains(&seen), "three segments from the edge: {seen}");
}
