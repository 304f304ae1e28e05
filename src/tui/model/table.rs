//! A list in columns: headings and the lines that fit.

use std::ops::Range;

use crate::vocabulary::units;

use super::{Text, Weight};

/// Alignment of a text in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Column {
    pub(in crate::tui) name: &'static str,
    /// Width in columns of the screen.
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
    /// Set for a line of one text that runs over all columns.
    pub(in crate::tui) whole: bool,
}

impl Line {
    pub(super) fn new(cells: Vec<Text>) -> Self {
        Self { cells, selected: false, whole: false }
    }

    /// Creates a line of one text over all columns.
    pub(super) fn whole(text: Text) -> Self {
        Self { cells: vec![text], selected: false, whole: true }
    }
}

/// Returns the lines of a list that have room, from the line that was scrolled to.
pub(super) fn visible(scroll: usize, room: usize, all: usize) -> Range<usize> {
    let from = scroll.min(all.saturating_sub(room));
    from..(from + room).min(all)
}

/// Returns which lines of a list are visible; nothing if all of them are.
pub(super) fn place(visible: &Range<usize>, all: usize) -> Option<Text> {
    (visible.len() < all).then(|| words(visible, all))
}

fn words(visible: &Range<usize>, all: usize) -> Text {
    let [first, last, count] =
        [(visible.start + 1).min(visible.end), visible.end, all].map(|it| units::count(it as u64));
    Text::plain(format!("{first}-{last} of {count}")).weighing(Weight::Subject)
}

impl Table {
    /// Keeps the lines that have room, from the line that was scrolled to, and says which ones they are. Lines that run
    /// over all columns stand at the beginning and do not count.
    pub(super) fn scrolled(mut self, scroll: usize, room: usize) -> Self {
        let (visible, told) = (visible(scroll, room, self.lines.len()), self.told());
        if visible.len() < self.lines.len() {
            let counted = visible.start.saturating_sub(told)..visible.end.saturating_sub(told);
            self.aside.insert(0, words(&counted, self.lines.len() - told));
        }
        self.lines.truncate(visible.end);
        self.lines.drain(..visible.start);
        self
    }

    /// Returns the number of lines that run over all columns.
    fn told(&self) -> usize {
        self.lines.iter().filter(|line| line.whole).count()
    }

    /// Marks the panel if it has the focus.
    pub(super) fn with_focus(self, focused: bool) -> Self {
        Self { focused, ..self }
    }
}

/// A list below a rule. Columns with names have a line of headings above them.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Table {
    pub(in crate::tui) title: Text,
    /// Texts at the right end of the rule.
    pub(in crate::tui) aside: Vec<Text>,
    /// Set if the panel has the focus.
    pub(in crate::tui) focused: bool,
    /// Columns of the list; without any, the texts of a line follow one another.
    pub(in crate::tui) columns: &'static [Column],
    pub(in crate::tui) lines: Vec<Line>,
    /// Text shown when the list is empty.
    pub(in crate::tui) none: String,
}
