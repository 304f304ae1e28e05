//! Timeline of the whole run, for reports: counts in bins of Unix time.
//!
//! * Bins are 1, 2, 4, ... seconds wide and begin at multiples of their width, so those of two machines coincide or
//!   nest. There are never more than [`BINS`]: they grow wider, so memory does not grow with the run.
//! * Every value of a bin can be added. Clients can too, because a bin keeps the time that they spent in each state.
//!   So wider bins and the bins of several machines are exact sums, in whatever order they are made.
//! * Counts between two samples belong to the bin of the later one. Samples are a quarter of a second apart.

use std::time::Duration;

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
}

impl Bin {
    fn add(&mut self, other: &Self) {
        let sum =
            |into: &mut [u64], from: &[u64]| into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        sum(&mut self.client_ms, &other.client_ms);
        sum(&mut self.ended, &other.ended);
        self.started += other.started;
        self.bytes += other.bytes;
    }

    /// Returns the counts since `earlier`. The time of clients is taken as it is, because it is not a counter.
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
        }
    }
}

/// Bins of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Number of seconds that a bin covers: a power of two.
    width_s: u64,
    /// Number of the first bin: Unix time divided by the width.
    first: u64,
    bins: Vec<Bin>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { width_s: 1, first: 0, bins: Vec::new() }
    }
}

impl Timeline {
    /// Returns the number of seconds that a bin covers.
    pub fn width_s(&self) -> u64 {
        self.width_s
    }

    /// Returns the begin of the first bin, in seconds of Unix time.
    pub fn begins_s(&self) -> u64 {
        self.first * self.width_s
    }

    /// Returns the bins, oldest first, without a gap.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// Merges the timelines of two machines. Associative and commutative; an empty timeline changes nothing.
    pub fn merge(&self, other: &Self) -> Self {
        let (mut merged, mut other) = (self.clone(), other.clone());
        if merged.bins.is_empty() {
            return other;
        }
        while merged.width_s < other.width_s {
            merged.widen();
        }
        while other.width_s < merged.width_s {
            other.widen();
        }
        if other.bins.is_empty() {
            return merged;
        }
        while merged.end().max(other.end()) - merged.first.min(other.first) > BINS as u64 {
            merged.widen();
            other.widen();
        }
        if other.first < merged.first {
            std::mem::swap(&mut merged, &mut other);
        }
        for (number, bin) in (other.first..).zip(&other.bins) {
            merged.add(number, bin);
        }
        merged
    }

    /// Adds to the bin of a second of Unix time, which must not be before the first bin.
    fn add_at(&mut self, unix_s: u64, bin: &Bin) {
        if self.bins.is_empty() {
            self.first = unix_s / self.width_s;
        }
        while unix_s / self.width_s >= self.first + BINS as u64 {
            self.widen();
        }
        self.add(unix_s / self.width_s, bin);
    }

    fn add(&mut self, number: u64, bin: &Bin) {
        let place = number.saturating_sub(self.first) as usize;
        if self.bins.len() <= place {
            self.bins.resize(place + 1, Bin::default());
        }
        if let Some(into) = self.bins.get_mut(place) {
            into.add(bin);
        }
    }

    /// Returns the number of the bin after the last one.
    fn end(&self) -> u64 {
        self.first + self.bins.len() as u64
    }

    /// Doubles the width of the bins.
    fn widen(&mut self) {
        let narrow = std::mem::take(&mut self.bins);
        let first = self.first;
        (self.width_s, self.first) = (self.width_s * 2, first / 2);
        for (number, bin) in (first..).zip(&narrow) {
            self.add(number / 2, bin);
        }
    }
}

/// Adds the counts of each sample to the bins of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct TimelineRecorder {
    timeline: Timeline,
    at: Duration,
    last: Bin,
}

impl TimelineRecorder {
    /// Takes the counters of a moment: `at` is its time of the run, `unix_s` its Unix time in seconds.
    pub(super) fn observe(&mut self, at: Duration, unix_s: u64, snapshot: &Snapshot) {
        let passed = at.saturating_sub(std::mem::replace(&mut self.at, at));
        let passed_ms = passed.as_millis() as u64;
        // Leave the rest of a millisecond to the next sample.
        self.at -= passed - Duration::from_millis(passed_ms);
        let totals = &snapshot.totals;
        let mut now = Bin {
            client_ms: ClientState::ALL.map(|state| snapshot.in_state(state) * passed_ms),
            started: totals.started(),
            ended: [0; Class::COUNT],
            bytes: totals.bytes(),
        };
        for (outcome, count) in totals.outcomes() {
            if let Some(ended) = now.ended.get_mut(outcome.class().index()) {
                *ended += count;
            }
        }
        self.timeline.add_at(unix_s, &now.since(&self.last));
        self.last = now;
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

    /// Generates the timeline of one machine: it begins at some second and has counts at later ones.
    fn timeline() -> impl Strategy<Value = Timeline> {
        let steps = proptest::collection::vec((0_u64..4_000, 1_u64..1_000), 0..12);
        (0_u64..10_000, steps).prop_map(|(mut second, steps)| {
            let mut timeline = Timeline::default();
            for (step, value) in steps {
                second += step;
                timeline.add_at(second, &bin(value));
            }
            timeline
        })
    }

    proptest! {
        #[test]
        fn timelines_merge_in_whatever_order_and_lose_nothing(a in timeline(), b in timeline(), c in timeline()) {
            prop_assert_eq!(a.merge(&b), b.merge(&a));
            prop_assert_eq!(a.merge(&b).merge(&c), a.merge(&b.merge(&c)));
            prop_assert_eq!(&a.merge(&Timeline::default()), &a);
            let all = a.merge(&b).merge(&c);
            let mut apart = sum(&a);
            [&b, &c].into_iter().for_each(|other| apart.add(&sum(other)));
            prop_assert_eq!(sum(&all), apart);
            prop_assert!(all.bins().len() <= BINS && all.width_s().is_power_of_two());
        }

        #[test]
        fn one_registry_and_two_that_share_its_load_give_the_same_bins(values in proptest::collection::vec(1_u64..100, 1..40)) {
            let [mut whole, mut one, mut other] = [(); 3].map(|()| Timeline::default());
            for (second, value) in (1_000_u64..).step_by(300).zip(&values) {
                whole.add_at(second, &bin(value + 7));
                one.add_at(second, &bin(*value));
                other.add_at(second, &bin(7));
            }
            prop_assert_eq!(one.merge(&other), whole);
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
        assert_eq!((timeline.bins()[0].started, timeline.bins()[1].started), (27, 32));
        assert_eq!(sum(&timeline).started, 86_400);
    }

    #[test]
    fn what_is_counted_between_two_samples_is_in_the_bin_of_the_later_one() {
        let (registry, mut recorder, mut snapshot) =
            (Registry::new(1), TimelineRecorder::default(), Snapshot::default());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let mut observe = |at_ms: u64, ended: &[Outcome]| {
            ended.iter().for_each(|outcome| meter.start(Kind::Segment).finish(*outcome, None));
            registry.snapshot(at_ms * 1_000, &mut snapshot);
            recorder.observe(Duration::from_millis(at_ms), 50 + at_ms / 1_000, &snapshot);
            recorder.timeline().bins().last().copied().expect("a bin")
        };
        observe(250, &[Outcome::Ok]);
        let first = observe(900, &[Outcome::of_status(503, false), Outcome::Ok]);
        assert_eq!((first.started, first.client_ms.iter().sum::<u64>()), (3, 900));
        let ended = |bin: &Bin, class: Class| bin.ended[class.index()];
        assert_eq!((ended(&first, Class::Ok), ended(&first, Class::Http5xx)), (2, 1));
        let second = observe(1_400, &[]);
        assert_eq!((second.started, second.client_ms[ClientState::Starting.index()]), (0, 500));
    }
}
