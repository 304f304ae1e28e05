//! Distributions of a run: over durations, sessions, addresses and time.
//!
//! To read them takes some megabytes, so the sampler does it on request, not four times a second. Distributions of
//! several machines are added where they are documents: see [`crate::report::merge`].

use std::sync::Arc;

use super::{HistoryBins, OriginSeries, SomeSeconds, Sources, Timeline};
use crate::generator::{Delays, own_delays};
use crate::stats::{Audience, LatencySnapshot, Registry};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{ExitCategory, Kind, SessionNumber, Timed};

/// Distributions of a whole sample, read at the same moment as its counts.
#[derive(Clone, Debug, Default)]
pub struct Distributions {
    /// Distribution of each duration that has a value.
    pub latencies: Vec<(Timed, LatencySnapshot)>,
    /// Durations of all requests of a kind, ok or failed: percentiles that leave out only requests that hlswarm cut.
    pub latencies_of_all: Vec<(Kind, LatencySnapshot)>,
    /// Distributions over all sessions that have ended and had played.
    pub sessions: Vec<(SessionNumber, LatencySnapshot)>,
    /// Milliseconds that clients which have left stayed, by the category of their departure.
    pub exits: Vec<(ExitCategory, LatencySnapshot)>,
    /// Number of durations that were too large for their histogram.
    pub clamped: u64,
    /// Audience that the run represents to the origin.
    pub audience: Audience,
    /// Cause of the first failure of each fault, where more is known than the fault's name.
    pub explanations: Vec<(Fault, Arc<str>)>,
    /// Counts over time.
    pub timeline: Timeline,
    /// Failures, need, verdict and durations over time.
    pub history: HistoryBins,
    /// Values of each exporter of the origin over time.
    pub origin_series: Vec<OriginSeries>,
    /// Main quantities of the masked seconds.
    pub masked_seconds: SomeSeconds,
    /// Lateness of all workers.
    pub own_delays: Delays,
}

impl Distributions {
    /// Reads everything but the counts over time, which the sampler keeps.
    pub(super) fn read(sources: &Sources) -> Self {
        let mut read = Self {
            audience: sources.registry.audience(),
            explanations: sources.registry.explanations(),
            own_delays: own_delays(&sources.workers),
            ..Self::default()
        };
        read.read_histograms(&sources.registry);
        read
    }

    fn read_histograms(&mut self, registry: &Registry) {
        let mut values = LatencySnapshot::default();
        for timed in Timed::all() {
            registry.latency(timed, &mut values);
            self.clamped += values.clamped();
            self.latencies.extend(filled(timed, &values));
        }
        for kind in Kind::ALL {
            registry.latency_of_all(kind, &mut values);
            self.latencies_of_all.extend(filled(kind, &values));
        }
        for number in SessionNumber::ALL {
            registry.sessions(number, &mut values);
            self.clamped += values.clamped();
            self.sessions.extend(filled(number, &values));
        }
        for category in ExitCategory::ALL {
            registry.exits(category, &mut values);
            self.exits.extend(filled(category, &values));
        }
    }

    /// Returns the distribution of a duration; `None` if it has no value.
    pub fn latency(&self, timed: Timed) -> Option<&LatencySnapshot> {
        find(&self.latencies, timed)
    }

    /// Returns the distribution of one number over all sessions; `None` if no session that has ended had played.
    pub fn sessions(&self, number: SessionNumber) -> Option<&LatencySnapshot> {
        find(&self.sessions, number)
    }

    /// Returns the number of clients that have left, by the category of their departure.
    pub fn exited(&self, category: ExitCategory) -> u64 {
        find(&self.exits, category).map_or(0, LatencySnapshot::count)
    }

    /// Returns the milliseconds that all clients stayed which have left.
    pub fn stayed(&self) -> LatencySnapshot {
        let mut all = LatencySnapshot::default();
        self.exits.iter().for_each(|(_, values)| all.merge(values));
        all
    }
}

/// Returns a copy of a distribution, or `None` if it has no value.
fn filled<K>(key: K, values: &LatencySnapshot) -> Option<(K, LatencySnapshot)> {
    (values.count() > 0).then(|| (key, values.clone()))
}

fn find<K: PartialEq, V>(values: &[(K, V)], key: K) -> Option<&V> {
    values.iter().find(|(of, _)| *of == key).map(|(_, value)| value)
}
