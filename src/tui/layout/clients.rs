//! Places of the view of all clients.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, inside, take, take_bottom, take_right};

/// Lines of the map, by the room that there is.
const MAP: [u16; 3] = [3 + RULE, 6 + RULE, 11 + RULE];
/// Columns of the groups of clients beside the map, by the room that there is.
const WHO: [u16; 3] = [0, 46, 52];
/// Columns before a line of the map, for the time at which its first client joined.
const JOINED: u16 = 9;
/// The numbers of one client.
pub(in crate::tui) const DETAIL: u16 = 8 + RULE;

/// Panels that can have the focus: the map and the list.
pub(in crate::tui) const PANELS: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) map: Rect,
    pub(in crate::tui) who: Rect,
    pub(in crate::tui) list: Rect,
    pub(in crate::tui) detail: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.map, self.who, self.list, self.detail]
    }

    /// Returns the columns and lines of the map.
    pub(in crate::tui) fn map_size(&self) -> (usize, usize) {
        let marks = marks(self.map);
        (usize::from(marks.width), usize::from(marks.height))
    }
}

/// Returns the area of the marks in the panel of the map.
pub(in crate::tui) fn marks(map: Rect) -> Rect {
    let inside = inside(map);
    let before = (JOINED + 1).min(inside.width);
    Rect { x: inside.x + before, width: inside.width.saturating_sub(before + 1), ..inside }
}

/// Returns the places in a body of this size; `detail` is the number of lines for the open client.
pub(in crate::tui) fn places(room: Size, detail: u16) -> Places {
    let breadth = Breadth::new(room) as usize;
    let [for_map, for_who] = [MAP, WHO].map(|of| of.get(breadth).copied().unwrap_or_default());
    let mut list = body(room);
    let mut map = take(&mut list, for_map);
    let who = take_right(&mut map, for_who);
    let detail = take_bottom(&mut list, detail);
    Places { map, who, list, detail }
}

/// Returns the number of clients that the list has room for.
pub(in crate::tui) fn lines(room: Size, detail: u16) -> usize {
    super::lines(places(room, detail).list, 1)
}
