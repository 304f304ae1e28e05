//! A viewer against a scripted origin: time is a number, so an hour takes a millisecond.

use super::*;
use crate::hls::{Playlist, parse};
use proptest::prelude::*;

/// A live or VOD stream as a function of time, and a log of what was asked of it.
struct Origin {
    segment: Duration,
    window: u64,
    /// Number of segments of a VOD; `None`: live.
    vod: Option<u64>,
    /// Whether a segment request at this time fails.
    fails: fn(Duration, What) -> bool,
    /// How long each request takes.
    latency: Duration,
    fmp4: bool,
    asked: Vec<(Duration, What)>,
}

impl Origin {
    fn live() -> Self {
        Self {
            segment: Duration::from_secs(2),
            window: 6,
            vod: None,
            fails: |_, _| false,
            latency: Duration::from_millis(10),
            fmp4: false,
            asked: Vec::new(),
        }
    }

    fn vod(segments: u64) -> Self {
        Self { vod: Some(segments), ..Self::live() }
    }

    fn playlist(&self, now: Duration) -> Playlist {
        let first = match self.vod {
            Some(_) => 0,
            None => (now.as_micros() / self.segment.as_micros()) as u64,
        };
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        if self.fmp4 {
            text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
        }
        for n in first..first + self.vod.unwrap_or(self.window) {
            text.push_str(&format!("#EXTINF:{:.3},\nsegment_{n}.ts\n", self.segment.as_secs_f64()));
        }
        if self.vod.is_some() {
            text.push_str("#EXT-X-ENDLIST\n");
        }
        parse(text.as_bytes()).expect("a playlist")
    }

    /// Answers one request that ends at `now`.
    fn answer(&mut self, fetch: &Fetch, begun: Duration, now: Duration) -> Input {
        self.asked.push((begun, fetch.what));
        if (self.fails)(begun, fetch.what) {
            return Input::Failed;
        }
        match fetch.what {
            What::Entry => {
                let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900\nhigh.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n";
                Input::Playlist(fetch.url.clone(), Box::new(parse(text.as_bytes()).expect("a playlist")))
            }
            What::Playlist(_) => Input::Playlist(fetch.url.clone(), Box::new(self.playlist(now))),
            What::Init(_) | What::Segment(..) => Input::Media,
        }
    }

    fn count(&self, wanted: fn(What) -> bool) -> usize {
        self.asked.iter().filter(|(_, what)| wanted(*what)).count()
    }
}

fn is_playlist(what: What) -> bool {
    matches!(what, What::Playlist(_))
}

fn is_segment(what: What) -> bool {
    matches!(what, What::Segment(..))
}

fn player(choice: VariantChoice, now: Duration) -> Player {
    Player::new(SecretUrl::parse("http://origin.test/live/master.m3u8").expect("valid"), choice, 1, now)
}

/// What a run of one player came to.
struct Run {
    tally: Tally,
    ended: Option<Duration>,
    actions: Vec<Action>,
}

/// Plays from `begin` until `end`.
fn play(player: &mut Player, origin: &mut Origin, begin: Duration, end: Duration) -> Run {
    let mut run = Run { tally: Tally::default(), ended: None, actions: Vec::new() };
    let (mut now, mut input) = (begin, Input::Woke);
    while now < end {
        let action = player.on(now, input);
        let tally = player.take_tally();
        run.tally.startup += tally.startup;
        run.tally.play += tally.play;
        run.tally.stall += tally.stall;
        run.tally.stalls += tally.stalls;
        run.tally.segments_skipped += tally.segments_skipped;
        run.tally.began = run.tally.began.or(tally.began);
        run.actions.push(action.clone());
        match action {
            Action::Fetch(fetch) => {
                let begun = now;
                now += origin.latency;
                input = origin.answer(&fetch, begun, now);
            }
            Action::Wait(until) => {
                assert!(until > now, "a wait that does not end later");
                now = until.min(end);
                input = Input::Woke;
            }
            Action::Finished => {
                run.ended = Some(now);
                break;
            }
        }
    }
    let last = run.ended.unwrap_or(end.max(now));
    player.leave(last);
    let tally = player.take_tally();
    run.tally.startup += tally.startup;
    run.tally.play += tally.play;
    run.tally.stall += tally.stall;
    run
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_live_viewer_begins_three_target_durations_from_the_end() {
    let mut origin = Origin::live();
    play(
        &mut player(VariantChoice::Highest, Duration::ZERO),
        &mut origin,
        Duration::ZERO,
        Duration::from_secs(1),
    );
    let whats: Vec<_> = origin.asked.iter().map(|(_, what)| *what).collect();
    let segments = [What::Segment(0, 3), What::Segment(0, 4), What::Segment(0, 5)];
    assert_eq!(whats, [&[What::Entry, What::Playlist(0)], segments.as_slice()].concat());
}

#[test]
fn an_hour_of_live_is_one_playlist_and_one_segment_for_each_target_duration_without_a_stall() {
    let begin = Duration::from_millis(700);
    let mut origin = Origin::live();
    let run = play(&mut player(VariantChoice::Highest, begin), &mut origin, begin, begin + HOUR);
    let (playlists, segments) = (origin.count(is_playlist), origin.count(is_segment));
    assert!((1_798..=1_803).contains(&playlists), "{playlists}");
    assert!((1_801..=1_804).contains(&segments), "{segments}");
    assert_eq!((run.tally.stalls, run.tally.segments_skipped), (0, 0));
    let mut numbers: Vec<_> =
        origin.asked.iter().filter(|(_, what)| is_segment(*what)).map(|(_, w)| format!("{w:?}")).collect();
    let asked = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), asked, "a segment was asked for twice");
}

#[test]
fn an_unchanged_playlist_is_loaded_again_after_half_a_target_duration() {
    let mut origin = Origin::live();
    let mut player = player(VariantChoice::Highest, Duration::ZERO);
    play(&mut player, &mut origin, Duration::ZERO, Duration::from_secs(10));
    origin.asked.clear();
    // The origin stands still: every load brings the same list.
    let still = origin.playlist(Duration::from_secs(10));
    let (mut now, mut loads) = (Duration::from_secs(10), Vec::new());
    let mut input = Input::Woke;
    while now < Duration::from_secs(20) {
        match player.on(now, input) {
            Action::Fetch(fetch) if is_playlist(fetch.what) => {
                loads.push(now);
                input = Input::Playlist(fetch.url, Box::new(still.clone()));
            }
            Action::Fetch(_) => input = Input::Media,
            Action::Wait(until) => (now, input) = (until, Input::Woke),
            Action::Finished => panic!("a live stream without an end"),
        }
    }
    let steps: Vec<_> = loads.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert!(steps.len() >= 6 && steps[1..].iter().all(|step| *step == 1_000), "{steps:?}");
}

#[test]
fn a_film_is_played_in_real_time_with_a_bounded_buffer_and_then_it_ends() {
    let mut origin = Origin::vod(100);
    let run = play(&mut player(VariantChoice::Highest, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    let ended = run.ended.expect("an end").as_secs_f64();
    assert!((200.0..200.5).contains(&ended), "{ended}");
    assert_eq!(origin.count(is_playlist), 1);
    assert_eq!(origin.count(is_segment), 100);
    assert_eq!(run.tally.play, Duration::from_secs(200));
    assert_eq!(run.tally.stalls, 0);
    for (nth, (at, _)) in origin.asked.iter().filter(|(_, what)| is_segment(*what)).enumerate() {
        let ahead = Duration::from_secs(2 * nth as u64).saturating_sub(*at);
        assert!(ahead <= BUFFER_GOAL + Duration::from_secs(1), "segment {nth} was asked for {ahead:?} ahead");
    }
}

#[test]
fn an_initialization_section_is_fetched_once_before_the_first_segment() {
    let mut origin = Origin { fmp4: true, ..Origin::live() };
    play(
        &mut player(VariantChoice::Highest, Duration::ZERO),
        &mut origin,
        Duration::ZERO,
        Duration::from_secs(60),
    );
    assert_eq!(origin.count(|what| matches!(what, What::Init(_))), 1);
    let first = origin.asked.iter().position(|(_, what)| is_segment(*what)).expect("segments");
    assert_eq!(origin.asked[first - 1].1, What::Init(0));
}

#[test]
fn all_variants_are_played_side_by_side_when_asked_for() {
    let mut origin = Origin::live();
    let run = play(
        &mut player(VariantChoice::All, Duration::ZERO),
        &mut origin,
        Duration::ZERO,
        Duration::from_secs(60),
    );
    let of = |track: usize| {
        origin.asked.iter().filter(|(_, w)| matches!(w, What::Segment(t, _) if *t == track)).count()
    };
    assert!((31..=34).contains(&of(0)), "{}", of(0));
    assert_eq!(of(0), of(1));
    assert_eq!(run.tally.stalls, 0);
}

#[test]
fn a_stall_is_as_long_as_the_origin_was_silent_beyond_the_buffer() {
    let mut origin = Origin::vod(40);
    // Thirty seconds are buffered when the faults begin; then every request fails until two minutes have passed.
    origin.fails = |at, _| (Duration::from_secs(20)..Duration::from_secs(120)).contains(&at);
    let run = play(&mut player(VariantChoice::Highest, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!(run.tally.stalls, 1);
    assert!((70.0..76.0).contains(&run.tally.stall.as_secs_f64()), "{:?}", run.tally.stall);
    assert!(run.ended.is_some());
}

#[test]
fn a_segment_that_never_comes_is_given_up() {
    let mut origin = Origin::vod(10);
    origin.fails = |_, what| matches!(what, What::Segment(_, 4));
    let run = play(&mut player(VariantChoice::Highest, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!(run.tally.segments_skipped, 1);
    assert_eq!(run.tally.play, Duration::from_secs(18));
    assert!(run.ended.is_some());
}

#[test]
fn an_origin_that_is_down_is_asked_with_growing_waits() {
    let mut origin = Origin::live();
    origin.fails = |_, _| true;
    let run = play(&mut player(VariantChoice::Highest, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    // Five seconds apart at the end: at most 0.25 requests a second.
    assert!((600..=930).contains(&origin.asked.len()), "{}", origin.asked.len());
    assert_eq!(run.tally.startup, HOUR.max(run.tally.startup));
    assert_eq!(run.tally.began, None);
}

#[test]
fn a_stream_that_begins_anew_is_followed_after_three_target_durations() {
    let mut player = player(VariantChoice::Highest, Duration::ZERO);
    let mut origin = Origin::live();
    play(&mut player, &mut origin, Duration::from_secs(1_000), Duration::from_secs(1_020));
    origin.asked.clear();
    // The packager restarts: sequence numbers begin at zero again.
    let (mut now, mut input) = (Duration::from_secs(1_020), Input::Woke);
    while now < Duration::from_secs(1_060) {
        match player.on(now, input) {
            Action::Fetch(fetch) => {
                origin.asked.push((now, fetch.what));
                now += origin.latency;
                input = match fetch.what {
                    What::Playlist(_) => Input::Playlist(
                        fetch.url,
                        Box::new(origin.playlist(now - Duration::from_secs(1_020))),
                    ),
                    _ => Input::Media,
                };
            }
            Action::Wait(until) => (now, input) = (until, Input::Woke),
            Action::Finished => panic!("a live stream without an end"),
        }
    }
    let resumed = origin.asked.iter().find(|(_, what)| is_segment(*what)).expect("segments again");
    assert!(resumed.0 < Duration::from_secs(1_031), "{resumed:?}");
    assert!(origin.count(is_segment) > 12);
}

#[test]
fn a_playlist_that_names_nothing_is_refused() {
    let player = player(VariantChoice::Highest, Duration::ZERO);
    let media = parse(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n").expect("a playlist");
    let multivariant = parse(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n").expect("a playlist");
    assert_eq!(player.accepts(What::Entry, &media), Ok(()));
    assert_eq!(player.accepts(What::Entry, &multivariant), Ok(()));
    assert_eq!(player.accepts(What::Playlist(0), &media), Ok(()));
    assert_eq!(player.accepts(What::Playlist(0), &multivariant), Err(Fault::PlaylistSemantic));
}

#[test]
fn what_a_reader_computes_from_a_moment_is_what_the_player_knows() {
    let mut player = player(VariantChoice::Highest, Duration::ZERO);
    let mut origin = Origin::vod(3);
    play(&mut player, &mut origin, Duration::ZERO, Duration::from_secs(2));
    let moment = player.moment(Duration::from_secs(2));
    assert_eq!(moment.doing, Doing::Playing);
    // Playback began after three requests of ten milliseconds.
    assert_eq!(moment.offset_us, -30_000);
    assert_eq!(moment.dry_at_us, 6_030_000);
}

proptest! {
    #[test]
    fn startup_play_and_stall_are_all_the_time_there_is(
        seed: u64,
        latency_ms in 1_u64..3_000,
        modulus in 2_u128..50,
        vod in proptest::option::of(1_u64..60),
    ) {
        // A different pattern of failures for each modulus, without state: every request in one second of `modulus`.
        static MODULUS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(7);
        MODULUS.store(modulus as u64, std::sync::atomic::Ordering::Relaxed);
        let mut origin = Origin { vod, latency: Duration::from_millis(latency_ms), ..Origin::live() };
        origin.fails = |at, _| at.as_secs().is_multiple_of(MODULUS.load(std::sync::atomic::Ordering::Relaxed));
        let mut player = Player::new(SecretUrl::parse("http://o.test/m.m3u8").expect("valid"), VariantChoice::All, seed, Duration::ZERO);
        let end = Duration::from_secs(300);
        let run = play(&mut player, &mut origin, Duration::ZERO, end);
        let total = run.tally.startup + run.tally.play + run.tally.stall;
        let lived = run.ended.unwrap_or(total.max(end));
        prop_assert_eq!(total, lived);
        let asked_per_second = origin.asked.len() as f64 / lived.as_secs_f64().max(1.0);
        prop_assert!(asked_per_second < 40.0, "{asked_per_second} requests a second");
    }
}
