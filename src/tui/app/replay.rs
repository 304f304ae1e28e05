//! Keys of a replay: it has no run to change, so the keys of the load leave it or set its speed.

use super::{App, Effect};
use crate::tui::keys::Action;
use crate::vocabulary::ReplaySpeed;

impl App {
    /// Returns the app of a replay that begins at this speed.
    pub(in crate::tui) fn at_speed(self, speed: ReplaySpeed) -> Self {
        Self { speed, ..self }
    }

    /// Answers a key that would change a run: those that end it leave its replay, and its step is the speed.
    pub(super) fn act_in_replay(&mut self, action: Action) -> Effect {
        match action {
            Action::Stop | Action::Interrupt | Action::StopNow => Effect::Leave,
            Action::StepUp | Action::StepDown if self.report.is_some() => {
                self.say("the replay is at its end".to_owned())
            }
            Action::StepUp => {
                self.speed = self.speed.faster();
                Effect::None
            }
            Action::StepDown => {
                self.speed = self.speed.slower();
                Effect::None
            }
            Action::Mark => self.say("a replay takes no marks".to_owned()),
            Action::Suspend => self.say("Ctrl-Z is disabled; Space pauses the replay".to_owned()),
            _ => self.say("a replay cannot change the load".to_owned()),
        }
    }
}
