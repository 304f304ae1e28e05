//! One line for one series, in which a table is a chart.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::put;
use crate::tui::theme::{Charset, Depth, Theme};
use crate::vocabulary::Tone;

/// Draws one series on one line, from dim to the full colour by its amount from 0 to 1. An amount of 0 is a low line; an
/// unknown one is a gap.
pub fn strip(amounts: &[Option<f64>], tone: Tone, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let has_shades = theme.charset == Charset::Unicode && theme.depth() != Depth::None;
    for (x, amount) in (0..area.width).zip(amounts) {
        let Some(amount) = amount.filter(|amount| amount.is_finite()) else { continue };
        let (symbol, style) = match amount > 0.0 {
            false => ("▁", theme.colour(Tone::Rule)),
            true if has_shades => ("▄", theme.dimmed(tone, amount)),
            true => (theme.shade(amount).1, theme.colour(tone)),
        };
        put(buffer, area, (x, 0), symbol, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Palette;
    use crate::tui::widget::tests::drawn;

    #[test]
    fn a_strip_tells_none_from_nothing_and_little_from_much() {
        let amounts = [None, Some(0.0), Some(0.1), Some(1.0)];
        let draw = |theme| drawn((5, 2), |area, buffer| strip(&amounts, Tone::Fail, theme, area, buffer));
        let dark = Theme { palette: Palette::Dark, charset: Charset::Unicode };
        let (lines, buffer) = draw(dark);
        assert_eq!(lines, [" ▁▄▄ ", "     "]);
        assert_ne!(buffer[(2, 0)].fg, buffer[(3, 0)].fg);
        assert_eq!(Some(buffer[(3, 0)].fg), dark.colour(Tone::Fail).fg);
        assert_eq!(draw(Theme { palette: Palette::Mono, ..dark }).0, [" ▁░█ ", "     "]);
        assert_eq!(draw(Theme { palette: Palette::Mono, charset: Charset::Ascii }).0, [" ▁.@ ", "     "]);
    }
}
