//! Layout of the view of events.

use ratatui::layout::{Rect, Size};

use super::overview::{self, RIBBON};
use super::{Breadth, RULE, body, take, take_right};

/// Lines of the chart, the labels of moments among them: narrow, medium, wide.
const CHART: [u16; 3] = [3, 4, 7];
/// Height from which a line stays free below the charts.
const AIRY: u16 = 38;
/// Minimum and maximum height of the story of the run.
const STORY: std::ops::RangeInclusive<u16> = 5..=11;

/// Panels that can have the focus: the story and the events.
pub(in crate::tui) const PANELS: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) chart: Rect,
    /// Verdict over time, and ticks.
    pub(in crate::tui) ribbon: Rect,
    pub(in crate::tui) story: Rect,
    pub(in crate::tui) events: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.chart, self.ribbon, self.story, self.events]
    }

    /// Returns the columns of the time axis.
    pub(in crate::tui) fn columns(&self) -> u16 {
        overview::columns(self.chart)
    }

    pub(in crate::tui) fn story_lines(&self) -> usize {
        super::lines(self.story, 0)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut events = body(room);
    let lines = CHART.get(Breadth::new(room) as usize).copied().unwrap_or_default();
    let air = u16::from(events.height >= AIRY);
    let chart = take(&mut events, lines + RULE);
    let ribbon = take(&mut events, RIBBON);
    take(&mut events, air);
    if Breadth::new(room) > Breadth::Narrow {
        let mut story = events;
        let events = take_right(&mut story, room.width / 2);
        return Layout { chart, ribbon, story, events };
    }
    let for_story = events.height.div_ceil(2).clamp(*STORY.start(), *STORY.end());
    let story = take(&mut events, for_story);
    Layout { chart, ribbon, story, events }
}

/// Returns the number of events that the list has room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    super::lines(layout(room).events, 1)
}
