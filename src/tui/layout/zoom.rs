//! Layout of one panel of the overview that is shown alone.

use ratatui::layout::{Rect, Size};

use super::overview::RIBBON;
use super::{RULE, body, lines, take, take_bottom};

/// Height of the numbers (all latencies fit), and the minimum height of the chart.
const TABLE: u16 = 12 + RULE;
const CHART: u16 = 5;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) chart: Rect,
    pub(in crate::tui) ribbon: Rect,
    pub(in crate::tui) table: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.chart, self.ribbon, self.table]
    }

    /// Returns the columns of the time axis.
    pub(in crate::tui) fn columns(&self) -> u16 {
        super::overview::columns(self.chart)
    }

    pub(in crate::tui) fn table_lines(&self) -> usize {
        lines(self.table, 1)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut rest = body(room);
    let for_table = TABLE.min(rest.height.saturating_sub(CHART + RIBBON));
    let table = take_bottom(&mut rest, for_table);
    let chart_height = rest.height.saturating_sub(RIBBON);
    let chart = take(&mut rest, chart_height);
    Layout { chart, ribbon: rest, table }
}
