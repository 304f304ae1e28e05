//! The report of a run that has ended.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use crate::tui::model::ReportView;
use crate::tui::theme::{Role, Theme};

pub(super) fn draw(view: &ReportView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    for (place, line) in area.rows().zip(&view.lines) {
        Row::at(place, buffer, theme).text(Role::Plain, line);
    }
}
