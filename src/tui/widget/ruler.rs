//! A length in equal parts, such as the segments of a playlist.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::put;
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Draws a ruler from one share of the width to another, with a mark between each two of its `parts`, and returns the
/// column of `area` after it. An end beyond the area has no corner.
pub fn ruler(
    (from, to): (f64, f64),
    parts: u16,
    tone: Tone,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> u16 {
    let width = f64::from(area.width);
    if !(from < to && from.is_finite() && to.is_finite()) || to <= 0.0 || from >= 1.0 || area.width == 0 {
        return 0;
    }
    // A cast of a float saturates.
    let column = |share: f64| ((share * width).floor() as u16).min(area.width - 1);
    let [first, last] = [from, to].map(column);
    for x in first..=last {
        put(buffer, area, (x, 0), "━", theme.colour(tone));
    }
    // Marks in every column would be no parts.
    let parts = if parts < area.width { parts } else { 1 };
    for part in 1..parts {
        let share = from + (to - from) * f64::from(part) / f64::from(parts);
        if (0.0..1.0).contains(&share) {
            put(buffer, area, (column(share), 0), "┷", theme.colour(tone));
        }
    }
    if to <= 1.0 {
        put(buffer, area, (last, 0), "┛", theme.colour(tone));
    }
    if from >= 0.0 {
        put(buffer, area, (first, 0), "┗", theme.colour(tone));
    }
    last + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::tests::drawn;

    fn draw(from: f64, to: f64, parts: u16) -> (String, u16) {
        let mut end = 0;
        let (lines, _) = drawn((10, 1), |area, buffer| {
            end = ruler((from, to), parts, Tone::Bright, Theme::default(), area, buffer);
        });
        (lines.concat(), end)
    }

    #[test]
    fn a_ruler_has_its_parts_and_no_corner_beyond_the_area() {
        assert_eq!(draw(0.1, 0.75, 2), (" ┗━━┷━━┛  ".to_owned(), 8));
        assert_eq!(draw(-0.4, 0.6, 3), ("━━┷━━━┛   ".to_owned(), 7));
        assert_eq!(draw(0.5, 1.0, 1), ("     ┗━━━┛".to_owned(), 10));
        assert_eq!(draw(0.5, 1.7, 1), ("     ┗━━━━".to_owned(), 10));
        assert_eq!(draw(0.3, 0.31, 9), ("   ┗      ".to_owned(), 4), "shorter than its parts");
        for (from, to) in
            [(0.5, 0.5), (0.7, 0.2), (f64::NAN, 1.0), (0.0, f64::INFINITY), (1.2, 1.4), (-2.0, -1.0)]
        {
            assert_eq!(draw(from, to, 3), (" ".repeat(10), 0), "{from} {to}");
        }
    }
}
