//! A list in columns: headings and the lines that fit.

use super::Text;

/// Where a text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Column {
    pub(in crate::tui) name: &'static str,
    /// Columns of the screen.
    pub(in crate::tui) width: u16,
    pub(in crate::tui) align: Align,
}

impl Column {
    pub(super) const fn number(name: &'static str, width: u16) -> Self {
        Self { name, width, align: Align::Right }
    }

    pub(super) const fn word(name: &'static str, width: u16) -> Self {
        Self { name, width, align: Align::Left }
    }
}

/// A line.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Line {
    pub(in crate::tui) cells: Vec<Text>,
    pub(in crate::tui) selected: bool,
}

impl Line {
    pub(super) fn of(cells: Vec<Text>) -> Self {
        Self { cells, selected: false }
    }
}

/// The list, in a frame. A line of headings stands above lines that have columns.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Table {
    pub(in crate::tui) title: String,
    /// Stands at the right end of the frame.
    pub(in crate::tui) aside: String,
    /// Without columns a line's texts follow one another.
    pub(in crate::tui) columns: &'static [Column],
    pub(in crate::tui) lines: Vec<Line>,
    /// What stands there when there is no line.
    pub(in crate::tui) none: String,
}
