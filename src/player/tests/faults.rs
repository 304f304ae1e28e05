//! Behaviour of each profile when something fails: the rows of the fault table.

use super::*;
use crate::player::profile::Retry;
use crate::player::profiles::{FFMPEG, NATIVE, PERSISTENT, WEB};
use crate::vocabulary::secret_url::Access;
use std::cell::Cell;

/// Builds a live stream of four-second segments.
fn four_seconds() -> Origin {
    Origin::new(|now, _| window(now.as_secs() / 4, 6, 4))
}

/// Returns the times of the requests like this from `from` on, in seconds after the first of them.
fn tries(origin: &Origin, wanted: fn(Resource) -> bool, from: Duration) -> Vec<f64> {
    let times: Vec<_> = origin.times(wanted).into_iter().filter(|at| *at >= from).collect();
    times.iter().map(|at| ((*at - times[0]).as_secs_f64() * 10.0).round() / 10.0).collect()
}

fn is_entry(what: Resource) -> bool {
    what == Resource::Entry
}

fn left(run: &Run) -> bool {
    matches!(run.ended, Some((_, Action::Leave(LeaveReason::GaveUp))))
}

const BEGIN: Duration = Duration::from_secs(100);
const BROKEN: Duration = Duration::from_secs(120);

#[test]
fn a_segment_that_is_missing_for_eight_seconds() {
    for (profile, expected, lost, leaves) in [
        // The same segment is retried with exponential back-off until another is listed after it. Then that one is
        // requested, and it exists when its turn comes.
        (&WEB, &[0.0, 1.0, 3.0, 7.0, 7.0, 15.0][..], 1, false),
        // Two attempts at once, then the segment is skipped.
        (&FFMPEG, &[0.0, 0.0][..], 2, false),
        (&NATIVE, &[0.0][..], 0, true),
        (&PERSISTENT, &[0.0, 2.0, 4.0, 6.0, 8.0][..], 0, false),
    ] {
        let broken = |at: Duration, what| is_segment(what) && (BROKEN..BROKEN + 8 * SECOND).contains(&at);
        let mut origin = four_seconds().refusing(broken);
        let run = play(&mut player(profile, BEGIN), &mut origin, BEGIN, BROKEN + 60 * SECOND);
        let tries = tries(&origin, is_segment, BROKEN);
        let agreed = expected.iter().zip(&tries).all(|(one, other)| (one - other).abs() < 0.15);
        assert!(agreed && tries.len() >= expected.len(), "{} {tries:?}", profile.name);
        assert_eq!((run.tally.segments_skipped, left(&run)), (lost, leaves), "{}", profile.name);
    }
}

#[test]
fn what_a_server_refuses_is_asked_for_again_by_those_who_ask_for_all_again() {
    let never = |_, what| matches!(what, Resource::Segment(_, 29));
    for (profile, tries, skipped) in [(&WEB, 1, 1), (&FFMPEG, 2, 1), (&PERSISTENT, 6, 1)] {
        // Three segments are loaded at once: 28, 29 and 30, the last one in the playlist.
        let mut origin = four_seconds().refusing(never);
        let run = play(&mut player(profile, BEGIN), &mut origin, BEGIN, BEGIN + 60 * SECOND);
        let tried = origin.count(|what| matches!(what, Resource::Segment(_, 29)));
        let first = origin.asked.iter().find(|asked| is_segment(asked.what)).map(|asked| asked.what);
        assert_eq!(first, Some(Resource::Segment(0, 28)), "{}", profile.name);
        assert_eq!(
            (tried, run.tally.segments_skipped, left(&run)),
            (tries, skipped, false),
            "{}",
            profile.name
        );
    }
    for (profile, entries, lists) in [(&WEB, 1, 3), (&FFMPEG, 1, 3)] {
        for (refused, tries) in [(is_entry as fn(Resource) -> bool, entries), (is_playlist, lists)] {
            let mut origin = four_seconds().refusing(move |_, what| refused(what));
            let run = play(&mut player(profile, BEGIN), &mut origin, BEGIN, BROKEN);
            assert_eq!((origin.count(refused), left(&run)), (tries, true), "{}", profile.name);
        }
    }
}

#[test]
fn who_left_something_out_that_leaves_the_window_goes_on_at_the_live_edge() {
    let refused = |at: Duration, what| is_segment(what) && (BROKEN..BROKEN + 4 * SECOND).contains(&at);
    let mut origin = Origin::new(|now, _| window(now.as_secs() / 2, 5, 2)).refusing(refused);
    let run = play(&mut player(&WEB, BEGIN), &mut origin, BEGIN, BROKEN + 20 * SECOND);
    let asked: Vec<_> =
        origin.asked.iter().filter(|asked| is_segment(asked.what) && asked.at >= BROKEN).collect();
    let numbers: Vec<_> = asked.iter().map(|asked| asked.what).take(6).collect();
    // 64 is tried three times and skipped, then 65 fails. Ten seconds later the playlist begins with 65, without 64.
    assert_eq!(numbers, [64, 64, 64, 65, 67, 68].map(|number| Resource::Segment(0, number)));
    assert_eq!((run.tally.edge_jumps, run.tally.segments_skipped), (1, 3));
}

#[test]
fn a_playlist_that_fails_for_twelve_seconds() {
    for (profile, expected, leaves) in [
        (&WEB, &[0.0, 1.0, 3.0][..], true),
        // Three attempts; the third waits for the limit of two reloads per second.
        (&FFMPEG, &[0.0, 0.0, 1.0][..], true),
        // Its buffer runs dry meanwhile, and the stream has moved on.
        (&NATIVE, &[0.0, 4.0, 8.0, 12.0][..], true),
        (&PERSISTENT, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0][..], false),
    ] {
        let broken = |at: Duration, what| is_playlist(what) && (BROKEN..BROKEN + 12 * SECOND).contains(&at);
        let mut origin = four_seconds().failing(broken);
        let run = play(&mut player(profile, BEGIN), &mut origin, BEGIN, BROKEN + 60 * SECOND);
        let tries = tries(&origin, is_playlist, BROKEN);
        let agreed = expected.iter().zip(&tries).all(|(one, other)| (one - other).abs() < 0.15);
        assert!(agreed && tries.len() >= expected.len(), "{} {tries:?}", profile.name);
        assert_eq!(left(&run), leaves, "{}", profile.name);
        assert!(!leaves || tries.len() == expected.len(), "{} {tries:?}", profile.name);
    }
}

#[test]
fn an_origin_that_is_down_loses_its_audience_or_is_asked_with_growing_waits() {
    for (profile, requests) in [(&WEB, 2), (&FFMPEG, 1), (&NATIVE, 1)] {
        let mut origin = Origin::live().failing(|_, _| true);
        let run = play(&mut player(profile, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
        assert!(left(&run) && run.tally.began.is_none());
        assert_eq!(origin.asked.len(), requests, "{}", profile.name);
    }
    let mut origin = Origin::live().failing(|_, _| true);
    let run = play(&mut player(&PERSISTENT, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    // Five seconds apart at the end: at most 0.25 requests a second.
    assert!((600..=930).contains(&origin.asked.len()), "{}", origin.asked.len());
    assert_eq!((run.tally.startup, run.tally.began), (HOUR, None));
}

#[test]
fn one_failure_in_ten_makes_nobody_stall_or_leave() {
    // A failed request is retried a second later, however long the faults continue.
    let requests = Cell::new(0_u64);
    let every_tenth = move |_, _| {
        requests.set(requests.get() + 1);
        requests.get().is_multiple_of(10)
    };
    let mut origin = Origin::live().failing(every_tenth);
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!((run.tally.stalls, run.tally.segments_skipped), (0, 0), "{:?}", run.tally);
    assert!(run.ended.is_none());
    assert!(origin.asked.len() > 3_800, "{} requests", origin.asked.len());
}

#[test]
fn a_stall_is_as_long_as_the_origin_was_silent_beyond_the_buffer() {
    // Thirty seconds are buffered when the faults begin; then every request fails until two minutes have passed.
    let mut origin = Origin::film(40).failing(|at, _| (20 * SECOND..120 * SECOND).contains(&at));
    let patient = Retry { times: None, ..PERSISTENT.segment };
    let patient = Box::leak(Box::new(Profile { segment: patient, ..WEB }));
    let run = play(&mut player(patient, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!(run.tally.stalls, 1);
    assert!((68.0..71.5).contains(&run.tally.stall.as_secs_f64()), "{:?}", run.tally.stall);
    assert!(run.ended.is_some());
}

#[test]
fn a_stall_wakes_its_viewer_when_it_begins_and_not_when_the_late_segment_comes() {
    let late = |what| matches!(what, Resource::Segment(_, 5));
    let mut origin = Origin::film(10);
    origin.latency = Box::new(move |what| if late(what) { 60 * SECOND } else { Duration::from_millis(10) });
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, 30 * SECOND);
    // Five segments of two seconds have been played by then.
    let wakes = |action: &Action| matches!(action, Action::Wait(Some(until)) if until.as_secs() == 10);
    assert!(run.actions.iter().any(wakes), "{:?}", run.actions);
    assert_eq!(run.tally.stalls, 1);
}

#[test]
fn a_segment_that_never_comes_is_left_out_or_the_viewer_leaves() {
    let never = || Origin::film(10).failing(|_, what| matches!(what, Resource::Segment(_, 4)));
    let mut origin = never();
    let run = play(&mut player(&PERSISTENT, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!((run.tally.segments_skipped, run.tally.play), (1, 18 * SECOND));
    assert!(matches!(run.ended, Some((_, Action::Finished))));
    let mut origin = never();
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert!(left(&run));
    assert_eq!(origin.count(|what| matches!(what, Resource::Segment(_, 4))), 7);
}

#[test]
fn addresses_that_cannot_be_requested_are_wanted_and_fail_a_bounded_number_of_times() {
    let list = window(0, 200, 2).replace("segment_", "ftp://h/") + "#EXT-X-ENDLIST\n";
    let mut origin = Origin::new(move |_, _| list.clone()).failing(|_, what| is_segment(what));
    let run = play(&mut player(&FFMPEG, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!(run.tally.segments_skipped, 200);
    assert!((200..1_000).contains(&origin.count(is_segment)), "{}", origin.count(is_segment));
    let refused = |action: &Action| match action {
        Action::Fetch(fetch) if is_segment(fetch.what) => fetch.url.access() == Access::Refused,
        _ => true,
    };
    assert!(run.actions.iter().all(refused));
}

#[test]
fn a_session_ends_when_it_should() {
    let mut fixed = settings(&WEB, VariantChoice::Highest);
    fixed.session = SessionLength::Fixed(90 * SECOND);
    let run = play(&mut player_of(fixed, 1, BEGIN), &mut Origin::live(), BEGIN, HOUR);
    assert_eq!(run.ended, Some((BEGIN + 90 * SECOND, Action::Leave(LeaveReason::SessionOver))));
}
