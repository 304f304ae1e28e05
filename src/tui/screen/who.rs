//! Groups of clients with a bar for their share in trouble.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use crate::tui::model::WhoLine;
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;
use crate::vocabulary::Tone;

/// Columns of the property, of the group's name and of its share.
const DIMENSION: u16 = 8;
const NAME: u16 = 18;
const PERCENT: u16 = 7;

/// Draws a line for each group.
pub(super) fn draw(lines: &[WhoLine], theme: Theme, area: Rect, buffer: &mut Buffer) {
    for (line, place) in lines.iter().zip(area.rows()) {
        let row = Row::at(place, buffer, theme).column(&line.dimension, DIMENSION).column(&line.name, NAME);
        let begin = row.end();
        let width = place.right().saturating_sub(begin + PERCENT);
        row.gap(width).column_right(&line.percent, PERCENT);
        let tone = match line.percent.role {
            Role::Failing => Tone::Fail,
            Role::Warning => Tone::Warn,
            _ => Tone::Data,
        };
        let bar = Rect { x: begin, width, ..place }.intersection(place);
        widget::bar(line.share, None, tone, theme, bar, buffer);
        if line.is_chosen {
            // The sign stands in the column before the texts.
            let whole = Rect { x: place.x.saturating_sub(1), width: place.width + 1, ..place };
            Row::at(whole, buffer, theme).text(Role::Mark, "▸");
            buffer.set_style(whole.intersection(buffer.area), theme.style(Role::Selected));
        }
    }
}
