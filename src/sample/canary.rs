//! The canary: one client on a thread of its own, compared with all others.
//!
//! * Both requests go to the same origin at the same time. If the crowd waits longer for the first byte, the extra is
//!   the load tester's own: only the crowd shares its threads.
//! * Both are compared over the same time. A shorter window for the crowd would show a change of the origin there first,
//!   and blame the load tester for it.
//! * The canary requests as often as its player does, which may be once in six seconds, so the window grows until it has
//!   enough values. More requests would falsify the load.

use std::collections::VecDeque;

use super::{RunSample, Sources};
use crate::stats::{LatencySnapshot, LatencySummary, Registry};
use crate::vocabulary::limits::CANARY_FROM;
use crate::vocabulary::{Kind, Timed};

/// Smallest number of values on either side for a comparison: a median of fewer says little.
const VALUES: u64 = 10;
/// Seconds between two histograms that are kept.
const STEP: u32 = 10;
/// Histograms that are kept: the window grows up to a minute.
const KEPT: usize = 7;
/// Longest 95th percentile of a steady canary, as a multiple of its median, and in addition to that. The latency of an
/// origin that varies more is no measure for anything.
const STEADY: (u64, u64) = (2, 2_000);
/// Kinds that are compared; the first one with enough values counts.
const KINDS: [Kind; 2] = [Kind::Segment, Kind::Playlist];

/// The canary and the crowd over the whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanaryReading {
    /// Number of the canary's worker.
    pub worker: usize,
    /// Kind of the requests that are compared.
    pub kind: Kind,
    /// Time to the first byte of the canary's requests.
    pub canary: LatencySummary,
    /// Time to the first byte of the requests of all other clients.
    pub crowd: LatencySummary,
}

/// Comparison of the canary with the crowd, second by second.
#[derive(Debug, Default)]
pub(super) struct CanaryMeter {
    histories: [Times; KINDS.len()],
    seconds: u32,
    reading: Option<CanaryReading>,
}

/// Times to the first byte of one kind, of the canary and of the crowd.
#[derive(Debug, Default)]
struct Times {
    newest: [LatencySnapshot; 2],
    /// Histograms of earlier moments, the latest last.
    kept: VecDeque<[LatencySnapshot; 2]>,
}

impl CanaryMeter {
    /// Reads the times; to be called once a second. Returns the time by which the median of the crowd is longer than
    /// that of the canary, in microseconds; `None` if it is unknown.
    pub(super) fn measure(&mut self, sources: &Sources, sample: &RunSample) -> Option<f64> {
        let worker = sources.canary?;
        let keep = self.seconds.is_multiple_of(STEP);
        self.seconds += 1;
        for (kind, times) in KINDS.into_iter().zip(&mut self.histories) {
            times.read(&sources.registry, worker, kind, keep);
        }
        self.reading = KINDS.into_iter().zip(&self.histories).find_map(|(kind, times)| {
            let [canary, crowd] = &times.newest;
            Some(CanaryReading { worker, kind, canary: canary.summary()?, crowd: crowd.summary()? })
        });
        // Too few clients now, or clients on several edges: then the edges may differ, not the threads.
        let is_alike = || sources.registry.audience().edges.len() <= 1;
        if sample.admitted < u64::from(CANARY_FROM) || !is_alike() {
            return None;
        }
        let [canary, crowd] = self.histories.iter().find_map(Times::recent)?;
        let (factor, more) = STEADY;
        let is_steady = canary.p95 <= canary.p50.saturating_mul(factor).saturating_add(more);
        is_steady.then_some(crowd.p50 as f64 - canary.p50 as f64)
    }

    /// Returns the canary and the crowd over the whole run; `None` if one of them has no values.
    pub(super) fn reading(&self) -> Option<CanaryReading> {
        self.reading
    }
}

impl Times {
    fn read(&mut self, registry: &Registry, canary: usize, kind: Kind, keep: bool) {
        if keep {
            if self.kept.len() == KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back(self.newest.clone());
        }
        let [of_canary, of_crowd] = &mut self.newest;
        registry.latency_of(canary..canary.saturating_add(1), Timed::FirstByte(kind), of_canary);
        registry.latency_of(0..canary, Timed::FirstByte(kind), of_crowd);
    }

    /// Returns both over the shortest window in which both have enough values.
    fn recent(&self) -> Option<[LatencySummary; 2]> {
        self.kept.iter().rev().find_map(|earlier| {
            let mut window = self.newest.clone();
            window.iter_mut().zip(earlier).for_each(|(window, earlier)| window.subtract(earlier));
            let [canary, crowd] = &window;
            let is_enough = canary.count() >= VALUES && crowd.count() >= VALUES;
            Some([canary.summary()?, crowd.summary()?]).filter(|_| is_enough)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::ClientHandle;

    /// A run with two clients: one on worker 0, and the canary on worker 1.
    struct Run {
        sources: Sources,
        crowd: ClientHandle,
        canary: ClientHandle,
        meter: CanaryMeter,
        sample: RunSample,
    }

    impl Run {
        fn new() -> Self {
            let sources = Sources { canary: Some(1), ..Sources::new(2) };
            let (crowd, canary) = (sources.registry.add(), sources.registry.add());
            let sample = RunSample { admitted: u64::from(CANARY_FROM), ..RunSample::default() };
            Self { sources, crowd, canary, meter: CanaryMeter::default(), sample }
        }

        /// Plays a second in which each has two segments after these times, in microseconds.
        fn second(&mut self, crowd_us: u64, canary_us: u64) -> Option<f64> {
            for (client, worker, us) in [(&self.crowd, 0, crowd_us), (&self.canary, 1, canary_us)] {
                let meter = client.meter(worker, self.sources.clock);
                (0..2).for_each(|_| meter.time(Timed::FirstByte(Kind::Segment), us));
            }
            self.meter.measure(&self.sources, &self.sample)
        }

        fn seconds(&mut self, seconds: u32, crowd_us: u64, canary_us: u64) -> Option<f64> {
            (0..seconds).map(|_| self.second(crowd_us, canary_us)).last().flatten()
        }
    }

    fn is_near(excess: Option<f64>, expected: f64) -> bool {
        // Buckets are at most 1 % wide.
        excess.is_some_and(|excess| (excess - expected).abs() <= 0.02 * expected + 200.0)
    }

    #[test]
    fn the_extra_time_of_the_crowd_is_known_after_ten_values() {
        let mut run = Run::new();
        assert_eq!(run.seconds(4, 18_000, 10_000), None);
        let excess = run.second(18_000, 10_000);
        assert!(is_near(excess, 8_000.0), "{excess:?}");
        let reading = run.meter.reading().expect("a reading");
        assert_eq!((reading.worker, reading.kind, reading.canary.count), (1, Kind::Segment, 10));
        assert!(reading.crowd.p50 > reading.canary.p50, "{reading:?}");
    }

    #[test]
    fn an_origin_that_becomes_slower_for_both_is_no_difference() {
        let mut run = Run::new();
        run.seconds(30, 10_000, 10_000);
        for _ in 0..40 {
            let excess = run.second(500_000, 500_000);
            assert!(excess.is_none_or(|excess| excess.abs() < 200.0), "{excess:?}");
        }
        let recent = run.seconds(40, 900_000, 500_000);
        assert!(is_near(recent, 400_000.0), "old values leave the window: {recent:?}");
    }

    #[test]
    fn few_clients_an_unsteady_canary_and_runs_without_one_give_no_number() {
        let mut run = Run::new();
        assert!(run.seconds(10, 18_000, 10_000).is_some());
        run.sample.admitted -= 1;
        assert_eq!(run.second(18_000, 10_000), None, "keys have removed clients");
        let mut unsteady = Run::new();
        for second in 0..10_u64 {
            let excess = unsteady.second(90_000, if second % 4 == 0 { 60_000 } else { 10_000 });
            assert_eq!(excess, None);
        }
        let mut without = Run::new();
        without.sources.canary = None;
        assert_eq!(without.seconds(20, 18_000, 10_000), None);
        assert_eq!(without.meter.reading(), None);
    }
}
