//! Layout on the screen, computed from its size alone.
//!
//! * The height of a panel never depends on its content, so nothing jumps.
//! * A view has its own file with `layout(room)`: the areas of its panels in a body of that size whose corner is at
//!   0,0. Models ask how much fits, screens ask where it goes, and both get the same answer.
//! * An empty area means that there is no room for its panel.

pub(super) mod clients;
pub(super) mod errors;
pub(super) mod generator;
pub(super) mod help;
pub(super) mod latency;
pub(super) mod log;
pub(super) mod overview;
pub(super) mod report;
pub(super) mod stream;
pub(super) mod zoom;

use ratatui::layout::{Rect, Size};

/// Height of the lines at the top.
const TOP: u16 = 4;
/// Minimum size of the screen for the line of views.
const TABS: Size = Size::new(120, 30);
/// Lines of a panel that its rule takes.
pub(super) const RULE: u16 = 1;
/// Columns at each side of a panel that stay free, so that neighbours do not touch.
const SIDE: u16 = 1;

/// Areas of the parts that every view shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) top: Rect,
    pub(super) tabs: Rect,
    pub(super) body: Rect,
    pub(super) footer: Rect,
}

/// Returns the areas of the parts that every view shares.
pub(super) fn frame(area: Rect) -> Frame {
    let mut body = area;
    let top = take(&mut body, TOP);
    let footer = take_bottom(&mut body, 1);
    let tabs = take(&mut body, u16::from(area.width >= TABS.width && area.height >= TABS.height));
    Frame { top, tabs, body, footer }
}

/// Amount of room for the panels of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Breadth {
    /// One column of panels.
    Narrow,
    /// Panels side by side.
    Medium,
    /// Panels side by side, with everything that there is to show.
    Wide,
}

impl Breadth {
    /// Body of a screen of 120x30, less its head and footer.
    const MEDIUM: Size = Size::new(120, 24);
    /// Body of a screen of 160x44.
    const WIDE: Size = Size::new(160, 38);

    pub(super) const fn new(room: Size) -> Self {
        if room.width >= Self::WIDE.width && room.height >= Self::WIDE.height {
            Self::Wide
        } else if room.width >= Self::MEDIUM.width && room.height >= Self::MEDIUM.height {
            Self::Medium
        } else {
            Self::Narrow
        }
    }
}

/// Returns the body of a view as an area with its corner at 0,0.
pub(super) const fn body(room: Size) -> Rect {
    Rect::new(0, 0, room.width, room.height)
}

/// Moves a place of a body with its corner at 0,0 into the body's area on the screen.
pub(super) fn on_screen(place: Rect, body: Rect) -> Rect {
    Rect { x: body.x.saturating_add(place.x), y: body.y.saturating_add(place.y), ..place }.intersection(body)
}

/// Returns the area below a panel's rule, as wide as the rule.
pub(super) fn inside(panel: Rect) -> Rect {
    let width = panel.width.saturating_sub(2 * SIDE);
    let height = panel.height.saturating_sub(RULE);
    if width == 0 || height == 0 {
        return Rect::ZERO;
    }
    Rect { x: panel.x + SIDE, y: panel.y + RULE, width, height }
}

/// Returns the number of lines below a panel's rule and `headings` lines of headings.
pub(super) fn lines(panel: Rect, headings: u16) -> usize {
    usize::from(panel.height.saturating_sub(RULE + headings))
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

/// Takes columns from the right of `rest`.
pub(super) fn take_right(rest: &mut Rect, width: u16) -> Rect {
    let width = width.min(rest.width);
    rest.width -= width;
    Rect { x: rest.x + rest.width, width, ..*rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the places of every view, by name.
    fn views(room: Size) -> Vec<(&'static str, Vec<Rect>)> {
        vec![
            ("overview", overview::layout(room).all()),
            ("zoom", zoom::layout(room).all()),
            ("clients", clients::layout(room, 0).all()),
            ("an open client", clients::layout(room, clients::detail_lines(room)).all()),
            ("errors", errors::layout(room).all()),
            ("generator", generator::layout(room).all()),
            ("log", log::layout(room).all()),
            ("latency", latency::layout(room).all()),
            ("report", report::layout(room).all()),
            ("stream", stream::layout(room).all()),
        ]
    }

    #[test]
    fn panels_never_overlap_and_never_leave_the_body() {
        let sizes =
            [(80, 24), (80, 60), (120, 30), (160, 48), (200, 60), (40, 10), (3, 2), (0, 0), (400, 200)];
        for (width, height) in sizes {
            let screen = Rect::new(0, 0, width, height);
            let parts = frame(screen);
            let shared = [parts.top, parts.tabs, parts.body, parts.footer];
            assert_eq!(shared.map(Rect::area).iter().sum::<u32>(), screen.area(), "{parts:?}");
            let room = body(parts.body.as_size());
            for (view, places) in views(parts.body.as_size()) {
                for (number, panel) in places.iter().enumerate() {
                    assert_eq!(room.intersection(*panel).area(), panel.area(), "{view} {width}x{height}");
                    for other in &places[number + 1..] {
                        let overlap = panel.intersection(*other);
                        assert!(overlap.is_empty(), "{view} {width}x{height}: {panel} {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_breadth_follows_the_screen() {
        let breadth = |width, height| Breadth::new(frame(Rect::new(0, 0, width, height)).body.as_size());
        assert_eq!(breadth(80, 24), Breadth::Narrow);
        assert_eq!(breadth(120, 30), Breadth::Medium);
        assert_eq!(breadth(159, 48), Breadth::Medium);
        assert_eq!(breadth(160, 44), Breadth::Wide);
        assert_eq!(breadth(160, 43), Breadth::Medium);
    }

    #[test]
    fn a_place_moves_with_the_body_and_stays_within_it() {
        let on = Rect::new(0, 5, 80, 18);
        assert_eq!(on_screen(Rect::new(40, 2, 40, 16), on), Rect::new(40, 7, 40, 16));
        assert_eq!(on_screen(Rect::new(40, 2, 60, 60), on), Rect::new(40, 7, 40, 16));
        assert_eq!(inside(Rect::new(0, 0, 10, 3)), Rect::new(1, 1, 8, 2));
        assert_eq!((inside(Rect::new(4, 4, 2, 9)), lines(Rect::new(0, 0, 9, 1), 1)), (Rect::ZERO, 0));
    }
}
