//! Single cells and short texts, clipped to an area.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_width::UnicodeWidthStr as _;

/// Blocks that fill zero to eight eighths of a cell from below.
pub(super) const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Returns the block for this many eighths, of at most eight.
pub(super) fn block(eighths: u16) -> &'static str {
    EIGHTHS.get(usize::from(eighths)).copied().unwrap_or("█")
}

/// Sets the cell at a column and a line of `area`; nothing if it lies outside.
pub(super) fn put(buffer: &mut Buffer, area: Rect, (x, y): (u16, u16), symbol: &str, style: Style) {
    if let Some(cell) = at(buffer, area, (x, y)) {
        cell.set_symbol(symbol);
        cell.set_style(style);
    }
}

/// Returns the cell at a column and a line of `area`; `None` if it lies outside.
pub(super) fn at(buffer: &mut Buffer, area: Rect, (x, y): (u16, u16)) -> Option<&mut Cell> {
    if x >= area.width || y >= area.height {
        return None;
    }
    buffer.cell_mut((area.x.checked_add(x)?, area.y.checked_add(y)?))
}

/// Reports whether nothing has been drawn at a column and a line of `area`.
pub(super) fn is_empty(buffer: &Buffer, area: Rect, (x, y): (u16, u16)) -> bool {
    let is_within = x < area.width && y < area.height;
    let cell = buffer.cell((area.x.saturating_add(x), area.y.saturating_add(y)));
    cell.filter(|_| is_within).is_some_and(|cell| cell.symbol() == " " && cell.bg == Color::Reset)
}

/// Writes a text from a column and a line of `area`, cut at the end of the area.
pub(super) fn write(buffer: &mut Buffer, area: Rect, (x, y): (u16, u16), text: &str, style: Style) {
    let area = area.intersection(buffer.area);
    if x < area.width && y < area.height {
        buffer.set_stringn(area.x + x, area.y + y, text, usize::from(area.width - x), style);
    }
}

/// Returns the number of columns of a text.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}
