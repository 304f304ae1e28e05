//! Layout of the panels, from the size of the screen and the view alone.
//!
//! The height of a panel never depends on its content.

use ratatui::layout::{Rect, Size};

use super::{frame, panels, strip, table};
use crate::tui::app::{Capacity, View};

/// Height of the lines at the top.
const TOP: u16 = 4;
/// Ramp and states, one line each, in a frame.
const CLIENTS: u16 = 4;
/// Ramp and five states in a frame.
const STATES: u16 = 8;
/// Heading and three lines in a frame; more where there is room.
const LATENCY: u16 = 6;
const LATENCY_WIDE: u16 = 10;
/// One line in a frame; a second one where there is room.
const TRAFFIC: u16 = 3;
/// Minimum and maximum height of the errors; at medium size they take all that is left.
const ERRORS: std::ops::RangeInclusive<u16> = 6..=12;
/// Minimum height of a list that is worth its frame.
const TABLE: u16 = 6;
/// The map of clients.
const MAP: u16 = 5;
const MAP_WIDE: u16 = 8;
/// The numbers of one client.
const DETAIL: u16 = 8;
/// Height of the numbers of a zoomed panel (all latencies fit), and the minimum height of its charts.
const ZOOMED: u16 = 14;
const ZOOMED_CHARTS: u16 = 6;
/// Minimum width and height for panels side by side ...
const MEDIUM: (u16, u16) = (120, 30);
/// ... and for four charts instead of two.
const WIDE: (u16, u16) = (160, 44);
/// Columns of the right side.
const RIGHT: u16 = 50;
const RIGHT_WIDE: u16 = 62;

/// Areas of the panels; a panel with an empty area is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) top: Rect,
    pub(super) tabs: Rect,
    pub(super) clients: Rect,
    pub(super) latency: Rect,
    pub(super) traffic: Rect,
    pub(super) errors: Rect,
    pub(super) charts: [Rect; 4],
    pub(super) axis: Rect,
    pub(super) log: Rect,
    pub(super) map: Rect,
    pub(super) strip: Rect,
    /// The list of the view.
    pub(super) list: Rect,
    /// The numbers of one client, or the findings about the stream.
    pub(super) detail: Rect,
    pub(super) footer: Rect,
}

/// State of the app on which the layout depends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct LayoutInput {
    pub(in crate::tui) view: View,
    /// Set to show one panel of the overview alone.
    pub(in crate::tui) zoomed: bool,
    /// Set while one client is open.
    pub(in crate::tui) open: bool,
}

impl Layout {
    pub(super) fn new(area: Rect, scene: LayoutInput) -> Self {
        let mut rest = area;
        let top = take(&mut rest, TOP);
        let footer = take_bottom(&mut rest, 1);
        let tabs = take(&mut rest, u16::from(fits(area, MEDIUM)));
        let body = match scene.view {
            View::Overview if scene.zoomed => Self::zoomed(rest),
            View::Overview if fits(area, WIDE) => Self::wide(rest),
            View::Overview if fits(area, MEDIUM) => Self::medium(rest),
            View::Overview => Self::narrow(rest),
            View::Clients => Self::clients(rest, scene.open),
            View::Errors => Self::errors(rest),
            View::Log => Self::log(rest),
            View::Generator | View::Report => Self { list: rest, ..Self::default() },
        };
        Self { top, tabs, footer, ..body }
    }

    fn narrow(mut rest: Rect) -> Self {
        let clients = take(&mut rest, CLIENTS);
        let latency = take(&mut rest, LATENCY);
        let spare = rest.height.saturating_sub(TRAFFIC + ERRORS.start());
        let traffic = take(&mut rest, TRAFFIC + spare.min(1));
        let for_errors = match rest.height {
            height if height >= ERRORS.start() + TABLE => (height - TABLE).min(*ERRORS.end()),
            height => height,
        };
        let errors = take(&mut rest, for_errors);
        Self { clients, latency, traffic, errors, list: rest, ..Self::default() }
    }

    fn medium(mut rest: Rect) -> Self {
        let mut right = take_right(&mut rest, RIGHT);
        let log = take_bottom(&mut rest, TABLE);
        let axis = take_bottom(&mut rest, 1);
        let half = rest.height.div_ceil(2);
        let first = take(&mut rest, half);
        let clients = take(&mut right, CLIENTS);
        let latency = take(&mut right, LATENCY);
        let traffic = take(&mut right, TRAFFIC + 1);
        let charts = [first, rest, Rect::ZERO, Rect::ZERO];
        Self { clients, latency, traffic, errors: right, charts, axis, log, ..Self::default() }
    }

    fn wide(mut rest: Rect) -> Self {
        let mut right = take_right(&mut rest, RIGHT_WIDE);
        let log = take_bottom(&mut rest, TABLE + 3);
        let axis = take_bottom(&mut rest, 1);
        let height = rest.height / 4;
        let charts = [height, height, height, rest.height - 3 * height].map(|height| take(&mut rest, height));
        let clients = take(&mut right, STATES);
        let latency = take(&mut right, LATENCY_WIDE);
        let traffic = take(&mut right, TRAFFIC + 1);
        let for_errors = (right.height / 2).min(*ERRORS.end());
        let errors = take(&mut right, for_errors);
        Self { clients, latency, traffic, errors, charts, axis, log, list: right, ..Self::default() }
    }

    fn zoomed(mut rest: Rect) -> Self {
        let for_list = ZOOMED.min(rest.height.saturating_sub(ZOOMED_CHARTS));
        let list = take(&mut rest, for_list);
        let axis = take_bottom(&mut rest, 1);
        // Show two charts only if each gets a few lines.
        let first = if rest.height >= 2 * ZOOMED_CHARTS { rest.height.div_ceil(2) } else { rest.height };
        let first = take(&mut rest, first);
        Self { list, axis, charts: [first, rest, Rect::ZERO, Rect::ZERO], ..Self::default() }
    }

    fn clients(mut rest: Rect, open: bool) -> Self {
        let for_map = if rest.height >= 30 { MAP_WIDE } else { MAP };
        let map = take(&mut rest, for_map);
        let detail = take_bottom(&mut rest, if open { DETAIL } else { 0 });
        Self { map, detail, list: rest, ..Self::default() }
    }

    fn errors(mut rest: Rect) -> Self {
        let strip = take(&mut rest, strip::HEIGHT);
        let for_findings = (rest.height * 2 / 5).max(TABLE.min(rest.height / 2));
        let detail = take_bottom(&mut rest, for_findings);
        Self { strip, detail, list: rest, ..Self::default() }
    }

    fn log(mut rest: Rect) -> Self {
        let for_story = (rest.height / 3).min(*ERRORS.end()).max(TABLE);
        let log = take(&mut rest, for_story);
        Self { log, list: rest, ..Self::default() }
    }

    /// Returns the capacity of the panels.
    pub(super) fn capacity(&self, scene: LayoutInput) -> Capacity {
        let lines = |area: Rect, furniture: u16| usize::from(area.height.saturating_sub(furniture));
        let around_list = if scene.view == View::Report { 0 } else { frame::FRAME + 1 };
        let charted = self.charts.iter().find(|chart| !chart.is_empty());
        Capacity {
            list: lines(self.list, around_list),
            errors: lines(self.errors, frame::FRAME),
            log: match scene.view {
                View::Errors => lines(self.detail, frame::FRAME + 1),
                _ => lines(self.log, frame::FRAME),
            },
            chart: charted.map_or(0, |chart| panels::chart_columns(*chart)),
            spark: usize::from(panels::spark_columns(self.latency)),
            map: table::inside(self.map),
        }
    }
}

/// Returns the capacity of a screen of this size.
pub(in crate::tui) fn capacity(size: Size, scene: LayoutInput) -> Capacity {
    Layout::new(Rect::new(0, 0, size.width, size.height), scene).capacity(scene)
}

fn fits(area: Rect, (width, height): (u16, u16)) -> bool {
    area.width >= width && area.height >= height
}

/// Takes lines from the top of `rest`.
pub(super) fn take(rest: &mut Rect, height: u16) -> Rect {
    let taken = Rect { height: height.min(rest.height), ..*rest };
    rest.y += taken.height;
    rest.height -= taken.height;
    taken
}

/// Takes lines from the bottom of `rest`.
pub(super) fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}

fn take_right(rest: &mut Rect, width: u16) -> Rect {
    let width = width.min(rest.width);
    rest.width -= width;
    Rect { x: rest.x + rest.width, width, ..*rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenes() -> impl Iterator<Item = LayoutInput> {
        let flags = [(false, false), (true, false), (false, true)];
        View::ALL.into_iter().flat_map(move |view| {
            flags.into_iter().map(move |(zoomed, open)| LayoutInput { view, zoomed, open })
        })
    }

    #[test]
    fn panels_never_overlap_and_never_leave_the_screen() {
        for (width, height) in [(80, 24), (80, 60), (120, 30), (160, 48), (3, 2), (0, 0), (400, 200)] {
            let area = Rect::new(0, 0, width, height);
            for scene in scenes() {
                let p = Layout::new(area, scene);
                let mut all = vec![p.top, p.tabs, p.clients, p.latency, p.traffic, p.errors, p.axis, p.log];
                all.extend([p.map, p.strip, p.list, p.detail, p.footer]);
                all.extend(p.charts);
                let mut cells = 0;
                for (place, panel) in all.iter().enumerate() {
                    assert_eq!(area.intersection(*panel).area(), panel.area());
                    cells += panel.area();
                    for other in &all[place + 1..] {
                        assert!(panel.intersection(*other).is_empty(), "{width}x{height} {scene:?}: {p:?}");
                    }
                }
                assert_eq!(cells, area.area(), "{width}x{height} {scene:?}: {p:?}");
            }
        }
    }

    #[test]
    fn eighty_by_twenty_four_is_just_enough() {
        let places = Layout::new(Rect::new(0, 0, 80, 24), LayoutInput::default());
        assert_eq!((places.errors.height, places.list.height), (6, 0));
    }
}
