//! Failures by outcome, and the findings about the stream.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{strip, table};
use crate::tui::layout::{errors, on_screen};
use crate::tui::model::ErrorsView;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &ErrorsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = errors::places(area.as_size());
    strip::draw(&view.strip, theme, on_screen(places.strip, area), buffer);
    table::draw(&view.table, theme, on_screen(places.codes, area), buffer);
    table::draw(&view.findings, theme, on_screen(places.findings, area), buffer);
}
