//! Distributions of a run, merged over its workers.

use std::ops::Range;

use super::Registry;
use crate::stats::latency::LatencySnapshot;
use crate::vocabulary::{ExitCategory, Kind, SessionNumber, Timed};

impl Registry {
    /// Reads the histogram of one duration, merged over the workers, into `latency`, whose memory is reused.
    pub fn latency(&self, timed: Timed, latency: &mut LatencySnapshot) {
        latency.clear();
        for worker in &self.workers {
            worker.latencies.add_to(timed, latency);
        }
    }

    /// Reads the histogram of one duration, merged over some workers, into `latency`, whose memory is reused.
    pub fn latency_of(&self, workers: Range<usize>, timed: Timed, latency: &mut LatencySnapshot) {
        latency.clear();
        let workers = self.workers.get(workers).unwrap_or_default();
        workers.iter().for_each(|worker| worker.latencies.add_to(timed, latency));
    }

    /// Reads the durations of all requests of a kind, ok or failed, into `latency`: percentiles that leave out only
    /// the requests that hlswarm cut.
    pub fn latency_of_all(&self, kind: Kind, latency: &mut LatencySnapshot) {
        latency.clear();
        for worker in &self.workers {
            worker.latencies.add_to(Timed::Total(kind), latency);
            worker.latencies.add_to(Timed::Failed(kind), latency);
        }
    }

    /// Reads one number of all sessions that have ended into `values`, whose memory is reused.
    pub fn sessions(&self, number: SessionNumber, values: &mut LatencySnapshot) {
        values.clear();
        self.workers.iter().for_each(|worker| worker.sessions.add_to(number, values));
    }

    /// Reads the milliseconds that clients which have left stayed into `values`, whose memory is reused.
    pub fn exits(&self, category: ExitCategory, values: &mut LatencySnapshot) {
        values.clear();
        self.workers.iter().for_each(|worker| worker.exits.add_to(category, values));
    }
}
