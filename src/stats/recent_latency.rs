//! Percentiles of the last ten seconds, from differences between histograms of the whole run.

use super::latency::{LatencySnapshot, LatencySummary};
use super::registry::Registry;
use crate::vocabulary::Timed;

/// Number of histograms kept per duration: ten seconds and both ends, taken once a second.
const KEPT: usize = 11;

/// Summaries of one duration over the last ten seconds and over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyDigest {
    /// The last ten seconds, or as much as there is; `None` if nothing was recorded in them.
    pub recent: Option<LatencySummary>,
    /// The whole run.
    pub run: Option<LatencySummary>,
}

/// Histograms of one duration, a second apart, oldest first, starting a second before the first value. Their memory
/// is reused.
#[derive(Debug)]
pub struct RecentLatency {
    timed: Timed,
    kept: Vec<LatencySnapshot>,
    window: LatencySnapshot,
    digest: LatencyDigest,
}

impl RecentLatency {
    /// Creates the window of one duration; it holds no histogram yet.
    pub fn new(timed: Timed) -> Self {
        Self { timed, kept: Vec::new(), window: LatencySnapshot::default(), digest: LatencyDigest::default() }
    }

    /// Returns the duration.
    pub fn timed(&self) -> Timed {
        self.timed
    }

    /// Takes a histogram from the registry; to be called once a second.
    pub fn sample(&mut self, registry: &Registry) {
        if self.kept.is_empty() {
            // A duration that was never recorded costs no memory. The first values are at most a second old.
            registry.latency(self.timed, &mut self.window);
            if self.window.summary().is_none() {
                return;
            }
            // A second ago the histogram was empty.
            self.kept.push(LatencySnapshot::default());
        }
        if self.kept.len() < KEPT {
            self.kept.push(LatencySnapshot::default());
        } else {
            self.kept.rotate_left(1);
        }
        let Some((newest, older)) = self.kept.split_last_mut() else { return };
        registry.latency(self.timed, newest);
        self.window.copy_from(newest);
        if let Some(oldest) = older.first() {
            self.window.subtract(oldest);
        }
        self.digest = LatencyDigest { recent: self.window.summary(), run: newest.summary() };
    }

    /// Returns the histogram of the last sample; `None` before the first value.
    pub fn newest(&self) -> Option<&LatencySnapshot> {
        self.kept.last()
    }

    /// Returns the summaries of the last sample.
    pub fn digest(&self) -> LatencyDigest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Clock;

    #[test]
    fn what_is_older_than_ten_seconds_is_only_in_the_whole_run() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let mut recent = RecentLatency::new(Timed::Dns);
        recent.sample(&registry);
        assert_eq!(recent.digest(), LatencyDigest::default());
        meter.time(Timed::Dns, 9_000);
        recent.sample(&registry);
        assert_eq!(recent.digest().recent.map(|summary| summary.count), Some(1));
        for _ in 0..9 {
            recent.sample(&registry);
            assert_eq!(recent.digest().recent.map(|summary| summary.count), Some(1));
        }
        recent.sample(&registry);
        assert_eq!(recent.digest().recent, None);
        assert_eq!(recent.digest().run.map(|summary| summary.count), Some(1));
    }
}
