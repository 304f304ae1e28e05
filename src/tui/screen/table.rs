//! A list in columns, and the map of clients.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{FRAME, framed};
use super::line::Row;
use crate::tui::model::{Align, ClientsView, Column, LEGEND, Line, Table, Text};
use crate::tui::theme::{Role, Theme};

/// Columns that a frame takes: two lines and two spaces.
const SIDES: u16 = 4;

/// Returns the columns and lines within a frame.
pub(super) fn inside(area: Rect) -> (usize, usize) {
    (usize::from(area.width.saturating_sub(SIDES)), usize::from(area.height.saturating_sub(FRAME)))
}

pub(super) fn draw(table: &Table, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed(&table.title, &table.aside, theme, area, buffer);
    let mut lines = inner.rows();
    if table.columns.iter().any(|column| !column.name.is_empty())
        && let Some(line) = lines.next()
    {
        let headings: Vec<Text> = table.columns.iter().map(|column| Text::label(column.name)).collect();
        cells(&headings, table.columns, theme, line, buffer);
    }
    if table.lines.is_empty() {
        if let Some(line) = lines.next() {
            Row::at(line, buffer, theme).text(Role::Label, &table.none);
        }
        return;
    }
    for (place, line) in lines.zip(&table.lines) {
        draw_line(line, table.columns, theme, place, buffer);
    }
}

fn draw_line(line: &Line, columns: &[Column], theme: Theme, place: Rect, buffer: &mut Buffer) {
    if columns.is_empty() || line.whole {
        Row::at(place, buffer, theme).texts(&line.cells, 2);
    } else {
        cells(&line.cells, columns, theme, place, buffer);
    }
    if line.selected {
        // Include the frame's own space, where the sign of the selection stands.
        let whole = Rect { x: place.x.saturating_sub(1), width: place.width + 1, ..place };
        Row::at(whole, buffer, theme).text(Role::Selected, ">");
        buffer.set_style(whole.intersection(buffer.area), theme.style(Role::Selected));
    }
}

/// Draws a line of cells: numbers end at the end of their column, words begin at its beginning.
fn cells(texts: &[Text], columns: &[Column], theme: Theme, line: Rect, buffer: &mut Buffer) {
    let mut row = Row::at(line, buffer, theme);
    for (place, (text, column)) in texts.iter().zip(columns).enumerate() {
        row = match column.align {
            Align::Left => row.gap(u16::from(place > 0)).column(text, column.width),
            Align::Right => row.column_right(text, column.width),
        };
    }
}

pub(super) fn map(clients: &ClientsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed(&format!("Map: {}", clients.scale), LEGEND, theme, area, buffer);
    for (line, marks) in inner.rows().zip(&clients.map) {
        for (x, mark) in (line.x..line.right()).zip(marks) {
            buffer.set_string(x, line.y, mark.sign, theme.style(mark.role));
        }
    }
}
