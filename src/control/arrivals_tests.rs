//! Arrivals, through the controller, in virtual time: the times of the clients it admits, departures, holds, limits and
//! the operator.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::scene::{self, Played};
use super::{Engine, Plan};
use crate::load::{ArrivalProcess, ArrivalProfile, ClientLimit, Ramp, RampProfile};
use crate::player::SessionLength;
use crate::run_state::ChangeSource;
use crate::vocabulary::Command;

const SECOND: Duration = Duration::from_secs(1);
/// Critical value of a Kolmogorov-Smirnov test at the level of 1 %, for one over the square root of the sample.
const CRITICAL: f64 = 1.63;

/// Engine whose clients leave by themselves when their session is over.
struct Visitors<'a> {
    session: SessionLength,
    begun: Instant,
    /// Number of those who are there.
    there: &'a Cell<u32>,
    /// Times of all admissions.
    arrived: &'a RefCell<Vec<Duration>>,
    /// Those who are there: number and time of departure.
    listed: BTreeSet<(u64, Option<Instant>)>,
}

impl Engine for Visitors<'_> {
    type Clients = ();

    fn admitted(&self) -> u32 {
        self.there.get()
    }

    fn running(&self) -> u64 {
        self.there.get().into()
    }

    fn forget_ended(&mut self) {
        let now = Instant::now();
        self.listed.retain(|(_, leaves)| leaves.is_none_or(|leaves| leaves > now));
        self.there.set(self.listed.len() as u32);
    }

    async fn admit(&mut self) {
        let number = self.arrived.borrow().len() as u64;
        self.arrived.borrow_mut().push(self.begun.elapsed());
        self.listed.insert((number, self.session.sample(number).map(|length| Instant::now() + length)));
        self.there.set(self.listed.len() as u32);
    }

    async fn remove_newest(&mut self) {
        self.listed.pop_last();
        self.there.set(self.listed.len() as u32);
    }

    async fn drain(&self) {
        self.there.set(0);
    }

    async fn cut(&self) {
        self.there.set(0);
    }

    fn join(self) -> ((), usize) {
        ((), 0)
    }
}

/// A run of arrivals.
struct Scene {
    per_second: f64,
    process: ArrivalProcess,
    session: SessionLength,
    /// Most clients that were asked for.
    clients: u32,
    seconds: u32,
    commands: &'static [(u64, Command)],
}

impl Scene {
    /// Plays the run, and returns the times of its arrivals too.
    async fn play(self) -> (Played, Vec<Duration>) {
        let stays = self.session.mean();
        let arrivals = ArrivalProfile { per_second: self.per_second, process: self.process, stays };
        let ramp = Ramp::Rate(self.per_second);
        let profile = RampProfile { clients: self.clients, ramp, seed: 7, ..RampProfile::default() };
        let plan = Plan {
            arrivals: Some(arrivals),
            duration: Some(self.seconds * SECOND),
            limit: ClientLimit { clients: 5_000, ..ClientLimit::default() },
            ..scene::plan(profile, None)
        };
        let (there, arrived) = (Cell::new(0), RefCell::default());
        let engine = Visitors {
            session: self.session,
            begun: Instant::now(),
            there: &there,
            arrived: &arrived,
            listed: BTreeSet::new(),
        };
        let played = scene::play(plan, engine, &there, self.commands).await;
        (played, arrived.into_inner())
    }
}

fn scene(process: ArrivalProcess) -> Scene {
    let session = SessionLength::Exponential(30 * SECOND);
    Scene { per_second: 4.0, process, session, clients: 5_000, seconds: 900, commands: &[] }
}

/// Returns the largest distance between the distribution of these times and the exponential one with this rate.
fn distance(mut times: Vec<f64>, rate: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let count = times.len() as f64;
    let expected = times.iter().map(|time| 1.0 - (-time * rate).exp());
    let off = expected.enumerate().map(|(below, expected)| {
        (expected - below as f64 / count).abs().max((expected - (below + 1) as f64 / count).abs())
    });
    off.fold(0.0, f64::max)
}

fn between(times: &[Duration]) -> Vec<f64> {
    times.windows(2).map(|two| (two[1] - two[0]).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_times_between_poisson_arrivals_are_exponentially_distributed() {
    let (played, arrived) = scene(ArrivalProcess::Poisson).play().await;
    let times = between(&arrived);
    let critical = CRITICAL / (times.len() as f64).sqrt();
    let off = distance(times.clone(), 4.0);
    assert!(off < critical, "{off} of at most {critical}, {} arrivals", times.len());
    // The test can tell: these are not the times of another rate, and even ones are not exponential.
    assert!(distance(times.clone(), 4.5) > critical);
    assert!(distance(vec![0.25; times.len()], 4.0) > critical);
    assert!((times.len() as f64 - 3_600.0).abs() < 3.0 * 60.0, "{}", times.len());
    // Little's law, once the first have left: 4 clients a second that stay 30 s each, within a tenth.
    let steady = &played.seconds[120..];
    let mean = steady.iter().sum::<u32>() as f64 / steady.len() as f64;
    assert!((mean / 120.0 - 1.0).abs() < 0.1, "{mean}");
    assert!(*steady.iter().max().expect("some") <= 168, "the peak that the plan states");
    let starts = played.sources.status.starts();
    assert_eq!((starts.made, starts.late), (arrived.len() as u64, 0));
    assert_eq!((played.changes, played.notes), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn even_arrivals_come_at_the_same_distance_to_the_tick() {
    let (_, arrived) = Scene { seconds: 60, ..scene(ArrivalProcess::Even) }.play().await;
    let expected: Vec<_> = (0..=240).map(|number| number * SECOND / 4).collect();
    // The one at the end is still admitted. The timer of the runtime has ticks of a millisecond.
    let is_due = |(at, due): (&Duration, &Duration)| *at >= *due && *at - *due <= Duration::from_millis(1);
    assert!(arrived.len() == 241 && arrived.iter().zip(&expected).all(is_due), "{arrived:?}");
}

#[tokio::test(start_paused = true)]
async fn arrivals_beyond_the_most_clients_are_turned_away_and_said() {
    let endless =
        Scene { session: SessionLength::Endless, clients: 20, seconds: 10, ..scene(ArrivalProcess::Even) };
    let (played, arrived) = endless.play().await;
    assert_eq!((arrived.len(), played.seconds[9]), (20, 20));
    // The client that is due at the very moment of the look is there already, or not yet.
    assert!((18..=19).contains(&played.seconds[4]), "{:?}", played.seconds);
    let expected = [
        (5, "arrivals are turned away: no more than 20 clients at once: --clients"),
        (10, "21 arrivals turned away in all"),
    ];
    assert_eq!(played.notes, expected.map(|(at, text)| (at, text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_hold_stops_arrivals_without_a_burst_after_it() {
    let commands = &[(5_100, Command::Hold), (15_100, Command::Resume)];
    let (played, arrived) = Scene { commands, seconds: 20, ..scene(ArrivalProcess::Even) }.play().await;
    assert!(arrived.iter().all(|at| !(5_100..15_100).contains(&at.as_millis())), "{arrived:?}");
    let longest = between(&arrived).into_iter().fold(0.0, f64::max);
    assert!((10.2..10.3).contains(&longest) && arrived.len() == 41, "{longest} {arrived:?}");
    assert_eq!(played.sources.status.late_starts(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_sets_a_target_keeps_that_number_of_clients() {
    let commands = &[(20_050, Command::SetTarget(100)), (60_050, Command::AdjustTarget(-90))];
    let session = SessionLength::Fixed(10 * SECOND);
    let (played, _) = Scene { session, commands, seconds: 90, ..scene(ArrivalProcess::Even) }.play().await;
    // Ten seconds of four clients each; the rate adds no more than it replaces.
    assert!((39..=41).contains(&played.seconds[15]), "{:?}", played.seconds);
    assert!((39..=41).contains(&played.seconds[55]), "{:?}", played.seconds);
    // The newest leave, and later ones replace those whose sessions are over.
    assert!(played.seconds[61..].iter().all(|there| (9..=10).contains(there)), "{:?}", played.seconds);
    let [(20, before, 100, ChangeSource::Operator), (60, 100, 10, ChangeSource::Operator)] =
        played.changes[..]
    else {
        panic!("{:?}", played.changes)
    };
    assert!((39..=41).contains(&before), "{before}");
    assert_eq!(played.sources.status.plan_time(), None);
}
