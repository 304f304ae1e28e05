//! Which panel stands where, by the size of the screen alone.

use ratatui::layout::Rect;

use crate::tui::app::View;

/// Lines of the top.
const TOP: u16 = 4;
/// Ramp and states in a frame.
const CLIENTS: u16 = 4;
/// Heading and three lines in a frame.
const LATENCY: u16 = 6;
/// One line in a frame; a second one where there is room.
const TRAFFIC: u16 = 3;
/// Errors at the least and at the most.
const ERRORS: std::ops::RangeInclusive<u16> = 6..=12;
/// A table with fewer lines than this is not worth its frame.
const TABLE: u16 = 6;
/// From here on panels stand side by side.
const WIDE: (u16, u16) = (120, 30);

/// The areas of the panels; an empty one is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) top: Rect,
    pub(super) clients: Rect,
    pub(super) latency: Rect,
    pub(super) traffic: Rect,
    pub(super) errors: Rect,
    pub(super) table: Rect,
    pub(super) footer: Rect,
}

impl Places {
    pub(super) fn of(area: Rect, view: View) -> Self {
        let mut rest = area;
        let top = take(&mut rest, TOP);
        let footer = take_bottom(&mut rest, 1);
        let body = match view {
            View::Overview if area.width >= WIDE.0 && area.height >= WIDE.1 => Self::wide(rest),
            View::Overview => Self::narrow(rest),
            View::Clients => Self::clients(rest),
        };
        Self { top, footer, ..body }
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
        Self { clients, latency, traffic, errors, table: rest, ..Self::default() }
    }

    fn wide(mut rest: Rect) -> Self {
        let mut left = take(&mut rest, CLIENTS + LATENCY + TRAFFIC + 1);
        let for_errors = left.width * 2 / 5;
        let right = take_right(&mut left, for_errors);
        let clients = take(&mut left, CLIENTS);
        let latency = take(&mut left, LATENCY);
        Self { clients, latency, traffic: left, errors: right, table: rest, ..Self::default() }
    }

    fn clients(mut rest: Rect) -> Self {
        let clients = take(&mut rest, CLIENTS);
        Self { clients, table: rest, ..Self::default() }
    }
}

fn take(rest: &mut Rect, height: u16) -> Rect {
    let taken = Rect { height: height.min(rest.height), ..*rest };
    rest.y += taken.height;
    rest.height -= taken.height;
    taken
}

fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
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

    #[test]
    fn panels_never_overlap_and_never_leave_the_screen() {
        for (width, height) in [(80, 24), (80, 60), (120, 30), (160, 48), (3, 2), (0, 0), (400, 200)] {
            let area = Rect::new(0, 0, width, height);
            for view in [View::Overview, View::Clients] {
                let p = Places::of(area, view);
                let all = [p.top, p.clients, p.latency, p.traffic, p.errors, p.table, p.footer];
                let mut cells = 0;
                for (place, panel) in all.iter().enumerate() {
                    assert_eq!(area.intersection(*panel).area(), panel.area());
                    cells += panel.area();
                    for other in &all[place + 1..] {
                        assert!(panel.intersection(*other).is_empty(), "{width}x{height}: {p:?}");
                    }
                }
                assert_eq!(cells, area.area(), "{width}x{height} {view:?}: {p:?}");
            }
        }
    }

    #[test]
    fn eighty_by_twenty_four_is_just_enough() {
        let places = Places::of(Rect::new(0, 0, 80, 24), View::Overview);
        assert_eq!((places.errors.height, places.table.height), (6, 0));
    }
}
