//! Schedule of client starts. It keeps the configured rate on average, and never exceeds it to catch up.
//!
//! * The k-th start is due at k intervals, whatever the jitter of earlier starts: jitter moves single starts by at
//!   most half an interval and never slows the mean.
//! * A start that the controller makes more than [`LATE`] too late is counted and moves the rest of the plan.
//!   Catching up in a burst would finish off an origin that is already slow.

use std::collections::VecDeque;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::RampProfile;
use crate::vocabulary::limits;

/// Maximum lateness at which a start keeps its place in the plan: timers and a busy machine are that inexact.
const LATE: Duration = Duration::from_millis(500);

/// Counts of the starts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartCounts {
    /// Starts that were made.
    pub made: u64,
    /// Starts that the plan asked for and that late ones pushed out of it.
    pub missed: u64,
    /// Starts later than [`limits::START_LATE`].
    pub late: u64,
    /// Starts later than [`limits::START_VERY_LATE`].
    pub very_late: u64,
}

/// Decides when the next clients start.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    jitter: Duration,
    random: Xoshiro256PlusPlus,
    /// Time of the next start without its jitter; `None` while no start is planned.
    nominal: Option<Duration>,
    at: Duration,
    /// Planned times of the starts that are due and not yet made, oldest first.
    waiting: VecDeque<Duration>,
    late: u64,
    lateness_max: Duration,
    counts: StartCounts,
}

impl Pacer {
    /// Creates the schedule of `profile`. Each start is moved by up to the jitter to either side, at most half an
    /// interval.
    pub fn new(profile: &RampProfile) -> Self {
        let interval = profile.interval();
        Self {
            interval,
            jitter: profile.jitter.min(interval / 2),
            random: Xoshiro256PlusPlus::seed_from_u64(profile.seed),
            nominal: None,
            at: Duration::ZERO,
            waiting: VecDeque::new(),
            late: 0,
            lateness_max: Duration::ZERO,
            counts: StartCounts::default(),
        }
    }

    /// Returns the number of clients that start at `now`, at most `wanted`. Call [`Self::started`] for each of them.
    pub fn due(&mut self, now: Duration, wanted: u32) -> u32 {
        if wanted == 0 {
            // A start that fell due while no client was wanted is not made up for later.
            self.nominal = self.nominal.filter(|nominal| *nominal > now);
            return 0;
        }
        if self.nominal.is_none() {
            self.plan(now);
            // Jitter must not plan a start before the moment that asked for it: it would be late from the beginning.
            self.at = self.at.max(now);
        }
        let mut due = 0;
        while due < wanted && self.at <= now {
            due += 1;
            self.waiting.push_back(self.at);
            let mut nominal = self.nominal.unwrap_or(now);
            if now.saturating_sub(self.at) > LATE {
                self.late += 1;
                self.counts.missed += intervals(now.saturating_sub(nominal), self.interval);
                nominal = nominal.max(now);
            }
            self.plan(nominal + self.interval);
        }
        due
    }

    /// Takes `wanted` clients that stages asked for at `planned`: all of them start at `now`. Call [`Self::started`] for
    /// each of them.
    pub fn follow(&mut self, planned: Duration, now: Duration, wanted: u32) -> u32 {
        self.waiting.extend((0..wanted).map(|_| planned));
        if now.saturating_sub(planned) > LATE {
            self.late += u64::from(wanted);
        }
        wanted
    }

    /// Counts the oldest start that is due as made at `now`. A worker that is slow to take its order makes a start as
    /// late as a controller that is slow to give it.
    pub fn started(&mut self, now: Duration) {
        let Some(planned) = self.waiting.pop_front() else { return };
        let lateness = now.saturating_sub(planned);
        self.lateness_max = self.lateness_max.max(lateness);
        self.counts.made += 1;
        self.counts.late += u64::from(lateness > limits::START_LATE);
        self.counts.very_late += u64::from(lateness > limits::START_VERY_LATE);
    }

    /// Returns the time at which the next start is due. Valid while a client is wanted.
    pub fn next_at(&self) -> Duration {
        self.at
    }

    /// Returns the number of starts that came too late for their place in the plan.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Returns the counts of the starts so far.
    pub fn counts(&self) -> StartCounts {
        self.counts
    }

    /// Returns the largest lateness of a start.
    pub fn lateness_max(&self) -> Duration {
        self.lateness_max
    }

    fn plan(&mut self, nominal: Duration) {
        let jitter = self.jitter.as_secs_f64();
        let moved = if jitter > 0.0 { self.random.random_range(-jitter..=jitter) } else { 0.0 };
        self.nominal = Some(nominal);
        // This fails only if jitter moves a start before the beginning of the run: it starts at zero then.
        self.at = Duration::try_from_secs_f64(nominal.as_secs_f64() + moved).unwrap_or_default();
    }
}

/// Returns the number of whole intervals in a time; none if all starts are at once.
fn intervals(time: Duration, interval: Duration) -> u64 {
    time.as_nanos()
        .checked_div(interval.as_nanos())
        .map_or(0, |whole| u64::try_from(whole).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Ramp;
    use proptest::prelude::*;

    /// Returns the times of the starts if the controller wakes exactly when each is due.
    fn starts(pacer: &mut Pacer, from: Duration, count: u32) -> Vec<Duration> {
        let (mut now, mut moments) = (from, Vec::new());
        while (moments.len() as u32) < count {
            for _ in 0..pacer.due(now, count - moments.len() as u32) {
                pacer.started(now);
                moments.push(now);
            }
            now = pacer.next_at().max(now);
        }
        moments
    }

    fn steady(clients: u32, ramp: Ramp) -> Pacer {
        Pacer::new(&RampProfile { clients, ramp, jitter: Duration::ZERO, seed: 1 })
    }

    fn pacer(rate: f64, jitter_ms: u64, seed: u64) -> Pacer {
        let jitter = Duration::from_millis(jitter_ms);
        Pacer::new(&RampProfile { clients: 1_000, ramp: Ramp::Rate(rate), jitter, seed })
    }

    #[test]
    fn all_at_once_is_all_at_once() {
        let mut pacer = Pacer::new(&RampProfile {
            clients: 5_000,
            ramp: Ramp::Time(Duration::ZERO),
            jitter: Duration::from_millis(200),
            seed: 1,
        });
        assert_eq!(pacer.due(Duration::ZERO, 5_000), 5_000);
    }

    #[test]
    fn a_ramp_that_is_almost_endless_starts_one_client_and_no_storm() {
        let year = Duration::from_hours(24 * 366);
        let ramps = [1e-6, 1e-19, 1e-20, 1e-300, f64::MIN_POSITIVE, 0.0, -1.0, f64::NAN].map(Ramp::Rate);
        for ramp in ramps.into_iter().chain([Ramp::Time(year), Ramp::Time(Duration::MAX)]) {
            let mut pacer = steady(1, ramp);
            assert_eq!(pacer.due(Duration::from_secs(1), 5_000), 1, "{ramp:?}");
            assert_eq!(pacer.due(Duration::from_hours(1), 5_000), 0, "{ramp:?}");
            assert!(pacer.next_at() > Duration::from_hours(24), "{ramp:?}");
        }
    }

    #[test]
    fn a_ramp_time_is_reached() {
        let mut pacer = steady(100, Ramp::Time(Duration::from_secs(10)));
        let last = starts(&mut pacer, Duration::ZERO, 100)[99];
        assert!((last.as_secs_f64() - 9.9).abs() < 1e-6, "{last:?}");
    }

    #[test]
    fn what_was_missed_is_counted_and_not_caught_up() {
        let mut pacer = pacer(10.0, 0, 1);
        assert_eq!(pacer.due(Duration::ZERO, 100), 1);
        // The controller has slept for ten seconds: a hundred starts are due, one is made.
        let back = Duration::from_secs(10);
        assert_eq!(pacer.due(back, 100), 1);
        assert_eq!(pacer.late(), 1);
        assert_eq!(pacer.next_at(), back + Duration::from_millis(100));
    }

    #[test]
    fn a_pause_without_a_wish_is_not_made_up_for() {
        let mut pacer = pacer(10.0, 0, 1);
        starts(&mut pacer, Duration::ZERO, 10);
        let later = Duration::from_secs(60);
        assert_eq!(pacer.due(later, 0), 0);
        assert_eq!(pacer.due(later, 10), 1);
        assert_eq!(pacer.late(), 0);
    }

    #[test]
    fn clients_that_a_stage_asks_for_start_at_once_and_are_as_late_as_they_are() {
        let mut pacer = pacer(0.1, 200, 1);
        let planned = Duration::from_secs(5);
        assert_eq!(pacer.follow(planned, planned + Duration::from_millis(1), 40), 40);
        (0..40).for_each(|_| pacer.started(planned + Duration::from_millis(2)));
        assert_eq!(pacer.counts(), StartCounts { made: 40, ..StartCounts::default() });
        pacer.follow(planned, planned + Duration::from_secs(1), 2);
        (0..2).for_each(|_| pacer.started(planned + Duration::from_secs(1)));
        assert_eq!((pacer.late(), pacer.counts().very_late), (2, 2));
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let schedule = |seed| starts(&mut pacer(20.0, 200, seed), Duration::ZERO, 50);
        assert_eq!(schedule(5), schedule(5));
        assert_ne!(schedule(5), schedule(6));
    }

    fn ramps() -> impl Strategy<Value = Ramp> {
        let times = (0_u64..100_000).prop_map(|ms| Ramp::Time(Duration::from_millis(ms)));
        prop_oneof![(0.01_f64..2_000.0).prop_map(Ramp::Rate), times]
    }

    /// Returns the number of clients that a plan has started at `at`.
    fn planned(profile: &RampProfile, at: Duration) -> u32 {
        let started = profile.rate().map_or(profile.clients, |rate| (at.as_secs_f64() * rate) as u32 + 1);
        started.min(profile.clients)
    }

    /// A controller in virtual time, which wakes for each start that is due.
    struct Driver {
        pacer: Pacer,
        now: Duration,
        starts: Vec<Duration>,
    }

    impl Driver {
        /// Lets `wanted` clients start for this time.
        fn run(&mut self, mut wanted: u32, length: Duration) {
            let end = self.now + length;
            while self.now < end {
                let due = self.pacer.due(self.now, wanted);
                wanted -= due;
                self.starts.extend((0..due).map(|_| self.now));
                let wake = if wanted > 0 { self.pacer.next_at() } else { end };
                self.now = wake.clamp(self.now, end);
            }
            self.pacer.due(self.now, 0);
        }
    }

    proptest! {
        #[test]
        fn the_number_admitted_follows_the_plan_within_one_client(
            clients in 1_u32..300,
            ramp in ramps(),
            jitter_ms in 0_u64..5_000,
            seed: u64,
        ) {
            let profile = RampProfile { clients, ramp, jitter: Duration::from_millis(jitter_ms), seed };
            let mut pacer = Pacer::new(&profile);
            let (mut now, mut admitted) = (Duration::ZERO, 0);
            while admitted < clients {
                admitted += pacer.due(now, clients - admitted);
                prop_assert!(admitted.abs_diff(planned(&profile, now)) <= 1, "{admitted} at {now:?}");
                // The plan changes while the controller sleeps; the number admitted does not.
                now = now.max(pacer.next_at());
                let before = planned(&profile, now.saturating_sub(Duration::from_nanos(1)));
                prop_assert!(admitted.abs_diff(before) <= 1, "{admitted} before {now:?}");
            }
        }

        #[test]
        fn holds_and_changes_of_the_target_never_exceed_the_rate(
            changes in prop::collection::vec((0_u32..20, 1_u64..3_000), 1..20),
            rate in 0.5_f64..200.0,
            jitter_ms in 0_u64..1_000,
            seed: u64,
        ) {
            let pacer = pacer(rate, jitter_ms, seed);
            let mut driver = Driver { pacer, now: Duration::ZERO, starts: Vec::new() };
            // No client is wanted in a hold and after a removal.
            for (wanted, ms) in changes {
                driver.run(wanted, Duration::from_millis(ms));
            }
            for (first, from) in driver.starts.iter().enumerate() {
                for (count, to) in driver.starts.iter().skip(first).enumerate() {
                    let allowed = (*to - *from).as_secs_f64() * rate + 1.0;
                    prop_assert!(count as f64 <= allowed + 1e-3, "{count} more starts from {from:?} to {to:?}");
                }
            }
        }

        #[test]
        fn jitter_never_slows_the_mean(rate in 0.5_f64..2_000.0, jitter_ms in 0_u64..1_000, seed: u64) {
            let count = 200_u32;
            let moments = starts(&mut pacer(rate, jitter_ms, seed), Duration::ZERO, count);
            for (k, moment) in moments.iter().enumerate() {
                let planned = k as f64 / rate;
                let off = (moment.as_secs_f64() - planned).abs();
                prop_assert!(off <= 0.5 / rate + 1e-6, "start {k} at {moment:?}, planned {planned}");
            }
        }
    }

    #[test]
    fn a_start_in_time_is_not_late_and_a_slip_of_the_plan_is_counted_in_starts() {
        let mut pacer = pacer(10.0, 200, 3);
        starts(&mut pacer, Duration::from_secs(5), 20);
        assert_eq!(pacer.counts(), StartCounts { made: 20, ..StartCounts::default() });
        let next = pacer.next_at();
        pacer.due(next + Duration::from_millis(20), 1);
        pacer.started(next + Duration::from_millis(20));
        assert_eq!(pacer.counts(), StartCounts { made: 21, late: 1, ..StartCounts::default() });
        let late = pacer.next_at() + Duration::from_secs(3);
        pacer.due(late, 1);
        pacer.started(late);
        let counts = pacer.counts();
        assert_eq!((counts.made, counts.late, counts.very_late), (22, 2, 1));
        assert!((29..=31).contains(&counts.missed), "{counts:?}");
    }

    #[test]
    fn a_start_is_as_late_as_its_client_was_admitted() {
        let mut pacer = pacer(10.0, 0, 3);
        let now = Duration::from_millis(100);
        assert_eq!((pacer.due(Duration::ZERO, 9), pacer.due(now, 9)), (1, 1));
        assert_eq!(pacer.counts(), StartCounts::default(), "none has been made");
        // The worker took the first order in time, and the second one after a block of 70 ms.
        pacer.started(Duration::from_millis(1));
        pacer.started(now + Duration::from_millis(70));
        let counts = StartCounts { made: 2, late: 1, very_late: 1, ..StartCounts::default() };
        assert_eq!((pacer.counts(), pacer.lateness_max()), (counts, Duration::from_millis(70)));
        // A start that was not due is not counted.
        pacer.started(now);
        assert_eq!(pacer.counts(), counts);
    }
}
