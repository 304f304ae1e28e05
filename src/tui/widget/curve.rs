//! One value over time as a line of dots, over a ground that shows when it was beyond its limit.

use std::ops::RangeInclusive;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{at, put};
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Dots of a cell: two columns of four, from the bottom up, as bits of the braille patterns (U+2800).
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
const LEVELS: u16 = 4;
const BRAILLE: u32 = 0x2800;
/// Number of values in a column of the screen.
pub const VALUES_A_COLUMN: u16 = 2;

/// Draws values from the left, two a column and four levels a line, with `top` as the value of the whole height. A column
/// with a value above `limit` is red, in true colour down to the bottom; the limit itself is a dashed line through what
/// is empty. An unknown value is a gap.
pub fn curve(
    values: &[Option<f64>],
    top: f64,
    limit: Option<f64>,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    // Taller areas than this do not exist, and the levels must fit.
    let area = Rect { height: area.height.min(u16::MAX / LEVELS), ..area };
    let levels = area.height * LEVELS;
    let level = |value: Option<f64>| {
        let share = (value? / top).clamp(0.0, 1.0);
        // A cast of a float saturates; without a top, the share is no number.
        share.is_finite().then(|| ((share * f64::from(levels)) as u16).min(levels.saturating_sub(1)))
    };
    if let Some(limit) = level(limit).filter(|_| levels > 0) {
        for x in 0..area.width {
            let line = area.height - 1 - limit / LEVELS;
            put(buffer, area, (x, line), "╌", theme.colour(Tone::Label));
        }
    }
    let mut before = None;
    for (x, pair) in (0..area.width).zip(values.chunks(usize::from(VALUES_A_COLUMN))) {
        let mut ranges = [None, None];
        for (range, value) in ranges.iter_mut().zip(pair) {
            let now = level(*value);
            *range = now.map(|now| joined(before, now));
            before = now;
        }
        let is_beyond =
            limit.is_some_and(|limit| pair.iter().flatten().any(|value| value.is_finite() && *value > limit));
        if is_beyond {
            ground(x, &ranges, theme, area, buffer);
        }
        dots(x, &ranges, theme.colour(if is_beyond { Tone::Fail } else { Tone::Data }), area, buffer);
    }
}

/// Returns the levels of a value's dots: those from the value before it on, so that the line has no holes.
fn joined(before: Option<u16>, now: u16) -> RangeInclusive<u16> {
    match before {
        Some(before) if before < now => before + 1..=now,
        Some(before) if before > now => now..=before - 1,
        _ => now..=now,
    }
}

/// Levels of the dots of the two values of a column.
type Ranges = [Option<RangeInclusive<u16>>; 2];

/// Fills a column with a dim ground from the bottom up to the line of its highest dot, where cells may have a ground.
fn ground(x: u16, ranges: &Ranges, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let highest = ranges.iter().flatten().map(|range| *range.end()).max();
    let colour = theme.dimmed(Tone::Fail, 0.0).fg.filter(|_| theme.has_grounds());
    let (Some(highest), Some(colour)) = (highest, colour) else { return };
    let first = area.height.saturating_sub(highest / LEVELS + 1);
    for y in first..area.height {
        if let Some(cell) = at(buffer, area, (x, y)) {
            cell.set_symbol(" ").set_style(Style::new().bg(colour));
        }
    }
}

fn dots(x: u16, ranges: &Ranges, style: Style, area: Rect, buffer: &mut Buffer) {
    for y in 0..area.height {
        let base = (area.height - 1 - y) * LEVELS;
        let mut dots = 0;
        for (range, column) in ranges.iter().zip(DOTS) {
            let Some(range) = range else { continue };
            let set = (base..).zip(column).filter(|(level, _)| range.contains(level));
            dots |= set.map(|(_, dot)| dot).fold(0, |all, dot| all | dot);
        }
        if let Some(symbol) = char::from_u32(BRAILLE + dots).filter(|_| dots > 0) {
            put(buffer, area, (x, y), symbol.encode_utf8(&mut [0; 4]), style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::painter::settle;
    use crate::tui::theme::{Charset, Palette};
    use crate::tui::widget::tests::{colours, drawn};

    const DARK: Theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };

    fn draw(values: &[Option<f64>], size: (u16, u16), theme: Theme) -> (Vec<String>, Buffer) {
        drawn(size, |area, buffer| curve(values, 8.0, Some(5.0), theme, area, buffer))
    }

    #[test]
    fn a_line_rises_without_holes_and_an_unknown_value_is_a_gap() {
        let values = [Some(0.0), Some(7.0), None, Some(7.0), Some(1.0), Some(1.0)];
        let (lines, _) = draw(&values, (4, 2), Theme::default());
        assert_eq!(lines, ["⢸⠈⡆╌", "⡸ ⠧ "]);
    }

    #[test]
    fn a_column_beyond_the_limit_is_red_down_to_the_bottom_and_only_in_true_colour_has_a_ground() {
        let values = [Some(7.0), Some(7.0), Some(4.5), Some(4.5)];
        let (lines, buffer) = draw(&values, (3, 2), DARK);
        assert_eq!(lines, ["⠉⣆╌", "   "]);
        assert_eq!(colours(&buffer, (0, 0)).0, Tone::Fail);
        assert_eq!(colours(&buffer, (1, 0)).0, Tone::Data);
        let has_ground = |place| buffer[place].bg != ratatui::style::Color::Reset;
        assert_eq!([(0, 0), (0, 1), (1, 0), (1, 1)].map(has_ground), [true, true, false, false]);
        let (_, buffer) = draw(&values, (3, 2), Theme::default());
        assert!(buffer.content.iter().all(|cell| cell.bg == ratatui::style::Color::Reset));
    }

    #[test]
    fn in_ascii_a_dot_has_the_height_of_its_line() {
        let theme = Theme { charset: Charset::Ascii, ..Theme::default() };
        let values = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0].map(|value| Some(value * 2.0));
        let (_, mut buffer) = drawn((4, 1), |area, buffer| curve(&values, 8.0, None, theme, area, buffer));
        settle(&mut buffer, Charset::Ascii);
        let line: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(line, ".-='");
    }

    #[test]
    fn without_a_top_or_room_nothing_is_drawn() {
        for top in [0.0, f64::NAN, -1.0] {
            let (lines, _) = drawn((2, 1), |area, buffer| {
                curve(&[Some(f64::NAN), None], top, None, DARK, area, buffer);
            });
            assert_eq!(lines, ["  "], "{top}");
        }
        assert!(draw(&[Some(1.0)], (3, 0), DARK).0.is_empty());
    }
}
