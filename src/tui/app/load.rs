//! What the operator asks of the load: more clients or fewer, a hold, an end.
//!
//! What was asked for shows at once, the frames catch up.

use std::time::Duration;

use super::{App, Effect, Mode};
use crate::vocabulary::{Command, RunState, StopCause, units};

/// A change by more clients than this is asked about first.
const ASK_ABOVE: i64 = 100;
/// So long a change that was asked for may take to show in the frames.
const SETTLES: Duration = Duration::from_secs(1);
/// Why clients cannot be changed.
pub(super) const ENDING: &str = "the run is ending: clients cannot be changed any more";

impl App {
    /// Whether the run is on its way to its end.
    pub(in crate::tui) fn is_ending(&self) -> bool {
        self.stop_asked || self.live.state.is_ending()
    }

    /// A step more or fewer; a large one is asked about first.
    pub(super) fn change(&mut self, by: i64) -> Effect {
        let asked = self.wanted() + by;
        if self.is_ending() || by.abs() > ASK_ABOVE {
            return self.want(asked);
        }
        let by = i64::from(self.title.limit.clamp(asked)) - self.wanted();
        self.expect(asked);
        // Relative: hammered keys add up in the run, however late the frames show it.
        Effect::Ask(Command::AdjustTarget(by))
    }

    /// Goes to so many clients; a large change is asked about first.
    pub(super) fn want(&mut self, target: i64) -> Effect {
        if self.is_ending() {
            return self.say(ENDING.to_owned());
        }
        let limited = i64::from(self.title.limit.clamp(target));
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
        Effect::Ask(Command::SetTarget(self.title.limit.clamp(target)))
    }

    pub(super) fn expect(&mut self, asked: i64) {
        let target = i64::from(self.title.limit.clamp(asked));
        self.asked_target = Some((target, self.live.at + SETTLES));
        let held = if self.live.state == RunState::Hold { ", but the ramp is held: p" } else { "" };
        let limited = match self.title.limit.is_exceeded_by(asked) {
            true => format!(", {}", self.title.limit),
            false => String::new(),
        };
        self.say(format!("target {}{limited}{held}", units::count(target.unsigned_abs())));
    }

    /// The target, with what was asked for and does not show in the frames yet.
    pub(in crate::tui) fn wanted(&self) -> i64 {
        self.asked_target.map_or(i64::from(self.live.target), |(target, _)| target)
    }

    pub(super) fn hold(&mut self) -> Effect {
        if self.is_ending() {
            return self.say(ENDING.to_owned());
        }
        if self.live.state == RunState::Hold {
            self.say("the ramp goes on".to_owned());
            return Effect::Ask(Command::Resume);
        }
        self.say("the ramp is held: no client is added; p lets it go on".to_owned());
        Effect::Ask(Command::Hold)
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
        Effect::Ask(Command::StopNow(cause))
    }
}
