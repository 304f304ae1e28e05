//! The chosen outcome of the view of failures.

use super::{App, Effect, Filter, View, look};
use crate::sample::FailureLine;
use crate::tui::keys::Motion;
use crate::vocabulary::Outcome;

impl App {
    /// Returns the failed outcomes in the order of the view: HTTP statuses first, the most frequent first in each group.
    pub(in crate::tui) fn failed(&self) -> Vec<&FailureLine> {
        let totals = self.scope.totals(&self.steady);
        let mut lines: Vec<&FailureLine> = self.steady.failures.iter().collect();
        let is_http = |outcome| matches!(outcome, Outcome::Http(_));
        // The sort is stable: equal counts keep the order of their first occurrence.
        lines.sort_by_key(|line| (!is_http(line.outcome), std::cmp::Reverse(totals.ended(line.outcome))));
        lines
    }

    /// Returns the place of the chosen outcome in [`App::failed`]: the first until another is chosen. The choice stays
    /// with its outcome wherever the order puts it.
    pub(in crate::tui) fn chosen_place(&self) -> usize {
        let failed = self.failed();
        failed.iter().position(|line| Some(line.outcome) == self.chosen).unwrap_or_default()
    }

    pub(super) fn choose(&mut self, motion: Motion, page: usize) {
        let last = self.steady.failures.len().saturating_sub(1);
        let place = look::scrolled(self.chosen_place(), motion, page, last);
        self.chosen = self.failed().get(place).map(|line| line.outcome);
    }

    /// Lists the clients that ever had the chosen outcome.
    pub(super) fn show_clients_of_chosen(&mut self) -> Effect {
        let Some(outcome) = self.failed().get(self.chosen_place()).map(|line| line.outcome) else {
            return Effect::None;
        };
        let name = outcome.to_string();
        self.clients.filter =
            Filter::new(&format!(r"(had|last):{}\b", name.replace('.', r"\."))).ok().flatten();
        self.show(View::Clients);
        self.say(format!("clients that ever had {name}; Esc shows all"))
    }
}
