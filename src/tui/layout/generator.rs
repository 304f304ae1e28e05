//! Layout of the view of the load tester itself.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, take_bottom, take_right};

/// Heading and as many channels as there is room for.
const LANES: u16 = 4 + RULE;
const LANES_HIGH: u16 = 9 + RULE;
/// Minimum height of the body for many channels.
const HIGH: u16 = 38;
/// Heading and three streams.
const STREAMS: u16 = 4 + RULE;
/// Facts about the process.
const MACHINE: u16 = 4 + RULE;
/// Heading and two workers.
const WORKERS: u16 = 3 + RULE;
const WORKERS_HIGH: u16 = 9 + RULE;
/// Heading, a reason with its advice, and the gauges beyond their limits.
const GAUGES: u16 = 6 + RULE;

/// Panels that can have the focus: from the gauges down.
pub(in crate::tui) const PANELS: usize = 5;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) gauges: Rect,
    pub(in crate::tui) workers: Rect,
    pub(in crate::tui) machine: Rect,
    pub(in crate::tui) streams: Rect,
    pub(in crate::tui) channels: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.gauges, self.workers, self.machine, self.streams, self.channels]
    }
}

/// Returns the places in a body of this size. The evidence for the trust verdict always stays; channels and streams
/// matter less and make room for it.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut rest = body(room);
    let has_room = |rest: Rect, height: u16| rest.height >= height + GAUGES + WORKERS + MACHINE;
    let is_high = rest.height >= HIGH;
    let mut places = Layout::default();
    let lanes = if is_high { LANES_HIGH } else { LANES };
    if has_room(rest, lanes) {
        places.channels = take_bottom(&mut rest, lanes);
    }
    if has_room(rest, STREAMS) {
        places.streams = take_bottom(&mut rest, STREAMS);
    }
    let workers = if is_high { WORKERS_HIGH } else { WORKERS };
    if Breadth::new(room) == Breadth::Wide {
        // Side by side, they leave more lines to the gauges.
        places.workers = take_bottom(&mut rest, workers.max(MACHINE));
        places.machine = take_right(&mut places.workers, room.width / 2);
    } else {
        places.machine = take_bottom(&mut rest, MACHINE);
        places.workers = take_bottom(&mut rest, workers);
    }
    places.gauges = rest;
    places
}
