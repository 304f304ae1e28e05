//! The console without a terminal: turns samples into the bytes that a terminal would get.
//!
//! It shares the app, the screens and the painter with the console on a terminal. Only the thread that waits for keys
//! and writes the bytes is missing.

use std::io;
use std::sync::Arc;

use ratatui::layout::Size;

use super::app::{Access, App, Msg, Title};
use super::input::Decoder;
use super::painter::Painter;
use super::render::picture;
use super::theme::Theme;
use crate::sample::RunSample;

/// A console that draws into memory.
#[derive(Debug)]
pub struct Offscreen {
    app: App,
    theme: Theme,
    painter: Painter,
    decoder: Decoder,
}

impl Offscreen {
    /// Creates a console for a run with this title.
    pub fn new(title: Title, theme: Theme) -> Self {
        Self {
            app: App::new(title, Access::ReadOnly),
            theme,
            painter: Painter::new(theme.charset),
            decoder: Decoder::default(),
        }
    }

    /// Takes the bytes of keys. Keys that act beyond the screen do nothing here.
    pub fn press(&mut self, bytes: &[u8]) {
        let mut inputs = Vec::new();
        self.decoder.push(bytes, &mut inputs);
        for input in inputs {
            // There is neither a run nor a folder to act on.
            _ = self.app.update(Msg::Input(input));
        }
    }

    /// Shows a sample on a screen of this many columns and rows, and returns the bytes that turn the last frame into
    /// this one.
    ///
    /// # Errors
    /// None in practice: the bytes go to memory.
    pub fn show(&mut self, sample: Arc<RunSample>, columns: u16, rows: u16) -> io::Result<&[u8]> {
        // The effect does not matter: this console has no run to act on.
        _ = self.app.update(Msg::Sample(sample));
        let Self { app, theme, painter, .. } = self;
        painter.paint(Size::new(columns, rows), |buffer| picture(app, *theme, buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Charset, Palette, fixtures};

    #[test]
    fn a_picture_and_then_only_what_has_changed() {
        let theme = Theme { palette: Palette::Mono, charset: Charset::Ascii };
        let mut console = Offscreen::new(fixtures::title(), theme);
        let first = console.show(fixtures::sample("healthy"), 120, 30).expect("in memory").to_vec();
        let again = console.show(fixtures::sample("healthy"), 120, 30).expect("in memory").len();
        assert!(String::from_utf8(first.clone()).expect("UTF-8").contains("RUNNING"));
        assert!(again * 4 < first.len(), "{again} bytes after {}", first.len());
        console.press(b"2");
        let clients = console.show(fixtures::sample("healthy"), 120, 30).expect("in memory");
        assert!(String::from_utf8_lossy(clients).contains("Clients"));
    }
}
