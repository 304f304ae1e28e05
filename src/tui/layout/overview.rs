//! Layout of the overview.

use ratatui::layout::{Rect, Size};

use super::{Breadth, RULE, body, inside, lines, take, take_bottom, take_right};

/// Columns of the labels at the left of a chart.
pub(in crate::tui) const SCALE: u16 = 9;
/// Columns of the markers at the right of a chart.
pub(in crate::tui) const MARKERS: u16 = 5;
/// Lines of the first chart for the words of knees and marks.
pub(in crate::tui) const LABELS: u16 = 1;
/// Lines of the ribbon and the ticks below it.
pub(in crate::tui) const RIBBON: u16 = 2;

/// Columns of the right side.
const RIGHT: u16 = 48;
const RIGHT_WIDE: u16 = 54;
/// Height from which a line stays free between panels.
const AIRY: u16 = 42;

/// Heights of the charts: wide, medium, narrow. The heat map has the rest.
const CLIENTS: [u16; 3] = [10, 6, 5];
const FAILURES: u16 = 6;
const FAILURES_MEDIUM: u16 = 4;
const THROUGHPUT: u16 = 5;
/// Height of a medium body from which there is room for the throughput.
const MEDIUM_TALL: u16 = 34;
/// Height of the heat map on a narrow screen, and its share of the lines beyond those of a small screen.
const HEAT_NARROW: u16 = 6;

/// Name, digits and change.
const NOW: u16 = 5 + RULE;
/// Heading, five lines, and the open requests.
const LATENCY: u16 = 7 + RULE;
/// Lines of the list of failures.
const FAILED: u16 = 5;
const FAILED_NARROW: u16 = 3;
/// Groups of clients.
const WHO: u16 = 7;
/// Minimum height of a story that is worth its rule.
const STORY: u16 = 4;
/// Columns of the latency table, and of the list of failures, without their small charts.
const LATENCY_COLUMNS: u16 = 39;
const FAILED_COLUMNS: u16 = 47;
/// Minimum and maximum width of a small chart.
const SPARK: std::ops::RangeInclusive<u16> = 5..=24;

/// Panels that can have the focus.
pub(in crate::tui) const PANELS: usize = 4;
/// Number of the panel of groups of clients, which only a wide screen has.
pub(in crate::tui) const WHO_PANEL: usize = PANELS;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    /// Clients, latency, failures, throughput.
    pub(in crate::tui) charts: [Rect; 4],
    /// Verdict over time, and ticks.
    pub(in crate::tui) ribbon: Rect,
    pub(in crate::tui) now: Rect,
    pub(in crate::tui) latency: Rect,
    pub(in crate::tui) failures: Rect,
    pub(in crate::tui) who: Rect,
    pub(in crate::tui) story: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        let panels = [self.ribbon, self.now, self.latency, self.failures, self.who, self.story];
        panels.into_iter().chain(self.charts).collect()
    }

    /// Returns the columns of the time axis.
    pub(in crate::tui) fn columns(&self) -> u16 {
        columns(self.charts[0])
    }

    /// Returns the columns that the table of latencies leaves to small charts; 0 if they are too few.
    pub(in crate::tui) fn latency_spark(&self) -> u16 {
        spark(self.latency, LATENCY_COLUMNS)
    }

    /// Returns the columns that the list of failures leaves to small charts; 0 if they are too few.
    pub(in crate::tui) fn failure_spark(&self) -> u16 {
        spark(self.failures, FAILED_COLUMNS)
    }

    pub(in crate::tui) fn failure_lines(&self) -> usize {
        lines(self.failures, 0)
    }

    pub(in crate::tui) fn who_lines(&self) -> usize {
        lines(self.who, 0)
    }

    pub(in crate::tui) fn story_lines(&self) -> usize {
        lines(self.story, 0)
    }
}

/// Returns the columns of the time axis of a chart.
pub(in crate::tui) fn columns(chart: Rect) -> u16 {
    inside(Rect { height: RULE + 1, ..chart }).width.saturating_sub(SCALE + MARKERS)
}

fn spark(panel: Rect, used: u16) -> u16 {
    let left = inside(panel).width.saturating_sub(used);
    if left >= *SPARK.start() { left.min(*SPARK.end()) } else { 0 }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    match Breadth::new(room) {
        Breadth::Wide => wide(body(room)),
        Breadth::Medium => medium(body(room)),
        Breadth::Narrow => narrow(body(room)),
    }
}

fn narrow(mut rest: Rect) -> Layout {
    let small = CLIENTS[2] + HEAT_NARROW + FAILED_NARROW + 3 * RULE + RIBBON;
    let spare = rest.height.saturating_sub(small);
    let clients = take(&mut rest, CLIENTS[2] + RULE + spare / 6);
    let latency = take(&mut rest, HEAT_NARROW + RULE + spare / 3);
    let ribbon = take(&mut rest, RIBBON);
    let mut failures = take(&mut rest, FAILED_NARROW + RULE + spare / 6);
    if rest.height < STORY + RULE {
        failures.height += rest.height;
        rest = Rect::ZERO;
    }
    let charts = [clients, latency, Rect::ZERO, Rect::ZERO];
    Layout { charts, ribbon, failures, story: rest, ..Layout::default() }
}

fn medium(mut rest: Rect) -> Layout {
    let mut right = take_right(&mut rest, RIGHT);
    let with_throughput = rest.height >= MEDIUM_TALL;
    let throughput = if with_throughput { THROUGHPUT + RULE } else { 0 };
    let charts = stacked(&mut rest, [CLIENTS[1], FAILURES_MEDIUM, throughput]);
    let latency = take(&mut right, LATENCY);
    let failures = take(&mut right, FAILED + RULE);
    Layout { charts, ribbon: rest, latency, failures, story: right, ..Layout::default() }
}

fn wide(mut rest: Rect) -> Layout {
    let air = u16::from(rest.height >= AIRY);
    take(&mut rest, air);
    take_bottom(&mut rest, air);
    let mut right = take_right(&mut rest, RIGHT_WIDE);
    let spare = rest.height.saturating_sub(AIRY - 2);
    let charts = stacked(&mut rest, [CLIENTS[0] + spare / 4, FAILURES + spare / 8, THROUGHPUT + RULE]);
    let mut panel = |height: u16| {
        let place = take(&mut right, height);
        take(&mut right, air);
        place
    };
    let [now, latency] = [NOW, LATENCY].map(&mut panel);
    let failures = panel(FAILED + RULE + spare / 4);
    let who = panel(WHO + RULE + spare / 4);
    Layout { charts, ribbon: rest, now, latency, failures, who, story: right }
}

/// Takes charts one below the other; the rest is the ribbon. `heights` are those of the clients, of the failures, and
/// of the throughput with its rule, 0 to leave it out.
pub(super) fn stacked(rest: &mut Rect, heights: [u16; 3]) -> [Rect; 4] {
    let [clients, failures, throughput] = heights;
    let ribbon = take_bottom(rest, RIBBON);
    let throughput = take_bottom(rest, throughput);
    let failures = take_bottom(rest, failures + RULE);
    let clients = take(rest, clients + RULE);
    let heat = std::mem::replace(rest, ribbon);
    [clients, heat, failures, throughput]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_screen_is_filled_to_its_last_line() {
        let places = layout(Size::new(80, 19));
        let heights = places.charts.map(|chart| chart.height);
        assert_eq!((heights, places.ribbon.height, places.failures.height), ([6, 7, 0, 0], 2, 4));
        assert_eq!((places.columns(), places.failure_spark(), places.story.height), (64, 24, 0));
    }

    #[test]
    fn a_wide_screen_has_every_panel_and_the_heat_map_has_the_rest() {
        let large = layout(Size::new(160, 42));
        assert_eq!(large.charts.map(|chart| chart.height), [11, 14, 7, 6]);
        assert_eq!((large.columns(), large.latency_spark()), (90, 13));
        for (width, height) in [(160, 38), (160, 42), (200, 54)] {
            let places = layout(Size::new(width, height));
            assert!(
                places.charts[1].height >= 10 && places.story_lines() >= 6,
                "{width}x{height}: {places:?}"
            );
        }
    }
}
