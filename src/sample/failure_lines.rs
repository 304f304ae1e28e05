//! Failed outcomes so far, without expected statuses: for each, the first and the last time, the clients at the first, and the recent rate.
//!
//! The lines are computed from the totals of successive samples. An outcome that has not occurred has no line. Lines
//! stand in the order of their first occurrence, so they do not change places.

use std::time::Duration;

use crate::stats::Totals;
use crate::sync::ring::Ring;
use crate::vocabulary::{Outcome, per_second};

/// Window of the recent rate.
const RECENT: Duration = Duration::from_secs(10);
/// Number of readings that the window takes at 4 Hz, both ends included.
const READINGS: usize = 41;

/// One failed outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailureLine {
    /// Outcome of the requests.
    pub outcome: Outcome,
    /// Number of requests so far.
    pub count: u64,
    /// Requests per second over the last ten seconds.
    pub per_second: f64,
    /// Time of the run at which the first was seen.
    pub first: Duration,
    /// Clients that were active at that time.
    pub clients_at_first: u64,
    /// Time of the run at which the last was seen.
    pub last: Duration,
}

/// Follows the failures from sample to sample.
#[derive(Debug)]
pub struct FailureTracker {
    lines: Vec<(FailureLine, Ring<u64>)>,
    times: Ring<Duration>,
}

impl Default for FailureTracker {
    fn default() -> Self {
        Self { lines: Vec::new(), times: Ring::new(READINGS) }
    }
}

impl FailureTracker {
    /// Takes the totals at `at` and writes the lines into `lines`, whose memory is reused.
    pub fn observe(&mut self, at: Duration, clients: u64, totals: &Totals, lines: &mut Vec<FailureLine>) {
        let is_listed = |outcome: Outcome| !outcome.is_ok() && !totals.expected.has(outcome);
        for (outcome, count) in totals.outcomes().filter(|(outcome, _)| is_listed(*outcome)) {
            self.count(at, clients, outcome, count);
        }
        self.times.push(at);
        let since = self.times.iter().next().copied().unwrap_or(at).max(at.saturating_sub(RECENT));
        let length = at.saturating_sub(since);
        lines.clear();
        for (line, counts) in &mut self.lines {
            counts.push(line.count);
            // An outcome that was first seen within the window counts from 0.
            let before =
                if counts.len() < self.times.len() { 0 } else { counts.iter().next().copied().unwrap_or(0) };
            let recent = line.count.saturating_sub(before);
            line.per_second = per_second(recent as f64, length).unwrap_or_default();
            lines.push(*line);
        }
    }

    fn count(&mut self, at: Duration, clients: u64, outcome: Outcome, count: u64) {
        match self.lines.iter_mut().find(|(line, _)| line.outcome == outcome) {
            Some((line, _)) if count > line.count => (line.count, line.last) = (count, at),
            Some(_) => {}
            None => {
                let line = FailureLine {
                    outcome,
                    count,
                    per_second: 0.0,
                    first: at,
                    clients_at_first: clients,
                    last: at,
                };
                self.lines.push((line, Ring::new(READINGS)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Registry, Snapshot};
    use crate::vocabulary::outcome::HttpFailure;
    use crate::vocabulary::{Clock, Kind};

    #[test]
    fn a_failure_has_a_first_time_a_last_time_and_a_rate_that_ends() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let fail = |status| {
            meter.start(Kind::Segment).finish(Outcome::Http(HttpFailure::new(status)), None);
        };
        let (mut tracker, mut snapshot, mut lines) =
            (FailureTracker::default(), Snapshot::default(), Vec::new());
        for tick in 0..=120_u64 {
            match tick {
                20 | 24 => fail(503),
                60 => fail(404),
                _ => {}
            }
            registry.snapshot(0, &mut snapshot);
            tracker.observe(Duration::from_millis(tick * 250), tick, &snapshot.totals, &mut lines);
            match tick {
                19 => assert!(lines.is_empty()),
                40 => assert_eq!(lines[0].per_second, 0.2),
                _ => {}
            }
        }
        let [busy, missing] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((busy.count, busy.first, busy.last), (2, Duration::from_secs(5), Duration::from_secs(6)));
        assert_eq!((busy.clients_at_first, busy.per_second), (20, 0.0));
        assert_eq!((missing.count, missing.clients_at_first), (1, 60));
    }
}
