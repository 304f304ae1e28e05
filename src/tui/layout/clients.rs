//! Places of the view of all clients.

use ratatui::layout::{Rect, Size};

use super::{RULE, body, inside, take, take_bottom};

/// The map of clients.
const MAP: u16 = 3 + RULE;
const MAP_WIDE: u16 = 6 + RULE;
/// Minimum height of the body for the large map.
const HIGH: u16 = 30;
/// The numbers of one client.
pub(in crate::tui) const DETAIL: u16 = 6 + RULE;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) map: Rect,
    pub(in crate::tui) list: Rect,
    pub(in crate::tui) detail: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.map, self.list, self.detail]
    }

    /// Returns the columns and lines of the map.
    pub(in crate::tui) fn map_size(&self) -> (usize, usize) {
        let inside = inside(self.map);
        (usize::from(inside.width.saturating_sub(2)), usize::from(inside.height))
    }
}

/// Returns the places in a body of this size; `detail` is the number of lines for the open client.
pub(in crate::tui) fn places(room: Size, detail: u16) -> Places {
    let mut list = body(room);
    let for_map = if list.height >= HIGH { MAP_WIDE } else { MAP };
    let map = take(&mut list, for_map);
    let detail = take_bottom(&mut list, detail);
    Places { map, list, detail }
}

/// Returns the number of clients that the list has room for.
pub(in crate::tui) fn lines(room: Size, detail: u16) -> usize {
    super::lines(places(room, detail).list, 1)
}
