//! The story of the run, and the events of its clients.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::table;
use crate::tui::layout::{log, on_screen};
use crate::tui::model::LogView;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &LogView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = log::layout(area.as_size());
    table::draw(&view.story, theme, on_screen(places.story, area), buffer);
    table::draw(&view.events, theme, on_screen(places.events, area), buffer);
}
