//! One client and its successors against a failing origin: they make at most 1.2 times as many requests as against
//! the same origin in health, whatever the player, the fault and the playlists are.

use super::*;
use crate::player::allowance::RESERVE;
use crate::player::profiles::{FFMPEG, PERSISTENT, WEB};
use std::cell::Cell;
use std::collections::VecDeque;

/// Maximum requests to a failing origin for each request to a healthy one.
const MOST: f64 = 1.2;
/// Window in which the rate is measured, in target durations: so long that the reserve of quick retries hardly
/// counts.
const WINDOW: u32 = 50;
/// Maximum for a player that loads a film as fast as it comes.
const CAP_PER_SECOND: f64 = 4.0;

/// Plays from `begin` to `end`; a viewer that leaves after failures is replaced as in a run. Returns the times of the
/// requests.
fn load(profile: &'static Profile, origin: &mut Origin, begin: Duration, end: Duration) -> Vec<Duration> {
    let (mut backoff, mut allowance, mut now) = (Backoff::new(7), Allowance::default(), begin);
    for seed in 0.. {
        let fresh = player_of(settings(profile, VariantChoice::Highest), seed, now);
        let mut player = fresh.succeeding(allowance);
        let run = play(&mut player, origin, now, end);
        allowance = player.allowance();
        match run.ended {
            Some((at, Action::Leave(LeaveReason::GaveUp))) => now = allowance.successor_at(at, &mut backoff),
            _ => break,
        }
        if now >= end {
            break;
        }
    }
    origin.asked.iter().map(|asked| asked.at).collect()
}

/// Returns the most requests that were made in any period of this length, from `from` on.
fn most_within(times: &[Duration], length: Duration, from: Duration) -> usize {
    let (mut window, mut most) = (VecDeque::new(), 0);
    for at in times.iter().filter(|at| **at >= from) {
        window.push_back(*at);
        while window.front().is_some_and(|first| *at - *first >= length) {
            window.pop_front();
        }
        most = most.max(window.len());
    }
    most
}

const STILL: &str = "a list that stands still";

/// A stream: its name, its target duration, and an origin that serves it.
type Shape = (&'static str, u32, fn() -> Origin);

fn shapes() -> Vec<Shape> {
    fn film(seconds: u64) -> Origin {
        Origin::new(move |_, _| window(0, 150, seconds) + "#EXT-X-ENDLIST\n")
    }
    fn live(list: fn(u64) -> String) -> Origin {
        Origin::new(move |now, _| list(now.as_secs()))
    }
    vec![
        ("live, 1 s", 1, || live(|now| window(now, 6, 1))),
        ("live, 4 s", 4, || live(|now| window(now / 4, 6, 4))),
        ("live, 10 s", 10, || live(|now| window(now / 10, 6, 10))),
        ("short window", 2, || live(|now| window(now / 2, 2, 2))),
        ("long window from its beginning", 2, || {
            live(|now| window(now / 2, 120, 2).replacen("#EXTINF", "#EXT-X-START:TIME-OFFSET=0\n#EXTINF", 1))
        }),
        ("event", 2, || {
            live(|now| window(0, now / 2, 2).replacen("#EXTINF", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF", 1))
        }),
        ("segments far shorter than the target", 10, || {
            live(|now| window(now / 2, 30, 2).replace("DURATION:2", "DURATION:10"))
        }),
        ("segments longer than the target", 1, || {
            live(|now| window(now / 4, 6, 4).replace("DURATION:4", "DURATION:1"))
        }),
        ("target duration 0", 1, || live(|now| window(now, 6, 1).replace("DURATION:1\n", "DURATION:0\n"))),
        ("a list that differs at each load", 4, || {
            let loads = Cell::new(0);
            Origin::new(move |_, _| {
                loads.set(loads.get() + 1);
                window(loads.get(), 6, 4)
            })
        }),
        (STILL, 4, || live(|_| window(7, 6, 4))),
        ("keys and initialization sections that change with each segment", 4, || {
            let piece = |number: u64| {
                format!(
                    "#EXT-X-KEY:METHOD=AES-128,URI=\"k{number}\",IV=0x1\n#EXT-X-MAP:URI=\"i{number}\"\n\
                     #EXTINF:4,\nsegment_{number}.ts"
                )
            };
            Origin::new(move |now, _| {
                let first = now.as_secs() / 4;
                let plain = |number: u64| format!("#EXTINF:4,\nsegment_{number}.ts");
                (first..first + 6)
                    .fold(window(first, 6, 4), |list, number| list.replace(&plain(number), &piece(number)))
            })
        }),
        ("forty variants", 4, || {
            let variant = |n: u64| format!("#EXT-X-STREAM-INF:BANDWIDTH={}\nv{n}.m3u8\n", 1_000 + n);
            let master = (0..40).map(variant).fold("#EXTM3U\n".to_owned(), |text, line| text + &line);
            Origin { master, ..live(|now| window(now / 4, 6, 4)) }
        }),
        ("film, 4 s", 4, || film(4)),
        ("film, 1 s", 1, || film(1)),
    ]
}

/// A fault: its name, the failure, and a function that picks the requests that fail by number and purpose.
type Sickness = (&'static str, Failure, fn(u64, Resource) -> bool);

fn is_media(what: Resource) -> bool {
    matches!(what, Resource::Key(_) | Resource::Init(_) | Resource::Segment(..))
}

fn chance(number: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 100
}

const SICKNESSES: [Sickness; 12] = [
    ("segments 503", Failure::Broken, |_, what| is_segment(what)),
    ("segments 404", Failure::Refused, |_, what| is_segment(what)),
    ("media 404", Failure::Refused, |_, what| is_media(what)),
    ("keys 503", Failure::Broken, |_, what| matches!(what, Resource::Key(_))),
    ("initialization sections 404", Failure::Refused, |_, what| matches!(what, Resource::Init(_))),
    ("playlists 503", Failure::Broken, |_, what| is_playlist(what)),
    ("playlists 404", Failure::Refused, |_, what| is_playlist(what)),
    ("playlists of both kinds 503", Failure::Broken, |_, what| !is_media(what)),
    ("all 503", Failure::Broken, |_, _| true),
    ("every second request", Failure::Broken, |number, _| number.is_multiple_of(2)),
    ("four segments in five", Failure::Refused, |number, what| is_segment(what) && chance(number) < 80),
    ("one request in five", Failure::Broken, |number, _| chance(number) < 20),
];

/// Number of faults, from the first on, that let through none of the resources that they are about.
const WHOLE: usize = 9;

/// Makes the origin fail from `from` on.
fn fail_from(origin: Origin, (_, failure, fails): Sickness, from: Duration) -> Origin {
    let requests = Cell::new(0);
    let failing = origin.failing(move |at, what| {
        requests.set(requests.get() + 1);
        at >= from && fails(requests.get(), what)
    });
    Origin { failure, ..failing }
}

/// Returns the cases in which a failing origin is asked too often, in every second shape from number `first` on.
fn asked_too_often(first: usize) -> Vec<String> {
    let begin = 1_000 * SECOND;
    let mut faults = Vec::new();
    for (shape, target, origin) in shapes().into_iter().skip(first).step_by(2) {
        let window = SECOND * target * WINDOW;
        let end = begin + window * 2;
        for profile in Profile::ALL {
            let healthy = load(profile, &mut origin(), begin, end);
            let healthy = most_within(&healthy, window, begin + window / 2) as f64;
            // Without new segments, a stream that moves is the measure: a playlist and a segment for each target
            // duration.
            let healthy = if shape == STILL { healthy.max(2.0 * f64::from(WINDOW)) } else { healthy };
            // ffmpeg loads the parts of a film that do not fail as fast as they come.
            let is_capped = profile.buffer_goal == Duration::MAX && shape.starts_with("film");
            let kinds = if is_capped { WHOLE } else { SICKNESSES.len() };
            let cases = SICKNESSES.iter().enumerate().take(kinds);
            for ((number, sickness), from) in
                cases.flat_map(|case| [(case, begin), (case, begin + window / 2)])
            {
                let mut sick = fail_from(origin(), *sickness, from);
                let times = load(profile, &mut sick, begin, end);
                let asked = most_within(&times, window, from + 30 * SECOND) as f64;
                let limit = if is_capped {
                    CAP_PER_SECOND * window.as_secs_f64() + RESERVE
                } else if number < WHOLE && from == begin && sickness.2(2, Resource::Playlist(0)) {
                    // No playlist has given the pace of the stream: the limit is that of a stream of four seconds.
                    (healthy * MOST).max(0.5 * MOST * window.as_secs_f64())
                } else if number >= WHOLE && profile.playlist.times.is_some() {
                    // A failed request is retried once more, as hls.js and ffmpeg were seen to do, and then succeeds.
                    healthy * 2.0 + RESERVE
                } else if number >= WHOLE {
                    // Resources that do arrive are loaded as fast as the buffer takes them.
                    healthy * 1.5 + RESERVE
                } else {
                    healthy * MOST + RESERVE
                };
                let named = format!("{}, {shape}, {} from {from:?}", profile.name, sickness.0);
                assert!(!times.is_empty(), "{named}");
                if asked > limit {
                    faults.push(format!("{named}: {asked} requests, {healthy} if healthy"));
                }
            }
        }
    }
    faults
}

#[test]
fn a_failing_origin_is_asked_no_more_than_1_2_times_as_often_as_a_healthy_one() {
    // The longest test of all: two threads share it.
    let halves = [0, 1].map(|first| std::thread::spawn(move || asked_too_often(first)));
    let faults = halves.into_iter().flat_map(|half| half.join().expect("no panic")).collect::<Vec<_>>();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_follows_failures_is_never_more_than_the_reserve_and_a_few_in_a_second() {
    for (shape, target, origin) in shapes() {
        let end = 1_000 * SECOND + SECOND * target * WINDOW;
        for (profile, sickness) in Profile::ALL
            .iter()
            .flat_map(|one| SICKNESSES[..WHOLE].iter().map(move |sickness| (one, sickness)))
        {
            let (_, _, fails) = sickness;
            let applies = fails(1, Resource::Segment(0, 1)) || fails(1, Resource::Playlist(0));
            if !applies && profile.buffer_goal == Duration::MAX && shape.starts_with("film") {
                continue;
            }
            let mut sick = fail_from(origin(), *sickness, Duration::ZERO);
            let times = load(profile, &mut sick, 1_000 * SECOND, end);
            // A viewer that begins requests playlists, a key, an initialization section and a segment.
            let most = most_within(&times, SECOND, 1_000 * SECOND + SECOND);
            assert!(most <= 9, "{}, {shape}, {}: {most} in a second", profile.name, sickness.0);
        }
    }
}

#[test]
fn a_viewer_that_leaves_and_is_replaced_again_and_again_is_the_load_of_one() {
    // A window of an hour whose segments are all gone: hls.js runs through it and leaves, ffmpeg runs through it.
    for profile in [&WEB, &FFMPEG, &PERSISTENT] {
        let mut sick = Origin::new(|now, _| {
            window(now.as_secs() / 4, 900, 4).replacen("#EXTINF", "#EXT-X-START:TIME-OFFSET=0\n#EXTINF", 1)
        })
        .refusing(|_, what| is_segment(what));
        let times = load(profile, &mut sick, Duration::ZERO, 600 * SECOND);
        assert!(
            (150..=360).contains(&times.len()),
            "{}: {} requests in ten minutes",
            profile.name,
            times.len()
        );
    }
}

#[test]
fn a_first_list_that_is_said_to_be_unchanged_is_a_failure_and_not_asked_for_in_a_circle() {
    for profile in Profile::ALL {
        let mut origin = Origin::live();
        origin.instead = Box::new(|_, fetch| {
            is_playlist(fetch.what).then_some(Answer::Unchanged { fresh_for: Duration::ZERO })
        });
        let times = load(profile, &mut origin, Duration::ZERO, 60 * SECOND);
        assert!((3..=72).contains(&times.len()), "{}: {}", profile.name, times.len());
    }
}

#[test]
fn lists_that_come_and_are_unchanged_in_turn_are_loaded_at_the_pace_of_the_stream() {
    for profile in Profile::ALL {
        let loads = Cell::new(0_u64);
        let mut origin = Origin::new(|now, _| window(now.as_secs() / 4, 6, 4));
        origin.instead = Box::new(move |at, fetch| {
            loads.set(loads.get() + u64::from(is_playlist(fetch.what)));
            let unchanged = is_playlist(fetch.what) && at > 10 * SECOND && loads.get().is_multiple_of(2);
            unchanged.then_some(Answer::Unchanged { fresh_for: Duration::ZERO })
        });
        load(profile, &mut origin, Duration::ZERO, 100 * SECOND);
        let lists = origin.count(is_playlist);
        assert!((10..=51).contains(&lists), "{}: {lists}", profile.name);
    }
}

#[test]
fn segments_that_last_no_time_are_spaced_as_if_they_lasted_fifty_milliseconds() {
    for (duration, profile) in
        ["0.000001", "0.049", "0"].into_iter().flat_map(|one| Profile::ALL.map(|profile| (one, profile)))
    {
        let mut origin = Origin::new(move |_, _| {
            window(0, 2_000, 1).replace("EXTINF:1,", &format!("EXTINF:{duration},")) + "#EXT-X-ENDLIST\n"
        });
        let times = load(profile, &mut origin, Duration::ZERO, 20 * SECOND);
        let most = most_within(&times, SECOND, Duration::from_millis(20));
        assert!(most <= 21, "{} {duration}: {most} in a second", profile.name);
    }
    // A single short segment among others causes no stall.
    let mut origin = Origin::new(|_, _| window(0, 9, 2) + "#EXTINF:0.02,\nlast.ts\n#EXT-X-ENDLIST\n");
    let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!((run.tally.play, run.tally.stalls), (18 * SECOND + Duration::from_millis(20), 0));
}

#[test]
fn requests_that_are_redirected_in_a_circle_count_as_what_they_are() {
    // A player whose attempts cost six requests each makes fewer of them.
    let mut player = player(&PERSISTENT, Duration::ZERO);
    let mut tries = 0;
    let (mut now, mut input) = (Duration::ZERO, Input::Woke);
    while now < 300 * SECOND {
        match player.step(now, input) {
            Action::Fetch(fetch) => {
                tries += 1;
                player.redirected(limits::REDIRECTS, now);
                input = Input::Ended(fetch.what, Answer::Failed(Failure::Broken));
            }
            Action::Wait(until) => {
                now = until.expect("a time");
                input = Input::Woke;
            }
            ended => panic!("{ended:?}"),
        }
    }
    // At most 0.55 requests per second, with the first one and its redirects.
    assert!(tries * 6 <= 165 + 12, "{tries}");
}
