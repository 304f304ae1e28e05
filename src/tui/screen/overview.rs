//! The overview: charts at the left, what they mean at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::{charts, panels, table, who};
use crate::tui::layout::on_screen;
use crate::tui::layout::overview::layout;
use crate::tui::model::{Overview, Text};
use crate::tui::theme::Theme;

pub(super) fn draw(overview: &Overview, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let at = |place| on_screen(place, area);
    let places = layout(area.as_size());
    charts::draw(&overview.charts, &places.charts.map(at), theme, buffer);
    charts::ribbon(&overview.charts, theme, at(places.ribbon), buffer);
    panels::now(&overview.now, theme, at(places.now), buffer);
    panels::latency(&overview.latency, theme, at(places.latency), buffer);
    panels::failures(&overview.failures, theme, at(places.failures), buffer);
    let who = Head { title: &Text::title("Who"), aside: &overview.who_of_all, focused: overview.who_focused };
    who::draw(&overview.who, theme, panel(who, theme, at(places.who), buffer), buffer);
    table::draw(&overview.story, theme, at(places.story), buffer);
}
