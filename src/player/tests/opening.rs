//! ffmpeg probes every playlist before it plays. The expected requests are those that it made to a live origin.

use super::*;
use crate::hls::{Playlist, parse};
use crate::player::profiles::{FFMPEG, WEB};

const BEGIN: Duration = Duration::from_secs(100);
const PRESENTATION: &str = "#EXTM3U\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"eng\",DEFAULT=YES,URI=\"eng.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"swe\",URI=\"swe.m3u8\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=250000,AUDIO=\"a\"\nlow.m3u8\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO=\"a\"\nhigh.m3u8\n";

/// Builds a live stream of four-second segments, each playlist with an initialization section of its own.
fn live() -> Origin {
    let list = |now: Duration, file: &str| {
        let name = file.trim_end_matches(".m3u8");
        let text = window(now.as_secs() / 4, 6, 4).replace("segment", name);
        text.replace(
            "#EXT-X-MEDIA-SEQUENCE",
            &format!("#EXT-X-MAP:URI=\"{name}_init\"\n#EXT-X-MEDIA-SEQUENCE"),
        )
    };
    Origin { master: PRESENTATION.to_owned(), ..Origin::new(list) }
}

/// Returns the files of a playlist that were requested from `from` on.
fn files(origin: &Origin, name: &str, from: Duration) -> Vec<String> {
    let of = |asked: &&OpenRequest| asked.at >= from && asked.file.starts_with(name);
    origin.asked.iter().filter(of).map(|asked| asked.file.clone()).collect()
}

#[test]
fn ffmpeg_loads_two_segments_of_everything_and_then_plays_one_variant_with_its_audio() {
    let mut origin = live();
    let run = play(&mut player(&FFMPEG, BEGIN), &mut origin, BEGIN, BEGIN + 30 * SECOND);
    for name in ["low", "swe"] {
        let expected = [".m3u8", "_init", "_28.ts", "_29.ts"].map(|rest| format!("{name}{rest}"));
        assert_eq!(files(&origin, name, BEGIN), expected);
    }
    for name in ["high", "eng"] {
        let opened = [".m3u8", "_init", "_28.ts", "_29.ts", "_30.ts"].map(|rest| format!("{name}{rest}"));
        let all = files(&origin, name, BEGIN);
        assert_eq!(all[..5], opened);
        // Then one playlist, the initialization section and one segment each target duration.
        let numbers = (31..).map(|number| format!("{name}_{number}.ts"));
        let expected: Vec<_> = numbers
            .take(7)
            .flat_map(|segment| [format!("{name}.m3u8"), format!("{name}_init"), segment])
            .collect();
        assert_eq!(all[5..], expected);
    }
    assert_eq!((run.tally.stalls, run.tally.segments_skipped), (0, 0));
    assert!(run.tally.began < Some(SECOND), "{:?}", run.tally.began);
}

#[test]
fn what_is_only_looked_at_is_not_judged_by_the_bandwidth_of_what_is_played() {
    let mut player = player(&FFMPEG, BEGIN);
    let playlist = Arc::new(parse(PRESENTATION.as_bytes()).expect("a playlist"));
    let Playlist::Multivariant(presentation) = &*playlist else { panic!("a multivariant playlist") };
    player.present(presentation, &playlist, &SecretUrl::parse("http://h/master.m3u8").expect("a URL"));
    let announced: Vec<_> = (0..5).map(|track| player.announced(Resource::Segment(track, 1))).collect();
    // The highest variant and its audio are played; the other variant and the other language are probed.
    assert_eq!(announced, [900_000, 900_000, 0, 0, 0]);
}

#[test]
fn what_is_looked_at_has_connections_of_its_own_and_an_init_closes_the_one_that_it_used() {
    let mut player = player(&FFMPEG, BEGIN);
    let run = play(&mut player, &mut live(), BEGIN, BEGIN + 10 * SECOND);
    let fetches = run.actions.iter().filter_map(|action| match action {
        Action::Fetch(fetch) => Some(fetch),
        _ => None,
    });
    let (mut opened, mut fresh) = (0, 0);
    for fetch in fetches {
        let opening = fetch.url.file_name().ends_with("_28.ts") || fetch.url.file_name().ends_with("_29.ts");
        match (fetch.what, fetch.reuse) {
            (Resource::Entry | Resource::Playlist(_), reuse) => assert_eq!(reuse, Reuse::Kept),
            (_, Reuse::Single) => opened += 1,
            (_, Reuse::Fresh) => fresh += 1,
            (Resource::Init(_), reuse) => assert_eq!(reuse, Reuse::Final),
            (_, reuse) => assert!(!opening && reuse == Reuse::Kept, "{fetch:?}"),
        }
    }
    // Four playlists with three media requests each. In two of them one request opens the connection that is kept.
    assert_eq!((opened, fresh), (10, 2));
}

#[test]
fn what_cannot_be_looked_at_is_left_out_and_a_browser_looks_at_nothing() {
    let mut origin = live();
    origin.instead = Box::new(|_, fetch| {
        let name = fetch.url.file_name();
        (name == "swe.m3u8" || name == "low_28.ts").then_some(Answer::Failed(Failure::Refused))
    });
    let run = play(&mut player(&FFMPEG, BEGIN), &mut origin, BEGIN, BEGIN + 30 * SECOND);
    assert_eq!(files(&origin, "swe", BEGIN), ["swe.m3u8"]);
    assert_eq!(files(&origin, "low", BEGIN), ["low.m3u8", "low_init", "low_28.ts"]);
    assert_eq!((run.tally.stalls, run.ended), (0, None));
    let mut origin = live();
    play(&mut player(&WEB, BEGIN), &mut origin, BEGIN, BEGIN + 30 * SECOND);
    assert_eq!(files(&origin, "swe", BEGIN), [""; 0]);
    assert_eq!(files(&origin, "low", BEGIN), ["low.m3u8", "low_init", "low_28.ts"]);
    assert_eq!(files(&origin, "eng_28", BEGIN), ["eng_28.ts"]);
}

#[test]
fn a_film_is_played_to_its_end_when_all_has_been_looked_at() {
    let list = |_: Duration, file: &str| {
        window(0, 5, 4).replace("segment", file.trim_end_matches(".m3u8")) + "#EXT-X-ENDLIST\n"
    };
    let mut origin = Origin { master: PRESENTATION.to_owned(), ..Origin::new(list) };
    let run = play(&mut player(&FFMPEG, BEGIN), &mut origin, BEGIN, HOUR);
    assert!(matches!(run.ended, Some((_, Action::Finished))), "{:?}", run.ended);
    assert_eq!(run.tally.play, 20 * SECOND);
}
