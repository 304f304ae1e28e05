//! Layout of the view of the stream: the ladder, the two charts below it, edges and findings, and the windows of the
//! playlists. No height depends on the number of rungs.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, inside, take, take_right};

/// Heading and lines of the ladder: narrow, medium, wide.
const LADDER: [u16; 3] = [6, 6, 9];
/// Lines of the charts, with their axes.
const CHARTS: [u16; 3] = [6, 6, 12];
/// Lines of the edges and findings, which have the rest of a narrow screen.
const LISTS: [u16; 3] = [3, 3, 6];
/// Lines of the edges from which there is room for facts about all of them.
const FACTS_FROM: u16 = 5;
/// Height from which a line stays free below the ladder and the charts.
const AIRY: u16 = 42;
/// Height of the smallest bodies that have room for everything: the charts get half of the lines beyond, the windows, or
/// the findings, the rest.
const WHOLE: [u16; 3] = [19, 24, AIRY];
/// Columns of the labels of values at the left of a chart.
pub(in crate::tui) const SCALE: u16 = 7;
/// Columns of the names at the left of the windows.
pub(in crate::tui) const NAMES: u16 = 18;
/// Lines of a rung among the windows: its ruler and its playheads.
pub(in crate::tui) const WINDOW: u16 = 2;

/// Panel of the view that can have the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum StreamPanel {
    #[default]
    Ladder,
    Edges,
    Findings,
}

/// Returns the panels that there is room for, in the order in which Tab reaches them.
pub(in crate::tui) const fn panels(room: Size) -> &'static [StreamPanel] {
    match Breadth::new(room) {
        Breadth::Narrow => &[StreamPanel::Ladder, StreamPanel::Findings],
        _ => &[StreamPanel::Ladder, StreamPanel::Edges, StreamPanel::Findings],
    }
}

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) ladder: Rect,
    pub(in crate::tui) behind: Rect,
    pub(in crate::tui) age: Rect,
    pub(in crate::tui) edges: Rect,
    pub(in crate::tui) findings: Rect,
    pub(in crate::tui) windows: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.ladder, self.behind, self.age, self.edges, self.findings, self.windows]
    }

    /// Returns the columns of the time axis of the ages.
    pub(in crate::tui) fn columns(&self) -> u16 {
        plot(self.age).width
    }

    /// Returns the number of lines for facts about all edges.
    pub(in crate::tui) const fn facts(&self) -> u16 {
        (self.edges.height > FACTS_FROM) as u16
    }

    /// Returns the number of lines of a list, less its heading and the facts below it.
    pub(in crate::tui) fn lines(&self, panel: StreamPanel) -> usize {
        match panel {
            StreamPanel::Ladder => super::lines(self.ladder, 1),
            StreamPanel::Edges => super::lines(self.edges, self.facts()),
            StreamPanel::Findings => super::lines(self.findings, 0),
        }
    }

    /// Returns the number of rungs that there is room for among the windows, above their axis.
    pub(in crate::tui) fn window_rungs(&self) -> usize {
        super::lines(self.windows, 1) / usize::from(WINDOW)
    }
}

/// Returns the area of the columns of a chart, above its axis.
pub(in crate::tui) fn plot(chart: Rect) -> Rect {
    let inner = inside(chart);
    let scale = (SCALE + 1).min(inner.width);
    Rect { x: inner.x + scale, width: inner.width - scale, height: inner.height.saturating_sub(1), ..inner }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut rest = body(room);
    let breadth = Breadth::new(room);
    let [ladder, charts, lists] =
        [LADDER, CHARTS, LISTS].map(|of| of.get(breadth as usize).copied().unwrap_or_default() + RULE);
    let air = u16::from(rest.height >= AIRY);
    let half = rest.width / 2;
    let whole = WHOLE.get(breadth as usize).copied().unwrap_or_default();
    let spare = rest.height.saturating_sub(whole) / 2;
    let ladder = take(&mut rest, ladder);
    take(&mut rest, air);
    let mut behind = take(&mut rest, charts + spare);
    let age = take_right(&mut behind, half);
    if breadth == Breadth::Narrow {
        return Layout { ladder, behind, age, findings: rest, ..Layout::default() };
    }
    take(&mut rest, air);
    let mut edges = take(&mut rest, lists);
    let findings = take_right(&mut edges, half);
    Layout { ladder, behind, age, edges, findings, windows: rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_have_what_the_rest_leaves() {
        let heights = |width, height| {
            let places = layout(Size::new(width, height));
            let [ladder, age, findings, windows] =
                [places.ladder, places.age, places.findings, places.windows].map(|place| place.height);
            (ladder, age, findings, windows, places.window_rungs())
        };
        assert_eq!(heights(160, 42), (10, 13, 7, 10, 4));
        assert_eq!(heights(120, 24), (7, 7, 4, 6, 2));
        assert_eq!(heights(80, 19), (7, 7, 5, 0, 0));
        assert_eq!(heights(200, 54), (10, 19, 7, 16, 7), "the charts share what is higher");
        assert_eq!(heights(160, 38), (10, 13, 7, 8, 3));
    }
}
