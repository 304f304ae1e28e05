//! Properties that hold for every stream, fault and profile.

use super::*;
use crate::player::profiles::{PERSISTENT, WEB};
use proptest::prelude::*;

/// Builds an origin that moves its window and fails by a pattern that `seed` decides.
fn whimsical(seed: u64, film: Option<u64>, seconds: u64, latency_ms: u64, modulus: u64) -> Origin {
    let noise = move |n: u64| seed.wrapping_add(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let mut origin = match film {
        Some(segments) => Origin::film(segments),
        // Now and then the window stands still, goes back or jumps ahead.
        None => Origin::new(move |now, _| {
            let first = now.as_secs() / seconds;
            let moved = match noise(now.as_secs() / (3 * seconds)) % 16 {
                0 => first.saturating_sub(4),
                1 => first + 20,
                2 => first - first % 8,
                _ => first,
            };
            window(moved, 6, seconds)
        }),
    };
    origin.master = TWO_VARIANTS.to_owned();
    origin.fails = Box::new(move |at, _| noise(at.as_millis() as u64 / 500) % modulus == 0);
    origin.latency =
        Box::new(move |what| Duration::from_millis(if is_segment(what) { latency_ms } else { 20 }));
    origin
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn time_is_accounted_for_and_position_only_rises(
        seed: u64,
        profile in 0_usize..4,
        film in proptest::option::of(1_u64..60),
        latency_ms in 1_u64..3_000,
        modulus in 2_u64..50,
        all: bool,
    ) {
        let choice = if all { VariantChoice::All } else { VariantChoice::Highest };
        let play_once = || {
            let mut origin = whimsical(seed, film, 2, latency_ms, modulus);
            let mut player = player_of(settings(Profile::ALL[profile], choice), seed, SECOND);
            let run = play(&mut player, &mut origin, SECOND, 300 * SECOND);
            (run, origin)
        };
        let (run, origin) = play_once();
        let ended = run.ended.as_ref().map_or(300 * SECOND, |(at, _)| *at);
        prop_assert_eq!(run.tally.startup + run.tally.play + run.tally.stall, ended - SECOND);
        prop_assert!(run.positions.is_sorted(), "the position went back");
        prop_assert!(run.tally.play <= ended - SECOND);
        prop_assert!(run.tally.stalls == 0 || !run.tally.stall.is_zero());
        let mains = if all { 2 } else { 1 };
        let reloads = origin.times(is_playlist);
        // First loads, one for each variant, are not limited.
        let reloads = reloads.get(mains..).unwrap_or_default();
        let limit = limits::RELOADS_PER_SECOND * mains;
        prop_assert!(reloads.windows(limit + 1).all(|some| some[limit] - some[0] >= SECOND), "{:?}", reloads);
        prop_assert_eq!(run.actions, play_once().0.actions, "the same seed, other actions");
    }
}

/// Plays from the first second to the end of a day on which one request in forty fails.
fn a_day_with_faults(profile: &'static Profile) -> Run {
    let day = 24 * HOUR;
    let run = play(&mut player(profile, SECOND), &mut whimsical(7, None, 10, 300, 40), SECOND, day);
    let ended = run.ended.as_ref().map_or(day, |(at, _)| *at);
    assert_eq!(run.tally.startup + run.tally.play + run.tally.stall, ended - SECOND);
    run
}

#[test]
fn a_day_of_a_player_that_never_leaves_is_accounted_for_to_the_microsecond() {
    let run = a_day_with_faults(&PERSISTENT);
    assert!(run.ended.is_none() && run.tally.edge_jumps > 100, "{:?}", run.tally);
}

#[test]
fn a_day_of_the_default_player_is_accounted_for_to_the_microsecond() {
    let run = a_day_with_faults(&WEB);
    assert!(run.ended.is_none() && run.tally.edge_jumps > 100, "{:?}", run.tally);
}
