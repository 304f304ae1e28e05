//! Stages, through the controller, in virtual time: the clients of every second, holds, the operator and the end.

use std::cell::Cell;
use std::time::Duration;

use super::brake_tests::Clients;
use super::scene::{self, Played};
use super::{Ending, Plan};
use crate::load::{ClientLimit, LoadProfile as _, StageList, StagesProfile};
use crate::run_state::ChangeSource;
use crate::vocabulary::Command;

use ChangeSource::{Operator, Plan as Planned};

/// Rises, stays, and falls: a plan of 13 minutes.
const PLAN: &str = "ramp to 500 in 2m, hold 3m, spike +300 for 30s, hold 1m, down to 100 in 1m, 90s:700, \
                    jump to 40, hold 2m, down in 2m";

fn stages(text: &str) -> StagesProfile {
    let StageList(stages) = text.parse().expect(text);
    StagesProfile::new(&stages).expect(text)
}

/// A run of stages.
struct Scene {
    plan: &'static str,
    /// Maximum number of clients.
    limit: u32,
    duration: Option<Duration>,
    /// Commands, each with the millisecond at which it is given.
    commands: &'static [(u64, Command)],
}

impl Default for Scene {
    fn default() -> Self {
        Self { plan: PLAN, limit: 10_000, duration: None, commands: &[] }
    }
}

impl Scene {
    async fn play(self) -> Played {
        let stages = stages(self.plan);
        let plan = Plan {
            limit: ClientLimit { clients: self.limit, ..ClientLimit::default() },
            duration: self.duration.or(Some(stages.length())),
            ..scene::plan(stages.pace(1), Some(stages))
        };
        let admitted = Cell::new(0);
        let engine = Clients { admitted: &admitted, finish_at_once: false };
        scene::play(plan, engine, &admitted, self.commands).await
    }
}

#[tokio::test(start_paused = true)]
async fn every_second_has_the_clients_of_its_plan() {
    let (played, plan) = (Scene::default().play().await, stages(PLAN));
    assert_eq!(played.seconds.len() as u64, plan.length().as_secs());
    for (second, clients) in played.seconds.iter().enumerate() {
        let planned = plan.target(Duration::from_millis(1_000 * second as u64 + 500));
        assert!(clients.abs_diff(planned) <= 1, "{clients} instead of {planned} in second {second}");
    }
    assert_eq!((played.ending, played.lasted), (Ending::default(), plan.length()));
    // Every start was made when it was due. The last client of the fall stays as the first one of the rise after it.
    let starts = played.sources.status.starts();
    assert_eq!((starts.made, starts.late, played.sources.status.late_starts()), (1_399, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn each_stage_is_one_change_and_one_note() {
    let plan = "ramp to 20 in 10s, hold 5s, spike +5 for 5s, down in 10s";
    let played = Scene { plan, ..Scene::default() }.play().await;
    let expected = [(0, 0, 20, Planned), (15, 20, 25, Planned), (20, 25, 20, Planned), (20, 20, 0, Planned)];
    assert_eq!(played.changes, expected);
    let expected = [
        (0, "stage 1 of 4 begins: ramp to 20 in 10s"),
        (10, "stage 2 of 4 begins: hold 5s"),
        (15, "stage 3 of 4 begins: spike +5 for 5s"),
        (20, "stage 4 of 4 begins: down in 10s"),
    ];
    assert_eq!(played.notes, expected.map(|(at, text)| (at, text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn the_limit_cuts_the_peaks_of_the_stages() {
    let played = Scene { limit: 300, ..Scene::default() }.play().await;
    let plan = stages(PLAN);
    for (second, clients) in played.seconds.iter().enumerate() {
        let planned = plan.target(Duration::from_millis(1_000 * second as u64 + 500)).min(300);
        assert!(clients.abs_diff(planned) <= 1, "{clients} instead of {planned} in second {second}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_stops_the_clock_of_the_stages() {
    // For 40 seconds of the rise, and for 40 seconds of the fall.
    let commands = &[
        (10_200, Command::Hold),
        (50_200, Command::Resume),
        (110_200, Command::Hold),
        (150_200, Command::Resume),
    ];
    let plan = "ramp to 60 in 1m, down in 1m";
    let played = Scene { plan, commands, ..Scene::default() }.play().await;
    assert_eq!(
        (played.seconds[9], played.seconds[10], played.seconds[49], played.seconds[50]),
        (10, 11, 11, 11)
    );
    assert_eq!((played.seconds[60], played.seconds[98], played.seconds[99]), (21, 59, 60));
    let falling = played.seconds[110];
    assert!((49..=50).contains(&falling) && played.seconds[149] == falling, "{falling}");
    assert!(played.lasted.as_secs_f64() - 200.0 < 0.2, "{:?}", played.lasted);
    assert!(played.lasted >= Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_sets_a_target_steers_from_there_on() {
    // In the fall, with 71 clients: ten more than these, and not ten more than the end of the stage.
    let commands = &[(30_000, Command::AdjustTarget(10))];
    let plan = "jump to 100, down in 100s";
    let played = Scene { plan, commands, ..Scene::default() }.play().await;
    let [(0, 0, 100, Planned), (0, 100, 0, Planned), (30, from, to, Operator)] = played.changes[..] else {
        panic!("{:?}", played.changes)
    };
    assert_eq!(to, from + 10);
    assert!((70..=71).contains(&from), "{from}");
    assert_eq!(played.seconds[31..], [to; 69]);
    assert_eq!(played.sources.status.plan_time(), None);
    assert_eq!(played.lasted, Duration::from_secs(100), "the run still ends with its plan");
}

#[tokio::test(start_paused = true)]
async fn a_duration_ends_the_run_before_or_after_the_last_stage() {
    let plan = "ramp to 10 in 10s, spike +5 for 5s";
    let with = |seconds| Scene { plan, duration: Some(Duration::from_secs(seconds)), ..Scene::default() };
    let short = with(7).play().await;
    assert_eq!((short.seconds.len(), short.seconds[6]), (7, 7));
    let long = with(30).play().await;
    assert_eq!((long.seconds.len(), long.seconds[14], long.seconds[15], long.seconds[29]), (30, 15, 10, 10));
    assert_eq!(long.changes.last(), Some(&(15, 15, 10, Planned)));
}

#[tokio::test(start_paused = true)]
async fn a_wave_is_followed_and_is_one_change() {
    let plan = "wave 10..50 every 20s for 50s, hold 5s";
    let played = Scene { plan, ..Scene::default() }.play().await;
    let profile = stages(plan);
    for (second, clients) in played.seconds.iter().enumerate() {
        let planned = profile.target(Duration::from_millis(1_000 * second as u64 + 500));
        assert!(clients.abs_diff(planned) <= 1, "{clients} instead of {planned} in second {second}");
    }
    assert_eq!((played.seconds[10], played.seconds[30]), (50, 50), "{:?}", played.seconds);
    assert_eq!(played.changes, [(0, 0, 10, Planned), (0, 10, 50, Planned)]);
    assert_eq!((played.notes.len(), played.lasted), (2, Duration::from_secs(55)));
}
