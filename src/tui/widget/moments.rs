//! Moments of a run over a chart: knees, marks, and the cursor that looks back.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cells::{at, is_empty, put, width, write};
use crate::tui::theme::{Role, Theme};
use crate::vocabulary::Tone;

/// A moment with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    /// Its column.
    pub column: u16,
    /// A sign and words, such as `◆ errors 1%`.
    pub label: String,
}

/// Draws moments as lines through the empty cells of a chart; they never cut a shape. `labelled` writes their words on
/// the first line, on whichever side has room, and only the sign where no side has any; name what matters most first.
pub fn moments(of: &[Labelled], labelled: bool, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut written: Vec<Range<u16>> = Vec::with_capacity(of.len());
    for (place, moment) in of.iter().enumerate() {
        if labelled {
            // Of two with the same sign, the earlier one leaves room for the other; other signs give way.
            let is_equal = |other: &Labelled| other.label.chars().next() == moment.label.chars().next();
            let others = of.iter().enumerate().filter(|(number, other)| *number < place || is_equal(other));
            let next = others.map(|(_, other)| other.column).filter(|column| *column > moment.column).min();
            write_label(moment, next.unwrap_or(area.width), &mut written, theme, area, buffer);
        }
        for y in u16::from(labelled)..area.height {
            if is_empty(buffer, area, (moment.column, y)) {
                put(buffer, area, (moment.column, y), "┊", theme.colour(Tone::Label));
            }
        }
    }
}

/// Writes the words of a moment to its right, up to column `end`, or to its left, where the cells are empty and not in
/// what is `written`.
fn write_label(
    moment: &Labelled,
    end: u16,
    written: &mut Vec<Range<u16>>,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    // A blank between two words is an empty cell, too.
    let is_empty = |x: u16| {
        is_empty(buffer, area, (x, 0)) && written.iter().all(|label: &Range<u16>| !label.contains(&x))
    };
    let (sign, words) = moment.label.split_once(' ').unwrap_or((&moment.label, ""));
    let (x, style) = (moment.column, theme.style(Role::Mark));
    if !is_empty(x) {
        return;
    }
    let is_free = |from: u16, to: u16| to <= end && (from..to).all(is_empty);
    let room = width(words) + 2;
    let right = (!words.is_empty() && is_free(x.saturating_add(1), x.saturating_add(room))).then(|| x + 2);
    let left = x.checked_sub(room).filter(|left| right.is_none() && !words.is_empty() && is_free(*left, x));
    write(buffer, area, (x, 0), sign, style);
    if let Some(from) = right.or(left.map(|left| left + 1)) {
        write(buffer, area, (from, 0), words, style);
        written.push(from..from + width(words));
    }
}

/// Draws the line of the cursor through everything at its column.
pub fn cursor(column: u16, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let style = theme.style(Role::Mark).remove_modifier(Modifier::DIM | Modifier::REVERSED);
    for y in 0..area.height {
        if let Some(cell) = at(buffer, area, (column, y)) {
            cell.set_symbol("│").set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::tests::drawn;
    use ratatui::style::Style;

    fn labelled(moments: &[(u16, &str)]) -> Vec<Labelled> {
        let of = |(column, label): &(u16, &str)| Labelled { column: *column, label: (*label).to_owned() };
        moments.iter().map(of).collect()
    }

    #[test]
    fn a_label_stands_on_the_side_that_has_room_and_no_shape_is_cut() {
        let draw = |of: &[(u16, &str)]| {
            drawn((24, 3), |area, buffer| {
                buffer.set_string(0, 2, "████████", Style::new());
                moments(&labelled(of), true, Theme::default(), area, buffer);
            })
            .0
        };
        let both = [(7, "◆ err"), (10, "◆ stalls")];
        assert_eq!(
            draw(&both),
            ["   err ◆  ◆ stalls      ", "       ┊  ┊             ", "████████  ┊             "]
        );
        assert_eq!(draw(&[(1, "◆ a"), (3, "◆ b"), (7, "▲ m1")])[0], " ◆ ◆ b ▲ m1             ");
        assert_eq!(draw(&[(1, "◆ a"), (3, "◆ stalls"), (5, "▲ m1")])[0], " ◆ ◆ stalls             ");
        assert_eq!(draw(&[(1, "◆ stalls 1%"), (9, "▲ m1")])[0], " ◆ stalls 1%            ");
        assert_eq!(draw(&[(23, "◆ stalls"), (90, "◆ never")])[0], "                stalls ◆");
    }

    #[test]
    fn the_cursor_goes_through_everything() {
        let (lines, buffer) = drawn((3, 2), |area, buffer| {
            buffer.set_string(0, 0, "▀▀▀", Style::new().bg(ratatui::style::Color::Red));
            cursor(1, Theme::default(), area, buffer);
            cursor(9, Theme::default(), area, buffer);
        });
        assert_eq!(lines, ["▀│▀", " │ "]);
        assert_eq!(buffer[(1, 0)].bg, ratatui::style::Color::Red, "the ground of a heat map stays");
    }
}
