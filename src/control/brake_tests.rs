//! The brake and the operator, through the controller, in virtual time: minutes of a storm take milliseconds.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Ahead, Controller, Engine, OnShortage, Plan};
use crate::load::{ClientLimit, Ramp, RampProfile, Stage, StagesProfile};
use crate::pipeline::Pipeline;
use crate::run_state::{ChangeKind, ChangeSource};
use crate::sample::{RunSample, Sampler, Sources, TICK};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Clock, Command, HardStops, Kind, Outcome, RunIdentity, RunState};

const TARGET: u32 = 1_000;
/// Starts per second: the ramp takes longer than each of these runs.
const RATE: u32 = 1;
/// Requests that end between two samples.
const REQUESTS: u32 = 5;

use ChangeKind::{Hold, Resume, Target};
use ChangeSource::{Brake, Operator};

/// Engine whose clients are a number.
pub(super) struct Clients<'a> {
    pub(super) admitted: &'a Cell<u32>,
    /// True if each client finishes as soon as it is admitted.
    pub(super) finish_at_once: bool,
}

impl Engine for Clients<'_> {
    type Clients = ();

    fn admitted(&self) -> u32 {
        self.admitted.get()
    }

    fn running(&self) -> u64 {
        if self.finish_at_once { 0 } else { self.admitted.get().into() }
    }

    async fn admit(&mut self) {
        self.admitted.set(self.admitted.get() + 1);
    }

    async fn remove_newest(&mut self) {
        self.admitted.set(self.admitted.get() - 1);
    }

    async fn drain(&self) {
        self.admitted.set(0);
    }

    async fn cut(&self) {
        self.admitted.set(0);
    }

    fn join(self) -> ((), usize) {
        ((), 0)
    }
}

/// A run: a storm between two of its seconds, and commands at some of them.
struct Scene {
    storm: Range<u64>,
    /// `Retry-After` of the responses in the storm, in seconds.
    retry_after: u64,
    brakes: bool,
    commands: &'static [(u64, Command)],
    seconds: u64,
    /// True if the ramp is the first of some stages.
    staged: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self { storm: 60..120, retry_after: 0, brakes: true, commands: &[], seconds: 240, staged: false }
    }
}

/// A run that has ended.
#[derive(Default)]
struct Played {
    /// Changes of the load after the first, with their second.
    changes: Vec<(u64, ChangeKind, ChangeSource)>,
    /// Clients and state of the run at the end of each second, from second 1 on.
    seconds: Vec<(u32, RunState)>,
}

impl Played {
    /// Returns the clients at the end of this second.
    fn clients(&self, second: usize) -> u32 {
        self.seconds[second - 1].0
    }

    fn state(&self, second: usize) -> RunState {
        self.seconds[second - 1].1
    }
}

/// Returns stages that begin with the same ramp.
fn stages() -> StagesProfile {
    let takes = Duration::from_secs((TARGET / RATE).into());
    let stages = [Stage::Ramp { to: TARGET, takes }, Stage::Hold(takes)];
    StagesProfile::new(&stages).expect("a plan")
}

fn virtual_now() -> std::time::Instant {
    Instant::now().into_std()
}

impl Scene {
    /// Plays the run, whose clients make as many requests for each sample, however many they are.
    async fn play(&self) -> Played {
        let sources = Sources { clock: Clock::start_with(virtual_now), ..Sources::new(1) };
        let (sender, samples) = watch::channel(Arc::default());
        let (_pipeline, taps) =
            Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
        let admitted = Cell::default();
        let ramp = Ramp::Rate(RATE.into());
        let plan = Plan {
            profile: RampProfile { clients: TARGET, ramp, ..RampProfile::default() },
            stages: self.staged.then(stages),
            arrivals: None,
            limit: ClientLimit::default(),
            ahead: Ahead::Together,
            on_shortage: OnShortage::default(),
            brakes: self.brakes,
            duration: Some(Duration::from_secs(self.seconds)),
            has_default_end: false,
            hard_stops: HardStops::default(),
        };
        let engine = Clients { admitted: &admitted, finish_at_once: false };
        let controller = Controller::new(engine, plan, &sources, samples, taps.controller);
        let (commands, orders) = flume::bounded(1);
        let mut played = Played::default();
        let around = async {
            tokio::join!(
                self.load(&sources, &sender, &admitted, &mut played.seconds),
                self.command(commands)
            );
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = controller.run(orders) => {}
            () = around => {}
        }
        let changes = sources.status.journal().changes().skip(1);
        played.changes = changes.map(|change| (change.at.as_secs(), change.kind, change.by)).collect();
        played
    }

    /// Makes the requests of the clients, and takes the samples.
    async fn load(
        &self,
        sources: &Sources,
        sender: &watch::Sender<Arc<RunSample>>,
        admitted: &Cell<u32>,
        seconds: &mut Vec<(u32, RunState)>,
    ) {
        let client = sources.registry.add();
        let meter = client.meter(0, sources.clock);
        let mut sampler = Sampler::new(sources.clone());
        for tick in 1_u64.. {
            sleep(TICK).await;
            let now = sources.clock.now();
            let is_storm = self.storm.contains(&now.as_secs());
            let outcome = Outcome::from_status(if is_storm { 503 } else { 200 }, false);
            (0..REQUESTS).for_each(|_| meter.start(Kind::Segment).finish(outcome, None));
            if is_storm && self.retry_after > 0 {
                meter.asked_to_wait(micros(now + Duration::from_secs(self.retry_after)));
            }
            let sample = sampler.next_sample();
            if tick.is_multiple_of(4) {
                seconds.push((admitted.get(), sample.state));
            }
            sender.send_replace(sample);
        }
    }

    async fn command(&self, commands: flume::Sender<Command>) {
        let begun = Instant::now();
        for (second, command) in self.commands {
            // Between two samples, so that no two events fall together.
            sleep_until(begun + Duration::from_millis(second * 1_000 + 100)).await;
            commands.send_async(command.clone()).await.expect("the controller runs");
        }
        std::future::pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_holds_the_ramp_and_its_end_resumes_it() {
    assert_held_for_the_storm(&Scene::default().play().await);
}

#[tokio::test(start_paused = true)]
async fn a_storm_holds_the_rise_of_a_stage_as_it_holds_a_ramp() {
    assert_held_for_the_storm(&Scene { staged: true, ..Scene::default() }.play().await);
}

#[track_caller]
fn assert_held_for_the_storm(played: &Played) {
    let [(held, ..), (resumed, ..)] = played.changes[..] else { panic!("{:?}", played.changes) };
    assert_eq!(played.changes, [(held, Hold, Brake), (resumed, Resume, Brake)]);
    assert!((75..=76).contains(&held), "held at {held}");
    assert!((128..=132).contains(&resumed), "resumed at {resumed}");
    let [held, resumed] = [held, resumed].map(|second| second as usize);
    let clients = played.clients(held + 1);
    assert!(clients.abs_diff(RATE * held as u32) <= RATE + 1, "{clients} clients at {held}");
    assert_eq!((played.clients(resumed - 1), played.state(resumed - 1)), (clients, RunState::Hold));
    // The ramp goes on at its own rate: it does not catch up.
    let after = played.clients(resumed + 30) - clients;
    assert!(after.abs_diff(RATE * 30) <= RATE + 1, "{after} clients in thirty seconds");
    assert_eq!(played.state(resumed + 2), RunState::Ramping);
}

#[tokio::test(start_paused = true)]
async fn the_ramp_waits_for_the_retry_after_of_the_last_response() {
    let played = Scene { retry_after: 45, ..Scene::default() }.play().await;
    let [_, (resumed, kind, by)] = played.changes[..] else { panic!("{:?}", played.changes) };
    assert_eq!((kind, by), (Resume, Brake));
    assert!((164..=166).contains(&resumed), "resumed at {resumed}");
}

#[tokio::test(start_paused = true)]
async fn without_the_brake_or_a_storm_nothing_holds_the_ramp() {
    for scene in [Scene { brakes: false, ..Scene::default() }, Scene { storm: 0..0, ..Scene::default() }] {
        let played = scene.play().await;
        assert_eq!(played.changes, []);
        assert!(played.clients(239) >= RATE * 239, "{} clients", played.clients(239));
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_resumes_during_a_storm_wins_for_the_rest_of_it() {
    let commands = &[(100, Command::Resume)];
    let storms = Scene { storm: 60..300, commands, seconds: 400, ..Scene::default() };
    let played = storms.play().await;
    let [(_, Hold, Brake), resumed] = played.changes[..] else { panic!("{:?}", played.changes) };
    assert_eq!(resumed, (100, Resume, Operator));
    assert!(played.clients(300) >= 299 * RATE - 45, "the ramp goes on: {}", played.clients(300));
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_resumes_their_own_hold_during_a_storm_wins_as_well() {
    let commands = &[(50, Command::Hold), (100, Command::Resume)];
    let played = Scene { commands, ..Scene::default() }.play().await;
    assert_eq!(played.changes, [(50, Hold, Operator), (100, Resume, Operator)]);
    assert!(played.clients(119) > played.clients(99), "the ramp goes on during the storm");
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_the_operator_stays_the_operators() {
    // The operator holds before the storm, and again while the brake does.
    for (second, before) in [(50, vec![]), (100, vec![Brake])] {
        let commands: &'static [_] =
            if second == 50 { &[(50, Command::Hold)] } else { &[(100, Command::Hold)] };
        let played = Scene { commands, ..Scene::default() }.play().await;
        let by: Vec<_> = played.changes.iter().map(|(_, kind, by)| (*kind, *by)).collect();
        let expected: Vec<_> = before.into_iter().chain([Operator]).map(|by| (Hold, by)).collect();
        assert_eq!(by, expected, "held at {second}");
        assert_eq!(played.state(239), RunState::Hold);
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_the_operator_adds_during_a_storm_are_added() {
    // Twenty clients are all there when the storm begins: there is no ramp to hold.
    let commands = &[(5, Command::SetTarget(20)), (100, Command::AdjustTarget(10))];
    let played = Scene { commands, ..Scene::default() }.play().await;
    let kinds: Vec<_> = played.changes.iter().map(|(at, kind, by)| (*at, *kind, *by)).collect();
    assert_eq!(kinds, [(5, Target, Operator), (100, Target, Operator)]);
    assert_eq!((played.clients(99), played.clients(110)), (20, 30));
}
