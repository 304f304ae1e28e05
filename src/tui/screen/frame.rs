//! The rule above a panel: its title at the left, facts at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::line::{Row, fitted, width};
use crate::tui::layout::inside;
use crate::tui::model::Text;
use crate::tui::theme::{Role, Theme};
use crate::vocabulary::Tone;

/// Minimum width of a rule with a title.
const LEAST: u16 = 6;

/// Content of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) title: &'a Text,
    /// Facts at the right; what does not fit is left out by weight.
    pub(super) aside: &'a [Text],
    /// Set for the panel that has the focus: its rule is heavy.
    pub(super) focused: bool,
}

/// Draws the rule of a panel and returns the area below it, as wide as the rule.
pub(super) fn panel(head: Head<'_>, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    let area = area.intersection(buffer.area);
    let below = inside(area);
    if area.width < LEAST || area.height == 0 {
        return Rect::ZERO;
    }
    let line = Rect { x: area.x + 1, width: area.width - 2, height: 1, ..area };
    let (stroke, role) = if head.focused { ("━", Role::Focus) } else { ("─", Role::In(Tone::Rule)) };
    for x in line.x..line.right() {
        buffer.set_string(x, line.y, stroke, theme.style(role));
    }
    // Two columns of the rule and a space stay at each side.
    let words = Rect { x: line.x + 1, width: line.width.saturating_sub(2), ..line };
    let (title, aside) = split(head, words.width.saturating_sub(2));
    let used = Row::at(words, buffer, theme).text(title.role, &format!(" {} ", title.text)).end();
    if !aside.is_empty() {
        let from = words.right().saturating_sub(width(&aside, GAP) + 2).max(used);
        let rest = Rect { x: from, width: words.right() - from, ..words };
        for x in rest.x..rest.right() {
            buffer[(x, rest.y)].reset();
        }
        Row::at(rest, buffer, theme).gap(1).texts(&aside, GAP);
    }
    below
}

/// Columns between the facts of a rule.
const GAP: u16 = 2;

/// Chooses the title and the facts for a rule with `room` columns of words: the title becomes shorter before a fact
/// goes.
fn split(head: Head<'_>, room: u16) -> (Text, Vec<Text>) {
    // Two spaces and a column of the rule stand between the title and the facts.
    let left = |title: &Text| usize::from(room).saturating_sub(title.text.width() + 3);
    let whole = usize::from(width(head.aside, GAP));
    let mut title = head.title.clone();
    if let Some(short) = title.short.take().filter(|_| whole > left(head.title)) {
        title.text = short;
    }
    let for_facts = u16::try_from(left(&title)).unwrap_or(u16::MAX);
    let aside = fitted(head.aside, GAP, for_facts);
    // Not even the fact that matters most fits: a title without facts is better than one that is cut.
    let aside = if width(&aside, GAP) > for_facts { Vec::new() } else { aside };
    (title, aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::Weight;

    fn rule(width: u16, focused: bool) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 3));
        let aside = [Text::label("open 7"), Text::label("p95 4 ms").weighing(Weight::Subject)];
        let title = Text::title("Segment latency").or_short("Segment");
        let head = Head { title: &title, aside: &aside, focused };
        panel(head, Theme::default(), buffer.area, &mut buffer);
        buffer.content[..usize::from(width)].iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn a_title_becomes_shorter_before_a_fact_goes() {
        assert_eq!(rule(44, false), " ─ Segment latency ───── open 7  p95 4 ms ─ ");
        assert_eq!(rule(36, false), " ─ Segment ───── open 7  p95 4 ms ─ ");
        assert_eq!(rule(30, false), " ─ Segment ─── p95 4 ms  +1 ─ ");
        assert_eq!(rule(20, false), " ─ Segment ──────── ");
        assert_eq!(rule(10, true), " ━ Segm~━ ");
        assert_eq!(rule(4, true), "    ");
    }
}
