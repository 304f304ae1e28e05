//! Storms, calm and the operator, second by second.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

const SECOND: Duration = Duration::from_secs(1);

/// Requests that end in one second, and the `Retry-After` of those that are turned away.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    ok: u64,
    busy: u64,
    retry_after: u64,
}

const HEALTHY: Traffic = Traffic { ok: 100, busy: 0, retry_after: 0 };
const STORM: Traffic = Traffic { ok: 10, busy: 90, retry_after: 0 };

/// A run that counts as the windows of its sampler do, and its brake.
#[derive(Default)]
struct Run {
    brake: Brake,
    seconds: VecDeque<TurnedAway>,
    at: u64,
    retry_at: u64,
    /// Actions of the brake with the second of each.
    actions: Vec<(u64, BrakeAction)>,
}

impl Run {
    /// Lets this traffic flow for this many seconds. The ramp goes on unless the brake holds it.
    fn flow(&mut self, traffic: Traffic, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.at += 1;
            let Traffic { ok, busy, retry_after } = traffic;
            self.seconds.push_front(TurnedAway { finished: ok + busy, busy });
            if busy > 0 && retry_after > 0 {
                self.retry_at = self.retry_at.max(self.at + retry_after);
            }
            let numbers = self.numbers(!self.is_held());
            self.actions.extend(self.brake.observe(&numbers).map(|action| (self.at, action)));
        }
        self
    }

    fn numbers(&self, is_ramping: bool) -> StormNumbers {
        let last = |count: usize| {
            let sum = |of: fn(&TurnedAway) -> u64| self.seconds.iter().take(count).map(of).sum();
            TurnedAway { finished: sum(|second| second.finished), busy: sum(|second| second.busy) }
        };
        StormNumbers {
            at: SECOND * self.at as u32,
            is_ramping,
            window: (self.seconds.len() >= 30).then(|| last(30)),
            recent: last(10),
            retry_at: SECOND * self.retry_at as u32,
        }
    }

    fn is_held(&self) -> bool {
        self.actions.last().is_some_and(|(_, action)| *action == BrakeAction::Hold)
    }
}

use BrakeAction::{Hold, Resume};

const NEVER: [(u64, BrakeAction); 0] = [];

#[test]
fn a_storm_from_the_start_holds_the_ramp_when_the_first_window_is_full() {
    assert_eq!(Run::default().flow(STORM, 29).actions, NEVER);
    assert_eq!(Run::default().flow(STORM, 600).actions, [(30, Hold)]);
}

#[test]
fn a_storm_after_health_holds_the_ramp_once_it_is_more_than_half_of_the_window() {
    let mut run = Run::default();
    run.flow(HEALTHY, 100).flow(STORM, 60);
    // Seventeen seconds of 90 are 1,530 of 3,000 requests.
    assert_eq!(run.actions, [(117, Hold)]);
}

#[test]
fn half_of_the_requests_half_of_a_window_and_silence_are_no_storm() {
    let half = Traffic { ok: 50, busy: 50, retry_after: 60 };
    assert_eq!(Run::default().flow(half, 600).actions, NEVER);
    let burst = Run::default().flow(HEALTHY, 60).flow(STORM, 15).flow(HEALTHY, 60).actions.clone();
    assert_eq!(burst, NEVER, "half a window");
    let none = Traffic { ok: 0, ..HEALTHY };
    assert_eq!(Run::default().flow(none, 600).actions, NEVER, "nothing ended");
}

#[test]
fn the_ramp_resumes_ten_seconds_after_the_storm_and_not_before_a_tenth() {
    let mut run = Run::default();
    run.flow(STORM, 60).flow(HEALTHY, 60);
    // Nine of ten seconds are healthy: 90 of 1,000 requests were turned away.
    assert_eq!(run.actions, [(30, Hold), (69, Resume)]);
    let limited = Traffic { ok: 89, busy: 11, retry_after: 0 };
    let mut run = Run::default();
    run.flow(STORM, 60).flow(limited, 600);
    assert_eq!(run.actions, [(30, Hold)], "more than a tenth");
}

#[test]
fn the_largest_retry_after_of_the_storm_passes_before_the_ramp_resumes() {
    let asks = |retry_after| Traffic { retry_after, ..STORM };
    let mut run = Run::default();
    // The one that reaches farthest is named at second 40, before the last one.
    run.flow(asks(60), 40).flow(asks(5), 5).flow(HEALTHY, 120);
    assert_eq!(run.actions, [(30, Hold), (100, Resume)]);
    // A service that goes on to turn away one request in a hundred does not put the end off.
    let limited = Traffic { ok: 99, busy: 1, retry_after: 60 };
    let mut run = Run::default();
    run.flow(asks(20), 40).flow(limited, 120);
    let resumed = run.actions.last().copied();
    assert!(matches!(resumed, Some((60..=110, Resume))), "{resumed:?}");
}

#[test]
fn the_window_of_one_storm_is_not_that_of_the_next() {
    let mut run = Run::default();
    run.flow(STORM, 300).flow(HEALTHY, 9).flow(STORM, 300);
    // At 309 the window still holds twenty seconds of the storm; a whole one follows.
    assert_eq!(run.actions, [(30, Hold), (309, Resume), (339, Hold)]);
}

#[test]
fn clients_that_make_no_request_are_no_sign_of_calm_until_a_whole_window_is_empty() {
    let silence = Traffic { ok: 0, ..HEALTHY };
    let mut run = Run::default();
    run.flow(STORM, 40).flow(silence, 100);
    assert_eq!(run.actions, [(30, Hold), (70, Resume)]);
    // All clients wait as long as the server asked, at second 40, and none has come back yet at second 100.
    let mut run = Run::default();
    run.flow(Traffic { retry_after: 60, ..STORM }, 40).flow(silence, 85);
    assert_eq!(run.actions, [(30, Hold)], "the silence was asked for");
    let mut still = Run::default();
    still.flow(Traffic { retry_after: 60, ..STORM }, 40).flow(silence, 65).flow(STORM, 60);
    assert_eq!(still.actions, [(30, Hold)], "they come back into the storm");
    run.flow(silence, 10);
    assert_eq!(run.actions, [(30, Hold), (130, Resume)]);
}

#[test]
fn an_operator_who_resumes_wins_until_the_storm_is_over() {
    let mut run = Run::default();
    run.flow(STORM, 60);
    run.brake.overrule();
    run.actions.push((60, Resume));
    run.flow(STORM, 600).flow(HEALTHY, 60);
    assert_eq!(run.actions, [(30, Hold), (60, Resume)]);
    run.flow(STORM, 60);
    assert_eq!(run.actions.len(), 3, "the next storm is a new one: {:?}", run.actions);
}

#[test]
fn an_operator_who_acts_without_a_storm_overrules_nothing() {
    let mut run = Run::default();
    run.flow(HEALTHY, 60);
    run.brake.overrule();
    run.flow(STORM, 60);
    assert_eq!(run.actions, [(77, Hold)]);
}

#[test]
fn a_ramp_that_is_over_or_held_by_the_operator_is_not_held_by_the_brake() {
    let mut run = Run::default();
    run.flow(HEALTHY, 30);
    for _ in 0..60 {
        run.seconds.push_front(TurnedAway { finished: 100, busy: 90 });
        run.at += 1;
        assert_eq!(run.brake.observe(&run.numbers(false)), None);
    }
    assert_eq!(run.brake.observe(&run.numbers(true)), Some(Hold), "it goes on during the storm");
}

fn traffic() -> impl Strategy<Value = Vec<(Traffic, u64)>> {
    let second = (0_u64..200, 0_u64..200, 0_u64..=60);
    let traffic = second.prop_map(|(ok, busy, retry_after)| Traffic { ok, busy, retry_after });
    prop::collection::vec((traffic, 1_u64..90), 1..12)
}

proptest! {
    #[test]
    fn without_a_second_that_is_stormy_the_ramp_is_never_held(periods in traffic()) {
        let mut run = Run::default();
        for (traffic, seconds) in periods {
            let busy = traffic.busy.min(traffic.ok);
            run.flow(Traffic { busy, ..traffic }, seconds);
        }
        prop_assert_eq!(run.actions, NEVER);
    }

    #[test]
    fn a_storm_is_held_within_31_seconds_and_ends_within_70_of_health(before in traffic(), rate in 1_u64..500, retry_after in 0_u64..=60) {
        let mut run = Run::default();
        for (traffic, seconds) in before {
            run.flow(traffic, seconds);
        }
        // Let the end of the last storm be at least a window away.
        run.flow(Traffic { ok: rate, busy: 0, retry_after: 0 }, 100);
        prop_assert!(!run.is_held());
        run.flow(Traffic { ok: 0, busy: rate, retry_after }, 31);
        prop_assert!(run.is_held(), "{:?}", run.actions);
        let end = run.at;
        run.flow(Traffic { ok: rate, busy: 0, retry_after: 0 }, 70);
        let resumed = run.actions.last().copied();
        prop_assert!(matches!(resumed, Some((_, Resume))), "{resumed:?}");
        prop_assert!(resumed.is_some_and(|(at, _)| at >= end + retry_after), "{resumed:?}");
    }

    #[test]
    fn holds_and_resumes_take_turns_and_a_window_lies_between_two_storms(periods in traffic()) {
        let mut run = Run::default();
        for (traffic, seconds) in periods {
            run.flow(traffic, seconds);
        }
        for pair in run.actions.windows(2) {
            prop_assert_ne!(pair[0].1, pair[1].1);
            prop_assert!(pair[1].1 == Resume || pair[1].0 - pair[0].0 >= 30, "{:?}", run.actions);
        }
    }
}
