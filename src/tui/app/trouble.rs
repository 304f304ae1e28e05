//! The keys `n` and `N`: the next trouble in a list, and the previous one.

use super::clients::is_in_trouble;
use super::{App, Effect, View};
use crate::tui::keys::Turn;

impl App {
    /// Goes to the next client, event or failure in trouble below the cursor, or to the previous one above it.
    pub(super) fn go_to_trouble(&mut self, turn: Turn) -> Effect {
        let found = match self.view {
            View::Clients => self.client_in_trouble(turn),
            View::Log => self.event_of_trouble(turn),
            View::Errors => self.failure_of_now(turn),
            _ => return Effect::None,
        };
        match (found, turn) {
            (true, _) => Effect::None,
            (false, Turn::Next) => self.say("no trouble below".to_owned()),
            (false, Turn::Back) => self.say("no trouble above".to_owned()),
        }
    }

    fn client_in_trouble(&mut self, turn: Turn) -> bool {
        let snapshot = &self.steady.snapshot;
        let row = |place: usize| snapshot.clients.get(*self.clients.order.get(place)? as usize);
        let found = nearest(self.clients.order.len(), self.clients.place(snapshot), turn, |place| {
            row(place).is_some_and(is_in_trouble)
        });
        let Some(id) = found.and_then(row).map(|row| row.id) else { return false };
        self.clients.selected = Some(id);
        self.clients.bring_into_sight(&self.steady.snapshot);
        true
    }

    /// Makes the event the last visible one, as far as the list can be scrolled.
    fn event_of_trouble(&mut self, turn: Turn) -> bool {
        if !self.has_focus(1) {
            (self.focus, self.scroll) = (1, 0);
        }
        let log = self.log();
        let last = log.len().saturating_sub(1);
        let is_trouble = |place: usize| {
            let group = log.get(place).and_then(|group| group.entries.first());
            group.is_some_and(|entry| entry.event.what.is_trouble())
        };
        let at = (!log.is_empty()).then(|| last - self.scroll.min(last));
        let Some(found) = nearest(log.len(), at, turn, is_trouble) else { return false };
        let before = self.scroll;
        self.scroll = (last - found).min(self.last_scroll());
        self.scroll != before
    }

    /// Chooses an outcome that occurred within the last seconds.
    fn failure_of_now(&mut self, turn: Turn) -> bool {
        let failed = self.failed();
        let is_now = |place: usize| failed.get(place).is_some_and(|line| line.per_second > 0.0);
        let at = self.chosen.map(|_| self.chosen_place());
        let found = nearest(failed.len(), at, turn, is_now).and_then(|place| failed.get(place));
        let Some(outcome) = found.map(|line| line.outcome) else { return false };
        (self.chosen, self.focus) = (Some(outcome), 0);
        true
    }
}

/// Returns the first place after `at`, or before it, that is in trouble; without a place to begin at, of all.
fn nearest(len: usize, at: Option<usize>, turn: Turn, is_trouble: impl Fn(usize) -> bool) -> Option<usize> {
    match turn {
        Turn::Next => (at.map_or(0, |at| at + 1)..len).find(|place| is_trouble(*place)),
        Turn::Back => (0..at.unwrap_or(len)).rev().find(|place| is_trouble(*place)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::pipeline::{Event, Happening, LogEntry};
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    fn app(view: char) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen((80, 24).into()));
        app.update(Msg::Sample(fixtures::sample("storm")));
        press(&mut app, view);
        app
    }

    fn press(app: &mut App, key: char) {
        app.update(Msg::Input(Input::Key(Key::Char(key))));
    }

    #[test]
    fn clients_in_trouble_are_selected_one_after_the_other_in_the_order_of_the_list() {
        let mut app = app('2');
        press(&mut app, 's');
        let rows = Arc::clone(&app.steady.snapshot.clients);
        let in_order = app.clients.order.iter().map(|place| &rows[*place as usize]);
        let expected: Vec<u64> = in_order.filter(|row| is_in_trouble(row)).map(|row| row.id).collect();
        assert!(expected.len() > 3 && expected.len() < rows.len());
        let mut seen = Vec::new();
        while app.notice().is_none() {
            press(&mut app, 'n');
            seen.push(app.clients.selected.expect("a client"));
        }
        // The last key found none.
        assert_eq!((seen.pop(), seen.as_slice()), (expected.last().copied(), expected.as_slice()));
        assert_eq!(app.notice(), Some("no trouble below"));
        press(&mut app, 'N');
        assert_eq!(app.clients.selected, Some(expected[expected.len() - 2]));
    }

    #[test]
    fn the_log_goes_to_trouble_above_and_below() {
        let mut app = app('5');
        let event = |number: u64| {
            let what = if number.is_multiple_of(10) { Happening::StallBegan } else { Happening::Joined };
            LogEntry { number, event: Event { at_us: 1_000_000 * number, client: Some(7), what } }
        };
        let log = (1..66).map(event).collect();
        app.update(Msg::Sample(Arc::new(RunSample { log, ..(*app.steady).clone() })));
        let trouble = |app: &App| {
            let log = app.log();
            let last = log.len() - 1 - app.scroll;
            log[last].entries[0].event.what.is_trouble()
        };
        assert!(app.scroll == 0 && !trouble(&app));
        press(&mut app, 'N');
        let above = app.scroll;
        assert!(above == 5 && trouble(&app), "{above}");
        press(&mut app, 'N');
        assert!(app.scroll == 15 && trouble(&app));
        press(&mut app, 'n');
        assert_eq!(app.scroll, above);
        app.update(Msg::Input(Input::Key(Key::BackTab)));
        press(&mut app, 'N');
        assert!(app.has_focus(1) && app.scroll == above);
    }

    #[test]
    fn a_failure_that_goes_on_is_chosen_and_one_that_has_ended_is_not() {
        let mut app = app('3');
        let mut sample = (*app.steady).clone();
        sample.at += Duration::from_secs(1);
        sample.failures.iter_mut().step_by(2).for_each(|line| line.per_second = 0.0);
        app.update(Msg::Sample(sample.into()));
        let going_on: Vec<_> =
            app.failed().into_iter().filter(|line| line.per_second > 0.0).map(|line| line.outcome).collect();
        assert!(going_on.len() > 1 && going_on.len() < app.failed().len(), "{:?}", app.failed());
        for outcome in &going_on {
            press(&mut app, 'n');
            assert_eq!(app.chosen, Some(*outcome));
        }
        press(&mut app, 'n');
        assert_eq!((app.chosen, app.notice()), (going_on.last().copied(), Some("no trouble below")));
    }
}
