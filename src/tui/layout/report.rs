//! Place of the report of a run that has ended.

use ratatui::layout::{Rect, Size};

use super::body;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) text: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.text]
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn places(room: Size) -> Places {
    Places { text: body(room) }
}

/// Returns the number of lines of the report that there is room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    usize::from(places(room).text.height)
}
