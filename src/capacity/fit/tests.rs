//! Fits on a scripted machine, whose prices are known, with seeded noise.

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::capacity::{FloorLatency, Measured};

const REQUEST_US: f64 = 90.0;
const BYTE_NS: f64 = 0.5;
const CONNECTION_US: f64 = 400.0;
const BASE_US_PER_S: f64 = 2_000.0;
const CLIENT_BYTES: u64 = 11_000;
/// Nanoseconds of a step at speed 1.
const STEP_NS: f64 = 1_500.0;
const ROUNDS: usize = 5;
const SEEDS: u64 = 200;

/// Faults of the scripted machine.
#[derive(Clone, Copy, Default)]
struct Script {
    /// Spread of the noise of each measured CPU time.
    noise: f64,
    /// Each round runs at a speed of its own.
    drifts: bool,
    /// The speed before a load is that of another moment.
    speed_is_stale: bool,
    /// In the third round everything but the speed measurement takes twice as long.
    disturbed: bool,
    /// Share by which [`TestLoad::Proof`] costs more than the sum of its parts.
    convex: f64,
}

struct Machine {
    script: Script,
    random: Xoshiro256PlusPlus,
}

impl Machine {
    fn new(script: Script, seed: u64) -> Self {
        Self { script, random: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Returns a speed of this machine: that of a normal one is 1.
    fn speed(&mut self) -> f64 {
        self.random.random_range(0.7..1.4)
    }

    /// Returns a normally distributed factor around 1. The sum of twelve uniform numbers is near enough.
    fn noise(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.random.random_range(0.0..1.0)).sum();
        (1.0 + (sum - 6.0) * self.script.noise).max(0.1)
    }

    fn rounds(&mut self) -> Vec<Round> {
        (0..ROUNDS).map(|number| self.round(number)).collect()
    }

    fn round(&mut self, number: usize) -> Round {
        let speed = if self.script.drifts { self.speed() } else { 1.0 };
        let mut round = Round::new();
        for (load, clients, requests, bytes, connections) in LOADS {
            for secure in [false, true].into_iter().filter(|secure| load.is_measured(*secure)) {
                let measured = self.load(clients, requests, bytes, connections);
                let convex = if load == TestLoad::Proof { 1.0 + self.script.convex } else { 1.0 };
                let twice = if self.script.disturbed && number == 2 { 2.0 } else { 1.0 };
                let before = if self.script.speed_is_stale { self.speed() } else { speed };
                let cpu_s = measured.cpu_s * speed * convex * twice * self.noise();
                let (speed_before_ns, speed_beside_ns) =
                    (Some(STEP_NS * before), Some(STEP_NS * 1.1 * speed));
                let window = Measured { cpu_s, speed_before_ns, speed_beside_ns, ..measured };
                round.insert((load, secure), window);
            }
        }
        round
    }

    /// Returns ten seconds of a load at speed 1.
    fn load(&self, clients: u64, requests: u64, bytes: u64, connections: u64) -> Measured {
        let us = BASE_US_PER_S * 10.0
            + requests as f64 * REQUEST_US
            + connections as f64 * CONNECTION_US
            + bytes as f64 * BYTE_NS / 1e3;
        let latency = Some(FloorLatency { p50: 200.0, p99: 700.0 });
        Measured {
            seconds: 10.0,
            cpu_s: us / 1e6,
            requests,
            bytes,
            connections,
            clients,
            resident_bytes: Some(20_000_000 + clients * CLIENT_BYTES),
            playlist_ttfb_us: latency,
            segment_ttfb_us: latency,
            segment_us: latency,
            ..Measured::default()
        }
    }
}

const LOADS: [(TestLoad, u64, u64, u64, u64); TestLoad::ALL.len()] = [
    (TestLoad::Idle, 0, 0, 0, 0),
    (TestLoad::Quiet, 50, 500, 2_000_000, 0),
    (TestLoad::Middle, 400, 4_000, 16_000_000, 0),
    (TestLoad::Medium, 400, 4_000, 400_000_000, 0),
    (TestLoad::Wide, 400, 4_000, 1_500_000_000, 0),
    (TestLoad::Many, 1_600, 16_000, 64_000_000, 0),
    (TestLoad::Churn, 100, 6_000, 50_000_000, 1_000),
    (TestLoad::SmallRequests, 64, 200_000, 2_000_000_000, 0),
    (TestLoad::LargeBodies, 64, 2_000, 10_000_000_000, 0),
    (TestLoad::Proof, 300, 3_000, 560_000_000, 0),
];

fn is_within(value: f64, expected: f64, share: f64) -> bool {
    (value - expected).abs() <= expected * share
}

/// Reports whether all prices are near those of the scripted machine at speed 1.
fn has_prices(fitted: &Fitted, share: f64) -> bool {
    // The prices are those of the speed that is stored beside them.
    let speed = fitted.speed_ns / STEP_NS;
    let expected = |price: f64| price * speed;
    is_within(fitted.base_us_per_s, expected(BASE_US_PER_S), share)
        && [&fitted.plain, &fitted.tls].into_iter().all(|costs| {
            costs
                .body_us
                .iter()
                .all(|point| is_within(point.us, point.bytes * expected(BYTE_NS) / 1e3, share))
                && is_within(costs.connection_us, expected(CONNECTION_US), share)
                && costs.request_us.iter().all(|point| is_within(point.us, expected(REQUEST_US), share))
                && is_within(costs.client_bytes, CLIENT_BYTES as f64, share)
        })
}

/// Returns how many of the seeds satisfy a condition.
fn count(script: Script, condition: impl Fn(&Result<Fitted, Misfit>) -> bool) -> u64 {
    let each = (0..SEEDS).map(|seed| fit(&Machine::new(script, seed).rounds(), 2.0));
    each.filter(condition).count() as u64
}

fn is_accepted(fitted: &Result<Fitted, Misfit>) -> bool {
    fitted.as_ref().is_ok_and(|fitted| fitted.doubts.is_empty())
}

#[test]
fn the_loads_of_a_known_machine_give_its_prices_back() {
    let fitted = fit(&Machine::new(Script::default(), 1).rounds(), 2.0).expect("prices");
    assert!(has_prices(&fitted, 0.001), "{fitted:?}");
    assert!(fitted.doubts.is_empty() && fitted.model_error_share < 0.001, "{fitted:?}");
    // Two processors, 95.1 us a request with its bytes and the rest of the process.
    assert!(is_within(fitted.plain.requests_per_s_max, 2e6 / 95.1, 0.01), "{fitted:?}");
    assert!(is_within(fitted.plain.bits_per_second_max, 2e9 * 8.0 / 0.52, 0.01), "{fitted:?}");
    assert_eq!(fitted.plain.floor.segment_us, FloorLatency { p50: 200.0, p99: 700.0 });
}

#[test]
fn a_machine_that_changes_its_speed_from_round_to_round_gives_its_prices() {
    let script = Script { drifts: true, ..Script::default() };
    assert_eq!(count(script, is_accepted), SEEDS);
    assert_eq!(count(script, |fitted| fitted.as_ref().is_ok_and(|fitted| has_prices(fitted, 0.02))), SEEDS);
}

#[test]
fn a_noise_of_five_percent_is_accepted_and_predicted_within_ten() {
    let script = Script { noise: 0.05, drifts: true, ..Script::default() };
    let accepted = count(script, is_accepted);
    assert!(accepted >= SEEDS * 95 / 100, "{accepted} of {SEEDS}");
    let near = |fitted: &Result<Fitted, Misfit>| {
        fitted.as_ref().is_ok_and(|fitted| fitted.model_error_share <= ERROR_MAX)
    };
    assert!(count(script, near) >= accepted);
}

#[test]
fn one_disturbed_round_moves_no_price() {
    let script = Script { disturbed: true, noise: 0.005, ..Script::default() };
    let near = |fitted: &Result<Fitted, Misfit>| {
        is_accepted(fitted) && fitted.as_ref().is_ok_and(|fitted| has_prices(fitted, 0.05))
    };
    assert_eq!(count(script, near), SEEDS);
}

#[test]
fn a_noise_of_thirty_percent_is_refused() {
    let script = Script { noise: 0.3, ..Script::default() };
    let accepted = count(script, is_accepted);
    assert!(accepted <= SEEDS * 15 / 100, "{accepted} of {SEEDS}");
}

#[test]
fn a_speed_that_does_not_follow_the_machine_is_refused() {
    let script = Script { speed_is_stale: true, ..Script::default() };
    let accepted = count(script, is_accepted);
    assert!(accepted <= SEEDS * 15 / 100, "{accepted} of {SEEDS}");
}

#[test]
fn costs_that_are_no_sum_of_prices_are_refused() {
    let script = Script { convex: 0.15, noise: 0.01, ..Script::default() };
    assert_eq!(count(script, is_accepted), 0);
    let small = Script { convex: 0.08, noise: 0.01, ..Script::default() };
    assert_eq!(count(small, is_accepted), SEEDS);
    let fitted = fit(&Machine::new(small, 1).rounds(), 2.0).expect("prices");
    assert!(is_within(fitted.model_error_share, 0.08, 0.2) && fitted.spread_share < 0.02, "{fitted:?}");
}

#[test]
fn an_error_beyond_the_limit_but_near_it_asks_for_more_rounds() {
    let near = |model_error_share: f64| {
        let fitted = fit(&Machine::new(Script::default(), 1).rounds(), 2.0).expect("prices");
        Fitted { model_error_share, ..fitted }.is_near_the_limit()
    };
    assert_eq!([0.1, 0.11, 0.13, 0.14].map(near), [false, true, true, false]);
}

#[test]
fn an_impossible_price_and_a_load_without_numbers_are_refused() {
    let with = |load: TestLoad, change: &dyn Fn(&mut Measured)| {
        let mut rounds = Machine::new(Script::default(), 1).rounds();
        rounds.iter_mut().filter_map(|round| round.get_mut(&(load, false))).for_each(change);
        fit(&rounds, 2.0).expect_err("no prices")
    };
    let free = with(TestLoad::Quiet, &|quiet| quiet.cpu_s = 0.001);
    assert_eq!(free, Misfit::NoPrice("a request"));
    let same = with(TestLoad::Wide, &|wide| (wide.cpu_s, wide.bytes) = (0.388, 16_000_000));
    assert_eq!(same, Misfit::NoPrice("a byte"), "no longer than those of the load before");
    let unconnected = with(TestLoad::Churn, &|churn| churn.connections = 0);
    assert_eq!(unconnected, Misfit::NoPrice("a connection"));
    let unknown = with(TestLoad::Many, &|many| many.resident_bytes = None);
    assert_eq!(unknown, Misfit::NoPrice("the memory of a client"));
    for missing in TestLoad::ALL {
        assert_eq!(with(missing, &|load| *load = Measured::default()), Misfit::Missing(missing));
        assert_eq!(with(missing, &|load| load.speed_beside_ns = None), Misfit::Missing(missing));
    }
    assert_eq!(with(TestLoad::Quiet, &|quiet| quiet.segment_us = None), Misfit::Missing(TestLoad::Quiet));
}

#[test]
fn a_price_that_is_lost_in_the_noise_is_zero_unless_a_load_contradicts_it() {
    let with = |cpu_s: f64| {
        let mut rounds = Machine::new(Script::default(), 1).rounds();
        for round in &mut rounds {
            // Bytes cost nothing on this machine.
            for load in [TestLoad::Medium, TestLoad::Wide, TestLoad::Proof] {
                let window = round.get_mut(&(load, false)).expect("measured");
                window.cpu_s -= window.bytes as f64 * BYTE_NS / 1e9;
            }
            round.get_mut(&(TestLoad::Wide, false)).expect("measured").cpu_s += cpu_s;
        }
        fit(&rounds, 2.0).expect("prices")
    };
    let noisy = with(-0.03);
    assert_eq!(
        (noisy.plain.body_us.iter().map(|point| point.us).sum::<f64>(), noisy.doubts.len()),
        (0.0, 0),
        "{noisy:?}"
    );
    let wrong = with(-0.15);
    assert!(wrong.doubts.iter().any(|doubt| doubt.contains("'wide'")), "{wrong:?}");
}

#[test]
fn disturbed_loads_failed_requests_and_a_single_round_are_doubts() {
    let mut rounds = Machine::new(Script::default(), 1).rounds();
    let disturb = |round: &mut Round, load| {
        let window = round.get_mut(&(load, false)).expect("measured");
        window.trust_reasons = vec!["loop lag 40 ms".to_owned()];
        window.cpu_s *= 3.0;
    };
    for round in rounds.iter_mut().take(2) {
        disturb(round, TestLoad::Wide);
        disturb(round, TestLoad::SmallRequests);
    }
    let fitted = fit(&rounds, 2.0).expect("prices");
    assert!(fitted.doubts.is_empty() && has_prices(&fitted, 0.001), "three others are left: {fitted:?}");
    disturb(rounds.last_mut().expect("a round"), TestLoad::Wide);
    rounds
        .last_mut()
        .and_then(|round| round.get_mut(&(TestLoad::LargeBodies, true)))
        .expect("measured")
        .failed = 3;
    assert_eq!(
        fit(&rounds, 2.0).expect("prices").doubts,
        [
            "HTTP: this machine limited the load 'wide': loop lag 40 ms",
            "HTTPS: the built-in origin failed 3 of the requests of the load 'large_bodies'",
        ]
    );
    let single = Machine::new(Script::default(), 1).rounds().split_off(ROUNDS - 1);
    assert!(
        fit(&single, 2.0).expect("prices").doubts.iter().any(|doubt| doubt.contains("rounds are needed"))
    );
}
