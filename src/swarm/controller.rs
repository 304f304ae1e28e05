//! The controller: one target, and clients that are added and removed until it is reached.
//!
//! * Operator, ramp and end of the run only ever change the target; what follows from it happens in one place, so no
//!   order can be lost and no two can fight.
//! * Clients are started at the ramp's rate and never faster; they are removed at once, the newest first.
//! * There is one way to stop: no new client, drain, after the grace (or a second stop) cut.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Swarm;
use crate::base::{Clock, Command, RunState, StopCause, limits};
use crate::frame::Status;
use crate::load::{Pacer, Ramp};

/// How often the controller looks, when nothing is due: clients that have finished tell nobody.
const LOOK: Duration = Duration::from_millis(50);
/// After a cut every client must be gone: its future is only dropped. This is for a worker that hangs.
const CUT_LIMIT: Duration = Duration::from_secs(5);

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Clients to reach.
    pub clients: u32,
    /// The most clients that the operator can ask for.
    pub clients_max: u32,
    /// How fast.
    pub ramp: Ramp,
    /// By how much single starts are moved.
    pub jitter: Duration,
    /// When the run ends by itself; `None`: never.
    pub duration: Option<Duration>,
    /// Same seed, same schedule.
    pub seed: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Who ended it; `None`: its duration was over, or every client had finished.
    pub cause: Option<StopCause>,
    /// Requests in flight were cut by a second stop.
    pub cut: bool,
}

/// Brings the number of clients to the target and ends the run.
pub struct Controller {
    swarm: Swarm,
    plan: Plan,
    pacer: Pacer,
    status: Arc<Status>,
    clock: Clock,
    target: u32,
}

impl Controller {
    /// A controller of `swarm`. The clock's zero is the first start.
    pub fn new(swarm: Swarm, plan: Plan, status: Arc<Status>, clock: Clock) -> Self {
        let pacer = Pacer::new(plan.ramp, plan.clients, plan.jitter, plan.seed);
        Self { swarm, pacer, status, clock, target: plan.clients, plan }
    }

    /// Runs until it is told to stop, the duration is over or every client has finished; then drains. Returns how
    /// it ended and the swarm, whose clients have all left.
    pub async fn run(mut self, commands: flume::Receiver<Command>) -> (Ending, Swarm) {
        let mut ending = Ending::default();
        loop {
            self.converge().await;
            let now = self.clock.now();
            if self.plan.duration.is_some_and(|end| end <= now) || self.everyone_has_finished() {
                break;
            }
            match next_command(&commands, self.next_look(now)).await {
                None => {}
                Some(Command::AdjustTarget(by)) => self.adjust(by),
                Some(Command::Stop(cause)) => {
                    ending.cause = Some(cause);
                    break;
                }
                Some(Command::StopNow(cause)) => {
                    ending = Ending { cause: Some(cause), cut: true };
                    break;
                }
            }
        }
        self.drain(&commands, &mut ending).await;
        (ending, self.swarm)
    }

    fn adjust(&mut self, by: i64) {
        let target = i64::from(self.target).saturating_add(by).clamp(0, i64::from(self.plan.clients_max));
        self.target = u32::try_from(target).unwrap_or_default();
    }

    /// Starts the clients that are due and removes those that are too many.
    async fn converge(&mut self) {
        while self.swarm.admitted() > self.target {
            self.swarm.remove_newest().await;
        }
        let wanted = self.target - self.swarm.admitted();
        for _ in 0..self.pacer.due(self.clock.now(), wanted) {
            self.swarm.admit().await;
        }
        let reached = self.swarm.admitted() == self.target;
        self.status.set_target(self.target);
        self.status.set_admitted(u64::from(self.swarm.admitted()), self.pacer.late());
        self.status.set_state(if reached { RunState::Running } else { RunState::Ramping });
    }

    fn everyone_has_finished(&self) -> bool {
        let admitted = self.swarm.admitted();
        admitted > 0 && admitted == self.target && self.swarm.running() == 0
    }

    /// How long nothing is due.
    fn next_look(&self, now: Duration) -> Duration {
        let start = (self.swarm.admitted() < self.target).then(|| self.pacer.next_at());
        let next = start.into_iter().chain(self.plan.duration).min();
        next.map_or(LOOK, |at| at.saturating_sub(now).min(LOOK))
    }

    /// Lets requests in flight finish, at most for the grace, then cuts them.
    async fn drain(&mut self, commands: &flume::Receiver<Command>, ending: &mut Ending) {
        self.status.set_state(RunState::Draining);
        if !ending.cut {
            self.swarm.drain().await;
            let until = Instant::now() + limits::DRAIN_GRACE;
            while self.swarm.running() > 0 && Instant::now() < until {
                if let Some(Command::Stop(cause) | Command::StopNow(cause)) =
                    next_command(commands, LOOK).await
                {
                    *ending = Ending { cause: ending.cause.or(Some(cause)), cut: true };
                    break;
                }
            }
        }
        self.swarm.cut().await;
        let until = Instant::now() + CUT_LIMIT;
        while self.swarm.running() > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The next command within `wait`; where nobody can give commands any more, none after that time.
async fn next_command(commands: &flume::Receiver<Command>, wait: Duration) -> Option<Command> {
    match timeout(wait, commands.recv_async()).await {
        Ok(Ok(command)) => Some(command),
        Ok(Err(_)) => {
            sleep(wait).await;
            None
        }
        Err(_) => None,
    }
}
