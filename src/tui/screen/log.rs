//! Events per second, the story of the run, and the events of its clients.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{charts, table};
use crate::tui::layout::{log, on_screen};
use crate::tui::model::LogView;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &LogView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = log::layout(area.as_size());
    let at = |place| on_screen(place, area);
    charts::draw(&view.charts, &[at(places.chart)], theme, buffer);
    charts::ribbon(&view.charts, theme, at(places.ribbon), buffer);
    table::draw(&view.story, theme, at(places.story), buffer);
    table::draw(&view.events, theme, at(places.events), buffer);
}
