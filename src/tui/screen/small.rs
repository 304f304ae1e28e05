//! The screen without room for panels: the four lines at the top and one line for each key number.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use crate::tui::model::{Model, Text};
use crate::tui::theme::Theme;

/// Minimum width and height for panels.
const PANELS: (u16, u16) = (80, 24);
/// Minimum width and height for more than the verdict.
const LINES: (u16, u16) = (40, 10);
/// Columns of the names.
const NAME: u16 = 10;

pub(super) fn is_small(area: Rect) -> bool {
    area.width < PANELS.0 || area.height < PANELS.1
}

pub(super) fn draw(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.width < LINES.0 || area.height < LINES.1 {
        super::verdict(&model.top, theme, area, buffer);
        return;
    }
    super::top(&model.top, theme, Rect { height: 4, ..area }, buffer);
    let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
    Row::at(footer, buffer, theme).indent().fitting(&model.footer, 2);
    let body = Rect { y: area.y + 4, height: area.height - 5, ..area };
    for (line, (name, texts)) in body.rows().zip(&model.essence) {
        Row::at(line, buffer, theme).indent().column(&Text::label(*name), NAME).fitting(texts, 2);
    }
}
