//! Stages against their lines, and the lives of their clients against their numbers.

use proptest::prelude::*;

use super::*;
use crate::load::StageList;

fn stages(text: &str) -> StagesProfile {
    let StageList(stages) = text.parse().expect(text);
    StagesProfile::new(&stages).expect(text)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Returns every change of the target with its time in milliseconds.
fn changes(profile: &StagesProfile) -> Vec<(u128, u32)> {
    let times = std::iter::successors(Some(Duration::ZERO), |at| profile.next_change(*at));
    times.map(|at| (at.as_millis(), profile.target(at))).collect()
}

#[test]
fn a_rise_starts_with_its_first_client_and_a_fall_ends_with_its_last() {
    let profile = stages("ramp to 4 in 4s, hold 2s, down to 1 in 3s, hold 1s");
    let expected = [(0, 1), (1_000, 2), (2_000, 3), (3_000, 4), (7_000, 3), (8_000, 2), (9_000, 1)];
    assert_eq!(changes(&profile), expected);
    assert_eq!((profile.length(), profile.peak()), (ms(10_000), 4));
}

#[test]
fn a_spike_comes_at_once_and_goes_at_once() {
    let profile = stages("jump to 5, hold 1s, spike +3 for 2s, spike +1 for 1s");
    assert_eq!(changes(&profile), [(0, 5), (1_000, 8), (3_000, 6), (4_000, 5)]);
    assert_eq!(profile.peak(), 8);
    assert_eq!([0, 999, 1_000, 3_500].map(|at| profile.peak_until(ms(at))), [5, 5, 8, 8]);
    assert_eq!(profile.goal(ms(1_500)), 8);
    assert_eq!(profile.goal(ms(4_000)), 5);
}

#[test]
fn the_stage_of_a_moment_says_what_is_left_and_what_follows() {
    let profile = stages("ramp to 10 in 10s, hold 5s");
    let first = profile.stage(ms(4_000)).expect("a stage");
    assert_eq!((first.number, first.from, first.left), (1, 0, ms(6_000)));
    assert_eq!(first.next, Some(Stage::Hold(ms(5_000))));
    let last = profile.stage(ms(10_000)).expect("a stage");
    assert_eq!((last.number, last.from, last.left, last.next), (2, 10, ms(5_000), None));
    assert_eq!(profile.stage(ms(15_000)), None);
}

#[test]
fn the_pace_is_that_of_the_fastest_rise_that_takes_time() {
    let pace = stages("ramp to 100 in 50s, jump to 400, 10s:420, down in 1s").pace(7);
    assert_eq!((pace.clients, pace.rate(), pace.seed), (420, Some(2.0), 7));
    assert_eq!(stages("jump to 5, hold 1s").pace(1).rate(), None);
}

#[test]
fn stages_that_do_not_fit_are_refused() {
    let refused = |text: &str| {
        let StageList(stages) = text.parse().expect(text);
        StagesProfile::new(&stages).expect_err(text)
    };
    assert_eq!(
        refused("jump to 5, down to 5 in 1m"),
        "'down to 5 in 1m': it begins with 5 clients; expected fewer at its end"
    );
    assert!(refused("hold 5m").starts_with("no stage has a client; expected"));
    assert!(refused("jump to 1M, spike +1 for 1s").contains("at most 1,000,000 clients together"));
    assert!(refused("jump to 1, hold 5000h, hold 5000h").contains("366 days"));
    assert!(refused(&vec!["1s:5"; 101].join(",")).starts_with("101 were given; expected at most 100"));
}

fn plans() -> impl Strategy<Value = StagesProfile> {
    let time = || (0_u64..20_000).prop_map(ms);
    let stage = prop_oneof![
        (0_u32..60, time()).prop_map(|(to, takes)| Stage::Ramp { to, takes }),
        (1_u64..9_000).prop_map(|length| Stage::Hold(ms(length))),
        (1_u32..30, 1_u64..9_000).prop_map(|(more, lasts)| Stage::Spike { more, lasts: ms(lasts) }),
    ];
    prop::collection::vec(stage, 1..7).prop_filter_map("a client", |stages| StagesProfile::new(&stages).ok())
}

proptest! {
    #[test]
    fn nothing_changes_between_two_changes(profile in plans(), share in 0.0_f64..1.2) {
        let at = profile.length().mul_f64(share);
        let now = profile.target(at);
        match profile.next_change(at) {
            Some(next) => {
                prop_assert!(next > at && profile.target(next) != now);
                let middle = at + (next - at) / 2;
                prop_assert_eq!([profile.target(middle), profile.target(next - Duration::from_nanos(1))], [now; 2]);
            }
            None => prop_assert_eq!(profile.target(profile.length() * 2), now),
        }
    }

    #[test]
    fn the_number_of_clients_is_that_of_the_lives_that_include_the_moment(profile in plans(), share in 0.0_f64..1.2) {
        let at = profile.length().mul_f64(share);
        let lives = (0..profile.peak()).flat_map(|number| profile.lives(number));
        let there = lives.filter(|life| life.contains(&at)).count();
        prop_assert_eq!(there as u32, profile.target(at));
        prop_assert_eq!(profile.lives(profile.peak()), []);
    }

    #[test]
    fn the_number_of_clients_is_within_one_of_the_line(to in 1_u32..2_000, from in 0_u32..2_000, takes in 1_u64..600_000, share in 0.0_f64..1.0) {
        prop_assume!(from != to);
        let rise = StagesProfile::new(&[Stage::Ramp { to: from, takes: ms(0) }, Stage::Ramp { to, takes: ms(takes) }]).expect("fits");
        let at = ms(takes).mul_f64(share);
        let line = f64::from(from) + (f64::from(to) - f64::from(from)) * share;
        let clients = f64::from(rise.target(at));
        prop_assert!((-1e-3..=1.0 + 1e-3).contains(&(clients - line)), "{clients} instead of {line}");
    }

    #[test]
    fn the_peak_is_the_largest_number_of_clients(profile in plans(), share in 0.0_f64..1.2) {
        let until = profile.length().mul_f64(share);
        let times = std::iter::successors(Some(Duration::ZERO), |at| profile.next_change(*at));
        let most = times.take_while(|at| *at <= until).map(|at| profile.target(at)).max();
        prop_assert!(most.unwrap_or_default() <= profile.peak_until(until));
        prop_assert!(profile.peak_until(until) <= profile.peak());
    }
}

#[test]
fn a_wave_is_a_sine_from_its_lowest_on_and_one_stage() {
    let seconds = |seconds: u64| ms(1_000 * seconds);
    let profile = stages("jump to 50, wave 100..500 every 2m for 5m, hold 10s");
    assert_eq!((profile.count(), profile.peak(), profile.length()), (3, 500, seconds(310)));
    let texts: Vec<_> = profile.stages().map(|stage| stage.to_string()).collect();
    assert_eq!(texts, ["jump to 50", "wave 100..500 every 2m for 5m", "hold 10s"]);
    for second in 0_u32..300 {
        let share = f64::from(second) / 120.0;
        let sine = 300.0 - 200.0 * (share * std::f64::consts::TAU).cos();
        let clients = profile.target(seconds(second.into()));
        assert!((f64::from(clients) - sine).abs() <= 4.0, "{clients} instead of {sine} at {second}");
    }
    // It ends at a high, from which the next stage goes on.
    assert_eq!((profile.target(seconds(299)), profile.target(seconds(305))), (499, 500));
    let now = profile.stage(seconds(200)).expect("a stage");
    assert_eq!((now.number, now.left, now.next), (2, seconds(100), Some(Stage::Hold(seconds(10)))));
    assert_eq!((profile.goal(seconds(200)), profile.goal(seconds(300))), (500, 500));
    // The fewest clients are there all the time, the last one only around the highs.
    assert_eq!(profile.lives(99).len(), 1);
    assert_eq!(profile.lives(498).len(), 3);
}
