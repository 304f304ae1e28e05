//! Draws one frame: turns the app into a model and places the model on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::app::{App, Msg};
use super::model::Model;
use super::screen::{self, LayoutInput};
use super::theme::Theme;

/// Draws the app into `buffer`, and reports to the app how much of its lists fits there.
pub(super) fn picture(app: &mut App, theme: Theme, buffer: &mut Buffer) {
    let scene = LayoutInput { view: app.view, zoomed: app.zoomed, open: app.clients.open };
    let capacity = screen::capacity(Size::new(buffer.area.width, buffer.area.height), scene);
    app.update(Msg::Capacity(capacity));
    screen::draw(&Model::new(app, capacity), scene, theme, buffer);
}
