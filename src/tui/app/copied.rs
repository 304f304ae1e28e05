//! The text that the key `y` copies: what is selected in the shown view.

use super::{App, Effect, View, stream};
use crate::tui::layout::stream::StreamPanel;
use crate::vocabulary::Untrusted;

impl App {
    /// Copies what is selected: the number of a client, the URL of a failed request or the name of its failure, or a rung;
    /// in other views the URL of the stream, without its secrets.
    pub(super) fn copy(&mut self) -> Effect {
        let text = self.selected().unwrap_or_else(|| self.title.identity.target.clone());
        let text = Untrusted::new(&text).shown();
        // The terminal does not say whether it allows this.
        self.say(format!("to the clipboard: {text}"));
        Effect::Copy(text)
    }

    fn selected(&self) -> Option<String> {
        match self.view {
            View::Clients => self.clients.selected.map(|id| id.to_string()),
            View::Errors => {
                let outcome = self.failed().get(self.chosen_place())?.outcome;
                let example = self.shown.examples.iter().find(|example| example.outcome == outcome);
                Some(example.map_or_else(|| outcome.to_string(), |example| example.details.url.to_string()))
            }
            View::Stream if self.stream_panel() == StreamPanel::Ladder => {
                self.chosen_rung().map(stream::rung_label)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    #[test]
    fn what_is_selected_is_copied_and_otherwise_the_stream() {
        let mut app = App::new(fixtures::title(), Access::ReadOnly);
        app.update(Msg::Screen((160, 48).into()));
        app.update(Msg::Sample(fixtures::sample("storm")));
        let mut copied = |keys: &str| {
            let effects = keys.chars().map(|key| app.update(Msg::Input(Input::Key(Key::Char(key)))));
            match effects.last() {
                Some(Effect::Copy(text)) => (text, app.notice().unwrap_or_default().to_owned()),
                other => panic!("{other:?}"),
            }
        };
        let (target, notice) = copied("1y");
        assert_eq!(target, fixtures::title().identity.target);
        assert_eq!(notice, format!("to the clipboard: {target}"));
        assert_eq!(copied("2y").0, target, "no client is selected");
        let (client, _) = copied("2jy");
        assert!(client.parse::<u64>().is_ok_and(|id| id > 0), "{client}");
        let (url, _) = copied("3y");
        assert!(url.starts_with("https://") && url != target, "{url}");
        assert_eq!(copied("8gy").0, "1080p");
    }
}
