//! What only a whole sample has: every distribution, and what is told in words.
//!
//! Some megabytes are read for it. So it is taken on request, for a report, and not four times a second.

use std::sync::Arc;

use super::Timeline;
use crate::stats::{Audience, LatencySnapshot, Registry, SessionNumber, Timed};
use crate::vocabulary::Kind;
use crate::vocabulary::outcome::Fault;

/// The distributions and texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// How long things took, each that has a value.
    pub latencies: Vec<(Timed, LatencySnapshot)>,
    /// The times of all requests of a kind, ok or failed: the percentiles that leave nobody out.
    pub latencies_of_all: Vec<(Kind, LatencySnapshot)>,
    /// Numbers of all sessions that have ended and had played.
    pub sessions: Vec<(SessionNumber, LatencySnapshot)>,
    /// Values of all histograms that were too large for them.
    pub clamped: u64,
    /// Where requests went, and from where.
    pub audience: Audience,
    /// Why the first request of each sort failed, where more is known than its name.
    pub explanations: Vec<(Fault, Arc<str>)>,
    /// How the run went.
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

    /// How long something took; `None`: it has no value.
    pub fn latency(&self, timed: Timed) -> Option<&LatencySnapshot> {
        find(&self.latencies, timed)
    }

    /// One number of all sessions; `None`: no session that has ended had played.
    pub fn sessions(&self, number: SessionNumber) -> Option<&LatencySnapshot> {
        find(&self.sessions, number)
    }
}

/// A copy of a distribution that has a value.
fn filled<K>(key: K, values: &LatencySnapshot) -> Option<(K, LatencySnapshot)> {
    (values.count() > 0).then(|| (key, values.clone()))
}

fn find<K: PartialEq>(distributions: &[(K, LatencySnapshot)], key: K) -> Option<&LatencySnapshot> {
    distributions.iter().find(|(of, _)| *of == key).map(|(_, values)| values)
}
