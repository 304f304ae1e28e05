//! Places of the report of a run that has ended: as many columns of text as fit, read one after the other.

use ratatui::layout::{Rect, Size};

use super::{RULE, body, take};

/// Columns of the text report.
const WIDTH: u16 = 80;

/// Areas of the panels.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) panel: Rect,
    pub(in crate::tui) columns: Vec<Rect>,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        let rule = Rect { height: self.panel.height.min(RULE), ..self.panel };
        self.columns.iter().copied().chain([rule]).collect()
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn places(room: Size) -> Places {
    let panel = body(room);
    // The text has a margin of its own.
    let mut text = panel;
    take(&mut text, RULE);
    let count = (text.width / WIDTH).max(1);
    let column = |number: u16| {
        let left = number * WIDTH;
        Rect { x: text.x + left, width: (text.width - left).min(WIDTH), ..text }
    };
    Places { panel, columns: (0..count).map(column).collect() }
}

/// Returns the number of lines of the report that there is room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    places(room).columns.iter().map(|column| usize::from(column.height)).sum()
}
