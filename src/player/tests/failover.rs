//! Switches to another variant, pathway or backup host when the current one cannot be loaded; the first variant to
//! play.

use super::*;
use crate::player::profiles::{FFMPEG, NATIVE, PERSISTENT, WEB};

const BEGIN: Duration = Duration::from_secs(100);
/// Time at which something begins to fail.
const BROKEN: Duration = Duration::from_secs(120);
const END: Duration = Duration::from_secs(160);
/// Bandwidths too low for the first estimate of `web` to exclude a variant.
const THREE: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300\nlow.m3u8\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900\nhigh.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=600\nmid.m3u8\n";

/// Builds a live stream of four-second segments that are named after their playlist.
fn live(master: &str) -> Origin {
    let list = |now: Duration, file: &str| {
        window(now.as_secs() / 4, 6, 4).replace("segment", file.trim_end_matches(".m3u8"))
    };
    Origin { master: master.to_owned(), ..Origin::new(list) }
}

impl Origin {
    /// Fails the requests for URLs that contain one of `broken`, from [`BROKEN`] on.
    fn losing(mut self, broken: &'static [&'static str], failure: Failure) -> Self {
        self.instead = Box::new(move |at, fetch| {
            let url = fetch.url.wire();
            (at >= BROKEN && broken.iter().any(|part| url.contains(part))).then_some(Answer::Failed(failure))
        });
        self
    }
}

fn watch(profile: &'static Profile, origin: &mut Origin) -> Run {
    play(&mut player(profile, BEGIN), origin, BEGIN, END)
}

/// Counts the requests for this file from [`BROKEN`] on.
fn tries(origin: &Origin, file: &str) -> usize {
    origin.asked.iter().filter(|asked| asked.at >= BROKEN && asked.file.starts_with(file)).count()
}

/// Returns the variants whose segments were requested from `from` on, in order.
fn played(origin: &Origin, from: Duration) -> Vec<String> {
    let segments = origin.asked.iter().filter(|asked| asked.at >= from && is_segment(asked.what));
    let mut names: Vec<String> =
        segments.filter_map(|asked| Some(asked.file.split_once('_')?.0.to_owned())).collect();
    names.dedup();
    names
}

fn left(run: &Run) -> bool {
    matches!(run.ended, Some((_, Action::Leave(LeaveReason::GaveUp))))
}

#[test]
fn a_variant_whose_playlist_fails_is_left_as_each_player_does() {
    use Failure::{Broken, Refused, Unusable};
    for (profile, failure, expected, leaves) in [
        (&WEB, Refused, 1, false),
        (&WEB, Unusable, 1, false),
        (&WEB, Broken, 3, false),
        (&PERSISTENT, Refused, 1, false),
        (&PERSISTENT, Broken, 1, false),
        (&FFMPEG, Refused, 3, true),
    ] {
        let mut origin = live(THREE).losing(&["high.m3u8"], failure);
        let run = watch(profile, &mut origin);
        let name = profile.name;
        assert_eq!((tries(&origin, "high.m3u8"), left(&run)), (expected, leaves), "{name} {failure:?}");
        if !leaves {
            assert_eq!(played(&origin, BROKEN + 10 * SECOND), ["mid"], "{name} {failure:?}");
            assert_eq!((run.tally.variant_switches, run.tally.stalls), (1, 0), "{name} {failure:?}");
            assert_eq!((run.tally.edge_jumps, run.tally.segments_skipped), (0, 0), "{name} {failure:?}");
        }
    }
    let mut origin = live(THREE).losing(&["high.m3u8"], Failure::Refused);
    watch(&NATIVE, &mut origin);
    assert_eq!(played(&origin, BROKEN + 4 * SECOND), [""; 0], "the native player stays");
}

#[test]
fn a_segment_that_is_refused_is_fetched_from_another_variant() {
    let mut origin = live(THREE).losing(&["high_"], Failure::Refused);
    let run = watch(&WEB, &mut origin);
    assert_eq!(tries(&origin, "high_"), 1);
    let segments = origin.asked.iter().filter_map(|asked| match asked.what {
        Resource::Segment(_, number) => Some(number),
        _ => None,
    });
    let numbers: Vec<u64> = segments.collect();
    let twice = numbers.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(numbers.is_sorted() && twice == 1, "{numbers:?}");
    assert_eq!((run.tally.stalls, run.tally.segments_skipped), (0, 0));
}

#[test]
fn the_next_lower_variant_comes_first_and_the_viewer_leaves_when_none_is_left() {
    let mut origin = live(THREE).losing(&[".m3u8"], Failure::Refused);
    let run = watch(&WEB, &mut origin);
    let mut lists: Vec<_> =
        origin.asked.iter().filter(|asked| asked.at >= BROKEN).map(|asked| asked.file.as_str()).collect();
    lists.retain(|file| file.ends_with(".m3u8"));
    // The last variant is tried as often as a single one would be.
    assert_eq!(lists, ["high.m3u8", "mid.m3u8", "low.m3u8", "low.m3u8", "low.m3u8"]);
    assert!(left(&run));
}

#[test]
fn a_variant_that_is_the_lowest_leads_to_the_highest() {
    let mut origin = live(THREE).losing(&["low.m3u8"], Failure::Refused);
    let mut player = player_of(settings(&WEB, VariantChoice::Lowest), 1, BEGIN);
    play(&mut player, &mut origin, BEGIN, END);
    assert_eq!(played(&origin, BEGIN), ["low", "high"]);
}

#[test]
fn a_host_that_is_down_leads_to_the_backup_or_to_another_pathway() {
    let variant =
        |attributes: &str, url: &str| format!("#EXT-X-STREAM-INF:BANDWIDTH={attributes}\nhttp://{url}\n");
    let backup = [("900", "a"), ("300", "a"), ("900", "b"), ("300", "b")]
        .map(|(bandwidth, host)| variant(bandwidth, &format!("{host}.test/{host}{bandwidth}.m3u8")));
    let steering = "#EXT-X-CONTENT-STEERING:SERVER-URI=\"s.json\",PATHWAY-ID=\"A\"\n".to_owned()
        + &[("900", "B", "b"), ("300", "B", "b"), ("900", "A", "a"), ("300", "A", "a")]
            .map(|(bandwidth, pathway, host)| {
                let attributes = format!("{bandwidth},PATHWAY-ID=\"{pathway}\"");
                variant(&attributes, &format!("{host}.test/{host}{bandwidth}.m3u8"))
            })
            .concat();
    for lines in [backup.concat(), steering] {
        let mut origin = live(&format!("#EXTM3U\n{lines}")).losing(&["//a.test"], Failure::Unusable);
        let run = watch(&WEB, &mut origin);
        assert_eq!(played(&origin, BEGIN), ["a900", "b300"], "{lines}");
        let lists = ["a900.m3u8", "a300.m3u8", "b900.m3u8"].map(|file| tries(&origin, file));
        // The other variant of the pathway comes first, although its host is down: hls.js does not look at hosts.
        assert_eq!(lists, [1, 1, 0], "{lines}");
        assert_eq!((run.tally.variant_switches, run.tally.stalls, left(&run)), (2, 0, false));
    }
}

#[test]
fn a_variant_that_was_left_is_played_again_when_its_penalty_is_over() {
    let mut origin = live(TWO_VARIANTS);
    origin.instead = Box::new(|at, fetch| {
        let broken = (BROKEN..BROKEN + 10 * SECOND).contains(&at) && fetch.url.file_name() == "high.m3u8";
        broken.then_some(Answer::Failed(Failure::Broken))
    });
    let run = play(&mut player(&PERSISTENT, BEGIN), &mut origin, BEGIN, BROKEN + 100 * SECOND);
    assert_eq!(played(&origin, BEGIN), ["high", "low", "high"]);
    let back = origin.asked.iter().rfind(|asked| asked.file.starts_with("low_")).expect("a segment").at;
    assert!((60..=70).contains(&(back - BROKEN).as_secs()), "{back:?}");
    assert_eq!(run.tally.variant_switches, 2);
}

/// Builds two variants with an audio group each, both of the same rendition or of one each.
fn with_audio(groups: [&str; 2]) -> String {
    format!(
        "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"eng\",URI=\"{}.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"eng\",URI=\"{}.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=900,AUDIO=\"a\"\nhigh.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=300,AUDIO=\"b\"\nlow.m3u8\n",
        groups[0], groups[1]
    )
}

#[test]
fn audio_that_both_variants_share_goes_on_and_other_audio_is_changed_with_the_video() {
    for (groups, expected) in
        [(["same", "same"], vec!["same"]), (["first", "second"], vec!["first", "second"])]
    {
        let mut origin = live(&with_audio(groups)).losing(&["high.m3u8"], Failure::Refused);
        let run = watch(&WEB, &mut origin);
        let audio: Vec<_> =
            origin.asked.iter().filter(|asked| asked.lane == 1 && is_segment(asked.what)).collect();
        let mut names: Vec<_> =
            audio.iter().filter_map(|asked| Some(asked.file.split_once('_')?.0)).collect();
        names.dedup();
        assert_eq!(names, expected);
        let mut numbers: Vec<_> = audio.iter().map(|asked| asked.what).collect();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "a segment of audio twice");
        assert_eq!((run.tally.stalls, run.tally.edge_jumps), (0, 0));
    }
}

#[test]
fn audio_that_fails_leads_to_a_variant_with_other_audio() {
    let mut origin = live(&with_audio(["first", "second"])).losing(&["first.m3u8"], Failure::Refused);
    let run = watch(&WEB, &mut origin);
    assert_eq!(tries(&origin, "first.m3u8"), 1);
    assert!(tries(&origin, "second_") > 5 && tries(&origin, "low_") > 5);
    assert_eq!((run.tally.stalls, left(&run)), (0, false));
    // Audio that all variants share is tried as often as a single rendition would be.
    let shared = with_audio(["same", "same"]).replace("AUDIO=\"b\"", "AUDIO=\"a\"");
    let mut origin = live(&shared).losing(&["same.m3u8"], Failure::Refused);
    let run = watch(&WEB, &mut origin);
    assert_eq!((tries(&origin, "same.m3u8"), left(&run)), (3, true));
}

#[test]
fn what_comes_late_for_a_track_that_was_left_is_not_used() {
    let mut origin = live(&with_audio(["first", "second"])).losing(&["high.m3u8"], Failure::Refused);
    let slow = |what| matches!(what, Resource::Segment(1, _));
    origin.latency = Box::new(move |what| Duration::from_millis(if slow(what) { 3_900 } else { 10 }));
    let run = watch(&WEB, &mut origin);
    let of = |name: &str| -> Vec<_> {
        let segments = origin.asked.iter().filter(|asked| asked.file.starts_with(name));
        segments.map(|asked| asked.what).filter(|what| is_segment(*what)).collect()
    };
    let (first, second) = (of("first_"), of("second_"));
    // The segment that was under way is requested again.
    assert_eq!(first.last(), second.first());
    assert!(run.ended.is_none());
}

#[test]
fn the_web_player_begins_with_what_fits_its_first_estimate_and_then_plays_the_best() {
    for (bandwidths, expected) in [
        ([300_000, 900_000], vec!["first", "second"]),
        ([900_000, 300_000], vec!["first"]),
        ([100_000, 500_000], vec!["second"]),
        ([600_000, 700_000], vec!["first", "second"]),
    ] {
        let master = format!(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH={}\nfirst.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH={}\nsecond.m3u8\n",
            bandwidths[0], bandwidths[1]
        );
        let mut origin = live(&master);
        let run = watch(&WEB, &mut origin);
        assert_eq!(played(&origin, BEGIN), expected, "{bandwidths:?}");
        let of_first = origin.asked.iter().filter(|asked| asked.file.starts_with("first_")).count();
        assert!(expected.len() == 1 || of_first == 1, "one segment, not {of_first}");
        assert_eq!((run.tally.stalls, run.tally.segments_skipped, run.tally.edge_jumps), (0, 0, 0));
        let numbers: Vec<_> =
            origin.asked.iter().map(|asked| asked.what).filter(|what| is_segment(*what)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
    }
    let mut chosen = live(TWO_VARIANTS);
    play(&mut player_of(settings(&WEB, VariantChoice::Lowest), 1, BEGIN), &mut chosen, BEGIN, END);
    assert_eq!(played(&chosen, BEGIN), ["low"], "a variant that was asked for is played from the start");
}

#[test]
fn separate_audio_begins_with_the_video_although_its_segments_are_a_little_shorter() {
    let list = |now: Duration, file: &str| {
        let text = window(now.as_secs() / 4, 6, 4).replace("segment", file.trim_end_matches(".m3u8"));
        if file.starts_with("same") { text.replace("EXTINF:4", "EXTINF:3.989") } else { text }
    };
    let mut origin = Origin { master: with_audio(["same", "same"]), ..Origin::new(list) };
    watch(&WEB, &mut origin);
    let first = |name: &str| origin.asked.iter().find(|asked| asked.file.starts_with(name)).cloned();
    let [video, audio] = ["high_", "same_"].map(|name| first(name).expect("a segment"));
    assert_eq!(
        audio.file.split_once('_').map(|(_, rest)| rest),
        video.file.split_once('_').map(|(_, rest)| rest)
    );
    assert!(audio.at >= video.at + Duration::from_millis(10), "before the video was there");
}
