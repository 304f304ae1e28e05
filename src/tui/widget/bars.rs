//! A distribution as bars beside one another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{block, put};
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Eighths of a line, the smallest steps of a bar.
const EIGHTHS: u16 = 8;

/// Draws values as bars from the left, each `width` columns wide with a free column after it, with `top` as the value of
/// the whole height. Any value above 0 has at least an eighth of a line.
pub fn bars(values: &[(f64, Tone)], width: u16, top: f64, theme: Theme, area: Rect, buffer: &mut Buffer) {
    // Taller areas than this do not exist, and the eighths must fit.
    let height = area.height.min(u16::MAX / EIGHTHS);
    let step = usize::from(width.saturating_add(1));
    for ((value, tone), x) in values.iter().zip((0..area.width).step_by(step)) {
        let share = value / top;
        if !share.is_finite() || share <= 0.0 {
            continue;
        }
        // A cast of a float saturates.
        let eighths = ((share.min(1.0) * f64::from(height * EIGHTHS)).round() as u16).max(1);
        for y in 0..height {
            let filled = eighths.saturating_sub((height - 1 - y) * EIGHTHS);
            let symbol = match filled {
                0 => continue,
                EIGHTHS.. => theme.fill(*tone),
                _ => block(filled),
            };
            for column in x..x.saturating_add(width) {
                put(buffer, area, (column, y), symbol, theme.colour(*tone));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Palette};
    use crate::tui::widget::tests::{colours, drawn};

    #[test]
    fn bars_stand_apart_and_a_little_is_never_nothing() {
        let values = [(8.0, Tone::Play), (0.001, Tone::Warn), (0.0, Tone::Fail), (5.0, Tone::Fail)];
        let draw = |theme| drawn((9, 2), |area, buffer| bars(&values, 2, 8.0, theme, area, buffer));
        let dark = Theme { palette: Palette::Dark, charset: Charset::Unicode };
        let (lines, buffer) = draw(dark);
        assert_eq!(lines, ["██       ", "██ ▁▁    "]);
        assert_eq!(colours(&buffer, (3, 1)).0, Tone::Warn);
        assert_eq!(
            drawn((12, 2), |area, buffer| bars(&values, 2, 8.0, dark, area, buffer)).0[0],
            "██       ▂▂ "
        );
        // Without colours each tone has a mark of its own.
        assert_eq!(draw(Theme { palette: Palette::Mono, charset: Charset::Ascii }).0[1], ":: ▁▁    ");
    }

    #[test]
    fn no_width_and_no_number_draw_nothing() {
        for (value, width, top) in [(1.0, 0, 1.0), (f64::NAN, 2, 1.0), (1.0, 2, 0.0), (-1.0, 2, 1.0)] {
            let values = [(value, Tone::Play)];
            let (lines, _) =
                drawn((3, 1), |area, buffer| bars(&values, width, top, Theme::default(), area, buffer));
            assert_eq!(lines, ["   "], "{value} {width} {top}");
        }
    }
}
