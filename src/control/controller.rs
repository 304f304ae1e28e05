//! Controller of a run: adds and removes clients until their number reaches the target.
//!
//! * The plan's profile sets the target over time, until the operator sets one. The clock of stages stops while no
//!   client may be added.
//! * The operator's commands only change the target, hold the ramp or end the run. Clients are added and removed in
//!   one place, so no command can be lost and no two can conflict.
//! * The brake holds the ramp during a storm of 429 and 503, by the numbers of the newest sample. A command of the
//!   operator wins over it.
//! * With arrivals a client comes whenever the plan says so, and the target is the number of those who are there.
//! * Clients are started at the ramp's rate and never faster, or when a stage asks for them; they are removed at once,
//!   the newest first.
//! * With `--abort-on-fail` a threshold that stays crossed ends the run: its judge in `sample` says so.
//! * Every run stops in the same way: admit no new client, drain, and cut after the grace period or a second stop.

mod steering;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::first_client::{self, FirstClient, Seen};
use super::hard_stops::HardStopWatch;
use super::open_load::OpenLoad;
use super::plan_clock::PlanClock;
use super::pricing::{Media, PriceGate, Pricing};
use super::{Ahead, Ending, Engine, Plan, RefusedBy};
use crate::forecast::PriceConsequence;
use crate::load::{Bound, Brake, BrakeAction, ClientLimit, LoadProfile, Pacer, StagesProfile};
use crate::pipeline::{Event, Happening, Stream, Tap};
use crate::run_state::{ChangeKind, ChangeSource, LoadChange, Note, NoteKind};
use crate::sample::{RunSample, Sources};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Command, Mark, RunState, StopCause, limits};

/// Time between two looks when nothing is due: no message announces a client that has finished.
const LOOK: Duration = Duration::from_millis(50);
/// Time limit for the workers to take an order, and for clients to leave after a cut. A cut only drops futures, so
/// only a worker that hangs reaches it.
const CUT_LIMIT: Duration = Duration::from_secs(2);

/// Brings the number of clients to the target and ends the run.
pub struct Controller<E> {
    engine: E,
    sources: Sources,
    plan: Plan,
    /// Target over time, which the operator may overrule.
    profile: Box<dyn LoadProfile>,
    is_overruled: bool,
    /// True if a search sets the target, and no operator.
    is_commanded: bool,
    /// `None`: the profile sets the number of clients.
    open: Option<OpenLoad>,
    clock: PlanClock,
    /// Time of the plan at the last look.
    followed: Duration,
    /// Time at which the clients were due that a stage asks for.
    due_at: Duration,
    /// Number of the stage that has begun last; 0 before the first.
    stage: usize,
    /// Clients to which it leads.
    goal: u32,
    pacer: Pacer,
    tap: Tap,
    target: u32,
    /// Target before the commands that are being carried out.
    before: u32,
    /// Source of the last of them that changed it.
    commander: ChangeSource,
    /// Source of the hold while the ramp is held.
    held: Option<ChangeSource>,
    /// `None` without a brake.
    brake: Option<Brake>,
    /// The newest sample, whose numbers the brake reads.
    samples: watch::Receiver<Arc<RunSample>>,
    first: FirstClient,
    stops: HardStopWatch,
    price: PriceGate,
}

impl<E: Engine> Controller<E> {
    /// Creates a controller of `engine`, whose brake reads `samples`. The clock's zero is the first start.
    pub fn new(
        engine: E,
        plan: Plan,
        sources: &Sources,
        samples: watch::Receiver<Arc<RunSample>>,
        tap: Tap,
    ) -> Self {
        sources.status.set_limit(plan.limit);
        Self {
            engine,
            profile: plan.shape(),
            is_overruled: false,
            is_commanded: false,
            open: plan.arrivals.map(|arrivals| OpenLoad::new(arrivals, plan.profile.seed)),
            clock: PlanClock::default(),
            followed: Duration::ZERO,
            due_at: Duration::ZERO,
            stage: 0,
            goal: 0,
            pacer: Pacer::new(&plan.profile),
            tap,
            target: 0,
            before: 0,
            commander: ChangeSource::Operator,
            held: None,
            brake: plan.brakes.then(Brake::default),
            samples,
            first: FirstClient::new(plan.ahead),
            stops: HardStopWatch::new(sources.spending.clone()),
            price: PriceGate::default(),
            sources: sources.clone(),
            plan,
        }
    }

    /// Returns this controller, which prices the plan before the ramp.
    #[must_use]
    pub fn pricing(self, pricing: Pricing) -> Self {
        Self { price: PriceGate::new(pricing), ..self }
    }

    /// Returns this controller, whose target is set by commands alone: the plan says only how large it may become.
    #[must_use]
    pub fn commanded(self) -> Self {
        Self { is_overruled: true, is_commanded: true, ..self }
    }

    /// Runs until a stop command, a hard stop, a threshold that ends the run, the end of the duration, the last client's
    /// finish or a refusal; then drains. Returns the ending, and the engine, whose clients have all left unless a worker
    /// hangs.
    pub async fn run(mut self, commands: flume::Receiver<Command>) -> (Ending, E) {
        let mut ending = loop {
            self.engine.forget_ended();
            self.follow();
            self.brake();
            self.welcome().await;
            self.converge().await;
            let now = self.sources.clock.now();
            if let Seen::Refused(outcome) = self.first.look(now, &self.sources) {
                break Ending::refused(RefusedBy::Stream(outcome));
            }
            if let Some(ending) = self.price(now) {
                break ending;
            }
            if let Some(stop) = self.stops.look(now, &self.sources) {
                self.write_down(ChangeKind::Stop, self.target, self.target, ChangeSource::Limit(stop));
                break Ending::at_limit(stop);
            }
            if self.samples.borrow().is_aborted() {
                self.write_down(ChangeKind::Stop, self.target, self.target, ChangeSource::Threshold);
                break Ending::by(StopCause::Threshold);
            }
            if self.end().is_some_and(|end| end <= now) || self.everyone_has_finished() {
                break Ending::default();
            }
            let command = tokio::select! {
                command = next_command(&commands, self.next_look(now)) => command,
                () = self.stops.wait() => None,
            };
            let Some(command) = command else { continue };
            // Take all waiting commands: rapid key presses are one change of the load, not hundreds.
            self.before = self.target;
            let mut waiting = std::iter::once(command).chain(commands.try_iter());
            let ending = waiting.find_map(|command| self.take(command));
            self.write_target_down();
            if let Some(ending) = ending {
                break ending;
            }
        };
        self.drain(&commands, &mut ending).await;
        (ending, self.engine)
    }

    /// Prices the plan as soon as the first client has shown enough. Returns an ending if there is to be no load.
    fn price(&mut self, now: Duration) -> Option<Ending> {
        if !self.price.is_open() {
            return None;
        }
        let media = if self.first.is_decided() { Media::Requested } else { Media::Awaited };
        let priced = self.price.look(now, &self.plan, media);
        if self.plan.ahead == Ahead::Probe {
            return (!self.price.is_open()).then(Ending::default);
        }
        match priced.as_ref().map(|priced| priced.consequence)? {
            PriceConsequence::Refused => return Some(Ending::refused(RefusedBy::Price)),
            PriceConsequence::Clamped => self.clamp(priced?.largest),
            PriceConsequence::Fits | PriceConsequence::Ignored => {}
        }
        None
    }

    /// Lowers the limit, and so the load, to what fits.
    fn clamp(&mut self, clients: u32) {
        self.plan.limit = ClientLimit { clients, bound: Bound::Price };
        self.sources.status.set_limit(self.plan.limit);
        let before = self.target;
        self.target = self.plan.limit.clamp(before.into());
        if self.target != before {
            self.write_down(ChangeKind::Target, before, self.target, ChangeSource::Preflight);
        }
    }

    /// Takes the target from the profile, unless the operator has set one.
    fn follow(&mut self) {
        let now = self.sources.clock.now();
        let follows = self.follows_stages() || self.is_open();
        let stops = follows && (self.held.is_some() || self.waits());
        let at = self.clock.read(now, stops);
        let due_at = self.profile.next_change(self.followed).and_then(|change| self.clock.reaches(change));
        (self.due_at, self.followed) = (due_at.map_or(now, |due| due.min(now)), at);
        self.sources.status.set_plan_time(follows.then_some(at));
        if self.is_overruled || self.is_open() {
            return;
        }
        let target = self.plan.limit.clamp(self.profile.target(at).into());
        let before = std::mem::replace(&mut self.target, target);
        if let Some(stages) = self.plan.stages.clone() {
            self.enter_stage(&stages, at);
        } else if target != before {
            self.write_down(ChangeKind::Target, before, target, ChangeSource::Plan);
        }
    }

    /// Records the begin of a stage: all the clients that it adds or removes one by one would fill the journal.
    fn enter_stage(&mut self, stages: &StagesProfile, at: Duration) {
        let (count, now) = (stages.count(), stages.stage(at));
        let number = now.map_or(count + 1, |now| now.number);
        if std::mem::replace(&mut self.stage, number) == number {
            return;
        }
        if let Some(now) = now {
            let text = format!("stage {number} of {count} begins: {}", now.stage);
            let note = Note { at: self.sources.clock.now(), kind: NoteKind::Stage, text };
            self.sources.status.journal().note(note);
        }
        // A stage may begin with a jump: a spike, the end of one, or stages that take no time.
        let goal = stages.goal(at);
        for to in [now.map_or(goal, |now| now.from), goal] {
            let to = self.plan.limit.clamp(to.into());
            let from = std::mem::replace(&mut self.goal, to);
            if from != to {
                self.write_down(ChangeKind::Target, from, to, ChangeSource::Plan);
            }
        }
    }

    /// Reports whether stages set the target.
    fn follows_stages(&self) -> bool {
        self.plan.stages.is_some() && !self.is_overruled
    }

    /// Returns the end of the run; `None`: never, or not while the clock of the stages stands still.
    fn end(&self) -> Option<Duration> {
        // A probe lasts until it has its price, however short the run of the plan is.
        let end = self.plan.duration.filter(|_| self.plan.ahead != Ahead::Probe)?;
        if self.plan.ends_with_stages() { self.clock.reaches(end) } else { Some(end) }
    }

    /// Returns the time of the plan at which the profile's target changes next, unless the operator has set one.
    fn next_change(&self) -> Option<Duration> {
        match &self.open {
            _ if self.is_overruled => None,
            Some(open) => Some(open.next_at()),
            None => self.profile.next_change(self.followed),
        }
    }

    /// Reports whether the others wait for the first client.
    fn waits(&self) -> bool {
        let is_priced = !self.price.is_awaited() || self.plan.ahead == Ahead::Together;
        !self.first.is_decided() || !is_priced
    }

    /// Returns the number of clients that may be there now.
    fn allowed(&self) -> u32 {
        if self.waits() { self.target.min(1) } else { self.target }
    }

    /// Executes a command. Returns an ending if the run is to end.
    fn take(&mut self, command: Command) -> Option<Ending> {
        match command {
            // The operator of a search may end it, not change what it measures.
            Command::AdjustTarget(_) | Command::SetTarget(_) if self.is_commanded => {}
            Command::AdjustTarget(by) => self.aim(self.target_after(by), ChangeSource::Operator),
            Command::SetTarget(clients) => self.aim(clients.into(), ChangeSource::Operator),
            // The channel of a request that is dropped tells the other side.
            Command::Steer(_) if self.is_commanded => {}
            Command::Steer(request) => self.steer(&request),
            Command::Search(clients) => {
                self.commander = ChangeSource::Search;
                (self.target, self.is_overruled) = (self.plan.limit.clamp(clients.into()), true);
            }
            Command::Hold => self.hold(ChangeKind::Hold, ChangeSource::Operator),
            Command::Resume => self.resume(ChangeSource::Operator),
            Command::Mark(mark) => self.mark(mark),
            Command::Stop(cause) => {
                if cause == StopCause::Control {
                    self.write_down(ChangeKind::Stop, self.target, self.target, ChangeSource::Control);
                }
                return Some(Ending::by(cause));
            }
            Command::StopNow(cause) => {
                if cause == StopCause::AddressSpace {
                    self.sources.status.count_address_space_stop();
                }
                return Some(Ending { cut: true, ..Ending::by(cause) });
            }
        }
        None
    }

    fn aim(&mut self, target: i64, by: ChangeSource) {
        self.commander = by;
        let target = self.plan.limit.clamp(target);
        // An operator who adds clients during a storm, while the ramp is not held, wants them.
        if target > self.target && self.held.is_none() {
            self.overrule_brake();
        }
        self.target = target;
        self.is_overruled = true;
    }

    fn hold(&mut self, kind: ChangeKind, by: ChangeSource) {
        let held = (kind == ChangeKind::Hold).then_some(by);
        if std::mem::replace(&mut self.held, held) != held {
            self.write_down(kind, self.target, self.target, by);
        }
    }

    fn overrule_brake(&mut self) {
        if let Some(brake) = &mut self.brake {
            brake.overrule();
        }
    }

    /// Lets the brake look at the newest sample, if it has not seen it yet. Without a sampler it does nothing.
    fn brake(&mut self) {
        let Some(brake) = self.brake.as_mut().filter(|_| self.samples.has_changed().unwrap_or_default())
        else {
            return;
        };
        let numbers = self.samples.borrow_and_update().storm_numbers();
        match brake.observe(&numbers) {
            // A hold of the operator stays the operator's.
            Some(BrakeAction::Hold) if self.held.is_none() => {
                self.hold(ChangeKind::Hold, ChangeSource::Brake)
            }
            Some(BrakeAction::Resume) if self.held == Some(ChangeSource::Brake) => {
                self.hold(ChangeKind::Resume, ChangeSource::Brake);
            }
            _ => {}
        }
    }

    fn mark(&self, mark: Mark) {
        let event = Event::mark(micros(mark.at), &mark.note);
        self.sources.status.journal().mark(mark);
        self.offer(event);
    }

    /// Records a change of the load in the journal and as an event; `from` is the previous target, `to` the new one.
    fn write_down(&self, kind: ChangeKind, from: u32, to: u32, by: ChangeSource) {
        let change = LoadChange { at: self.sources.clock.now(), kind, from, to, by };
        self.sources.status.journal().change(change);
        self.happens(Happening::Load { change: kind.name(), from, to, by: by.name() });
    }

    fn enter(&self, state: RunState) {
        if self.sources.status.state() != state {
            self.sources.status.set_state(state);
            self.happens(Happening::Run(state));
        }
    }

    fn happens(&self, what: Happening) {
        self.offer(Event { at_us: micros(self.sources.clock.now()), client: None, what });
    }

    /// Offers an event to the log and the record. The pipeline counts the events that it drops.
    fn offer(&self, event: Event) {
        _ = self.tap.offer(Stream::Events, || event);
    }

    /// Starts the clients that are due, or removes those above the target.
    async fn converge(&mut self) {
        while self.engine.admitted() > self.target {
            self.engine.remove_newest().await;
        }
        let wanted =
            if self.held.is_some() { 0 } else { self.allowed().saturating_sub(self.engine.admitted()) };
        let now = self.sources.clock.now();
        let due = match self.follows_stages() || self.is_open() {
            true => self.pacer.follow(self.due_at, now, wanted),
            false => self.pacer.due(now, wanted),
        };
        for _ in 0..due {
            self.engine.admit().await;
            self.pacer.started(self.sources.clock.now());
        }
        // A stage that rises goes on, although each moment has its clients.
        let rises =
            self.follows_stages() && self.profile.goal(self.followed) > self.profile.target(self.followed);
        let reached = self.engine.admitted() == self.target && !rises;
        let status = &self.sources.status;
        status.set_target(self.target);
        status.set_admitted(u64::from(self.engine.admitted()), self.pacer.late());
        status.set_start_lateness_max(self.pacer.lateness_max());
        status.set_starts(self.pacer.counts());
        self.enter(match (self.held.is_some(), reached) {
            (true, _) => RunState::Hold,
            (false, true) => RunState::Running,
            (false, false) => RunState::Ramping,
        });
    }

    fn everyone_has_finished(&self) -> bool {
        let admitted = self.engine.admitted();
        // Others may arrive, or replace them, as long as the run lasts.
        let is_complete =
            self.open.is_none() && admitted > 0 && admitted == self.target && self.next_change().is_none();
        is_complete && self.engine.running() == 0
    }

    /// Returns the time until the next start, the next change of the target, the end of the run or the next look,
    /// whichever comes first.
    fn next_look(&self, now: Duration) -> Duration {
        let wanted = self.held.is_none() && self.engine.admitted() < self.allowed();
        let start = (wanted && !self.follows_stages() && !self.is_open()).then(|| self.pacer.next_at());
        let change = self.next_change().and_then(|change| self.clock.reaches(change));
        let next = start.into_iter().chain(change).chain(self.end()).min();
        let look = if self.waits() { first_client::LOOK } else { LOOK };
        next.map_or(look, |at| at.saturating_sub(now).min(look))
    }

    /// Lets requests in flight finish, at most for the grace, then cuts them.
    async fn drain(&mut self, commands: &flume::Receiver<Command>, ending: &mut Ending) {
        let now = self.sources.clock.now();
        self.sources.status.end_load(now);
        self.note(self.open.as_ref().and_then(|open| open.at_end(now)));
        self.enter(RunState::Draining);
        if !ending.cut {
            // A worker that hangs takes no order; the join after the run notices it.
            _ = timeout(CUT_LIMIT, self.engine.drain()).await;
            let until = Instant::now() + limits::DRAIN_GRACE;
            while self.engine.running() > 0 && Instant::now() < until {
                let command = next_command(commands, LOOK).await;
                *ending = command.map_or(*ending, |command| ending.after(&command));
                ending.cut |= self.stops.must_cut();
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

/// Returns the next command that arrives within `wait`. When every sender is gone, it still waits, so that the
/// caller's loop does not spin.
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

mod arrivals;
#[cfg(test)]
mod tests;
