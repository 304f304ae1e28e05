//! Gauges of the host and of the process as a whole: one thread writes them, any reads them without a lock.

use std::time::Duration;

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::verdict::{Gauge, Interval};
use crate::vocabulary::clock::micros;

/// Time from one tick to the next from which on the process did not run in between: the limit of the gauge.
const GAP: Duration = Duration::from_millis(250);
/// Maximum number of gaps that are kept; further ones are only seen as the longest of their second.
const GAPS: usize = 10_000;

/// Gauges with one writer; readers need no lock.
#[derive(Debug, Default)]
pub struct HostGauges {
    /// One value for each gauge, as [`encoded`].
    values: [AtomicU64; Gauge::COUNT],
    gaps: boxcar::Vec<Interval>,
    longest_tick_us: AtomicU64,
}

impl HostGauges {
    /// Returns the last value of a gauge; `None` if the host does not offer it.
    pub fn get(&self, gauge: Gauge) -> Option<f64> {
        decoded(self.values.get(gauge.index())?.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, gauge: Gauge, value: Option<f64>) {
        if let Some(cell) = self.values.get(gauge.index()) {
            cell.store(encoded(value), Ordering::Relaxed);
        }
    }

    /// Returns the gaps from the one with this number on, oldest first.
    pub fn gaps_from(&self, number: usize) -> impl Iterator<Item = Interval> + '_ {
        self.gaps.iter().map(|(_, gap)| *gap).skip(number)
    }

    /// Returns the longest time between two ticks since the last call; `None` if there was no tick.
    pub fn take_longest_tick_us(&self) -> Option<u64> {
        Some(self.longest_tick_us.swap(0, Ordering::Relaxed)).filter(|us| *us > 0)
    }

    /// Records a tick at `to`, after the one at `from`.
    pub(super) fn tick(&self, from: Duration, to: Duration) {
        let gap = Interval { from, to };
        self.longest_tick_us.fetch_max(micros(gap.length()), Ordering::Relaxed);
        if gap.length() > GAP && self.gaps.count() < GAPS {
            self.gaps.push(gap);
        }
    }
}

/// Returns the bits of a value plus one, so that zeroed memory means unknown.
fn encoded(value: Option<f64>) -> u64 {
    value.filter(|value| value.is_finite()).map_or(0, |value| value.to_bits().wrapping_add(1))
}

fn decoded(bits: u64) -> Option<f64> {
    bits.checked_sub(1).map(f64::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_unknown_until_it_is_set_and_may_become_unknown_again() {
        let gauges = HostGauges::default();
        assert_eq!(gauges.get(Gauge::Cpu), None);
        for value in [0.0, 0.93, 1e12] {
            gauges.set(Gauge::Cpu, Some(value));
            assert_eq!((gauges.get(Gauge::Cpu), gauges.get(Gauge::CpuSteal)), (Some(value), None));
        }
        for unknown in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            gauges.set(Gauge::Cpu, unknown);
            assert_eq!(gauges.get(Gauge::Cpu), None);
        }
    }

    #[test]
    fn a_long_tick_is_a_gap_and_a_short_one_is_none() {
        let gauges = HostGauges::default();
        let ms = Duration::from_millis;
        let limit = Gauge::ProcessGap.rule().suspect.map(|limit| limit.floor);
        assert_eq!(limit, Some(micros(GAP) as f64), "every gap that convicts is kept");
        gauges.tick(ms(0), ms(250));
        gauges.tick(ms(250), ms(3_270));
        gauges.tick(ms(3_270), ms(3_600));
        let gaps: Vec<_> = gauges.gaps_from(0).map(Interval::length).collect();
        assert_eq!(gaps, [ms(3_020), ms(330)]);
        assert_eq!(gauges.gaps_from(1).count(), 1);
        assert_eq!(gauges.take_longest_tick_us(), Some(3_020_000));
        assert_eq!(gauges.take_longest_tick_us(), None);
    }
}
