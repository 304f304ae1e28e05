//! The table of clients: the lines that the model made, in columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use super::panels::{FRAME, framed};
use crate::tui::model::{COLUMNS, ClientTable, Text};
use crate::tui::theme::{Role, Theme};

/// Lines that are not clients: the frame and the headings.
pub(super) const FURNITURE: u16 = FRAME + 1;

pub(super) fn draw(table: &ClientTable, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = format!("Clients {}", table.range);
    let inner = framed(&title, table.order, theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let headings = COLUMNS.map(|(name, _)| Text::label(name));
        cells(&headings, theme, line, buffer);
    }
    for (line, client) in lines.zip(&table.lines) {
        cells(client, theme, line, buffer);
    }
    if table.lines.is_empty() && inner.height > 1 {
        let below = Rect { y: inner.y + 1, height: 1, ..inner };
        Row::at(below, buffer, theme).text(Role::Label, "no client yet");
    }
}

/// Numbers end at their column's end, words begin at their column's beginning.
fn cells(texts: &[Text; COLUMNS.len()], theme: Theme, line: Rect, buffer: &mut Buffer) {
    let mut row = Row::at(line, buffer, theme);
    for (text, (name, width)) in texts.iter().zip(COLUMNS) {
        row = if is_word(name) { row.gap(1).column(text, width) } else { row.column_right(text, width) };
    }
}

fn is_word(column: &str) -> bool {
    matches!(column, "STATE" | "LAST")
}
