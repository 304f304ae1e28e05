//! The strip of all HTTP statuses from 400 to 599: for each, the number of digits in its count.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{FRAME, framed};
use super::line::Row;
use crate::tui::model::{STRIP_GROUP, Strip, Text};
use crate::tui::theme::Theme;

/// Four lines of fifty statuses in a frame.
pub(super) const HEIGHT: u16 = 4 + FRAME;
/// Columns of the label before the digits.
const NAME: u16 = 9;

pub(super) fn draw(strip: &Strip, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = "HTTP 400 to 599: digits in the count of each, . = none";
    let inner = framed(title, "", theme, area, buffer);
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
