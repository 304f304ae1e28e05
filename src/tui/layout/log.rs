//! Layout of the view of events.

use ratatui::layout::{Rect, Size};

use super::{Breadth, body, take, take_right};

/// Minimum and maximum height of the story of the run.
const STORY: std::ops::RangeInclusive<u16> = 5..=11;

/// Panels that can have the focus: the story and the events.
pub(in crate::tui) const PANELS: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) story: Rect,
    pub(in crate::tui) events: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.story, self.events]
    }

    pub(in crate::tui) fn story_lines(&self) -> usize {
        super::lines(self.story, 0)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut events = body(room);
    if Breadth::new(room) > Breadth::Narrow {
        let mut story = events;
        let events = take_right(&mut story, room.width / 2);
        return Layout { story, events };
    }
    let for_story = (events.height / 3).clamp(*STORY.start(), *STORY.end());
    let story = take(&mut events, for_story);
    Layout { story, events }
}

/// Returns the number of events that the list has room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    super::lines(layout(room).events, 1)
}
