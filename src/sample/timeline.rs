//! Timeline of the whole run, for reports: counts in bins of Unix time.
//!
//! * Every value of a bin can be added. Clients can too, because a bin keeps the time that they spent in each state.
//! * The time of clients goes to the bins in which it passed, however late a sample is.
//! * Counts between two samples belong to the bin of the later one: when each of them happened is not known. Samples
//!   are a quarter of a second apart. If one is later than that, the bins before it have no reading.

use std::time::Duration;

use super::bins::{Addable, Bins};
use crate::stats::Snapshot;
use crate::vocabulary::ClientState;
use crate::vocabulary::outcome::Class;

/// Maximum number of bins: an hour of seconds.
pub const BINS: usize = 3_600;

/// Counts of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Milliseconds that clients spent in each state, all clients together, in the order of [`ClientState::ALL`].
    pub client_ms: [u64; ClientState::COUNT],
    /// Requests that started.
    pub started: u64,
    /// Requests that ended, in the order of [`Class::ALL`].
    pub ended: [u64; Class::COUNT],
    /// Body bytes that arrived.
    pub bytes: u64,
    /// Samples whose counts are in the bin; 0: they are in the next bin that has some.
    pub readings: u64,
}

impl Bin {
    /// Returns the counts since `earlier`. The time of clients and the reading are taken as they are,
    /// because they are no counters.
    fn since(&self, earlier: &Self) -> Self {
        Self {
            client_ms: self.client_ms,
            started: self.started.saturating_sub(earlier.started),
            ended: std::array::from_fn(|class| {
                let [now, before] =
                    [self, earlier].map(|bin| bin.ended.get(class).copied().unwrap_or_default());
                now.saturating_sub(before)
            }),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            readings: self.readings,
        }
    }
}

impl Addable for Bin {
    const BINS: usize = BINS;

    fn add(&mut self, other: &Self) {
        let sum =
            |into: &mut [u64], from: &[u64]| into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        sum(&mut self.client_ms, &other.client_ms);
        sum(&mut self.ended, &other.ended);
        self.started += other.started;
        self.bytes += other.bytes;
        self.readings += other.readings;
    }
}

/// Bins of a run.
pub type Timeline = Bins<Bin>;

/// Adds the counts of each sample to the bins of a run.
#[derive(Clone, Debug)]
pub(super) struct TimelineRecorder {
    timeline: Timeline,
    /// Start of the run in milliseconds of Unix time.
    origin_ms: u64,
    /// Time of the last sample, rounded down to a millisecond.
    at: Duration,
    last: Bin,
}

impl TimelineRecorder {
    /// Creates the recorder of a run that begins at this Unix time in milliseconds.
    pub(super) fn new(started_unix_ms: i64) -> Self {
        Self {
            timeline: Timeline::default(),
            origin_ms: started_unix_ms.max(0).cast_unsigned(),
            at: Duration::ZERO,
            last: Bin::default(),
        }
    }

    /// Takes the counters of a moment of the run. Returns what was counted since the previous moment.
    pub(super) fn observe(&mut self, at: Duration, snapshot: &Snapshot) -> Bin {
        let passed = at.saturating_sub(self.at);
        let passed_ms = passed.as_millis() as u64;
        // The next sample takes the rest of a millisecond.
        self.at += Duration::from_millis(passed_ms);
        let clients = ClientState::ALL.map(|state| snapshot.in_state(state));
        let end_ms = self.origin_ms + self.at.as_millis() as u64;
        self.add_clients(&clients, end_ms - passed_ms, end_ms);
        let totals = &snapshot.totals;
        let mut now = Bin { started: totals.started(), bytes: totals.bytes(), readings: 1, ..Bin::default() };
        for (outcome, count) in totals.outcomes() {
            if let Some(ended) = now.ended.get_mut(outcome.class().index()) {
                *ended += count;
            }
        }
        let counted = now.since(&self.last);
        self.last = now;
        // A sample at the edge of two bins has counted what happened before it.
        self.timeline.add_at(end_ms.saturating_sub(1).max(self.origin_ms) / 1_000, &counted);
        Bin { client_ms: clients.map(|clients| clients * passed_ms), ..counted }
    }

    /// Adds the time that these clients, by state, spent from one Unix time in milliseconds to another.
    fn add_clients(&mut self, clients: &[u64; ClientState::COUNT], mut from_ms: u64, end_ms: u64) {
        while from_ms < end_ms {
            // The bins may have grown wider, so there are never more steps than bins.
            let width_ms = 1_000 * self.timeline.width_s();
            let to_ms = end_ms.min((from_ms / width_ms + 1) * width_ms);
            let part = clients.map(|clients| clients * (to_ms - from_ms));
            self.timeline.add_at(from_ms / 1_000, &Bin { client_ms: part, ..Bin::default() });
            from_ms = to_ms;
        }
    }

    /// Returns the bins so far.
    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::{Clock, Kind, Outcome};
    use proptest::prelude::*;

    fn bin(value: u64) -> Bin {
        let mut bin = Bin { started: value, bytes: value * 3, ..Bin::default() };
        (bin.client_ms[1], bin.ended[0]) = (value * 5, value);
        bin
    }

    fn sum(timeline: &Timeline) -> Bin {
        let mut all = Bin::default();
        timeline.bins().iter().for_each(|bin| all.add(bin));
        all
    }

    proptest! {
        #[test]
        fn a_timeline_that_widens_loses_nothing_and_stays_in_its_bins(
            first in 0_u64..10_000,
            steps in proptest::collection::vec((0_u64..4_000, 1_u64..1_000), 1..12),
        ) {
            let (mut timeline, mut expected, mut second) = (Timeline::default(), Bin::default(), first);
            for (step, value) in steps {
                timeline.add_at(second, &bin(value));
                expected.add(&bin(value));
                second += step;
            }
            prop_assert_eq!(sum(&timeline), expected);
            prop_assert!(timeline.bins().len() <= BINS && timeline.width_s().is_power_of_two());
            prop_assert!(timeline.begins_s() <= first && first < timeline.begins_s() + timeline.width_s());
        }

        #[test]
        fn no_bin_has_more_clients_than_there_were_and_no_time_is_lost(
            started_ms in 0_i64..5_000,
            steps in proptest::collection::vec(0_u64..2_000_000, 1..20),
        ) {
            let mut recorder = TimelineRecorder::new(started_ms);
            let mut snapshot = Snapshot::default();
            snapshot.states[ClientState::Stalled.index()] = 3;
            let (mut at_us, mut counted) = (0, Bin::default());
            for step_ms in &steps {
                // Times are not whole milliseconds.
                at_us += 1_000 * step_ms + 600;
                counted.add(&recorder.observe(Duration::from_micros(at_us), &snapshot));
            }
            let timeline = recorder.timeline();
            prop_assert_eq!(sum(timeline), counted);
            prop_assert_eq!(sum(timeline).client_ms.iter().sum::<u64>(), 3 * (at_us / 1_000));
            prop_assert_eq!(sum(timeline).readings, steps.len() as u64);
            let full = 3 * 1_000 * timeline.width_s();
            let inner = timeline.bins().len().saturating_sub(2);
            prop_assert!(timeline.bins().iter().all(|bin| bin.client_ms.iter().sum::<u64>() <= full));
            prop_assert!(timeline.bins().iter().skip(1).take(inner).all(|bin| bin.client_ms.iter().sum::<u64>() == full));
        }
    }

    #[test]
    fn bins_begin_at_multiples_of_their_width_and_a_day_fits() {
        let mut timeline = Timeline::default();
        for second in 101..101 + 86_400 {
            timeline.add_at(second, &bin(1));
        }
        assert_eq!((timeline.width_s(), timeline.begins_s()), (32, 96));
        assert_eq!(timeline.bins().len(), 2_701);
        let started = |place: usize| timeline.bins().iter().nth(place).map_or(0, |bin| bin.started);
        assert_eq!((started(0), started(1)), (27, 32));
        assert_eq!(sum(&timeline).started, 86_400);
    }

    #[test]
    fn what_is_counted_between_two_samples_is_in_the_bin_of_the_later_one() {
        let (registry, mut recorder, mut snapshot) =
            (Registry::new(1), TimelineRecorder::new(50_000), Snapshot::default());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let mut observe = |at_ms: u64, ended: &[Outcome]| {
            ended.iter().for_each(|outcome| meter.start(Kind::Segment).finish(*outcome, None));
            registry.snapshot(at_ms * 1_000, &mut snapshot);
            recorder.observe(Duration::from_millis(at_ms), &snapshot);
            recorder.timeline().bins().last().copied().expect("a bin")
        };
        observe(250, &[Outcome::Ok]);
        let first = observe(900, &[Outcome::from_status(503, false), Outcome::Ok]);
        assert_eq!((first.started, first.client_ms.iter().sum::<u64>()), (3, 900));
        let ended = |bin: &Bin, class: Class| bin.ended[class.index()];
        assert_eq!((ended(&first, Class::Ok), ended(&first, Class::Http5xx)), (2, 1));
        let second = observe(1_400, &[]);
        assert_eq!((second.started, second.client_ms[ClientState::Starting.index()]), (0, 400));
        // A sample at the end of a second counts what happened in it.
        let third = observe(2_000, &[Outcome::Ok]);
        assert_eq!((third.started, third.client_ms[ClientState::Starting.index()]), (1, 1_000));
    }

    #[test]
    fn a_late_sample_leaves_the_time_of_clients_where_it_passed() {
        let mut recorder = TimelineRecorder::new(7_000);
        let mut snapshot = Snapshot::default();
        snapshot.states[ClientState::Playing.index()] = 100;
        for at_ms in [250, 500, 750, 1_030, 6_020, 6_250, 6_500, 7_000] {
            recorder.observe(Duration::from_millis(at_ms), &snapshot);
        }
        let bins = recorder.timeline().bins();
        let seen: Vec<_> = bins.iter().map(|bin| (bin.client_ms.iter().sum::<u64>(), bin.readings)).collect();
        let whole = |readings| (100_000, readings);
        assert_eq!(seen, [3, 1, 0, 0, 0, 0, 4].map(whole));
    }
}
