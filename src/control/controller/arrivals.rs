//! Arrivals, as the controller admits them.

use super::Controller;
use crate::control::Engine;
use crate::run_state::Note;

impl<E: Engine> Controller<E> {
    /// Reports whether clients arrive by themselves.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some() && !self.is_overruled
    }

    /// Admits the clients that have arrived by now. Those who are there are the target.
    pub(super) async fn welcome(&mut self) {
        if !self.is_open() {
            return;
        }
        let now = self.sources.clock.now();
        let most = self.plan.limit.clamp(self.plan.profile.clients.into());
        while let Some(planned) = self.open.as_mut().and_then(|open| open.take(self.followed)) {
            let there = self.engine.admitted();
            if there >= most {
                let note = self.open.as_mut().and_then(|open| open.turn_away(now, there, self.plan.limit));
                self.note(note);
                continue;
            }
            // A client that arrived while the clock stood still is due now.
            let due = self.clock.reaches(planned).unwrap_or(now).min(now);
            self.pacer.follow(due, now, 1);
            self.engine.admit().await;
            self.pacer.started(self.sources.clock.now());
        }
        self.target = self.engine.admitted().min(most);
    }

    pub(super) fn note(&self, note: Option<Note>) {
        note.into_iter().for_each(|note| self.sources.status.journal().note(note));
    }
}
