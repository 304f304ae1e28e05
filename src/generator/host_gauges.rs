//! Gauges of the host and of the process as a whole: two threads write them, any reads them without a lock.
//!
//! * A reading is taken out once, by the judge of the trust: the clocks of writer and judge drift, so the judge may
//!   find two readings in one second and none in the next. Of two, the worse one counts.
//! * The last reading stays to be shown, until it is [`STALE`].

use std::time::Duration;

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::image::{LARGEST, Walk};
use crate::sync::known_number::{bounded, decoded, encoded};
use crate::verdict::{Gauge, Interval, PerGauge};
use crate::vocabulary::clock::micros;

/// Time from one tick to the next from which on the process did not run in between: the limit of the gauge.
const GAP: Duration = Duration::from_millis(250);
/// Maximum number of gaps that are kept; further ones are only seen as the longest of their second.
const GAPS: usize = 10_000;
/// Length from which on a gap is kept beyond [`GAPS`], because one of them is enough for a verdict.
const LONG_GAP: Duration = Duration::from_secs(1);
/// Maximum number of such gaps beyond the others: each is a second long, so they take hours.
const LONG_GAPS: usize = 10_000;
/// Age from which on a reading says nothing about now: it is three times as old as it should be.
const STALE: Duration = Duration::from_secs(3);

/// A number of the host that gauges are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Processors that this process may use.
    Processors,
    /// Local ports that the kernel may give to connections.
    LocalPorts,
    /// TCP sockets of this process, or fewer if the host has fewer.
    SocketsInUse,
    /// TCP sockets of the host in TIME_WAIT.
    SocketsWaiting,
    /// Open files of the host, as a share of its limit.
    MachineFiles,
}

/// Number of facts.
const FACTS: usize = 5;

/// Gauges of which each has one writer; readers need no lock.
#[derive(Debug, Default)]
pub struct HostGauges {
    /// Last value of each gauge, as [`encoded`].
    latest: PerGauge<AtomicU64>,
    /// Worst value of each gauge since it was taken out last, in the same way.
    untaken: PerGauge<AtomicU64>,
    /// Value of each gauge that was taken out last, for a record.
    taken: PerGauge<AtomicU64>,
    facts: [AtomicU64; FACTS],
    /// Time of the last reading, as [`encoded`] seconds.
    read_at: AtomicU64,
    gaps: boxcar::Vec<Interval>,
    longest_tick_us: AtomicU64,
    /// Longest tick that was taken out last.
    taken_tick_us: AtomicU64,
}

impl HostGauges {
    /// Returns the last value of a gauge at `now`; `None` if the host does not offer it, or its reading is too old.
    pub fn get(&self, gauge: Gauge, now: Duration) -> Option<f64> {
        self.unless_stale(&self.latest[gauge], now)
    }

    /// Returns a fact at `now`; `None` if the host does not offer it, or its reading is too old.
    pub fn fact(&self, fact: Fact, now: Duration) -> Option<f64> {
        self.unless_stale(self.facts.get(fact as usize)?, now)
    }

    /// Takes out the worst value of a gauge since the last call; `None` if there was no known one.
    pub fn take(&self, gauge: Gauge) -> Option<f64> {
        let bits = self.untaken[gauge].swap(0, Ordering::Relaxed);
        self.taken[gauge].store(bits, Ordering::Relaxed);
        decoded(bits)
    }

    fn unless_stale(&self, cell: &AtomicU64, now: Duration) -> Option<f64> {
        let read_at = decoded(self.read_at.load(Ordering::Relaxed))?;
        let is_stale = now.as_secs_f64() - read_at > STALE.as_secs_f64();
        if is_stale { None } else { decoded(cell.load(Ordering::Relaxed)) }
    }

    pub(super) fn set(&self, gauge: Gauge, value: Option<f64>) {
        self.latest[gauge].store(encoded(value), Ordering::Relaxed);
        let Some(value) = value else { return };
        let worse = |bits| {
            let is_milder = decoded(bits).is_some_and(|kept| !gauge.rule().is_worse(value, kept));
            (!is_milder).then(|| encoded(Some(value)))
        };
        // The judge may take the value out in between: then this one is the worst since.
        _ = self.untaken[gauge].fetch_update(Ordering::Relaxed, Ordering::Relaxed, worse);
    }

    pub(super) fn set_fact(&self, fact: Fact, value: Option<f64>) {
        if let Some(cell) = self.facts.get(fact as usize) {
            cell.store(encoded(value), Ordering::Relaxed);
        }
    }

    /// Records that a reading was taken at `at`.
    pub(super) fn end_reading(&self, at: Duration) {
        self.read_at.store(encoded(Some(at.as_secs_f64())), Ordering::Relaxed);
    }

    /// Returns the gaps from the one with this number on, oldest first.
    pub fn gaps_from(&self, number: usize) -> impl Iterator<Item = Interval> + '_ {
        self.gaps.iter().map(|(_, gap)| *gap).skip(number)
    }

    /// Visits all gauges and gaps. A replay sets the values that the judge has taken out, for it to take them again.
    pub fn walk(&self, walk: &mut Walk<'_>) {
        for cell in self.latest.iter().chain(&self.facts).chain([&self.read_at]) {
            if let Some(bits) = walk.visit(cell.load(Ordering::Relaxed)) {
                cell.store(bounded(bits), Ordering::Relaxed);
            }
        }
        for (taken, untaken) in self.taken.iter().zip(self.untaken.iter()) {
            if let Some(bits) = walk.visit_taken(taken.load(Ordering::Relaxed)) {
                untaken.store(bounded(bits), Ordering::Relaxed);
            }
        }
        if let Some(us) = walk.visit_taken(self.taken_tick_us.load(Ordering::Relaxed)) {
            self.longest_tick_us.store(us.min(LARGEST), Ordering::Relaxed);
        }
        self.walk_gaps(walk);
    }

    fn walk_gaps(&self, walk: &mut Walk<'_>) {
        let most = GAPS + LONG_GAPS;
        let mut visited = 0;
        // A gap never changes, so only a replay that adds it gets its times.
        for (_, gap) in self.gaps.iter().take(most) {
            let times = [gap.from, gap.to].into_iter().map(|time| time.as_nanos() as u64);
            times.for_each(|nanoseconds| _ = walk.visit(nanoseconds));
            visited += 1;
        }
        while visited < most && walk.wants(2) {
            let mut time = || Duration::from_nanos(walk.visit(0).unwrap_or_default());
            let (from, to) = (time(), time());
            self.gaps.push(Interval { from, to });
            visited += 1;
        }
        walk.skip(2 * (most - visited));
    }

    /// Returns the longest time between two ticks since the last call; `None` if there was no tick.
    pub fn take_longest_tick_us(&self) -> Option<u64> {
        let longest = self.longest_tick_us.swap(0, Ordering::Relaxed);
        self.taken_tick_us.store(longest, Ordering::Relaxed);
        Some(longest).filter(|us| *us > 0)
    }

    /// Records a tick at `to`, after the one at `from`.
    pub(super) fn tick(&self, from: Duration, to: Duration) {
        let gap = Interval { from, to };
        self.longest_tick_us.fetch_max(micros(gap.length()), Ordering::Relaxed);
        let room = if gap.length() > LONG_GAP { GAPS + LONG_GAPS } else { GAPS };
        if gap.length() > GAP && self.gaps.count() < room {
            self.gaps.push(gap);
        }
    }
}

/// Returns gauges with these facts, read at `at`.
#[cfg(test)]
pub(crate) fn host_with(at: Duration, facts: &[(Fact, f64)]) -> HostGauges {
    let gauges = HostGauges::default();
    facts.iter().for_each(|(fact, value)| gauges.set_fact(*fact, Some(*value)));
    gauges.end_reading(at);
    gauges
}

/// Sets a gauge as the thread that reads the host does.
#[cfg(test)]
pub(crate) fn host_reads(gauges: &HostGauges, gauge: Gauge, value: f64) {
    gauges.set(gauge, Some(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(10);

    #[test]
    fn a_gauge_is_unknown_until_it_is_set_and_may_become_unknown_again() {
        let gauges = HostGauges::default();
        gauges.end_reading(NOW);
        let get = |gauge| gauges.get(gauge, NOW);
        assert_eq!(get(Gauge::Cpu), None);
        for value in [0.0, 0.93, 1e12] {
            gauges.set(Gauge::Cpu, Some(value));
            assert_eq!((get(Gauge::Cpu), get(Gauge::CpuSteal)), (Some(value), None));
        }
        for unknown in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            gauges.set(Gauge::Cpu, unknown);
            assert_eq!(get(Gauge::Cpu), None);
        }
    }

    #[test]
    fn a_reading_that_is_too_old_is_unknown() {
        let gauges = HostGauges::default();
        gauges.set(Gauge::Cpu, Some(0.5));
        gauges.set_fact(Fact::LocalPorts, Some(28_232.0));
        let at = |now| (gauges.get(Gauge::Cpu, now), gauges.fact(Fact::LocalPorts, now));
        assert_eq!(at(NOW), (None, None), "the first reading has not ended");
        gauges.end_reading(NOW);
        assert_eq!(at(NOW + STALE), (Some(0.5), Some(28_232.0)));
        assert_eq!(at(NOW + STALE + Duration::from_millis(1)), (None, None));
    }

    #[test]
    fn each_reading_is_taken_out_once_and_of_several_the_worst() {
        let gauges = HostGauges::default();
        let set = |gauge, values: &[f64]| values.iter().for_each(|value| gauges.set(gauge, Some(*value)));
        set(Gauge::Cpu, &[0.5, 0.9, 0.7]);
        set(Gauge::LoadHeld, &[0.5, 0.9, 0.7]);
        assert_eq!([Gauge::Cpu, Gauge::LoadHeld].map(|gauge| gauges.take(gauge)), [Some(0.9), Some(0.5)]);
        assert_eq!(gauges.take(Gauge::Cpu), None);
        gauges.set(Gauge::Cpu, Some(0.1));
        gauges.set(Gauge::Cpu, None);
        assert_eq!(gauges.take(Gauge::Cpu), Some(0.1));
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

    #[test]
    fn a_long_gap_is_kept_when_there_is_no_more_room_for_short_ones() {
        let gauges = HostGauges::default();
        let gap = |from: u64, ms: u64| {
            let from = Duration::from_secs(from);
            gauges.tick(from, from + Duration::from_millis(ms));
        };
        (0..20_000).for_each(|second| gap(second, 300));
        assert_eq!(gauges.gaps_from(0).count(), GAPS);
        gap(20_000, 1_500);
        assert_eq!(gauges.gaps_from(GAPS).map(Interval::length).next(), Some(Duration::from_millis(1_500)));
        (20_001..40_001).for_each(|second| gap(second, 1_500));
        assert_eq!(gauges.gaps_from(0).count(), GAPS + LONG_GAPS);
    }
}
