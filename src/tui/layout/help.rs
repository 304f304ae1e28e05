//! Layout of the help overlay: one block for each group of keys, in as many columns as fit, which scroll.

use ratatui::layout::{Rect, Size};

use super::{RULE, inside};
use crate::tui::keys::Group;

/// Columns of the keys and of their texts.
pub(in crate::tui) const KEYS: u16 = 11;
const WORDS: u16 = 28;
const COLUMN: u16 = KEYS + WORDS;
/// Lines of the block that explains the signs, with its heading.
pub(in crate::tui) const SIGNS: usize = 7;

/// The overlay and its columns.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Layout {
    pub(in crate::tui) overlay: Rect,
    /// Area of each column, and the groups in it; the group after the last one of keys is that of the signs.
    pub(in crate::tui) columns: Vec<(Rect, std::ops::Range<usize>)>,
    /// Lines of the longest column.
    lines: usize,
}

impl Layout {
    /// Returns the largest useful scroll offset.
    pub(in crate::tui) fn last_scroll(&self) -> usize {
        self.lines.saturating_sub(usize::from(inside(self.overlay).height))
    }
}

/// Returns the heights of the groups, each with a heading and an empty line below.
fn heights(is_replay: bool) -> Vec<usize> {
    Group::ALL.into_iter().map(|group| group.lines(is_replay).count() + 2).chain([SIGNS + 1]).collect()
}

/// Returns the places on a screen of this size.
pub(in crate::tui) fn layout(screen: Size, is_replay: bool) -> Layout {
    let heights = heights(is_replay);
    let room = usize::from(screen.width.saturating_sub(2) / COLUMN).clamp(1, heights.len());
    let ranges = columns(&heights, room);
    let of =
        |range: &std::ops::Range<usize>| heights.get(range.clone()).unwrap_or_default().iter().sum::<usize>();
    // The last group of a column needs no empty line below it.
    let lines = ranges.iter().map(of).max().unwrap_or_default().saturating_sub(1);
    let width = u16::try_from(ranges.len()).unwrap_or(1).saturating_mul(COLUMN) + 2;
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(RULE);
    let overlay = super::body(screen);
    let overlay = overlay.centered(width.min(screen.width).into(), height.min(screen.height).into());
    let inner = inside(overlay);
    let place = |(number, range): (usize, std::ops::Range<usize>)| {
        let left = u16::try_from(number).unwrap_or_default() * COLUMN;
        let width = COLUMN.min(inner.width.saturating_sub(left));
        (Rect { x: inner.x + left, width, ..inner }, range)
    };
    Layout { overlay, columns: ranges.into_iter().enumerate().map(place).collect(), lines }
}

/// Distributes blocks of these heights over at most `most` columns, in their order: the least height in which they fit.
fn columns(heights: &[usize], most: usize) -> Vec<std::ops::Range<usize>> {
    let tallest = heights.iter().copied().max().unwrap_or_default();
    let fill = |limit: usize| {
        let (mut ranges, mut from, mut used) = (Vec::new(), 0, 0);
        for (place, height) in heights.iter().enumerate() {
            if used > 0 && used + height > limit {
                ranges.push(from..place);
                (from, used) = (place, 0);
            }
            used += height;
        }
        ranges.push(from..heights.len());
        ranges
    };
    let limits = tallest..=heights.iter().sum();
    limits.map(fill).find(|ranges| ranges.len() <= most).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_its_place_whole_and_in_order() {
        for width in [0, 10, 40, 80, 120, 160, 400] {
            let places = layout(Size::new(width, 24), width == 80);
            let groups: Vec<usize> = places.columns.iter().flat_map(|(_, range)| range.clone()).collect();
            assert_eq!(groups, (0..=Group::ALL.len()).collect::<Vec<_>>(), "{width}");
        }
        assert_eq!(columns(&[5, 4, 3, 2], 2), [0..2, 2..4]);
        assert_eq!(columns(&[5, 4, 3, 2], 1).len(), 1);
        assert!(
            layout(Size::new(40, 10), false).last_scroll() > 20
                && layout(Size::new(200, 60), true).last_scroll() == 0
        );
    }
}
