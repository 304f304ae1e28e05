//! Layout of the view of all clients.

use ratatui::layout::{Rect, Size};

use super::overview::SCALE;
use super::{Breadth, RULE, body, inside, take, take_bottom, take_right};

/// Lines of the map, by the room that there is.
const MAP: [u16; 3] = [3 + RULE, 6 + RULE, 11 + RULE];
/// Columns of the groups of clients beside the map, by the room that there is.
const WHO: [u16; 3] = [0, 46, 52];
/// Columns before a line of the map, for the time at which its first client joined.
const JOINED: u16 = 9;
/// Lines of the open client, by the room that there is, and those of its buffer.
const DETAIL: [u16; 3] = [8 + RULE, 11 + RULE, 18 + RULE];
const BUFFER: [u16; 3] = [2, 2, 5];
/// Columns beside the requests of the open client for their times and outcomes, by the room that there is.
const OUTCOMES: [u16; 3] = [0, 38, 46];

/// Panels that can have the focus: the map and the list.
pub(in crate::tui) const PANELS: usize = 2;
/// Number of the panel of groups of clients, which a narrow screen does not have.
pub(in crate::tui) const WHO_PANEL: usize = PANELS;
/// Lines of marks in a line of the screen.
const MARK_LINES: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) map: Rect,
    pub(in crate::tui) who: Rect,
    pub(in crate::tui) list: Rect,
    pub(in crate::tui) detail: Rect,
}

impl Layout {
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

/// Returns the number of clients of a mark in a map of so many columns and lines of the screen; 0 without clients or
/// without room.
pub(in crate::tui) const fn clients_per_mark(clients: usize, (columns, lines): (usize, usize)) -> usize {
    match columns * lines * MARK_LINES {
        0 => 0,
        marks => clients.div_ceil(marks),
    }
}

/// Returns the number of clients of a line of the screen in such a map.
pub(in crate::tui) const fn clients_per_line(clients: usize, size: (usize, usize)) -> usize {
    clients_per_mark(clients, size) * size.0 * MARK_LINES
}

/// Layout of the last minute of the open client.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Timeline {
    /// State in each column.
    pub(in crate::tui) states: Rect,
    /// Buffer in each column.
    pub(in crate::tui) buffer: Rect,
    /// Requests as bars, one in a line.
    pub(in crate::tui) requests: Rect,
    /// Times and outcomes of the requests, below a line of headings.
    pub(in crate::tui) outcomes: Rect,
    /// Ticks of the time axis.
    pub(in crate::tui) ticks: Rect,
    /// Further numbers of the client.
    pub(in crate::tui) facts: Rect,
}

/// Returns the number of lines for the open client.
pub(in crate::tui) fn detail_lines(room: Size) -> u16 {
    DETAIL.get(Breadth::new(room) as usize).copied().unwrap_or_default()
}

/// Returns the places within the panel of the open client, in a body of this size.
pub(in crate::tui) fn timeline(room: Size, detail: Rect) -> Timeline {
    let breadth = Breadth::new(room) as usize;
    let [for_buffer, for_outcomes] =
        [BUFFER, OUTCOMES].map(|of| of.get(breadth).copied().unwrap_or_default());
    let mut rest = inside(detail);
    let facts = take_bottom(&mut rest, 1);
    let mut outcomes = take_right(&mut rest, for_outcomes);
    let before = SCALE.min(rest.width);
    // A column stays free at the right end.
    let mut plot = Rect { x: rest.x + before, width: (rest.width - before).saturating_sub(1), ..rest };
    let ticks = take_bottom(&mut plot, 1);
    let states = take(&mut plot, 1);
    let buffer = take(&mut plot, for_buffer);
    // The headings stand in the line above the first request.
    let above = (plot.y - outcomes.y).saturating_sub(1).min(outcomes.height);
    (outcomes.y, outcomes.height) = (outcomes.y + above, (plot.height + 1).min(outcomes.height - above));
    Timeline { states, buffer, requests: plot, outcomes, ticks, facts }
}

/// Returns the places in a body of this size; `detail` is the number of lines for the open client.
pub(in crate::tui) fn layout(room: Size, detail: u16) -> Layout {
    let breadth = Breadth::new(room) as usize;
    let [for_map, for_who] = [MAP, WHO].map(|of| of.get(breadth).copied().unwrap_or_default());
    let mut list = body(room);
    let mut map = take(&mut list, for_map);
    let who = take_right(&mut map, for_who);
    let detail = take_bottom(&mut list, detail);
    Layout { map, who, list, detail }
}

/// Returns the number of groups that there is room for.
pub(in crate::tui) fn who_lines(room: Size, detail: u16) -> usize {
    super::lines(layout(room, detail).who, 0)
}

/// Returns the number of clients that the list has room for.
pub(in crate::tui) fn lines(room: Size, detail: u16) -> usize {
    super::lines(layout(room, detail).list, 1)
}
