//! Timeline of the whole run, for reports: counts in bins of Unix time.
//!
//! * Every value of a bin can be added. Clients can too, because a bin keeps the time that they spent in each state.
//! * Counts between two samples belong to the bin of the later one. Samples are a quarter of a second apart.

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
}

impl Bin {
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

impl Addable for Bin {
    const BINS: usize = BINS;

    fn add(&mut self, other: &Self) {
        let sum =
            |into: &mut [u64], from: &[u64]| into.iter_mut().zip(from).for_each(|(into, from)| *into += from);
        sum(&mut self.client_ms, &other.client_ms);
        sum(&mut self.ended, &other.ended);
        self.started += other.started;
        self.bytes += other.bytes;
    }
}

/// Bins of a run.
pub type Timeline = Bins<Bin>;

/// Adds the counts of each sample to the bins of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct TimelineRecorder {
    timeline: Timeline,
    at: Duration,
    last: Bin,
}

impl TimelineRecorder {
    /// Takes the counters of a moment: `at` is its time of the run, `unix_s` its Unix time in seconds. Returns what was
    /// counted since the previous moment.
    pub(super) fn observe(&mut self, at: Duration, unix_s: u64, snapshot: &Snapshot) -> Bin {
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
        let counted = now.since(&self.last);
        self.timeline.add_at(unix_s, &counted);
        self.last = now;
        counted
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
        let started = |place: usize| timeline.bins().iter().nth(place).map_or(0, |bin| bin.started);
        assert_eq!((started(0), started(1)), (27, 32));
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
