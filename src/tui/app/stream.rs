//! The chosen rung of the view of the stream, and the panel of that view that has the focus.

use super::{App, Effect, Filter, View, look};
use crate::sample::RungSample;
use crate::tui::keys::Motion;
use crate::tui::layout::stream::{StreamPanel, panels};

/// Returns the name of a rung on the screen. A stream without a multivariant playlist has one rung without a name.
pub(in crate::tui) fn rung_label(rung: &RungSample) -> String {
    match &rung.name {
        Some(name) => name.label.to_string(),
        None if rung.place == 0 => "media playlist".to_owned(),
        None => format!("rung {}", rung.place),
    }
}

impl App {
    /// Returns the panel of the view of the stream that has the focus. A panel that a smaller screen has no room for
    /// leaves the focus to the ladder.
    pub(in crate::tui) fn stream_panel(&self) -> StreamPanel {
        panels(self.room).get(self.focus).copied().unwrap_or_default()
    }

    /// Returns the rung at the cursor: the chosen one, which stays with its place in the ladder. Until one is chosen, the
    /// one whose playlist was the latest within a minute, or else the first that has a playlist.
    pub(in crate::tui) fn chosen_rung(&self) -> Option<&RungSample> {
        let stream = &self.steady.stream;
        let chosen = self.rung.and_then(|place| stream.rungs.iter().find(|rung| rung.place == place));
        let late = || stream.lately_late(&self.steady.history, self.steady.at);
        let first = || stream.rungs.iter().find(|rung| rung.age.is_some()).or(stream.rungs.first());
        chosen.or_else(late).or_else(first)
    }

    /// Returns the index of the rung at the cursor among those of the sample.
    pub(in crate::tui) fn rung_index(&self) -> usize {
        let place = self.chosen_rung().map(|rung| rung.place);
        let rungs = &self.steady.stream.rungs;
        rungs.iter().position(|rung| Some(rung.place) == place).unwrap_or_default()
    }

    pub(super) fn choose_rung(&mut self, motion: Motion, page: usize) {
        let rungs = &self.steady.stream.rungs;
        let index = look::scrolled(self.rung_index(), motion, page, rungs.len().saturating_sub(1));
        self.rung = rungs.get(index).map(|rung| rung.place);
    }

    /// Lists the clients that play the rung at the cursor.
    pub(super) fn show_clients_of_rung(&mut self) -> Effect {
        let Some(rung) = self.chosen_rung().filter(|_| self.stream_panel() == StreamPanel::Ladder) else {
            return Effect::None;
        };
        let label = rung_label(rung);
        if rung.clients == 0 {
            return self.say(format!("no client plays {label}"));
        }
        self.clients.filter = Some(Filter::of_rung(rung.place, &label));
        self.show(View::Clients);
        self.say(format!("clients that play {label}; Esc shows all"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    fn app(stage: &str) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen((160, 48).into()));
        app.update(Msg::Sample(fixtures::sample(stage)));
        app.update(Msg::Input(Input::Key(Key::Char('8'))));
        app
    }

    fn press(app: &mut App, keys: &[Key]) {
        keys.iter().for_each(|key| _ = app.update(Msg::Input(Input::Key(*key))));
    }

    fn chosen(app: &App) -> Option<usize> {
        app.chosen_rung().map(|rung| rung.place)
    }

    #[test]
    fn the_late_rung_is_at_the_cursor_and_without_one_the_first() {
        let mut app = app("healthy");
        assert_eq!(chosen(&app), Some(0));
        let mut sample = (*app.steady).clone();
        sample.at += std::time::Duration::from_secs(1);
        let mut stream = (*sample.stream).clone();
        stream.rungs[1].age = Some(std::time::Duration::from_secs(7));
        sample.stream = stream.into();
        app.update(Msg::Sample(sample.into()));
        assert_eq!(chosen(&app), Some(1));
        press(&mut app, &[Key::Char('j')]);
        assert_eq!(chosen(&app), Some(2), "the next one");
    }

    #[test]
    fn a_chosen_rung_stays_at_the_cursor() {
        let mut app = app("storm");
        press(&mut app, &[Key::Char('j'), Key::Down]);
        assert_eq!(chosen(&app), Some(2));
        press(&mut app, &[Key::Char('G')]);
        assert_eq!(chosen(&app), Some(16), "the audio");
        press(&mut app, &[Key::Char('k'), Key::Char('j'), Key::Char('j')]);
        assert_eq!(chosen(&app), Some(16));
        let mut sample = (*app.steady).clone();
        sample.at += std::time::Duration::from_secs(1);
        let mut stream = (*sample.stream).clone();
        stream.rungs.remove(1);
        sample.stream = stream.into();
        app.update(Msg::Sample(sample.into()));
        assert_eq!((chosen(&app), app.rung_index()), (Some(16), 2), "it stays with its place in the ladder");
    }

    #[test]
    fn enter_lists_the_clients_of_the_rung_and_no_others() {
        let mut app = app("storm");
        press(&mut app, &[Key::Char('j'), Key::Enter]);
        let rung = app.steady.stream.rungs.iter().find(|rung| rung.place == 1).expect("a rung");
        assert_eq!((app.view, app.clients.order.len()), (View::Clients, rung.clients as usize));
        let rows = std::sync::Arc::clone(&app.steady.snapshot.clients);
        assert!(app.clients.order.iter().all(|place| rows[*place as usize].placement.rung() == Some(1)));
        press(&mut app, &[Key::Escape]);
        assert_eq!(app.clients.order.len(), rows.len());
    }

    #[test]
    fn a_rung_that_no_client_plays_lists_none() {
        let mut app = app("storm");
        let mut sample = (*app.steady).clone();
        sample.at += std::time::Duration::from_secs(1);
        let mut stream = (*sample.stream).clone();
        stream.rungs[0].clients = 0;
        sample.stream = stream.into();
        app.update(Msg::Sample(sample.into()));
        press(&mut app, &[Key::Enter]);
        assert_eq!((app.view, app.notice()), (View::Stream, Some("no client plays 1080p")));
        let mut app = self::app("empty");
        press(&mut app, &[Key::Char('j'), Key::Enter]);
        assert_eq!((app.view, chosen(&app)), (View::Stream, None));
    }

    #[test]
    fn tab_reaches_only_panels_that_are_on_the_screen() {
        let mut app = app("storm");
        let mut seen = Vec::new();
        for size in [(160, 48), (80, 24)] {
            app.update(Msg::Screen(size.into()));
            for _ in 0..3 {
                seen.push(app.stream_panel());
                press(&mut app, &[Key::Tab]);
            }
        }
        use StreamPanel::{Edges, Findings, Ladder};
        assert_eq!(seen, [Ladder, Edges, Findings, Ladder, Findings, Ladder]);
        press(&mut app, &[Key::Enter]);
        assert_eq!(app.view, View::Stream, "nothing opens but a rung");
    }
}
