//! Players and the `Retry-After` of a busy server.

use super::*;
use crate::player::profiles::{PATIENT, PERSISTENT};

const BEGIN: Duration = Duration::from_secs(1_000);
const STORM: Duration = Duration::from_secs(1_060);
const STORM_LENGTH: Duration = Duration::from_secs(60);

/// Builds a live origin that turns every request away during the storm and asks for this wait.
fn busy(wait: Duration, failure: Failure) -> Origin {
    let storm = |at: Duration, _| (STORM..STORM + STORM_LENGTH).contains(&at);
    Origin { failure, retry_after: Some(wait), ..Origin::live().failing(storm) }
}

fn asked_during_storm(origin: &Origin) -> Vec<Duration> {
    let times = origin.asked.iter().map(|asked| asked.at);
    times.filter(|at| (STORM..STORM + STORM_LENGTH).contains(at)).collect()
}

#[test]
fn a_player_that_honours_a_wait_makes_no_request_before_its_end() {
    for (seconds, failure) in [1, 7, 30, 60]
        .into_iter()
        .flat_map(|seconds| [(seconds, Failure::Broken), (seconds, Failure::Refused)])
    {
        let wait = SECOND * seconds;
        let mut origin = busy(wait, failure);
        play(&mut player(&PATIENT, BEGIN), &mut origin, BEGIN, STORM + STORM_LENGTH);
        let asked = asked_during_storm(&origin);
        // Each request takes ten milliseconds. The first two may be open at once: a playlist and a segment.
        let early = asked.windows(2).skip(1).filter(|pair| pair[1] - pair[0] < wait);
        assert_eq!(early.count(), 0, "{wait:?} {failure:?}: {asked:?}");
        let most = 2 + STORM_LENGTH.as_secs() / u64::from(seconds);
        assert!((1..=most).contains(&(asked.len() as u64)), "{wait:?} {failure:?}: {asked:?}");
    }
}

#[test]
fn after_its_wait_the_player_plays_on() {
    let mut origin = busy(30 * SECOND, Failure::Broken);
    let mut player = player(&PATIENT, BEGIN);
    let run = play(&mut player, &mut origin, BEGIN, STORM + 3 * STORM_LENGTH);
    assert_eq!(run.ended, None);
    assert!(run.tally.stalls >= 1, "a minute without media is longer than its buffer");
    let end = STORM + 3 * STORM_LENGTH;
    assert_eq!(player.playback(end).state, crate::vocabulary::ClientState::Playing);
    let last = origin.times(is_segment).last().copied();
    assert!(last.is_some_and(|last| end - last < 3 * SECOND), "{last:?}");
}

#[test]
fn a_client_that_waits_before_anything_has_played_is_waiting() {
    let mut origin = Origin { retry_after: Some(20 * SECOND), ..Origin::live().failing(|_, _| true) };
    let mut player = player(&PATIENT, BEGIN);
    let end = BEGIN + 15 * SECOND;
    play(&mut player, &mut origin, BEGIN, end);
    assert_eq!(origin.asked.len(), 1);
    assert_eq!(player.playback(end).state, crate::vocabulary::ClientState::Waiting);
}

#[test]
fn the_other_players_do_not_read_it() {
    for profile in Profile::ALL.into_iter().filter(|profile| profile.name != PATIENT.name) {
        let asked = |wait: Option<Duration>| {
            let mut origin = Origin { retry_after: wait, ..busy(SECOND, Failure::Broken) };
            play(&mut player(profile, BEGIN), &mut origin, BEGIN, STORM + STORM_LENGTH);
            asked_during_storm(&origin)
        };
        assert_eq!(asked(Some(40 * SECOND)), asked(None), "{}", profile.name);
        assert!(!player(profile, BEGIN).asked_to_wait(STORM), "{}", profile.name);
    }
}

#[test]
fn without_a_wait_a_patient_player_does_what_a_persistent_one_does() {
    let asked = |profile| {
        let mut origin = Origin { retry_after: None, ..busy(SECOND, Failure::Broken) };
        play(&mut player(profile, BEGIN), &mut origin, BEGIN, STORM + 2 * STORM_LENGTH);
        origin.asked.iter().map(|asked| (asked.at, asked.what)).collect::<Vec<_>>()
    };
    assert_eq!(asked(&PATIENT), asked(&PERSISTENT));
}
