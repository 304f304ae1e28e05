//! One panel of the overview alone: its chart and its table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{charts, table};
use crate::tui::layout::{on_screen, zoom};
use crate::tui::model::Zoom;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &Zoom, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = zoom::layout(area.as_size());
    charts::draw(&view.charts, &[on_screen(places.chart, area)], theme, buffer);
    charts::ribbon(&view.charts, theme, on_screen(places.ribbon, area), buffer);
    table::draw(&view.table, theme, on_screen(places.table, area), buffer);
}
