//! The overview: panels, charts and lists, each in its place.

use ratatui::buffer::Buffer;

use super::layout::Layout;
use super::{charts, panels, table};
use crate::tui::model::Overview;
use crate::tui::theme::Theme;

pub(super) fn draw(overview: &Overview, theme: Theme, places: &Layout, buffer: &mut Buffer) {
    panels::clients(overview, theme, places.clients, buffer);
    panels::latency(&overview.latency, theme, places.latency, buffer);
    panels::traffic(overview, theme, places.traffic, buffer);
    panels::errors(&overview.errors, theme, places.errors, buffer);
    charts::draw(&overview.charts, &places.charts, places.axis, theme, buffer);
    table::draw(&overview.log, theme, places.log, buffer);
    table::draw(&overview.worst, theme, places.list, buffer);
}
