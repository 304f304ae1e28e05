//! Decides which fault hits which request.
//!
//! * Rules are tried in order; only the first that hits applies.
//! * Each rule numbers the requests that it is tried on; seed, rule and number decide. So the same requests in the
//!   same order are hit in the same way in every run. The clock decides only whether a rule is active.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::rule::{Active, Fault, FaultRule};
use crate::vocabulary::Kind;

/// Period of the scenario.
pub const SCENARIO_PERIOD: Duration = Duration::from_secs(60);

/// Divisor of a segment's highest bitrate during the scenario's bandwidth limit. A client has about three segments in
/// its buffer when the limit begins, so it runs dry within the ten seconds of the limit.
const SCENARIO_BANDWIDTH_DIVISOR: u64 = 6;

/// All rules of an origin, with the number of times that each was tried.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    rules: Vec<(FaultRule, AtomicU64)>,
}

/// A fault that hits one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Effect on the request.
    pub fault: Fault,
    /// Interval in which the rule is active.
    pub active: Active,
}

impl Faults {
    /// Creates the faults from the rules in their order.
    pub fn new(seed: u64, rules: impl IntoIterator<Item = FaultRule>) -> Self {
        Self { seed, rules: rules.into_iter().map(|rule| (rule, AtomicU64::new(0))).collect() }
    }

    /// Returns the fault that hits a request of `kind` that arrives `elapsed` after the origin's start.
    pub fn hit(&self, kind: Kind, elapsed: Duration) -> Option<Hit> {
        self.rules.iter().zip(0_u64..).find_map(|((rule, tried), place)| {
            let active = rule.active_at(elapsed).filter(|_| rule.concerns(kind))?;
            let number = tried.fetch_add(1, Ordering::Relaxed);
            let chance = chance(self.seed, place, number);
            (chance < rule.share).then_some(Hit { fault: rule.fault, active })
        })
    }
}

/// Returns a number in 0..1 that depends only on its arguments.
fn chance(seed: u64, rule: u64, number: u64) -> f64 {
    // Mix the rule's stream and the number in it one after the other, so that neighbours have nothing in common.
    let stream = SplitMix64::seed_from_u64(seed.wrapping_add(rule << 32)).next_u64();
    let bits = SplitMix64::seed_from_u64(stream.wrapping_add(number)).next_u64();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns faults that come and go within each minute, so that a demonstration has something to show: 8 s of health,
/// missing segments, an overloaded origin, a narrow line on which clients stall, broken connections, and a frozen
/// playlist, with a recovery after each. In any 20 s far less than half of the requests fail.
pub fn demo_scenario(bitrate: u64) -> Vec<FaultRule> {
    let rule = |kind, fault, share, from, length| FaultRule {
        kind,
        fault,
        share,
        window: Some(super::rule::Window {
            from: Duration::from_secs(from),
            length: Duration::from_secs(length),
            every: Some(SCENARIO_PERIOD),
        }),
    };
    let segment = Some(Kind::Segment);
    let narrow = Fault::Bandwidth((bitrate / SCENARIO_BANDWIDTH_DIVISOR).max(1));
    vec![
        rule(segment, Fault::Status(http::StatusCode::NOT_FOUND), 0.25, 8, 5),
        rule(None, Fault::Status(http::StatusCode::SERVICE_UNAVAILABLE), 0.20, 17, 5),
        rule(segment, narrow, 1.0, 26, 10),
        rule(segment, Fault::Cut, 0.20, 41, 5),
        rule(None, Fault::Reset, 0.05, 41, 5),
        rule(Some(Kind::Playlist), Fault::Stale, 1.0, 50, 6),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<FaultRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_same_requests_in_the_same_order_are_hit_alike() {
        let run = |seed| {
            let faults = Faults::new(seed, rules(&["segment:404:30%", "any:503:10%"]));
            let kinds = [Kind::Playlist, Kind::Segment].into_iter().cycle().take(500);
            kinds.map(|kind| faults.hit(kind, Duration::ZERO)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn a_share_is_reached() {
        let faults = Faults::new(1, rules(&["segment:404:5%"]));
        let hits = (0..20_000).filter(|_| faults.hit(Kind::Segment, Duration::ZERO).is_some()).count();
        assert!((850..1_150).contains(&hits), "{hits}");
    }

    #[test]
    fn the_first_rule_that_hits_is_the_only_one() {
        let faults = Faults::new(1, rules(&["segment:404:0%", "segment:503", "any:500"]));
        let status = |kind| faults.hit(kind, Duration::ZERO).map(|hit| hit.fault);
        assert_eq!(status(Kind::Segment), Some(Fault::Status(http::StatusCode::SERVICE_UNAVAILABLE)));
        assert_eq!(status(Kind::Init), Some(Fault::Status(http::StatusCode::INTERNAL_SERVER_ERROR)));
    }

    #[test]
    fn the_scenario_begins_healthy_and_fails_less_than_a_third_in_any_twenty_seconds() {
        let faults = Faults::new(3, demo_scenario(3_000_000));
        let failed_at = |second: u64| {
            let asked = [Kind::Playlist, Kind::Segment].into_iter().cycle().take(100);
            let hits = asked.filter_map(|kind| faults.hit(kind, Duration::from_secs(second)));
            hits.filter(|hit| !matches!(hit.fault, Fault::Bandwidth(_) | Fault::Stale)).count()
        };
        let failed: Vec<usize> = (0..130).map(failed_at).collect();
        assert_eq!(failed[..8].iter().sum::<usize>(), 0);
        assert!(failed[8..13].iter().all(|count| *count > 0));
        for window in failed.windows(20) {
            assert!(window.iter().sum::<usize>() < 20 * 100 / 3);
        }
    }
}
