//! Layout of the view of failures and findings: charts and strips share one time axis, so the same columns.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, take, take_bottom};

/// Lines of the chart of all failures.
const CHART: [u16; 3] = [12, 6, 5];
/// Lines of the findings.
const FINDINGS: [u16; 3] = [6, 5, 3];
/// Heading and four examples, where there is room for them.
const EXAMPLES: u16 = 5;
/// Height from which a line stays free below a panel, and there are examples.
const AIRY: u16 = 38;
/// Columns of the names before the time axis, and of the numbers after it.
pub(in crate::tui) const NAMES: [u16; 3] = [29, 29, 26];
const NUMBERS: [u16; 3] = [54, 54, 26];

/// Panels that can have the focus: the outcomes and the findings.
pub(in crate::tui) const PANELS: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) chart: Rect,
    pub(in crate::tui) codes: Rect,
    /// Empty where there is no room.
    pub(in crate::tui) examples: Rect,
    pub(in crate::tui) findings: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.chart, self.codes, self.examples, self.findings]
    }

    pub(in crate::tui) fn finding_lines(&self) -> usize {
        super::lines(self.findings, 0)
    }
}

/// Returns the index into a table of wide, medium and narrow.
const fn step(room: Size) -> usize {
    match Breadth::new(room) {
        Breadth::Wide => 0,
        Breadth::Medium => 1,
        Breadth::Narrow => 2,
    }
}

/// Chooses from a table of wide, medium and narrow.
pub(in crate::tui) fn of(table: [u16; 3], room: Size) -> u16 {
    table.get(step(room)).copied().unwrap_or_default()
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    let mut codes = body(room);
    let has_room = codes.height >= AIRY && Breadth::new(room) != Breadth::Narrow;
    let air = u16::from(has_room);
    let chart = take(&mut codes, of(CHART, room) + RULE);
    take(&mut codes, air);
    let findings = take_bottom(&mut codes, of(FINDINGS, room) + RULE);
    take_bottom(&mut codes, air);
    let examples = take_bottom(&mut codes, if has_room { EXAMPLES + RULE } else { 0 });
    take_bottom(&mut codes, air);
    Layout { chart, codes, examples, findings }
}

/// Returns the columns of the time axis.
pub(in crate::tui) fn columns(room: Size) -> u16 {
    room.width.saturating_sub(2 + of(NAMES, room) + of(NUMBERS, room))
}

/// Lines of the outcomes that are no outcomes: headings where there is room for them, the verdict and the ticks.
pub(in crate::tui) fn furniture(room: Size) -> u16 {
    if Breadth::new(room) == Breadth::Narrow { 1 } else { 3 }
}

/// Returns the number of outcomes that the list has room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    super::lines(layout(room).codes, furniture(room))
}
