//! Says in words which faults of an origin begin and end, for a demonstration that explains itself.

use std::time::Duration;

use super::faults::demo_scenario;
use super::rule::{Active, Fault, FaultRule};
use crate::vocabulary::{Kind, units};

/// Follows the faults of an origin over time.
#[derive(Clone, Debug)]
pub struct Narrator {
    rules: Vec<FaultRule>,
    /// Time since the origin's start up to which everything has been said; `None` at first.
    said: Option<Duration>,
}

impl Narrator {
    /// Creates a narrator of the faults that the demonstration has by default.
    pub fn from_scenario(bitrate: u64) -> Self {
        Self::new(demo_scenario(bitrate))
    }

    /// Creates a narrator of these rules.
    pub fn new(rules: Vec<FaultRule>) -> Self {
        Self { rules, said: None }
    }

    /// Returns what began or ended since the last call, with its time; all times are since the origin's start.
    pub fn until(&mut self, now: Duration) -> Vec<(Duration, String)> {
        let said = self.said.replace(now);
        let mut changes = Vec::new();
        for rule in &self.rules {
            let before = said.and_then(|said| rule.active_at(said));
            let after = rule.active_at(now);
            if before.map(|active| active.since) == after.map(|active| active.since) {
                continue;
            }
            if let Some(Active { until: Some(until), .. }) = before {
                changes.push((until, format!("demo: over: {}", words(rule))));
            }
            if let Some(Active { since, .. }) = after {
                changes.push((since, format!("demo: {}; {}", words(rule), place(rule.fault))));
            }
        }
        changes.sort();
        changes
    }
}

/// Returns what a rule does, in words.
fn words(rule: &FaultRule) -> String {
    let requests = match rule.kind {
        Some(Kind::Playlist) => "playlists",
        Some(Kind::Segment) => "segments",
        Some(Kind::Init) => "initialization sections",
        _ => "requests",
    };
    let hit = if rule.share < 1.0 {
        format!("{}% of {requests}", (1_000.0 * rule.share).round() / 10.0)
    } else {
        format!("all {requests}")
    };
    match rule.fault {
        Fault::Status(status) => format!("{} for {hit}", status.as_u16()),
        Fault::Delay(delay) => format!("{hit} come {} late", units::span(delay)),
        Fault::Bandwidth(rate) => format!("{hit} come at {} only", units::bit_rate(rate as f64)),
        Fault::Cut => format!("{hit} break off half way"),
        Fault::Reset => format!("{hit} end with a reset connection"),
        Fault::Stall => format!("{hit} stop half way"),
        Fault::Stale => "the live playlist stands still".to_owned(),
    }
}

/// Returns the view that shows a fault best.
const fn place(fault: Fault) -> &'static str {
    match fault {
        Fault::Status(_) | Fault::Cut | Fault::Reset | Fault::Stale => "look at 3 Errors",
        Fault::Delay(_) => "look at 1 Overview, latency",
        Fault::Bandwidth(_) | Fault::Stall => "look at 2 Clients",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is said over the given seconds, four times a second.
    fn said(mut narrator: Narrator, seconds: u32) -> Vec<(u64, String)> {
        let ticks =
            (0..=4 * seconds).map(|tick| Duration::from_millis(250) * tick + Duration::from_millis(90));
        ticks.flat_map(|now| narrator.until(now)).map(|(at, text)| (at.as_secs(), text)).collect()
    }

    #[test]
    fn each_fault_of_the_demonstration_is_said_when_it_begins_and_when_it_ends() {
        let seen = said(Narrator::from_scenario(3_000_000), 61);
        let times: Vec<u64> = seen.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [8, 13, 17, 22, 26, 36, 41, 41, 46, 46, 50, 56]);
        let text = |place: usize| seen[place].1.as_str();
        assert_eq!(text(0), "demo: 404 for 25% of segments; look at 3 Errors");
        assert_eq!(text(1), "demo: over: 404 for 25% of segments");
        assert_eq!(text(2), "demo: 503 for 20% of requests; look at 3 Errors");
        assert_eq!(text(4), "demo: all segments come at 500 kb/s only; look at 2 Clients");
        assert_eq!(text(10), "demo: the live playlist stands still; look at 3 Errors");
        assert_eq!(said(Narrator::from_scenario(3_000_000), 121).len(), 24);
    }

    #[test]
    fn a_fault_without_a_window_is_said_once() {
        let rule: FaultRule = "segment:delay=300ms".parse().expect("a rule");
        assert_eq!(
            said(Narrator::new(vec![rule]), 60),
            [(0, "demo: all segments come 300 ms late; look at 1 Overview, latency".to_owned())]
        );
    }

    #[test]
    fn a_window_that_is_missed_between_two_calls_is_not_said() {
        let rule: FaultRule = "any:503@10s+2s".parse().expect("a rule");
        let mut narrator = Narrator::new(vec![rule]);
        assert_eq!(narrator.until(Duration::from_secs(5)), []);
        assert_eq!(narrator.until(Duration::from_secs(50)), []);
    }
}
