//! Playlists that may be kept: a browser does not request them again while they are fresh.

use super::*;
use crate::player::profiles::{FFMPEG, PERSISTENT, WEB};

const BEGIN: Duration = Duration::from_secs(100);

/// Plays a minute of a live stream of four-second segments whose playlists are fresh for this many seconds.
fn minute(profile: &'static Profile, fresh_for: u64) -> (Run, usize) {
    let mut origin = Origin::new(|now, _| window(now.as_secs() / 4, 6, 4));
    origin.fresh_for = Duration::from_secs(fresh_for);
    let run = play(&mut player(profile, BEGIN), &mut origin, BEGIN, BEGIN + 60 * SECOND);
    (run, origin.count(is_playlist))
}

#[test]
fn a_browser_starves_on_a_live_playlist_that_may_be_kept_for_too_long() {
    for profile in [&WEB, &PERSISTENT] {
        let (run, playlists) = minute(profile, 30);
        assert_eq!(playlists, 2, "{}", profile.name);
        // Every reload in between is answered at once, at the pace of reloads that bring nothing new.
        assert!((25..=30).contains(&run.tally.cached_reloads), "{:?}", run.tally);
        assert!(run.tally.stalls >= 1 && run.tally.stall > 10 * SECOND, "{:?}", run.tally);
    }
}

#[test]
fn a_playlist_that_is_fresh_for_less_than_a_reload_changes_nothing() {
    let (fresh, always) = (minute(&WEB, 1), minute(&WEB, 0));
    assert_eq!((fresh.1, fresh.0.tally), (always.1, always.0.tally));
    assert_eq!(always.0.tally.cached_reloads, 0);
}

#[test]
fn a_player_without_a_cache_asks_all_the_same() {
    let (run, playlists) = minute(&FFMPEG, 30);
    assert_eq!((playlists, run.tally.stalls, run.tally.cached_reloads), (minute(&FFMPEG, 0).1, 0, 0));
}
