//! Searches against scripted origins, in virtual time.

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;

const PLAN: SearchPlan = SearchPlan {
    first: 10,
    most: 100_000,
    settle: Duration::from_secs(3),
    hold: Duration::from_secs(8),
    precision: 0.03,
    repeats: 3,
};
const LOOK: Duration = Duration::from_millis(250);
/// Clients that join in a look.
const JOINS: u32 = 50;
const DAY: Duration = Duration::from_hours(24);

/// Searches an origin that `judges` a number of clients. Returns the search, its end and the time that it took.
fn search(plan: SearchPlan, mut judges: impl FnMut(u32) -> Judgement) -> (Search, SearchEnd, Duration) {
    let (mut search, mut active, mut now) = (Search::new(plan), 0_u32, Duration::ZERO);
    loop {
        let judged = judges(active);
        let decision = search.look(now, active, |interval| {
            assert!(interval.start < interval.end && interval.end == now, "{interval:?} at {now:?}");
            judged
        });
        match decision {
            Decision::End(end) => return (search, end, now),
            Decision::Load(load) => active = if load > active { load.min(active + JOINS) } else { load },
        }
        assert!(active <= plan.most && now < DAY, "{active} at {now:?}");
        now += LOOK;
    }
}

/// Returns an origin that carries so many clients.
fn carries(capacity: u32) -> impl FnMut(u32) -> Judgement {
    move |clients| if clients <= capacity { Judgement::Held } else { Judgement::Broken }
}

#[test]
fn the_capacity_is_found_within_the_precision_in_less_than_three_minutes() {
    for capacity in [10, 33, 60, 64, 79, 100, 160] {
        let (search, end, took) = search(PLAN, carries(capacity));
        let (held, broken) = (search.held().expect("held"), search.broken().expect("broke"));
        assert_eq!(end, SearchEnd::Found);
        assert!(held <= capacity && capacity < broken, "{held} to {broken} for {capacity}");
        assert!(broken - held <= 1.max((f64::from(held) * PLAN.precision) as u32), "{held} to {broken}");
        assert!(took < Duration::from_secs(180), "{took:?} for {capacity}: {:?}", search.levels());
        let times = search.levels().iter().filter(|level| level.clients == held).count();
        assert!(times >= 3, "{:?}", search.levels());
    }
}

#[test]
fn a_search_ends_at_the_largest_number_and_below_one_client() {
    let (most, end, _) = search(SearchPlan { most: 75, ..PLAN }, carries(1_000));
    assert_eq!((end, most.held(), most.broken()), (SearchEnd::Most, Some(75), None));
    let (nothing, end, _) = search(SearchPlan { first: 1, ..PLAN }, carries(0));
    assert_eq!((end, nothing.held()), (SearchEnd::NothingHeld, None));
    let (one, end, _) = search(SearchPlan { first: 500, ..PLAN }, carries(1));
    assert_eq!((end, one.held(), one.broken()), (SearchEnd::Found, Some(1), Some(2)));
}

#[test]
fn a_slow_ramp_is_waited_for_and_an_origin_that_lets_nobody_in_is_broken() {
    let mut slow = Search::new(SearchPlan { first: 2_000, most: 2_000, repeats: 1, ..PLAN });
    let end = (0_u32..).find_map(|look| match slow.look(LOOK * look, look, |_| Judgement::Held) {
        Decision::End(end) => Some(end),
        Decision::Load(_) => None,
    });
    assert_eq!((end, slow.held()), (Some(SearchEnd::Most), Some(2_000)), "{:?}", slow.levels());
    let mut closed = Search::new(PLAN);
    (0_u32..60).for_each(|look| _ = closed.look(LOOK * look, 3, |_| Judgement::Broken));
    assert_eq!(closed.broken(), Some(PLAN.first));
    let mut left = Search::new(PLAN);
    let end = (0_u32..).find_map(|look| {
        let active = if look < 8 { PLAN.first } else { 2 };
        match left.look(LOOK * look, active, |_| Judgement::Held) {
            Decision::End(end) => Some(end),
            Decision::Load(_) => None,
        }
    });
    assert_eq!((end, left.held()), (Some(SearchEnd::Unreached), None), "viewers that have finished");
}

#[test]
fn a_limit_that_is_known_later_is_the_largest_level() {
    let mut search = Search::new(PLAN);
    let (mut active, mut now) = (0, Duration::ZERO);
    let end = loop {
        search.limit_to(if now < Duration::from_secs(40) { u32::MAX } else { 35 }, now);
        match search.look(now, active, |_| Judgement::Held) {
            Decision::End(end) => break end,
            Decision::Load(load) => active = load,
        }
        now += LOOK;
    };
    assert_eq!((end, search.held()), (SearchEnd::Most, Some(35)), "{:?}", search.levels());
}

#[test]
fn the_generator_limits_what_can_be_said() {
    let (search, end, _) = search(PLAN, |clients| match clients {
        0..=200 => Judgement::Held,
        _ => Judgement::Untrusted,
    });
    assert_eq!((end, search.held(), search.broken()), (SearchEnd::Generator, Some(160), None));
}

#[test]
fn a_generator_that_cannot_make_the_load_of_a_level_is_its_limit_even_before_it_is_measured() {
    let mut search = Search::new(PLAN);
    let hold = |_| Judgement::Held;
    let at = |seconds| Duration::from_secs(seconds);
    // Ten clients hold; while twenty join, the generator is convicted.
    (0..=11).for_each(|second| _ = search.look(at(second), 10, hold));
    assert_eq!(search.look(at(12), 10, hold), Decision::Load(20));
    search.distrust(at(12)..at(14));
    assert_eq!(search.look(at(14), 15, hold), Decision::End(SearchEnd::Generator));
    let last = search.levels().last().map(|level| (level.clients, level.judgement));
    assert_eq!((search.held(), last), (Some(10), Some((20, Judgement::Untrusted))));
    // What comes after the end changes nothing, and no level is blamed that was never loaded.
    search.distrust(at(12)..at(15));
    assert_eq!(search.levels().len(), 2);
    let mut recovering = Search::new(PLAN);
    (0..=8).for_each(|second| _ = recovering.look(at(second), 10, |_| Judgement::Broken));
    recovering.distrust(at(8)..at(9));
    assert_eq!(recovering.levels().len(), 1);
}

#[test]
fn a_search_that_learns_nothing_ends() {
    let (_, end, _) = search(PLAN, |_| Judgement::Unknown);
    assert_eq!(end, SearchEnd::Unmeasured);
    let mut stuck = Search::new(PLAN);
    let end = (0..).find_map(|look| match stuck.look(LOOK * look, 3, |_| Judgement::Held) {
        Decision::End(end) => Some(end),
        Decision::Load(load) => {
            assert_eq!(load, PLAN.first);
            None
        }
    });
    assert_eq!(end, Some(SearchEnd::Unreached));
    let mut broke = false;
    let (_, end, _) = search(PLAN, |clients| {
        broke |= clients > 50;
        if broke { Judgement::Broken } else { Judgement::Held }
    });
    assert_eq!(end, SearchEnd::Unrecovered, "an origin that stays broken");
}

#[test]
fn a_level_that_held_by_luck_is_not_the_result() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    for _ in 0..50 {
        // Between 90 and 110 clients, chance decides.
        let (found, end, _) = search(PLAN, |clients| match clients {
            0..=90 => Judgement::Held,
            91..=110 if random.random_bool(0.6) => Judgement::Held,
            _ => Judgement::Broken,
        });
        assert_eq!(end, SearchEnd::Found);
        let held = found.held().expect("held");
        assert!((86..=110).contains(&held), "{held}: {:?}", found.levels());
        assert!(found.broken().is_some_and(|broken| broken > held));
    }
}

#[test]
fn a_broken_level_ends_early_and_the_load_is_halved_after_it() {
    let mut loads = Vec::new();
    let (search, ..) = search(PLAN, |clients| {
        loads.push(clients);
        carries(60)(clients)
    });
    for level in search.levels() {
        let length = level.measured.end - level.measured.start;
        match level.judgement {
            Judgement::Broken => assert!(length < PLAN.hold, "{level:?}"),
            _ => assert!(length >= PLAN.hold, "{level:?}"),
        }
    }
    let falls: Vec<_> = loads.windows(2).filter(|pair| pair[1] < pair[0]).collect();
    assert!(!falls.is_empty() && falls.iter().all(|fall| fall[1] == fall[0] / 2), "{falls:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_search_ends_within_its_bounds(
        capacity in 0_u32..2_000, first in 1_u32..500, most in 1_u32..3_000, precision in 0.0_f64..0.2, repeats in 1_u32..4,
    ) {
        let plan = SearchPlan { first, most, precision, repeats, ..PLAN };
        let (search, end, _) = search(plan, carries(capacity));
        match end {
            SearchEnd::Found => {
                let (held, broken) = (search.held().expect("held"), search.broken().expect("broke"));
                prop_assert!(held <= capacity && capacity < broken);
            }
            SearchEnd::Most => prop_assert!(capacity >= most && search.held() == Some(most)),
            SearchEnd::NothingHeld | SearchEnd::Unrecovered => prop_assert!(capacity == 0),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
