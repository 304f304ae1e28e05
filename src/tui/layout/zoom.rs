//! Places of one panel of the overview that is shown alone.

use ratatui::layout::{Rect, Size};

use super::{RULE, body, lines, take, take_bottom};

/// Height of the numbers (all latencies fit), and the minimum height of the charts.
const TABLE: u16 = 12 + RULE;
const CHARTS: u16 = 5;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) table: Rect,
    pub(in crate::tui) charts: [Rect; 2],
    pub(in crate::tui) axis: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        [self.table, self.axis].into_iter().chain(self.charts).collect()
    }

    /// Returns the columns of a chart's bars.
    pub(in crate::tui) fn chart_columns(&self) -> usize {
        usize::from(super::inside(self.charts[0]).width.saturating_sub(super::overview::SCALE))
    }

    pub(in crate::tui) fn table_lines(&self) -> usize {
        lines(self.table, 1)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn places(room: Size) -> Places {
    let mut rest = body(room);
    let for_table = TABLE.min(rest.height.saturating_sub(CHARTS));
    let table = take(&mut rest, for_table);
    let axis = take_bottom(&mut rest, 1);
    // Show two charts only if each gets a few lines.
    let first = if rest.height >= 2 * CHARTS { rest.height.div_ceil(2) } else { rest.height };
    let first = take(&mut rest, first);
    Places { table, axis, charts: [first, rest] }
}
