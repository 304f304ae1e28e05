//! The map of clients: a mark for each, or for each group of neighbours, in the order in which they joined.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{put, width, write};
use super::heat::halves;
use crate::tui::theme::{Charset, Role, Theme};
use crate::vocabulary::Tone;

/// Shares of clients in trouble from which a mark is amber and red where it cannot have a shade.
const SOME: f64 = 0.25;
const MOST: f64 = 0.85;

/// Draws the share of clients in trouble of each mark, line by line; two lines of marks a line of the screen, one above
/// the other. `None` is no client. Where cells have no ground, the worse of two has the cell.
pub fn map(shares: &[Option<f64>], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let mark = |line: usize, x: usize| shares.get(line * columns + x).copied().flatten();
    for y in 0..area.height {
        for x in 0..area.width {
            let [upper, lower] = [0, 1].map(|half| mark(2 * usize::from(y) + half, usize::from(x)));
            if let Some((symbol, style)) = cell(upper, lower, theme) {
                put(buffer, area, (x, y), symbol, style);
            }
        }
    }
}

fn cell(upper: Option<f64>, lower: Option<f64>, theme: Theme) -> Option<(&'static str, Style)> {
    if theme.has_grounds() {
        return halves(
            upper.and_then(|share| theme.trouble(share)),
            lower.and_then(|share| theme.trouble(share)),
        );
    }
    // One cell for two marks: the worse of them would make the map look twice as bad as the swarm is.
    let share = match (upper, lower) {
        (Some(upper), Some(lower)) => f64::midpoint(upper, lower),
        (one, other) => one.or(other)?,
    };
    let (glyph, tone) = match share {
        _ if share < SOME => ("·", Tone::Play),
        _ if share < MOST => ("▒", Tone::Warn),
        _ => ("█", Tone::Fail),
    };
    let glyph = if theme.charset == Charset::Ascii { theme.shade(share).1 } else { glyph };
    let style = theme.trouble(share).map_or_else(|| theme.colour(tone), |colour| Style::new().fg(colour));
    Some((glyph, style))
}

/// Number of columns of [`trouble_legend`].
pub const TROUBLE_LEGEND: u16 = 35;
/// Number of marks in the legend.
const LEGEND_MARKS: u16 = 9;

/// Draws the marks from no trouble to all in trouble with their words.
pub fn trouble_legend(theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (none, all) = ("no trouble", "all in trouble");
    write(buffer, area, (0, 0), none, theme.style(Role::Label));
    for step in 0..LEGEND_MARKS {
        let share = f64::from(step) / f64::from(LEGEND_MARKS - 1);
        if let Some((symbol, style)) = cell(Some(share), Some(share), theme) {
            put(buffer, area, (width(none) + 1 + step, 0), symbol, style);
        }
    }
    write(buffer, area, (width(none) + 2 + LEGEND_MARKS, 0), all, theme.style(Role::Label));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Palette;
    use crate::tui::widget::tests::{colours, drawn};

    #[test]
    fn a_mark_is_as_red_as_its_clients_are_in_trouble() {
        let shares = [Some(0.0), Some(1.0), None, Some(0.0), Some(0.5), None];
        let draw = |theme| drawn((3, 2), |area, buffer| map(&shares, theme, area, buffer));
        let dark = Theme { palette: Palette::Dark, charset: Charset::Unicode };
        let (lines, buffer) = draw(dark);
        assert_eq!(lines, ["█▀ ", "   "]);
        assert_eq!(colours(&buffer, (1, 0)), (Tone::Fail, Some(Tone::Warn)));
        assert_eq!(colours(&buffer, (0, 0)), (Tone::Play, None));
        // Without grounds a cell shows the mean of its two marks: 0.75 in trouble are not all.
        assert_eq!(draw(Theme::default()).0, ["·▒ ", "   "]);
        assert_ne!(draw(Theme { charset: Charset::Ascii, ..Theme::default() }).0, [".@ ", "   "]);
        let all = drawn((TROUBLE_LEGEND, 1), |area, buffer| trouble_legend(dark, area, buffer)).0;
        assert_eq!(all, ["no trouble █████████ all in trouble"]);
    }
}
