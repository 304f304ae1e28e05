//! The overview: panels, charts and lists, each in its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{charts, panels, table};
use crate::tui::layout::on_screen;
use crate::tui::layout::overview::{Places, places};
use crate::tui::model::Overview;
use crate::tui::theme::Theme;

pub(super) fn draw(overview: &Overview, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = on(area);
    panels::clients(overview, theme, places.clients, buffer);
    panels::latency(&overview.latency, theme, &places, buffer);
    panels::traffic(overview, theme, places.traffic, buffer);
    panels::errors(&overview.errors, theme, places.errors, buffer);
    charts::draw(&overview.charts, &places.charts, places.axis, theme, buffer);
    table::draw(&overview.log, theme, places.log, buffer);
    table::draw(&overview.worst, theme, places.worst, buffer);
}

/// Returns the places on the screen for a body in `area`.
fn on(area: Rect) -> Places {
    let at = |place| on_screen(place, area);
    let places = places(area.as_size());
    Places {
        clients: at(places.clients),
        latency: at(places.latency),
        traffic: at(places.traffic),
        errors: at(places.errors),
        charts: places.charts.map(at),
        axis: at(places.axis),
        log: at(places.log),
        worst: at(places.worst),
    }
}
