//! A phase of a run (the time after the warm-up, say), measured without resetting any counter.
//!
//! A reset would lower totals and race with every thread that counts. A phase remembers the counters at its beginning
//! and subtracts them.

use super::latency::{LatencySnapshot, Timed};
use super::registry::Registry;
use super::snapshot::{Snapshot, Totals};
use crate::vocabulary::Kind;

/// Counters at the beginning of a phase.
#[derive(Clone, Debug)]
pub struct Baseline {
    began_us: u64,
    totals: Totals,
    latencies: Vec<LatencySnapshot>,
}

impl Baseline {
    /// Begins a phase now, `at_us` microseconds after the start of the run.
    pub fn begin(registry: &Registry, at_us: u64) -> Self {
        let mut now = Snapshot::default();
        registry.snapshot(at_us, &mut now);
        let latency = |timed| {
            let mut latency = LatencySnapshot::default();
            registry.latency(timed, &mut latency);
            latency
        };
        Self { began_us: at_us, totals: now.totals, latencies: Timed::all().map(latency).collect() }
    }

    /// Returns the time at which the phase began, in microseconds since the start of the run.
    pub fn began_us(&self) -> u64 {
        self.began_us
    }

    /// Returns the counts of the phase up to `snapshot`. Requests that were open when the phase began may end in it,
    /// so more may be finished than started; the gauge of open requests is that of the snapshot.
    pub fn totals(&self, snapshot: &Snapshot) -> Totals {
        snapshot.totals.since(&self.totals)
    }

    /// Reads the durations recorded in the phase into `latency`, whose memory is reused.
    pub fn latency(&self, registry: &Registry, timed: Timed, latency: &mut LatencySnapshot) {
        registry.latency(timed, latency);
        if let Some(before) = self.latencies.get(timed.index()) {
            latency.subtract(before);
        }
    }

    /// Reads the durations of all requests of a kind in the phase, ok or failed; see [`Registry::latency_of_all`].
    pub fn latency_of_all(&self, registry: &Registry, kind: Kind, latency: &mut LatencySnapshot) {
        registry.latency_of_all(kind, latency);
        let mut before = LatencySnapshot::default();
        let parts = [Timed::Total(kind), Timed::Failed(kind)];
        parts.iter().filter_map(|part| self.latencies.get(part.index())).for_each(|part| before.merge(part));
        latency.subtract(&before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::outcome::HttpFailure;
    use crate::vocabulary::{Clock, Outcome};

    #[test]
    fn a_phase_counts_requests_and_bytes_of_each_outcome_from_its_own_beginning() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let busy = Outcome::Http(HttpFailure::of(503));
        let request = |outcome, bytes| {
            let mut exchange = meter.start(Kind::Segment);
            exchange.received(bytes);
            exchange.finish(outcome, None);
        };
        request(Outcome::Ok, 1_000);
        request(busy, 70);
        let phase = Baseline::begin(&registry, 0);
        request(Outcome::Ok, 300);
        request(busy, 5);
        request(busy, 6);
        let mut snapshot = Snapshot::default();
        registry.snapshot(0, &mut snapshot);
        let totals = phase.totals(&snapshot);
        let segments = totals.kind(Kind::Segment);
        assert_eq!((segments.ok.requests, segments.ok.bytes), (1, 300));
        assert_eq!((segments.failed(busy).requests, segments.failed(busy).bytes), (2, 11));
        assert_eq!((totals.finished(), totals.bytes()), (3, 311));
    }
}
