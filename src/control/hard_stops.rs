//! Watch over the hard stops of a run, for the controller.
//!
//! Bytes and requests are counted where they happen. Bandwidth is measured here: no request pays for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::sample::Sources;
use crate::stats::Spending;
use crate::vocabulary::{HardStop, per_second};

/// Shortest time over which a bandwidth is a mean. Within less, one large segment from a fast origin looks like a
/// flood.
const SECOND: Duration = Duration::from_secs(1);
/// Time between two readings, so that a window is at most this much longer than a second on a calm machine.
const STEP: Duration = Duration::from_millis(50);

/// Watches the hard stops; without any it does nothing.
#[derive(Debug)]
pub(super) struct HardStopWatch {
    spending: Option<Arc<Spending>>,
    /// Times and bytes since the beginning of the newest window. A controller that is late makes a window longer, and
    /// its mean stays true.
    readings: VecDeque<(Duration, u64)>,
}

impl HardStopWatch {
    pub(super) fn new(spending: Option<Arc<Spending>>) -> Self {
        Self { spending, readings: VecDeque::new() }
    }

    /// Measures the bandwidth if it has a limit. Returns the stop that was reached.
    pub(super) fn look(&mut self, now: Duration, sources: &Sources) -> Option<HardStop> {
        let spending = Arc::clone(self.spending.as_ref()?);
        let is_due = self.readings.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= STEP);
        if spending.limits().bits_per_second.is_some() && is_due {
            self.readings.push_back((now, sources.bytes()));
            self.mean(now).into_iter().for_each(|bits| spending.measured(bits));
        }
        spending.reached()
    }

    /// Returns the mean over the shortest window of at least a second; `None` if there is none yet.
    fn mean(&mut self, now: Duration) -> Option<u64> {
        let is_old = |reading: Option<&(Duration, u64)>| {
            reading.is_some_and(|(at, _)| now.saturating_sub(*at) >= SECOND)
        };
        while is_old(self.readings.get(1)) {
            self.readings.pop_front();
        }
        let (from, before) = *self.readings.front().filter(|reading| is_old(Some(reading)))?;
        let (to, bytes) = *self.readings.back()?;
        let bits = bytes.saturating_sub(before) as f64 * 8.0;
        per_second(bits, to.saturating_sub(from)).map(|bits| bits as u64)
    }

    /// Reports whether more bytes have arrived than may, so that open requests must not go on.
    pub(super) fn must_cut(&self) -> bool {
        self.spending.as_ref().is_some_and(|spending| spending.is_over_bytes())
    }

    /// Waits until a stop is reached. Without any it never ends.
    pub(super) async fn wait(&self) {
        match &self.spending {
            Some(spending) => spending.wait().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Meter;
    use crate::vocabulary::{Clock, HardStops, Kind};

    const MEGABIT: u64 = 1_000_000;

    fn watch(bits_per_second: u64) -> HardStopWatch {
        let limits = HardStops { bits_per_second: Some(bits_per_second), ..HardStops::default() };
        HardStopWatch::new(Some(Arc::new(Spending::new(limits))))
    }

    fn arrives(meter: &Meter, bytes: u64) {
        meter.start(Kind::Segment).received(bytes);
    }

    /// Plays seconds in which so many bytes arrive every 50 ms, and returns the time at which the run is stopped.
    fn stopped_at(watch: &mut HardStopWatch, pieces: impl Iterator<Item = u64>) -> Option<u64> {
        let sources = Sources::new(1);
        let client = sources.registry.add();
        let meter = client.meter(0, Clock::start());
        (0..).step_by(50).zip(pieces).find_map(|(ms, bytes)| {
            let reached = watch.look(Duration::from_millis(ms), &sources);
            arrives(&meter, bytes);
            reached.map(|stop| {
                assert_eq!(stop, HardStop::Bandwidth);
                ms
            })
        })
    }

    #[test]
    fn a_second_above_the_limit_stops_the_run_and_a_shorter_burst_does_not() {
        let piece = MEGABIT / 8 / 20;
        assert_eq!(stopped_at(&mut watch(MEGABIT), [piece; 100].into_iter()), None);
        assert_eq!(stopped_at(&mut watch(MEGABIT), [piece + 1; 100].into_iter()), Some(1_000));
        // Twenty pieces at once, and nothing for the rest of the second.
        let bursts = (0..200).map(|step| if step % 20 == 0 { 20 * piece } else { 0 });
        assert_eq!(stopped_at(&mut watch(MEGABIT), bursts), None);
    }

    #[test]
    fn a_late_controller_measures_a_longer_window_and_not_a_higher_rate() {
        let sources = Sources::new(1);
        let client = sources.registry.add();
        let meter = client.meter(0, Clock::start());
        let mut watch = watch(MEGABIT);
        assert_eq!(watch.look(Duration::ZERO, &sources), None);
        arrives(&meter, 3 * MEGABIT / 8);
        assert_eq!(watch.look(Duration::from_secs(3), &sources), None);
        arrives(&meter, 2 * MEGABIT / 8);
        assert_eq!(watch.look(Duration::from_secs(4), &sources), Some(HardStop::Bandwidth));
    }

    #[test]
    fn without_a_hard_stop_nothing_is_read() {
        let mut watch = HardStopWatch::new(None);
        assert_eq!(watch.look(Duration::from_secs(9), &Sources::new(1)), None);
        assert!(watch.readings.is_empty() && !watch.must_cut());
    }
}
