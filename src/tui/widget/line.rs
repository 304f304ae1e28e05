//! Charts of one line: small charts over time, bars, and parts of a whole.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{block, put};
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Draws one value a column, the newest at the right end, of `top`, or of the largest value. Seven eighths are the most,
/// so that charts of neighbouring lines stay apart.
pub fn spark(
    values: &[Option<f64>],
    top: Option<f64>,
    tone: Tone,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let shown = values.get(values.len().saturating_sub(usize::from(area.width))..).unwrap_or_default();
    let top = top.unwrap_or_else(|| shown.iter().flatten().copied().fold(0.0, f64::max));
    // `shown` has at most as many values as the area has columns.
    let first = area.width - u16::try_from(shown.len()).unwrap_or(area.width);
    for (x, value) in (first..area.width).zip(shown) {
        let Some(share) = value.map(|value| value / top).filter(|share| share.is_finite()) else { continue };
        let least = u16::from(share > 0.0);
        let eighths = ((share.clamp(0.0, 1.0) * 7.0).round() as u16).max(least);
        if eighths > 0 {
            put(buffer, area, (x, 0), block(eighths), theme.colour(tone));
        }
    }
}

/// Draws a share of the width as a heavy line, exact to half a cell; any share above 0 shows at least half a cell. `mark`
/// is the share at which a limit or a high-water mark stands.
pub fn bar(share: f64, mark: Option<f64>, tone: Tone, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let halves = f64::from(area.width) * 2.0;
    let filled = (share.clamp(0.0, 1.0) * halves).round().max(if share > 0.0 { 1.0 } else { 0.0 }) as u32;
    for x in 0..area.width {
        let (symbol, tone) = match filled.saturating_sub(u32::from(x) * 2) {
            0 => ("─", Tone::Idle),
            1 => ("╸", tone),
            _ => ("━", tone),
        };
        put(buffer, area, (x, 0), symbol, theme.colour(tone));
    }
    if let Some(mark) = mark.filter(|mark| mark.is_finite() && area.width > 0) {
        let x = ((mark.clamp(0.0, 1.0) * f64::from(area.width)) as u16).min(area.width - 1);
        put(buffer, area, (x, 0), "┊", theme.colour(Tone::Label));
    }
}

/// Draws shares of one whole side by side.
pub fn parts(shares: &[(f64, Tone)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (mut sum, mut from) = (0.0, 0);
    for (share, tone) in shares.iter().filter(|(share, _)| share.is_finite() && *share > 0.0) {
        sum += share;
        let to = ((sum * f64::from(area.width)).round() as u16).min(area.width);
        for x in from..to {
            put(buffer, area, (x, 0), theme.fill(*tone), theme.colour(*tone));
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::tests::drawn;

    #[test]
    fn a_spark_has_its_newest_value_at_the_right_and_never_touches_the_line_above() {
        let draw = |columns, values: &[Option<f64>], top| {
            let theme = Theme::default();
            drawn((columns, 1), |area, buffer| spark(values, top, Tone::Data, theme, area, buffer)).0
        };
        let values = [Some(9.0), Some(0.001), None, Some(0.0), Some(4.0)];
        assert_eq!(draw(6, &values, None), [" ▇▁  ▃"]);
        assert_eq!(draw(2, &values, None), [" ▇"]);
        assert_eq!(draw(5, &values, Some(18.0)), ["▄▁  ▂"]);
        assert_eq!(draw(3, &[Some(0.0), Some(f64::NAN)], None), ["   "]);
    }

    #[test]
    fn a_bar_is_exact_to_half_a_cell_and_never_hides_the_first() {
        let draw = |share, mark| {
            let theme = Theme::default();
            drawn((4, 1), |area, buffer| bar(share, mark, Tone::Data, theme, area, buffer)).0.concat()
        };
        assert_eq!(draw(0.0, None), "────");
        assert_eq!(draw(0.000_1, None), "╸───");
        assert_eq!(draw(0.5, None), "━━──");
        assert_eq!(draw(0.63, Some(0.8)), "━━╸┊");
        assert_eq!(draw(7.0, Some(7.0)), "━━━┊");
        assert_eq!(draw(f64::NAN, Some(f64::NAN)), "────");
    }

    #[test]
    fn parts_fill_a_whole_without_a_gap() {
        let shares = [(0.3, Tone::Fail), (f64::NAN, Tone::Ok), (0.3, Tone::Warn), (0.9, Tone::Play)];
        let theme = Theme { charset: crate::tui::theme::Charset::Ascii, ..Theme::default() };
        let (lines, _) = drawn((10, 1), |area, buffer| parts(&shares, theme, area, buffer));
        assert_eq!(lines, ["###+++::::"]);
    }
}
