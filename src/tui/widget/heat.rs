//! A heat map: time to the right, buckets upwards, and the number of values as a shade.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::cells::{is_empty, put, write};
use crate::tui::theme::{Role, Theme};
use crate::vocabulary::palette::{Tone, amount};

/// Counts of a heat map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeatGrid {
    /// Number of columns.
    pub columns: usize,
    /// Number of rows: two a line of the screen.
    pub rows: usize,
    /// Counts, column by column, each from the fastest row up.
    pub counts: Vec<u32>,
    /// Largest count.
    pub most: u32,
}

impl HeatGrid {
    /// Returns the shade of a column and a row, from 0 to 1; `None` where nothing was counted.
    fn amount(&self, column: usize, row: usize) -> Option<f64> {
        let count = self.counts.get(column * self.rows + row).filter(|_| row < self.rows);
        amount(*count?, self.most)
    }
}

/// Draws a heat map, two buckets a cell: the upper one as the glyph, the lower one as its ground. Where cells have no
/// ground, the larger count of the two has the cell.
pub fn heat(grid: &HeatGrid, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let columns = u16::try_from(grid.columns).unwrap_or(u16::MAX).min(area.width);
    for x in 0..columns {
        for y in 0..area.height {
            let below = 2 * usize::from(area.height - 1 - y);
            let [lower, upper] = [below, below + 1].map(|row| grid.amount(usize::from(x), row));
            let Some((symbol, style)) = cell(upper, lower, theme) else { continue };
            put(buffer, area, (x, y), symbol, style);
        }
    }
}

/// Returns the glyph and the style of two amounts in one cell; `None` for an empty one.
fn cell(upper: Option<f64>, lower: Option<f64>, theme: Theme) -> Option<(&'static str, Style)> {
    if theme.has_grounds() {
        let colour = |amount| theme.shade(amount).0;
        return halves(upper.map(colour), lower.map(colour));
    }
    let (colour, glyph) = theme.shade(upper.into_iter().chain(lower).reduce(f64::max)?);
    Some((glyph, Style::new().fg(colour)))
}

/// Returns a cell of two colours, one above the other; `None` without any.
pub(super) fn halves(upper: Option<Color>, lower: Option<Color>) -> Option<(&'static str, Style)> {
    match (upper, lower) {
        (None, None) => None,
        (Some(upper), None) => Some(("▀", Style::new().fg(upper))),
        (None, Some(lower)) => Some(("▄", Style::new().fg(lower))),
        (Some(upper), Some(lower)) if upper == lower => Some(("█", Style::new().fg(upper))),
        (Some(upper), Some(lower)) => Some(("▀", Style::new().fg(upper).bg(lower))),
    }
}

/// Writes markers such as `◂p95` at their heights, as shares of the height of `area`. No two stand in one line; where
/// they would, the later ones give way, so name the one that matters most first. They keep their order: one that finds
/// no line on its side of the first is left out.
pub fn markers(at: &[(f64, &str)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let height = area.height;
    let mut taken: Vec<(u16, f64, &str)> = Vec::with_capacity(at.len());
    for (share, label) in at.iter().filter(|(share, _)| share.is_finite()) {
        let from_bottom = (share.clamp(0.0, 1.0) * f64::from(height)) as u16;
        let wanted = height.saturating_sub(1).saturating_sub(from_bottom);
        let is_free = |line: &u16| {
            let mut others = taken.iter();
            *line < height
                && others.all(
                    |(other, its, name)| {
                        if (share, label) < (its, name) { line > other } else { line < other }
                    },
                )
        };
        let mut nearest = (0..=height).flat_map(|away| [wanted.checked_sub(away), wanted.checked_add(away)]);
        if let Some(line) = nearest.by_ref().flatten().find(is_free) {
            taken.push((line, *share, label));
        }
    }
    for (line, _, label) in taken {
        put(buffer, area, (0, line), "◂", theme.style(Role::Mark));
        write(buffer, area, (1, line), label, theme.style(Role::Mark));
    }
}

/// Draws a dashed line at a height, as a share of that of `area`, where nothing was counted, and above it what is beyond
/// it. The words are left out where they would hide a count.
pub fn height_line(share: f64, words: &str, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let from_bottom = (share.clamp(0.0, 1.0) * f64::from(area.height)) as u16;
    let line = area.height.saturating_sub(1).saturating_sub(from_bottom);
    for x in (0..area.width).filter(|x| is_empty(buffer, area, (*x, line))).collect::<Vec<_>>() {
        put(buffer, area, (x, line), "╌", theme.colour(Tone::Label));
    }
    let Some(above) = line.checked_sub(1) else { return };
    let columns = 1..=u16::try_from(words.chars().count()).unwrap_or(u16::MAX);
    if columns.clone().all(|x| is_empty(buffer, area, (x, above))) {
        write(buffer, area, (1, above), words, theme.style(Role::Label));
    }
}

/// Number of columns of [`ramp_legend`].
pub const RAMP_LEGEND: u16 = 16;
/// Number of shades in the legend.
const LEGEND_SHADES: u16 = 7;

/// Draws the ramp from few to many with its words.
pub fn ramp_legend(theme: Theme, area: Rect, buffer: &mut Buffer) {
    write(buffer, area, (0, 0), "few", theme.style(Role::Label));
    for step in 0..LEGEND_SHADES {
        let (colour, glyph) = theme.shade(f64::from(step + 1) / f64::from(LEGEND_SHADES));
        put(buffer, area, (4 + step, 0), glyph, Style::new().fg(colour));
    }
    write(buffer, area, (5 + LEGEND_SHADES, 0), "many", theme.style(Role::Label));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Palette};
    use crate::tui::widget::tests::drawn;

    const DARK: Theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };

    fn grid() -> HeatGrid {
        HeatGrid { columns: 3, rows: 4, counts: vec![0, 9, 0, 0, 5, 5, 1, 0, 0, 0, 0, 0], most: 9 }
    }

    #[test]
    fn a_cell_holds_two_buckets_and_an_empty_one_nothing() {
        let (lines, buffer) = drawn((3, 2), |area, buffer| heat(&grid(), DARK, area, buffer));
        assert_eq!(lines, [" ▄ ", "▀█ "]);
        assert_eq!((buffer[(0, 1)].fg, buffer[(0, 1)].bg), (DARK.shade(1.0).0, Color::Reset));
        let ascii = Theme { palette: Palette::Mono, charset: Charset::Ascii };
        assert_eq!(drawn((3, 2), |area, buffer| heat(&grid(), ascii, area, buffer)).0, [" - ", "@# "]);
        let (lines, buffer) = drawn((3, 2), |area, buffer| heat(&grid(), Theme::default(), area, buffer));
        assert_eq!(lines, [" ▒ ", "██ "]);
        assert_eq!(buffer[(0, 1)].fg, Color::Yellow);
    }

    #[test]
    fn a_line_stands_at_its_height_and_hides_no_count() {
        let draw = |size, share| {
            drawn(size, |area, buffer| {
                heat(&grid(), DARK, Rect { y: area.bottom() - 2, height: 2, ..area }, buffer);
                height_line(share, "slow", DARK, area, buffer);
            })
            .0
        };
        assert_eq!(draw((6, 4), 0.6), [" slow ", "╌╌╌╌╌╌", " ▄    ", "▀█    "]);
        assert_eq!(draw((6, 4), 0.3), ["      ", " slow ", "╌▄╌╌╌╌", "▀█    "]);
        assert_eq!(
            draw((6, 4), 0.1),
            ["      ", "      ", " ▄    ", "▀█╌╌╌╌"],
            "a count is in the way of the words"
        );
        assert_eq!(draw((6, 4), 1.0), ["╌╌╌╌╌╌", "      ", " ▄    ", "▀█    "], "no line is left for them");
        assert_eq!(draw((4, 4), 0.6)[0], "    ", "they are too long");
    }

    #[test]
    fn no_two_markers_stand_in_one_line_and_they_keep_their_order() {
        let draw =
            |height, at: &[(f64, &str)]| drawn((4, height), |area, buffer| markers(at, DARK, area, buffer)).0;
        assert_eq!(draw(4, &[(0.9, "p99"), (0.3, "p50")]), ["◂p99", "    ", "◂p50", "    "]);
        let equal = [(0.0, "p95"), (0.0, "p50"), (0.0, "p99")];
        assert_eq!(draw(3, &equal), ["    ", "◂p99", "◂p95"], "there is no line below for the p50");
        let high = equal.map(|(_, label)| (1.0, label));
        assert_eq!(draw(3, &high), ["◂p95", "◂p50", "    "], "there is no line above for the p99");
        assert_eq!(draw(1, &[(1.0, "p99"), (0.0, "p95")]), ["◂p99"]);
        assert!(draw(0, &[(1.0, "p99"), (f64::NAN, "p95")]).is_empty());
    }
}
