//! Tests with playlists that go wrong from load to load, and with sound ones.

use super::*;
use crate::hls::contradiction;
use crate::hls::parse::parse;

/// Returns a live playlist of 4 s segments, `first` to `last`.
fn live(first: u64, last: u64) -> String {
    let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    head + &(first..=last).map(|number| format!("#EXTINF:4,\n{number}.ts\n")).collect::<String>()
}

fn playlist(text: &str) -> Arc<Playlist> {
    Arc::new(parse(text.as_bytes()).expect("a playlist"))
}

fn at(seconds: f64) -> Loaded {
    let since = Duration::from_secs_f64(seconds);
    Loaded { since, until: since + Duration::from_millis(100) }
}

/// Returns the findings of loading these playlists at these seconds.
fn findings(loads: &[(f64, &str)]) -> Vec<(Finding, String)> {
    let (mut watch, differences) = (Watch::default(), Differences::default());
    let mut all = Vec::new();
    for (seconds, text) in loads {
        watch.take(&playlist(text), at(*seconds), &differences, &mut |finding, detail| {
            all.push((finding, detail()))
        });
    }
    all
}

fn kinds(loads: &[(f64, &str)]) -> Vec<Finding> {
    findings(loads).into_iter().map(|(finding, _)| finding).collect()
}

#[test]
fn a_clean_stream_has_no_finding() {
    let lists: Vec<_> = (0..50).map(|step| live(step, step + 5)).collect();
    let loads: Vec<_> =
        lists.iter().enumerate().map(|(step, list)| (step as f64 * 4.0, list.as_str())).collect();
    assert_eq!(findings(&loads), []);
    let event = |last| live(0, last).replace("#EXT-X-MEDIA", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA");
    assert_eq!(findings(&[(0.0, &event(3)), (4.0, &event(4)), (8.0, &(event(5) + "#EXT-X-ENDLIST\n"))]), []);
    let vod = live(0, 9) + "#EXT-X-ENDLIST\n";
    assert_eq!(findings(&[(0.0, &vod), (100.0, &vod)]), []);
}

#[test]
fn a_window_is_short_once_a_segment_has_left_it() {
    let young = live(1_000, 1_001);
    assert_eq!(kinds(&[(0.0, &young), (4.0, &live(1_000, 1_002))]), []);
    let found = findings(&[(0.0, &young), (4.0, &live(1_001, 1_002))]);
    assert_eq!(found, [(Finding::WindowTooShort, "8.0 s in segments 1001 to 1002".to_owned())]);
    let ended = live(1_001, 1_002) + "#EXT-X-ENDLIST\n";
    assert_eq!(kinds(&[(0.0, &young), (4.0, &ended)]), []);
}

#[test]
fn a_window_that_slides_holds_its_hold_back() {
    let held = |first, last| {
        live(first, last).replace("#EXT-X-MEDIA", "#EXT-X-SERVER-CONTROL:HOLD-BACK=13\n#EXT-X-MEDIA")
    };
    assert_eq!(kinds(&[(0.0, &held(7, 9)), (4.0, &held(8, 10))]), [Finding::HoldBackTooLong]);
    assert_eq!(kinds(&[(0.0, &held(7, 9)), (4.0, &held(7, 10)), (8.0, &held(8, 11))]), []);
}

#[test]
fn a_list_is_stale_when_one_and_a_half_target_durations_have_surely_passed() {
    let list = live(7, 12);
    // The first load ends at 0.1 s, so until 6.1 s the playlist may be younger than 6 s.
    assert_eq!(findings(&[(0.0, &list), (4.0, &list), (6.0, &list)]), []);
    let found = findings(&[(0.0, &list), (6.2, &list), (8.2, &list)]);
    assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), [Finding::PlaylistStale; 2]);
    assert_eq!(found[0].1, "no update for 6.1 s, target duration 4 s");
    assert_eq!(findings(&[(0.0, &list), (4.0, &live(8, 13)), (9.0, &live(8, 13))]), []);
}

#[test]
fn what_was_not_sent_again_is_stale_as_well() {
    let (mut watch, differences) = (Watch::default(), Differences::default());
    let mut found = Vec::new();
    watch.take(&playlist(&live(7, 12)), at(0.0), &differences, &mut |finding, _| found.push(finding));
    for seconds in [4.0, 6.2] {
        watch.unchanged(at(seconds), &mut |finding, _| found.push(finding));
    }
    assert_eq!(found, [Finding::PlaylistStale]);
    assert_eq!(watch.media().and_then(Media::last_sequence), Some(12));
}

#[test]
fn a_new_token_in_every_address_is_no_news_and_no_change() {
    let signed = |token: &str| live(7, 12).replace(".ts", &format!(".ts?token={token}"));
    let [a, b, c] = ["a", "b", "c"].map(signed);
    assert_eq!(kinds(&[(0.0, &a), (4.0, &b), (6.2, &c)]), [Finding::PlaylistStale]);
}

#[test]
fn urls_that_are_signed_anew_with_each_load_are_no_change_wherever_the_token_stands() {
    let signs: [fn(&str, &str) -> String; 5] = [
        |list, token| list.replace(".ts", &format!(".ts?token={token}")),
        |list, token| list.replace(",\n", &format!(",\nsigned/{token}/")),
        |list, token| list.replace(".ts", &format!("-{token}.ts")),
        |list, token| list.replace(".ts", &format!(".ts;token={token}")),
        |list, token| list.replace(",\n", &format!(",\nhttps://{token}.edge.test/live/")),
    ];
    for sign in signs {
        let moving = [sign(&live(7, 12), "a"), sign(&live(8, 13), "b"), sign(&live(9, 14), "c")];
        assert_eq!(findings(&[(0.0, &moving[0]), (4.0, &moving[1]), (8.0, &moving[2])]), []);
        let [a, b, c] = ["a", "b", "c"].map(|token| sign(&live(7, 12), token));
        assert_eq!(kinds(&[(0.0, &a), (4.0, &b), (6.2, &c)]), [Finding::PlaylistStale]);
        assert_eq!(
            contradiction(playlist(&a).media().expect("media"), playlist(&b).media().expect("media")),
            None
        );
    }
}

#[test]
fn a_list_that_slides_without_counting_is_found_by_names_that_move() {
    let slid = |first: u64| live(first, first + 5).replace(&format!("SEQUENCE:{first}\n"), "SEQUENCE:0\n");
    let found = findings(&[(0.0, &slid(0)), (4.0, &slid(1))]);
    assert_eq!(
        found,
        [(Finding::SegmentChanged, "segment 4: 4.ts of 4 s before, 5.ts of 4 s now".to_owned())]
    );
}

#[test]
fn new_parts_are_news() {
    let with = |parts: usize| live(7, 12) + &"#EXT-X-PART:DURATION=1,URI=\"p\"\n".repeat(parts);
    assert_eq!(findings(&[(0.0, &with(0)), (5.0, &with(1)), (10.0, &with(2)), (15.0, &with(3))]), []);
}

#[test]
fn a_list_that_went_back_says_only_that() {
    let found = findings(&[(0.0, &live(7, 12)), (4.0, &live(6, 11).replace("10.ts", "x.ts"))]);
    assert_eq!(
        found,
        [(Finding::SequenceWentBack, "segments 7 to 12 before, segments 6 to 11 now".to_owned())]
    );
    assert_eq!(kinds(&[(0.0, &live(7, 12)), (4.0, &live(7, 11))]), [Finding::SequenceWentBack]);
    assert_eq!(kinds(&[(0.0, &live(7, 12)), (4.0, &live(0, 0))]), [Finding::SequenceWentBack]);
}

#[test]
fn a_jump_is_one_only_when_time_does_not_explain_it() {
    let jump = [(0.0, live(7, 12)), (4.0, live(100, 105))];
    let found = findings(&jump.each_ref().map(|(at, text)| (*at, text.as_str())));
    let detail = "segments 7 to 12 before, segments 100 to 105 at most 4.1 s later";
    assert_eq!(found, [(Finding::SequenceJump, detail.to_owned())]);
    // A client that slept for 400 s, or a server that catches up within its window.
    assert_eq!(findings(&[(0.0, &live(7, 12)), (400.0, &live(100, 105))]), []);
    let still = live(7, 12);
    let caught_up = [(0.0, still.as_str()), (4.0, &still), (6.0, &still), (7.0, &live(12, 17))]
        .map(|(at, text)| (at, text.to_owned()));
    assert_eq!(findings(&caught_up.each_ref().map(|(at, text)| (*at, text.as_str()))), []);
}

#[test]
fn a_number_that_names_another_segment_is_found_whatever_differs() {
    let before = live(7, 12);
    for (changed, detail) in [
        (live(7, 13).replace("12.ts", "x/y.ts?secret"), "segment 12: 12.ts of 4 s before, y.ts of 4 s now"),
        (
            live(7, 13).replace("#EXTINF:4,\n8.ts", "#EXTINF:3,\n8.ts"),
            "segment 8: 8.ts of 4 s before, 8.ts of 3 s now",
        ),
    ] {
        assert_eq!(
            findings(&[(0.0, &before), (4.0, &changed)]),
            [(Finding::SegmentChanged, detail.to_owned())]
        );
    }
}

#[test]
fn a_window_that_slides_in_one_file_without_counting_is_found() {
    let window = |from: u64| {
        let range = |at: u64| format!("#EXTINF:4,\n#EXT-X-BYTERANGE:10@{}\nall.ts\n", at * 10);
        format!(
            "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n{}",
            (from..from + 4).map(range).collect::<String>()
        )
    };
    let found = findings(&[(0.0, &window(0)), (4.0, &window(1)), (8.0, &window(2))]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, Finding::SegmentChanged);
    assert_eq!(found[0].1, "segment 3: all.ts bytes 30+10 of 4 s before, all.ts bytes 40+10 of 4 s now");
}

#[test]
fn segments_that_leave_a_growing_list_are_found() {
    let event =
        |first, last| live(first, last).replace("#EXT-X-MEDIA", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA");
    assert_eq!(kinds(&[(0.0, &event(0, 5)), (4.0, &event(1, 6))]), [Finding::SegmentRemoved]);
}

#[test]
fn a_target_duration_stays() {
    let longer = live(1, 6).replace("DURATION:4", "DURATION:6");
    assert_eq!(kinds(&[(0.0, &live(0, 5)), (4.0, &longer)]), [Finding::TargetDurationChanged]);
}

#[test]
fn discontinuity_sequence_numbers_stay_with_their_segments() {
    let with = |first: u64, last: u64, number: u64| {
        let tag = format!("#EXT-X-DISCONTINUITY-SEQUENCE:{number}\n#EXTINF");
        live(first, last)
            .replacen("#EXTINF", &tag, 1)
            .replace("#EXTINF:4,\n6.ts", "#EXT-X-DISCONTINUITY\n#EXTINF:4,\n6.ts")
    };
    // Segment 6 begins a timeline; once it has been removed, the number rises.
    assert_eq!(findings(&[(0.0, &with(5, 9, 0)), (4.0, &with(6, 10, 0)), (8.0, &with(7, 11, 1))]), []);
    let found = findings(&[(0.0, &with(5, 9, 0)), (8.0, &with(7, 11, 0))]);
    assert_eq!(found, [(Finding::DiscontinuityMismatch, "segment 9: 1 before, 0 now".to_owned())]);
}

#[test]
fn the_date_of_a_segment_stays() {
    let dated = |first: u64, seconds: f64| {
        let tag = format!("#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:{seconds:06.3}Z\n#EXTINF");
        live(first, first + 5).replacen("#EXTINF", &tag, 1)
    };
    assert_eq!(findings(&[(0.0, &dated(0, 5.0)), (4.0, &dated(1, 9.05))]), []);
    let found = findings(&[(0.0, &dated(0, 5.0)), (4.0, &dated(1, 9.2))]);
    assert_eq!(found, [(Finding::DateTimeSkew, "segment 5: its date moved by 0.200 s".to_owned())]);
}

#[test]
fn clients_contradict_each_other_by_more_than_a_segment_or_in_what_is_listed() {
    let media = |text: &str| playlist(text);
    let said = |earlier: &str, later: &str| {
        let (earlier, later) = (media(earlier), media(later));
        contradiction(earlier.media().expect("media"), later.media().expect("media"))
    };
    assert_eq!(said(&live(7, 12), &live(7, 12)), None);
    assert_eq!(said(&live(7, 12), &live(6, 11)), None, "a cache may lag by one");
    assert_eq!(said(&live(7, 12), &live(20, 25)), None);
    assert_eq!(
        said(&live(7, 12), &live(5, 10)).as_deref(),
        Some("up to segment 12 for one client, then up to 10 for another")
    );
    assert_eq!(
        said(&live(7, 12), &live(7, 12).replace("12.ts", "b.ts")).as_deref(),
        Some("segment 12: 12.ts of 4 s before, b.ts of 4 s now (another client)")
    );
}

#[test]
fn lists_without_segments_are_compared_without_harm() {
    let empty = live(1, 0);
    assert_eq!(findings(&[(0.0, &empty), (4.0, &empty), (5.0, &live(1, 3)), (6.0, &live(2, 4))]), []);
    assert_eq!(kinds(&[(0.0, &live(1, 3)), (4.0, &empty)]), [Finding::SequenceWentBack]);
}

#[test]
fn clients_that_go_from_one_list_to_the_next_share_the_comparison() {
    let (differences, [before, now]) =
        (Differences::default(), [live(7, 12), live(6, 11)].map(|text| playlist(&text)));
    let found = [(); 2].map(|()| {
        let (mut watch, mut found) = (Watch::default(), Vec::new());
        for (list, seconds) in [(&before, 0.0), (&now, 4.0)] {
            watch.take(list, at(seconds), &differences, &mut |finding, _| found.push(finding));
        }
        found
    });
    assert_eq!(found, [(); 2].map(|()| vec![Finding::SequenceWentBack]));
    let shared = differences.between(&before, &now).expect("media playlists");
    assert!(std::rc::Rc::ptr_eq(&shared, &differences.between(&before, &now).expect("media playlists")));
    // The same two the other way round are another pair.
    assert!(differences.between(&now, &before).expect("media playlists").findings.is_empty());
}
