//! A request over time: a thin line while it waits for its first byte, a heavy one while the body comes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::put;
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Columns of a request, of which each has at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestColumns {
    /// Column of its beginning.
    pub begin: u16,
    /// Column of its first byte; `None` if none came.
    pub first_byte: Option<u16>,
    /// Column of its end, or of the present while it is open.
    pub end: u16,
}

/// Draws a request in the first line of `area`. `tone` is that of its outcome, `None` while it is open or if its end is
/// not known. A request that ended without a first byte is a thin line with a cross at its end.
pub fn waterfall(columns: RequestColumns, tone: Option<Tone>, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let RequestColumns { begin, first_byte, end } = columns;
    let first_byte = first_byte.map(|column| column.clamp(begin, end.max(begin)));
    for x in begin..=end.max(begin).min(area.width.saturating_sub(1)) {
        let (symbol, tone) = match first_byte {
            Some(first_byte) if x >= first_byte => ("━", tone.unwrap_or(Tone::Data)),
            None if tone.is_some() && x >= end => ("✗", tone.unwrap_or(Tone::Fail)),
            _ => ("─", Tone::Label),
        };
        put(buffer, area, (x, 0), symbol, theme.colour(tone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Palette};
    use crate::tui::widget::tests::{colours, drawn};

    fn draw(columns: (u16, Option<u16>, u16), tone: Option<Tone>) -> (String, Buffer) {
        let theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };
        let (begin, first_byte, end) = columns;
        let columns = RequestColumns { begin, first_byte, end };
        let (lines, buffer) = drawn((10, 1), |area, buffer| waterfall(columns, tone, theme, area, buffer));
        (lines.concat(), buffer)
    }

    #[test]
    fn a_slow_origin_and_a_slow_body_differ() {
        let (slow_origin, buffer) = draw((1, Some(7), 8), Some(Tone::Fail));
        assert_eq!(slow_origin, " ──────━━ ");
        assert_eq!(
            (colours(&buffer, (1, 0)), colours(&buffer, (8, 0))),
            ((Tone::Label, None), (Tone::Fail, None))
        );
        assert_eq!(draw((1, Some(2), 8), Some(Tone::Data)).0, " ─━━━━━━━ ");
    }

    #[test]
    fn a_request_shorter_than_a_column_shows_its_outcome() {
        assert_eq!(draw((3, Some(3), 3), Some(Tone::Data)).0, "   ━      ");
        assert_eq!(draw((3, None, 3), Some(Tone::Fail)).0, "   ✗      ");
    }

    #[test]
    fn a_request_without_a_first_byte_waits_to_its_end() {
        assert_eq!(draw((2, None, 6), Some(Tone::Other)).0, "  ────✗   ");
        assert_eq!(draw((2, None, 6), None).0, "  ─────   ", "an open one");
        assert_eq!(draw((8, None, 60), None).0, "        ──", "cut at the area");
    }
}
