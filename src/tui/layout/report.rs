//! Layout of the report of a run that has ended: charts and numbers on the first page, the text report on the others.

use ratatui::layout::{Rect, Size};

use super::overview::{RIBBON, columns, stacked};
use super::{Breadth, RULE, body, take, take_bottom, take_right};

/// Columns of the text report.
const TEXT: u16 = 80;

/// Columns of the right side.
const RIGHT: u16 = 62;
const RIGHT_WIDE: u16 = 78;
/// Height from which a line stays free between panels.
const AIRY: u16 = 42;

/// Big digits.
const BIG: u16 = 3 + RULE;
/// Clients by state: wide, medium, and the fewest lines of a narrow screen.
const CLIENTS: [u16; 3] = [7, 5, 4];
const FAILURES: u16 = 5;
const FAILURES_MEDIUM: u16 = 4;
const THROUGHPUT: u16 = 4 + RULE;
const STORY: u16 = 4 + RULE;
/// Height of a medium body from which there is room for everything but the big digits.
const MEDIUM_TALL: u16 = 34;

/// Panels of the right side: their height, and the lines of which they can make use besides.
///
/// Two columns of four values.
const VIEWERS: (u16, u16) = (4 + RULE, 0);
const SESSIONS: (u16, u16) = (4 + RULE, 0);
/// Heading and six latencies, of at most eleven.
const LATENCY: (u16, u16) = (7 + RULE, 5);
const FAILED: (u16, u16) = (5 + RULE, 7);
const FINDINGS: (u16, u16) = (3 + RULE, 5);
const EDGES: (u16, u16) = (2 + RULE, 6);
const TRUST: (u16, u16) = (4 + RULE, 8);
const NONE: (u16, u16) = (0, 0);

/// Heading and three latencies of a narrow screen, and its lines of facts.
const LATENCY_NARROW: u16 = 4;
const FACTS: u16 = 4;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Layout {
    /// A rule with the result, where there is no room for big digits.
    pub(in crate::tui) title: Rect,
    pub(in crate::tui) big: Rect,
    /// Clients, latency, failures, throughput.
    pub(in crate::tui) charts: [Rect; 4],
    /// Verdict over time, and ticks.
    pub(in crate::tui) ribbon: Rect,
    pub(in crate::tui) story: Rect,
    pub(in crate::tui) viewers: Rect,
    pub(in crate::tui) sessions: Rect,
    pub(in crate::tui) latency: Rect,
    pub(in crate::tui) failures: Rect,
    pub(in crate::tui) findings: Rect,
    pub(in crate::tui) edges: Rect,
    pub(in crate::tui) trust: Rect,
    /// Lines without a rule.
    pub(in crate::tui) facts: Rect,
}

impl Layout {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        let left = [self.title, self.big, self.ribbon, self.story, self.facts];
        let right = [self.viewers, self.sessions, self.latency, self.failures, self.findings, self.edges];
        left.into_iter().chain(right).chain([self.trust]).chain(self.charts).collect()
    }

    /// Returns the columns of the time axis.
    pub(in crate::tui) fn columns(&self) -> u16 {
        columns(self.charts[0])
    }

    /// Reports whether the charts stand below each other without rules.
    pub(in crate::tui) fn is_bare(&self) -> bool {
        !self.facts.is_empty()
    }
}

/// Returns the places of the first page in a body of this size.
pub(in crate::tui) fn layout(room: Size) -> Layout {
    match Breadth::new(room) {
        Breadth::Wide => wide(body(room)),
        Breadth::Medium => medium(body(room)),
        Breadth::Narrow => narrow(body(room)),
    }
}

fn narrow(mut rest: Rect) -> Layout {
    let title = take(&mut rest, RULE);
    let facts = take_bottom(&mut rest, FACTS);
    let spare = rest.height.saturating_sub(2 * CLIENTS[2] + RIBBON + LATENCY_NARROW);
    let latency = take_bottom(&mut rest, LATENCY_NARROW + (spare / 3).min(LATENCY.1));
    let ribbon = take_bottom(&mut rest, RIBBON);
    let clients = take(&mut rest, CLIENTS[2] + spare / 4);
    let charts = [clients, rest, Rect::ZERO, Rect::ZERO];
    Layout { title, charts, ribbon, latency, facts, ..Layout::default() }
}

fn medium(mut rest: Rect) -> Layout {
    let is_tall = rest.height >= MEDIUM_TALL;
    let title = take(&mut rest, RULE);
    let right = take_right(&mut rest, RIGHT);
    let story = take_bottom(&mut rest, if is_tall { STORY } else { 0 });
    let throughput = if is_tall { THROUGHPUT } else { 0 };
    let charts = stacked(&mut rest, [CLIENTS[1], FAILURES_MEDIUM, throughput]);
    let findings = if is_tall { FINDINGS } else { NONE };
    let [viewers, latency, failures, findings, trust] =
        below([VIEWERS, LATENCY, FAILED, findings, TRUST], right, 0);
    let places = Layout { title, charts, ribbon: rest, story, viewers, latency, ..Layout::default() };
    Layout { failures, findings, trust, ..places }
}

fn wide(mut rest: Rect) -> Layout {
    let air = u16::from(rest.height >= AIRY);
    let right = take_right(&mut rest, RIGHT_WIDE);
    let spare = rest.height.saturating_sub(AIRY);
    let big = take(&mut rest, BIG);
    take(&mut rest, air);
    let story = take_bottom(&mut rest, STORY + spare / 4);
    let charts = stacked(&mut rest, [CLIENTS[0] + spare / 4, FAILURES + spare / 8, THROUGHPUT]);
    let [viewers, sessions, latency, failures, findings, edges, trust] =
        below([VIEWERS, SESSIONS, LATENCY, FAILED, FINDINGS, EDGES, TRUST], right, air);
    let places = Layout { big, charts, ribbon: rest, story, viewers, sessions, ..Layout::default() };
    Layout { latency, failures, findings, edges, trust, ..places }
}

/// Divides a column among panels with `air` lines between them. Of the lines that are left, each panel gets at most half,
/// and the last one gets the rest.
fn below<const N: usize>(panels: [(u16, u16); N], mut rest: Rect, air: u16) -> [Rect; N] {
    let gaps = air * u16::try_from(N).unwrap_or(u16::MAX).saturating_sub(1);
    let mut spare = rest.height.saturating_sub(panels.iter().map(|(height, _)| height).sum::<u16>() + gaps);
    let mut places = panels.map(|(height, more)| {
        let more = more.min(spare / 2);
        spare -= more;
        let place = take(&mut rest, height + more);
        take(&mut rest, air);
        place
    });
    if let Some(last) = places.last_mut() {
        last.height += rest.height;
    }
    places
}

/// Returns the columns of a page of text, to be read one after the other below the page's rule.
pub(in crate::tui) fn text_columns(room: Size) -> Vec<Rect> {
    // The text has a margin of its own.
    let mut text = body(room);
    take(&mut text, RULE);
    let count = (text.width / TEXT).max(1);
    let column = |number: u16| {
        let left = number * TEXT;
        Rect { x: text.x + left, width: (text.width - left).min(TEXT), ..text }
    };
    (0..count).map(column).collect()
}

/// Returns the number of lines of text on a page.
pub(in crate::tui) fn text_lines(room: Size) -> usize {
    text_columns(room).iter().map(|column| usize::from(column.height)).sum()
}

/// Returns the number of pages of a report with so many lines of text.
pub(in crate::tui) fn pages(room: Size, lines: usize) -> usize {
    match text_lines(room) {
        0 => 1,
        on_a_page => 1 + lines.div_ceil(on_a_page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_screen_has_two_charts_and_is_filled_to_its_last_line() {
        let places = layout(Size::new(80, 19));
        let heights =
            [places.title, places.charts[0], places.charts[1], places.ribbon, places.latency, places.facts];
        assert_eq!(heights.map(|place| place.height), [1, 4, 4, 2, 4, 4]);
        assert_eq!((places.columns(), places.is_bare()), (64, true));
    }

    #[test]
    fn a_medium_screen_has_no_big_digits_and_a_wide_one_has_everything() {
        let medium = layout(Size::new(120, 24));
        assert_eq!(medium.charts.map(|chart| chart.height), [6, 10, 5, 0]);
        let right = [medium.viewers, medium.latency, medium.failures, medium.trust];
        assert_eq!((right.map(|place| place.height), medium.big.height), ([5, 8, 6, 4], 0));
        let wide = layout(Size::new(160, 42));
        assert_eq!(wide.charts.map(|chart| chart.height), [8, 11, 6, 5]);
        let right =
            [wide.viewers, wide.sessions, wide.latency, wide.failures, wide.findings, wide.edges, wide.trust];
        assert_eq!(right.map(|place| place.height), [5, 5, 8, 6, 4, 3, 5]);
        assert_eq!((wide.big.height, wide.story.height, wide.trust.bottom()), (4, 5, 42));
        for (width, height) in [(160, 38), (200, 54), (400, 200)] {
            let places = layout(Size::new(width, height));
            assert!(
                places
                    .all()
                    .iter()
                    .all(|place| place.is_empty() == (*place == places.title || *place == places.facts)),
                "{places:?}"
            );
        }
    }

    #[test]
    fn the_text_has_as_many_pages_as_it_needs() {
        let room = Size::new(80, 19);
        assert_eq!([0, 1, 18, 19, 36, 37].map(|lines| pages(room, lines)), [1, 2, 2, 3, 3, 4]);
        assert_eq!(pages(Size::new(160, 19), 37), 3);
        assert_eq!(pages(Size::new(80, 1), 37), 1);
    }
}
