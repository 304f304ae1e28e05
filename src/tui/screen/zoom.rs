//! One panel of the overview alone: its table and two charts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{charts, table};
use crate::tui::layout::{on_screen, zoom};
use crate::tui::model::Zoom;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &Zoom, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = zoom::places(area.as_size());
    table::draw(&view.table, theme, on_screen(places.table, area), buffer);
    let charts = places.charts.map(|place| on_screen(place, area));
    charts::draw(&view.charts, &charts, on_screen(places.axis, area), theme, buffer);
}
