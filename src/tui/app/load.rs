//! Requests of the operator to the load: more or fewer clients, a hold, a stop.
//!
//! The screen shows a request at once; the samples catch up.

use std::time::Duration;

use super::{App, Effect, Mode};
use crate::run_state::{ChangeKind, ChangeSource};
use crate::vocabulary::steering::ENDING;
use crate::vocabulary::{Command, RunState, Steered, StopCause};

/// Number of clients above which a change needs a confirmation.
const ASK_ABOVE: i64 = 100;
/// Time that a requested change may take to show in the samples.
const SETTLES: Duration = Duration::from_secs(1);
/// Key that resumes a held ramp, in answers.
const RESUMES: &str = "p resumes";
/// Answer to a stop while the last reports are written.
const WRITING: &str = "the reports are being written";

impl App {
    /// Reports whether the run is ending.
    pub(in crate::tui) fn is_ending(&self) -> bool {
        self.stop_asked || self.live.state.is_ending()
    }

    /// Changes the target by `by` clients; asks first about a large change.
    pub(super) fn change(&mut self, by: i64) -> Effect {
        let asked = self.wanted() + by;
        if self.is_ending() || by.abs() > ASK_ABOVE {
            return self.want(asked);
        }
        let by = i64::from(self.live.limit.clamp(asked)) - self.wanted();
        self.expect(asked);
        // A relative change: repeated keys add up in the run, however late the samples show them.
        Effect::Ask(Command::AdjustTarget(by))
    }

    /// Sets the target to `target` clients; asks first about a large change.
    pub(super) fn want(&mut self, target: i64) -> Effect {
        if self.is_ending() {
            return self.say(ENDING.to_owned());
        }
        let limited = i64::from(self.live.limit.clamp(target));
        if (limited - self.wanted()).abs() > ASK_ABOVE {
            self.mode = Mode::Confirm(target);
            return Effect::None;
        }
        self.aim(target)
    }

    pub(super) fn aim(&mut self, target: i64) -> Effect {
        if self.is_ending() {
            return Effect::None;
        }
        self.expect(target);
        Effect::Ask(Command::SetTarget(self.live.limit.clamp(target)))
    }

    pub(super) fn expect(&mut self, asked: i64) {
        let to = self.live.limit.clamp(asked);
        self.asked_target = Some((to.into(), self.live.at + SETTLES));
        let answer = Steered {
            to,
            limited: self.live.limit.is_exceeded_by(asked).then(|| self.live.limit.to_string()),
            is_held: self.live.state == RunState::Hold,
            ..self.steered()
        };
        self.say(answer.target(RESUMES));
    }

    /// Returns the answer to a change, but for a target.
    fn steered(&self) -> Steered {
        Steered { was_planned: self.follows_plan(), ..Steered::default() }
    }

    /// Reports whether stages or arrivals set the target.
    fn follows_plan(&self) -> bool {
        (self.title.stages.is_some() || self.title.arrivals.is_some()) && self.live.plan_time.is_some()
    }

    /// Returns the target, including a request that the samples do not show yet.
    pub(in crate::tui) fn wanted(&self) -> i64 {
        self.asked_target.map_or(i64::from(self.live.target), |(target, _)| target)
    }

    pub(super) fn hold(&mut self) -> Effect {
        if self.is_ending() {
            return self.say(ENDING.to_owned());
        }
        if self.live.state == RunState::Hold {
            self.say(self.steered().resumed().to_owned());
            return Effect::Ask(Command::Resume);
        }
        self.say(self.steered().held(RESUMES));
        Effect::Ask(Command::Hold)
    }

    /// Says that the brake has held or resumed the ramp since the sample that was held by `before`.
    pub(super) fn tell_brake(&mut self, before: Option<ChangeSource>) {
        let [before, now] = [before, self.live.held_by()].map(|by| by == Some(ChangeSource::Brake));
        let is_resumed = self
            .live
            .journal
            .changes()
            .last()
            .is_some_and(|change| change.kind == ChangeKind::Resume && change.by == ChangeSource::Brake);
        if now && !before {
            self.say(format!("brake: ramp held: {}", self.live.storm_in_short()));
        } else if before && !now && is_resumed {
            self.say("brake: the storm is over, the ramp resumes".to_owned());
        }
    }

    pub(super) fn stop(&mut self, cause: StopCause) -> Effect {
        if self.is_ending() {
            return self.stop_now(cause);
        }
        self.stays = cause == StopCause::Operator;
        self.stop_asked = true;
        Effect::Ask(Command::Stop(cause))
    }

    pub(super) fn stop_now(&mut self, cause: StopCause) -> Effect {
        self.stays &= cause == StopCause::Operator;
        self.stop_asked = true;
        if self.live.state == RunState::Finished {
            self.say(WRITING.to_owned());
        }
        Effect::Ask(Command::StopNow(cause))
    }
}
