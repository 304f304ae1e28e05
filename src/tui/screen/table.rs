//! A list in columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::model::{Align, Column, Line, Table, Text};
use crate::tui::theme::{Role, Theme};
use crate::vocabulary::units;

/// Leaves a column free at each side: the sign of the selection stands in the left one.
pub(super) fn indented(inner: Rect) -> Rect {
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

pub(super) fn draw(table: &Table, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let head = Head { title: &table.title, aside: &table.aside, focused: table.focused };
    list(table, theme, indented(panel(head, theme, area, buffer)), buffer);
}

/// Draws the headings and the lines of a list without its rule.
pub(super) fn list(table: &Table, theme: Theme, inner: Rect, buffer: &mut Buffer) {
    let mut lines = inner.rows();
    let mut room = usize::from(inner.height);
    if table.columns.iter().any(|column| !column.name.is_empty())
        && let Some(line) = lines.next()
    {
        let headings: Vec<Text> = table.columns.iter().map(|column| Text::label(column.name)).collect();
        cells(&headings, table.columns, theme, line, buffer);
        room -= 1;
    }
    if table.lines.is_empty() {
        if let Some(line) = lines.next() {
            Row::at(line, buffer, theme).text(Role::Label, &table.none);
        }
        return;
    }
    let shown = shown(table, room);
    // In this order, the place after the last line stays for the words.
    for (line, place) in table.lines.iter().take(shown).zip(lines.by_ref()) {
        draw_line(line, table.columns, theme, place, buffer);
    }
    if let Some(place) = lines.next().filter(|_| shown < table.lines.len()) {
        more(table.lines.len() - shown, theme, place, buffer);
    }
}

/// Returns the number of lines of a list that are drawn in `room` lines: the last one says how many there are more.
fn shown(table: &Table, room: usize) -> usize {
    if table.lines.len() > room { room.saturating_sub(1) } else { table.lines.len() }
}

/// Says that a list has more lines than there is room for.
fn more(count: usize, theme: Theme, place: Rect, buffer: &mut Buffer) {
    let text = format!("and {} more", units::count(count as u64));
    Row::at(place, buffer, theme).text(Role::Label, &text);
}

fn draw_line(line: &Line, columns: &[Column], theme: Theme, place: Rect, buffer: &mut Buffer) {
    if columns.is_empty() || line.whole {
        Row::at(place, buffer, theme).texts(&line.cells, 2);
    } else {
        cells(&line.cells, columns, theme, place, buffer);
    }
    if line.selected {
        // Include the column before the texts, where the sign of the selection stands.
        let whole = Rect { x: place.x.saturating_sub(1), width: place.width + 1, ..place };
        Row::at(whole, buffer, theme).text(Role::Selected, ">");
        buffer.set_style(whole.intersection(buffer.area), theme.style(Role::Selected));
    }
}

/// Draws a line of cells: numbers end at the end of their column, words begin at its beginning.
pub(super) fn cells(texts: &[Text], columns: &[Column], theme: Theme, line: Rect, buffer: &mut Buffer) {
    let mut row = Row::at(line, buffer, theme);
    for (place, (text, column)) in texts.iter().zip(columns).enumerate() {
        row = match column.align {
            Align::Left => row.gap(u16::from(place > 0)).column(text, column.width),
            Align::Right => row.column_right(text, column.width),
        };
    }
}
