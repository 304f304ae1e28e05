//! Draws one frame: turns the app into a model and places the model on the screen.

use ratatui::buffer::Buffer;

use super::app::{App, Msg};
use super::model::Model;
use super::screen;
use super::theme::Theme;

/// Draws the app into `buffer`, and reports to the app its size.
pub(super) fn picture(app: &mut App, theme: Theme, buffer: &mut Buffer) {
    app.update(Msg::Screen(buffer.area.as_size()));
    screen::draw(&Model::new(app), theme, buffer);
}
