//! Distributions and texts that only a whole sample has.
//!
//! They take some megabytes to read, so the sampler reads them on request, for a report, and not four times a second.

use std::sync::Arc;

use super::Timeline;
use crate::stats::{Audience, LatencySnapshot, Registry, SessionNumber, Timed};
use crate::vocabulary::Kind;
use crate::vocabulary::outcome::Fault;

/// Distributions and texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Distribution of each duration that has a value.
    pub latencies: Vec<(Timed, LatencySnapshot)>,
    /// Durations of all requests of a kind, ok or failed: percentiles that leave out only requests that hlswarm cut.
    pub latencies_of_all: Vec<(Kind, LatencySnapshot)>,
    /// Distributions over all sessions that have ended and had played.
    pub sessions: Vec<(SessionNumber, LatencySnapshot)>,
    /// Number of durations that were too large for their histogram.
    pub clamped: u64,
    /// Audience that the run represents to the origin.
    pub audience: Audience,
    /// Cause of the first failure of each fault, where more is known than the fault's name.
    pub explanations: Vec<(Fault, Arc<str>)>,
    /// Counts over time.
    pub timeline: Timeline,
}

impl Details {
    pub(super) fn read(registry: &Registry, timeline: &Timeline) -> Self {
        let mut details = Self {
            audience: registry.audience(),
            explanations: registry.explanations(),
            timeline: timeline.clone(),
            ..Self::default()
        };
        let mut values = LatencySnapshot::default();
        for timed in Timed::all() {
            registry.latency(timed, &mut values);
            details.clamped += values.clamped();
            details.latencies.extend(filled(timed, &values));
        }
        for kind in Kind::ALL {
            registry.latency_of_all(kind, &mut values);
            details.latencies_of_all.extend(filled(kind, &values));
        }
        for number in SessionNumber::ALL {
            registry.sessions(number, &mut values);
            details.sessions.extend(filled(number, &values));
        }
        details
    }

    /// Returns the distribution of a duration; `None` if it has no value.
    pub fn latency(&self, timed: Timed) -> Option<&LatencySnapshot> {
        find(&self.latencies, timed)
    }

    /// Returns the distribution of one number over all sessions; `None` if no session that has ended had played.
    pub fn sessions(&self, number: SessionNumber) -> Option<&LatencySnapshot> {
        find(&self.sessions, number)
    }
}

/// Returns a copy of a distribution, or `None` if it has no value.
fn filled<K>(key: K, values: &LatencySnapshot) -> Option<(K, LatencySnapshot)> {
    (values.count() > 0).then(|| (key, values.clone()))
}

fn find<K: PartialEq>(distributions: &[(K, LatencySnapshot)], key: K) -> Option<&LatencySnapshot> {
    distributions.iter().find(|(of, _)| *of == key).map(|(_, values)| values)
}
