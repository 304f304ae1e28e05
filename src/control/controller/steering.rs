//! Changes of the load that operators ask for: carries out requests of the control socket, and records who asked.

use super::Controller;
use crate::control::Engine;
use crate::run_state::{ChangeKind, ChangeSource};
use crate::vocabulary::{Steer, SteerRequest, Steered};

impl<E: Engine> Controller<E> {
    /// Makes a change for the control socket, and answers it.
    pub(super) fn steer(&mut self, request: &SteerRequest) {
        // Changes by keys so far are the operator's.
        self.write_target_down();
        let by = ChangeSource::Control;
        let (was_planned, from) = (self.follows_stages() || self.is_open(), self.target);
        let asked = match request.steer {
            Steer::Target(clients) => Some(clients.into()),
            Steer::Adjust(by) => Some(self.target_after(by)),
            Steer::Hold | Steer::Resume => None,
        };
        match request.steer {
            Steer::Hold => self.hold(ChangeKind::Hold, by),
            Steer::Resume => self.resume(by),
            Steer::Target(_) | Steer::Adjust(_) => self.aim(asked.unwrap_or_default(), by),
        }
        self.write_target_down();
        // A reader that has the answer finds the same target in the status.
        self.sources.status.set_target(self.target);
        let limit = self.plan.limit;
        let limited = asked.filter(|asked| limit.is_exceeded_by(*asked)).map(|_| limit.to_string());
        let (to, is_held) = (self.target, self.held.is_some());
        // The other side may have gone.
        _ = request.answer.try_send(Steered { from, to, limited, is_held, was_planned });
    }

    /// Returns the target after a change by this many clients.
    pub(super) fn target_after(&self, by: i64) -> i64 {
        i64::from(self.target).saturating_add(by)
    }

    /// Resumes the ramp, whatever holds it.
    pub(super) fn resume(&mut self, by: ChangeSource) {
        self.overrule_brake();
        self.hold(ChangeKind::Resume, by);
    }

    /// Records the change of the target by commands, if they have changed it.
    pub(super) fn write_target_down(&mut self) {
        let before = std::mem::replace(&mut self.before, self.target);
        if before != self.target {
            self.write_down(ChangeKind::Target, before, self.target, self.commander);
        }
    }
}
