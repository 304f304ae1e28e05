//! The report of a run that has ended.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::layout::{on_screen, report};
use crate::tui::model::ReportView;
use crate::tui::theme::{Role, Theme};

pub(super) fn draw(view: &ReportView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = report::places(area.as_size());
    let head = Head { title: &view.title, aside: &view.aside, focused: false };
    panel(head, theme, on_screen(places.panel, area), buffer);
    for (place, lines) in places.columns.into_iter().zip(&view.columns) {
        for (line, text) in on_screen(place, area).rows().zip(lines) {
            Row::at(line, buffer, theme).text(Role::Plain, text);
        }
    }
}
