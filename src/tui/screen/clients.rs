//! All clients: the map, the list and the numbers of one of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::table;
use crate::tui::layout::{clients, on_screen};
use crate::tui::model::ClientsView;
use crate::tui::theme::Theme;

pub(super) fn draw(view: &ClientsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let detail = if view.detail.is_some() { clients::DETAIL } else { 0 };
    let places = clients::places(area.as_size(), detail);
    table::map(view, theme, on_screen(places.map, area), buffer);
    table::draw(&view.table, theme, on_screen(places.list, area), buffer);
    if let Some(detail) = &view.detail {
        table::draw(detail, theme, on_screen(places.detail, area), buffer);
    }
}
