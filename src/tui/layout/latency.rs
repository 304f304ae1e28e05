//! Layout of the latency view.

use ratatui::layout::{Rect, Size};

use super::overview::{RIBBON, columns};
use super::{Breadth, RULE, body, take, take_bottom, take_right};

/// Height of the table (all durations fit), and the minimum height of the heat map.
const TABLE: u16 = 12 + RULE;
const HEAT: u16 = 9 + RULE;
/// Columns of the distribution beside the heat map.
const DISTRIBUTION: u16 = 36;
/// Columns of the table; the rest belongs to the open requests.
const TABLE_COLUMNS: u16 = 93;
/// Maximum width of the open requests.
const OPEN: u16 = 46;

/// Durations between which Tab goes.
pub(in crate::tui) const PANELS: usize = crate::sample::HeatOf::COUNT;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) heat: Rect,
    pub(in crate::tui) ribbon: Rect,
    pub(in crate::tui) distribution: Rect,
    pub(in crate::tui) table: Rect,
    pub(in crate::tui) open: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.heat, self.ribbon, self.distribution, self.table, self.open]
    }

    /// Returns the columns of the time axis.
    pub(in crate::tui) fn columns(&self) -> u16 {
        columns(self.heat)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut rest = body(room);
    let for_table = TABLE.min(rest.height.saturating_sub(HEAT + RIBBON));
    let mut table = take_bottom(&mut rest, for_table);
    let (mut distribution, mut open) = (Rect::ZERO, Rect::ZERO);
    if Breadth::new(room) != Breadth::Narrow {
        let left = table.width.saturating_sub(TABLE_COLUMNS).min(OPEN);
        open = take_right(&mut table, left);
        distribution = take_right(&mut rest, DISTRIBUTION);
    }
    let height = rest.height.saturating_sub(RIBBON);
    let heat = take(&mut rest, height);
    distribution.height = heat.height.min(distribution.height);
    Layout { heat, ribbon: rest, distribution, table, open }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heat_map_has_what_the_table_leaves() {
        let heights = |width, height| {
            let places = layout(Size::new(width, height));
            (places.heat.height, places.table.height, places.distribution.width, places.open.width)
        };
        assert_eq!(heights(160, 42), (27, 13, 36, 46));
        assert_eq!(heights(120, 24), (10, 12, 36, 27));
        assert_eq!(heights(80, 19), (10, 7, 0, 0));
    }
}
