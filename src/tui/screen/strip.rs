//! The strip of all HTTP statuses from 400 to 599: for each, the number of digits in its count.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::model::{STRIP_GROUP, Strip, Text};
use crate::tui::theme::Theme;

/// Columns of the label before the digits.
const NAME: u16 = 9;

pub(super) fn draw(strip: &Strip, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("HTTP 400 to 599: digits in the count of each, . = none");
    let head = Head { title: &title, aside: &[], focused: false };
    let inner = super::table::indented(panel(head, theme, area, buffer));
    let last = strip.lines.len().saturating_sub(1);
    for (place, (line, (name, digits))) in inner.rows().zip(&strip.lines).enumerate() {
        let mut row = Row::at(line, buffer, theme).column(&Text::label(name.as_str()), NAME);
        for group in digits.chunks(STRIP_GROUP) {
            row = row.texts(group, 0).gap(1);
        }
        if place == last {
            row.gap(1).text(strip.other.role, &strip.other.text);
        }
    }
}
