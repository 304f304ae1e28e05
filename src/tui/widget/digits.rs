//! Numbers three lines high, to be read from across the room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cells::{put, width, write};
use crate::tui::theme::{Charset, Theme};
use crate::vocabulary::Tone;

/// Number of lines of [`digits`].
pub const DIGITS_HEIGHT: u16 = 3;

/// Form of a character: its width in dots, and five rows of dots from the top, the left dot as the highest bit.
type Form = (char, u16, [u8; 5]);

const FORMS: [Form; 15] = [
    ('0', 3, [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', 3, [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', 3, [0b111, 0b001, 0b111, 0b100, 0b111]),
    ('3', 3, [0b111, 0b001, 0b111, 0b001, 0b111]),
    ('4', 3, [0b101, 0b101, 0b111, 0b001, 0b001]),
    ('5', 3, [0b111, 0b100, 0b111, 0b001, 0b111]),
    ('6', 3, [0b111, 0b100, 0b111, 0b101, 0b111]),
    ('7', 3, [0b111, 0b001, 0b001, 0b010, 0b010]),
    ('8', 3, [0b111, 0b101, 0b111, 0b101, 0b111]),
    ('9', 3, [0b111, 0b101, 0b111, 0b001, 0b111]),
    ('.', 1, [0, 0, 0, 0, 1]),
    (',', 1, [0, 0, 0, 0, 1]),
    (':', 1, [0, 1, 0, 1, 0]),
    ('-', 3, [0, 0, 0b111, 0, 0]),
    (' ', 2, [0; 5]),
];

fn form(character: char) -> Option<&'static Form> {
    FORMS.iter().find(|(of, _, _)| *of == character)
}

/// Draws a number in half blocks, or as bold text in ASCII, and returns the column of `area` after it. Characters without
/// a form are left out.
pub fn digits(text: &str, tone: Tone, theme: Theme, area: Rect, buffer: &mut Buffer) -> u16 {
    let style = theme.colour(tone);
    if theme.charset == Charset::Ascii {
        write(buffer, area, (0, DIGITS_HEIGHT / 2), text, style.add_modifier(Modifier::BOLD));
        return width(text);
    }
    let mut left = 0_u16;
    for (_, width, rows) in text.chars().filter_map(form) {
        for y in 0..DIGITS_HEIGHT {
            let row = |dot: u16| rows.get(usize::from(dot)).copied().unwrap_or_default();
            let [upper, lower] = [row(2 * y), row(2 * y + 1)];
            for x in 0..*width {
                let dot = 1 << (width - 1 - x);
                let symbol = match (upper & dot != 0, lower & dot != 0) {
                    (true, true) => "█",
                    (true, false) => "▀",
                    (false, true) => "▄",
                    (false, false) => continue,
                };
                put(buffer, area, (left.saturating_add(x), y), symbol, style);
            }
        }
        left = left.saturating_add(width + 1);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::tests::drawn;

    #[test]
    fn numbers_are_three_lines_high_and_text_in_ascii() {
        let draw = |text: &str, theme| {
            let mut end = 0;
            let (lines, _) =
                drawn((14, 3), |area, buffer| end = digits(text, Tone::Fail, theme, area, buffer));
            (lines, end)
        };
        let lines = |text, theme| draw(text, theme).0;
        assert_eq!(lines("31.2", Theme::default()), ["▀▀█ ▄█    ▀▀█ ", "▀▀█  █    █▀▀ ", "▀▀▀ ▀▀▀ ▀ ▀▀▀ "]);
        assert_eq!(lines("--", Theme::default())[1], "▀▀▀ ▀▀▀       ");
        let ascii = Theme { charset: Charset::Ascii, ..Theme::default() };
        assert_eq!(lines("31.2", ascii)[1], "31.2          ");
        assert_eq!((draw("31.2", Theme::default()).1, draw("31.2", ascii).1), (14, 4));
    }
}
