//! The target over time, in virtual time: the controller follows a profile until the operator sets a target.

use std::cell::Cell;

use tokio::time::sleep_until;

use super::super::OnShortage;
use super::super::brake_tests::Clients;
use super::*;
use crate::load::RampProfile;
use crate::pipeline::Pipeline;
use crate::vocabulary::{Clock, HardStops, RunIdentity, Steer, SteerRequest, Steered};

use ChangeSource::{Control, Operator, Plan as Planned};

/// Targets, each with the second from which it holds.
struct Stages(&'static [(u64, u32)]);

impl LoadProfile for Stages {
    fn target(&self, elapsed: Duration) -> u32 {
        self.0.iter().rfind(|(from, _)| Duration::from_secs(*from) <= elapsed).map_or(0, |stage| stage.1)
    }

    fn next_change(&self, elapsed: Duration) -> Option<Duration> {
        self.0.iter().map(|(from, _)| Duration::from_secs(*from)).find(|from| *from > elapsed)
    }
}

const STAGES: Stages = Stages(&[(0, 3), (5, 8), (10, 2), (20, 4)]);

fn virtual_now() -> std::time::Instant {
    Instant::now().into_std()
}

/// Clients at the end of each second, and the changes of the target as milliseconds, target and source.
type Played = (Vec<u32>, Vec<(u128, u32, ChangeSource)>);

/// A run of the stages, of 25 seconds.
struct Scene {
    /// Maximum number of clients.
    limit: u32,
    /// Commands of the operator in the middle of second 12, all at once.
    commands: Vec<Command>,
    finish_at_once: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self { limit: 100, commands: Vec::new(), finish_at_once: false }
    }
}

impl Scene {
    async fn play(self) -> Played {
        let sources = Sources { clock: Clock::start_with(virtual_now), ..Sources::new(1) };
        let (_sender, samples) = watch::channel(Arc::default());
        let (_pipeline, taps) =
            Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
        let plan = Plan {
            profile: RampProfile::default(),
            stages: None,
            arrivals: None,
            limit: ClientLimit { clients: self.limit, bound: Bound::Program },
            ahead: Ahead::Together,
            on_shortage: OnShortage::default(),
            brakes: false,
            duration: Some(Duration::from_secs(25)),
            has_default_end: false,
            hard_stops: HardStops::default(),
        };
        let admitted = Cell::new(0);
        let engine = Clients { admitted: &admitted, finish_at_once: self.finish_at_once };
        let controller = Controller::new(engine, plan, &sources, samples, taps.controller);
        let controller = Controller { profile: Box::new(STAGES), ..controller };
        let (commands, orders) = flume::bounded(8);
        let (begun, mut seconds) = (Instant::now(), Vec::new());
        let around = async {
            for second in 0..25 {
                sleep_until(begun + Duration::from_millis(1_000 * second + 500)).await;
                for command in self.commands.iter().filter(|_| second == 12) {
                    commands.send(command.clone()).expect("the controller runs");
                }
                sleep_until(begun + Duration::from_millis(1_000 * second + 900)).await;
                seconds.push(admitted.get());
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = controller.run(orders) => {}
            () = around => {}
        }
        let changes = sources.status.journal().changes();
        let changes = changes.filter(|change| change.kind == ChangeKind::Target);
        (seconds, changes.map(|change| (change.at.as_millis(), change.to, change.by)).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_follows_the_profile_at_the_moments_that_it_names() {
    let (clients, changes) = Scene::default().play().await;
    let expected = [(0, 3), (5_000, 8), (10_000, 2), (20_000, 4)].map(|(at, to)| (at, to, Planned));
    assert_eq!(changes, expected);
    let expected = [[3; 5], [8; 5], [2; 5], [2; 5], [4; 5]];
    assert_eq!(clients, expected.concat());
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_for_the_profile_as_well() {
    let (clients, _) = Scene { limit: 5, ..Scene::default() }.play().await;
    assert_eq!(clients, [[3; 5], [5; 5], [2; 5], [2; 5], [4; 5]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_target_of_the_operator_stays_whatever_the_profile_says_later() {
    let commands = vec![Command::AdjustTarget(4)];
    let (clients, changes) = Scene { commands, ..Scene::default() }.play().await;
    assert_eq!(changes[3..], [(12_500, 6, Operator)]);
    assert_eq!(clients[13..], [6; 12]);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_clients_have_finished_waits_for_the_next_change_of_the_target() {
    let (clients, _) = Scene { finish_at_once: true, ..Scene::default() }.play().await;
    assert_eq!(clients, [[3; 5], [8; 5], [2; 5], [2; 5]].concat(), "it ends when the last stage is reached");
}

#[tokio::test(start_paused = true)]
async fn a_request_of_the_control_socket_is_answered_with_what_was_done_and_why_it_was_limited() {
    let (answer, answers) = flume::bounded(8);
    let steer = |steer| Command::Steer(SteerRequest { steer, answer: answer.clone() });
    let commands = vec![
        Command::AdjustTarget(1),
        steer(Steer::Adjust(9)),
        steer(Steer::Hold),
        Command::SetTarget(4),
        steer(Steer::Target(5)),
    ];
    let (clients, changes) = Scene { limit: 8, commands, ..Scene::default() }.play().await;
    let expected = [(3, Operator), (8, Control), (4, Operator), (5, Control)];
    assert_eq!(changes[3..], expected.map(|(to, by)| (12_500, to, by)));
    assert_eq!(clients[13..], [2; 12], "the ramp is held");
    let why = Some("limited to 8 clients: the maximum for a run".to_owned());
    let steered = |from, to, limited, is_held| Steered { from, to, limited, is_held, was_planned: false };
    let expected = [steered(3, 8, why, false), steered(8, 8, None, true), steered(4, 5, None, true)];
    assert_eq!(answers.drain().collect::<Vec<_>>(), expected);
}
