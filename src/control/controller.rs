//! The controller: one target, and clients that are added and removed until it is reached.
//!
//! * Operator, ramp and end of the run only ever change the target; what follows from it happens in one place, so no
//!   order can be lost and no two can fight.
//! * Clients are started at the ramp's rate and never faster; they are removed at once, the newest first.
//! * There is one way to stop: no new client, drain, after the grace (or a second stop) cut.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::first_client::{self, FirstClient, Seen};
use super::{Ending, Engine, Plan};
use crate::load::Pacer;
use crate::pipeline::{Event, Happening, Stream, Tap};
use crate::run_state::{ChangeKind, ChangeSource, LoadChange, Status};
use crate::sample::Sources;
use crate::stats::Registry;
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Clock, Command, Mark, RunState, limits};

/// How often the controller looks, when nothing is due: clients that have finished tell nobody.
const LOOK: Duration = Duration::from_millis(50);
/// After a cut every client must be gone: its future is only dropped. This is for a worker that hangs.
const CUT_LIMIT: Duration = Duration::from_secs(2);

/// Brings the number of clients to the target and ends the run.
pub struct Controller<E> {
    engine: E,
    registry: Arc<Registry>,
    plan: Plan,
    pacer: Pacer,
    status: Arc<Status>,
    clock: Clock,
    tap: Tap,
    target: u32,
    /// The operator holds the ramp.
    held: bool,
    first: FirstClient,
}

impl<E: Engine> Controller<E> {
    /// A controller of `engine`. The clock's zero is the first start.
    pub fn new(engine: E, plan: Plan, sources: &Sources, tap: Tap) -> Self {
        let Sources { registry, status, clock, .. } = sources.clone();
        let pacer = Pacer::new(plan.ramp, plan.clients, plan.jitter, plan.seed);
        let first = FirstClient::new(plan.ahead);
        Self { engine, registry, pacer, status, clock, tap, target: plan.clients, held: false, first, plan }
    }

    /// Runs until it is told to stop, the duration is over or every client has finished; then drains. Returns how
    /// it ended and the engine, whose clients have all left.
    pub async fn run(mut self, commands: flume::Receiver<Command>) -> (Ending, E) {
        self.write_down(ChangeKind::Target, 0, ChangeSource::Plan);
        let mut ending = loop {
            self.converge().await;
            let now = self.clock.now();
            if let Seen::Refused(outcome) = self.first.look(now, &self.registry) {
                break Ending { refused: Some(outcome), ..Ending::default() };
            }
            if self.plan.duration.is_some_and(|end| end <= now) || self.everyone_has_finished() {
                break Ending::default();
            }
            let Some(command) = next_command(&commands, self.next_look(now)).await else { continue };
            // Hammered keys are one change of the load, not hundreds.
            let before = self.target;
            let told =
                std::iter::once(command).chain(commands.try_iter()).find_map(|command| self.take(command));
            if self.target != before {
                self.write_down(ChangeKind::Target, before, ChangeSource::Operator);
            }
            if let Some(ending) = told {
                break ending;
            }
        };
        self.drain(&commands, &mut ending).await;
        (ending, self.engine)
    }

    /// Does what was asked for; an ending if the run is to end.
    fn take(&mut self, command: Command) -> Option<Ending> {
        match command {
            Command::AdjustTarget(by) => self.aim(i64::from(self.target).saturating_add(by)),
            Command::SetTarget(clients) => self.aim(clients.into()),
            Command::Hold => self.hold(ChangeKind::Hold),
            Command::Resume => self.hold(ChangeKind::Resume),
            Command::Mark(mark) => self.mark(mark),
            Command::Stop(cause) => return Some(Ending::by(cause)),
            Command::StopNow(cause) => return Some(Ending { cut: true, ..Ending::by(cause) }),
        }
        None
    }

    fn aim(&mut self, target: i64) {
        self.target = self.plan.limit.clamp(target);
    }

    fn hold(&mut self, kind: ChangeKind) {
        let held = kind == ChangeKind::Hold;
        if std::mem::replace(&mut self.held, held) != held {
            self.write_down(kind, self.target, ChangeSource::Operator);
        }
    }

    fn mark(&self, mark: Mark) {
        let event = Event::mark(micros(mark.at), &mark.note);
        self.status.journal().mark(mark);
        self.tell(event);
    }

    /// Writes down that the load was changed, `from` the target before it.
    fn write_down(&self, kind: ChangeKind, from: u32, by: ChangeSource) {
        self.status.journal().change(LoadChange { at: self.clock.now(), kind, from, to: self.target, by });
        self.tell_now(Happening::Load { change: kind.name(), from, to: self.target, by: by.name() });
    }

    fn enter(&self, state: RunState) {
        if self.status.state() != state {
            self.status.set_state(state);
            self.tell_now(Happening::Run(state));
        }
    }

    fn tell_now(&self, what: Happening) {
        self.tell(Event { at_us: micros(self.clock.now()), client: None, what });
    }

    /// Tells the log and the record. What the pipeline drops of it, the pipeline counts.
    fn tell(&self, event: Event) {
        _ = self.tap.offer(Stream::Events, || event);
    }

    /// Starts the clients that are due and removes those that are too many.
    async fn converge(&mut self) {
        while self.engine.admitted() > self.target {
            self.engine.remove_newest().await;
        }
        let wanted =
            if self.held { 0 } else { self.first.allows(self.target).saturating_sub(self.engine.admitted()) };
        for _ in 0..self.pacer.due(self.clock.now(), wanted) {
            self.engine.admit().await;
        }
        let reached = self.engine.admitted() == self.target;
        self.status.set_target(self.target);
        self.status.set_admitted(u64::from(self.engine.admitted()), self.pacer.late());
        self.status.set_start_lateness_max(self.pacer.lateness_max());
        self.enter(match (self.held, reached) {
            (true, _) => RunState::Hold,
            (false, true) => RunState::Running,
            (false, false) => RunState::Ramping,
        });
    }

    fn everyone_has_finished(&self) -> bool {
        let admitted = self.engine.admitted();
        admitted > 0 && admitted == self.target && self.engine.running() == 0
    }

    /// How long nothing is due.
    fn next_look(&self, now: Duration) -> Duration {
        let wanted = !self.held && self.engine.admitted() < self.first.allows(self.target);
        let start = wanted.then(|| self.pacer.next_at());
        let next = start.into_iter().chain(self.plan.duration).min();
        let look = if self.first.is_decided() { LOOK } else { first_client::LOOK };
        next.map_or(look, |at| at.saturating_sub(now).min(look))
    }

    /// Lets requests in flight finish, at most for the grace, then cuts them.
    async fn drain(&mut self, commands: &flume::Receiver<Command>, ending: &mut Ending) {
        self.enter(RunState::Draining);
        if !ending.cut {
            // A worker that hangs takes no order; it is noticed when it is joined.
            _ = timeout(CUT_LIMIT, self.engine.drain()).await;
            let until = Instant::now() + limits::DRAIN_GRACE;
            while self.engine.running() > 0 && Instant::now() < until {
                let Some(command) = next_command(commands, LOOK).await else { continue };
                *ending = ending.after(&command);
                if ending.cut {
                    break;
                }
            }
        }
        _ = timeout(CUT_LIMIT, self.engine.cut()).await;
        let until = Instant::now() + CUT_LIMIT;
        while self.engine.running() > 0 && Instant::now() < until {
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
