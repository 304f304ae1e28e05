//! A run of the controller in virtual time, for tests.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Ahead, Controller, Ending, Engine, OnShortage, Plan};
use crate::load::{ClientLimit, RampProfile, StagesProfile};
use crate::pipeline::Pipeline;
use crate::run_state::{ChangeKind, ChangeSource};
use crate::sample::Sources;
use crate::vocabulary::{Clock, Command, HardStops, RunIdentity};

/// A run that has ended.
pub(crate) struct Played {
    /// Clients in the middle of each second.
    pub(crate) seconds: Vec<u32>,
    /// Changes of the target: second, target before and after, source.
    pub(crate) changes: Vec<(u64, u32, u32, ChangeSource)>,
    /// Notes with their seconds.
    pub(crate) notes: Vec<(u64, String)>,
    pub(crate) ending: Ending,
    pub(crate) lasted: Duration,
    pub(crate) sources: Sources,
}

/// Returns a plan that nothing delays, bounds or ends.
pub(crate) fn plan(profile: RampProfile, stages: Option<StagesProfile>) -> Plan {
    Plan {
        profile,
        stages,
        arrivals: None,
        limit: ClientLimit::default(),
        ahead: Ahead::Together,
        on_shortage: OnShortage::default(),
        brakes: false,
        duration: None,
        has_default_end: false,
        hard_stops: HardStops::default(),
    }
}

/// Plays a plan with an engine whose number of clients is `clients`, and commands, each with its millisecond.
pub(crate) async fn play<E: Engine>(
    plan: Plan,
    engine: E,
    clients: &Cell<u32>,
    commands: &[(u64, Command)],
) -> Played {
    let clock = Clock::start_with(|| Instant::now().into_std());
    let sources = Sources { clock, ..Sources::new(1) };
    let (_sender, samples) = watch::channel(Arc::default());
    let (_pipeline, taps) =
        Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
    let controller = Controller::new(engine, plan, &sources, samples, taps.controller);
    let (sender, orders) = flume::bounded(1);
    let (begun, mut seconds) = (Instant::now(), Vec::new());
    let command = async {
        for (at, command) in commands {
            sleep_until(begun + Duration::from_millis(*at)).await;
            sender.send_async(command.clone()).await.expect("the controller runs");
        }
        std::future::pending::<()>().await;
    };
    let watch = async {
        for second in 0.. {
            sleep_until(begun + Duration::from_millis(1_000 * second + 500)).await;
            seconds.push(clients.get());
        }
    };
    let ending = tokio::select! {
        (ending, _) = controller.run(orders) => ending,
        () = command => Ending::default(),
        () = watch => Ending::default(),
    };
    let lasted = begun.elapsed();
    let journal = sources.status.journal();
    let changes = journal.changes().filter(|change| change.kind == ChangeKind::Target);
    let changes = changes.map(|change| (change.at.as_secs(), change.from, change.to, change.by)).collect();
    let notes = journal.notes().map(|note| (note.at.as_secs(), note.text.clone())).collect();
    Played { seconds, changes, notes, ending, lasted, sources: sources.clone() }
}
