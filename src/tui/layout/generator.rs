//! Layout of the view of the load tester itself.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, take_bottom, take_right};

/// Heading and channels, which scroll.
const LANES: u16 = 4 + RULE;
const LANES_HIGH: u16 = 6 + RULE;
/// Minimum height of the body for many channels.
const HIGH: u16 = 38;
/// Heading and three streams.
const STREAMS: u16 = 4 + RULE;
/// Facts about the process.
const MACHINE: u16 = 4 + RULE;
/// Heading and workers, which scroll.
const WORKERS: u16 = 3 + RULE;
const WORKERS_HIGH: u16 = 5 + RULE;
/// Heading, a reason with its advice, and the gauges beyond their limits.
const GAUGES: u16 = 6 + RULE;
/// Maximum number of reasons that stand above the gauges; those left out show in their gauges' lines.
pub(in crate::tui) const REASONS: usize = 2;

/// Panel of the view that can have the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum GeneratorPanel {
    #[default]
    Gauges,
    Workers,
    Machine,
    Streams,
    Channels,
}

/// Returns the panels that there is room for, in the order in which Tab reaches them.
pub(in crate::tui) fn panels(room: Size) -> Vec<GeneratorPanel> {
    use GeneratorPanel::*;
    let places = layout(room);
    let is_shown = |panel: &GeneratorPanel| *panel == Gauges || !places.area(*panel).is_empty();
    [Gauges, Workers, Machine, Streams, Channels].into_iter().filter(is_shown).collect()
}

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

    const fn area(&self, panel: GeneratorPanel) -> Rect {
        match panel {
            GeneratorPanel::Gauges => self.gauges,
            GeneratorPanel::Workers => self.workers,
            GeneratorPanel::Machine => self.machine,
            GeneratorPanel::Streams => self.streams,
            GeneratorPanel::Channels => self.channels,
        }
    }

    /// Returns the number of lines of a list, less its headings.
    pub(in crate::tui) fn lines(&self, panel: GeneratorPanel) -> usize {
        super::lines(self.area(panel), 1)
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
