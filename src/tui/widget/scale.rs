//! The value axis: a round number at the top, and its labels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{width, write};
use crate::tui::theme::{Role, Theme};

/// Minimum number of lines for a label in the middle.
const MIDDLE_FROM: u16 = 5;

/// Rounds up to the next of 1, 2, 5, 10, 20, ...; 0 for a value that is not above 0.
pub fn round_up(value: f64) -> f64 {
    round_up_to(value, &[1.0, 2.0, 5.0, 10.0])
}

/// Rounds up to the next of 1, 1.5, 2, 3, 4, 6, 8, 10, 15, ...: for a chart whose shape matters more than a top that
/// rarely moves. 0 for a value that is not above 0.
pub fn round_up_closely(value: f64) -> f64 {
    round_up_to(value, &[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0])
}

fn round_up_to(value: f64, steps: &[f64]) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    // A value on a step must not jump to the next one because of a rounding error.
    steps.iter().map(|step| step * power).find(|step| value <= step * (1.0 + 1e-9)).unwrap_or(value)
}

/// Writes the labels of the top, the middle and 0 at the right end of `area`, as many as have room.
pub fn scale(texts: [&str; 3], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let last = area.height.saturating_sub(1);
    let lines = [Some(0), (area.height >= MIDDLE_FROM).then_some(last / 2), (last > 0).then_some(last)];
    for (text, line) in texts.into_iter().zip(lines) {
        let Some(line) = line else { continue };
        let x = area.width.saturating_sub(width(text));
        write(buffer, area, (x, line), text, theme.style(Role::Label));
    }
}

/// Writes labels at their heights, as shares of the height of `area`, at its right end. Of two in one line, the first
/// stays.
pub fn heights(at: &[(f64, &str)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut taken = Vec::with_capacity(at.len());
    for (share, label) in at.iter().filter(|(share, _)| (0.0..=1.0).contains(share)) {
        let from_bottom = (share * f64::from(area.height)) as u16;
        let line = area.height.saturating_sub(1).saturating_sub(from_bottom);
        if !taken.contains(&line) {
            taken.push(line);
            write(
                buffer,
                area,
                (area.width.saturating_sub(width(label)), line),
                label,
                theme.style(Role::Label),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::tests::drawn;

    #[test]
    fn the_top_of_a_chart_is_a_round_number_above_its_values() {
        for (value, top) in
            [(0.0, 0.0), (-1.0, 0.0), (1.0, 1.0), (1.1, 2.0), (648.0, 1_000.0), (0.03, 0.05), (7.1e9, 1e10)]
        {
            assert!((round_up(value) - top).abs() < 1e-9 * top.max(1.0), "{value}: {}", round_up(value));
        }
        for (value, top) in [(1.2, 1.5), (211.0, 300.0), (13.2, 15.0), (0.61, 0.8), (8.1, 10.0)] {
            assert!((round_up_closely(value) - top).abs() < 1e-9 * top, "{value}");
        }
        assert!(round_up(f64::NAN).abs() < f64::EPSILON && round_up(f64::INFINITY).abs() < f64::EPSILON);
    }

    #[test]
    fn no_two_heights_stand_in_one_line() {
        let at = [(0.0, "10"), (0.1, "20"), (0.6, "100"), (1.0, "1 s"), (7.0, "far"), (f64::NAN, "none")];
        let draw = |lines| drawn((5, lines), |area, buffer| heights(&at, Theme::default(), area, buffer)).0;
        assert_eq!(draw(4), ["  1 s", "  100", "     ", "   10"]);
        assert_eq!(draw(1), ["   10"]);
        assert!(draw(0).is_empty());
    }
}
