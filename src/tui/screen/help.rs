//! The help overlay: the table of keys in two columns, and the meaning of the signs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::keys::{BINDINGS, Group};
use crate::tui::model::Text;
use crate::tui::theme::{Role, Theme};

/// Width of the keys, of their texts, and of both columns with their frame.
const KEYS: u16 = 11;
const WHAT: u16 = 27;
const WIDTH: u16 = 2 * (KEYS + WHAT) + 4;

pub(super) fn draw(theme: Theme, area: Rect, buffer: &mut Buffer) {
    let lines = lines(theme);
    let half = lines.len().div_ceil(2);
    let height = u16::try_from(half).unwrap_or(u16::MAX).saturating_add(1);
    let overlay = area.centered(WIDTH.min(area.width).into(), height.min(area.height).into());
    Clear.render(overlay, buffer);
    let (title, aside) = (Text::title("Help"), [Text::label("any key closes it")]);
    let head = Head { title: &title, aside: &aside, focused: true };
    let inner = panel(head, theme, overlay, buffer);
    let (left, right) = lines.split_at(half);
    let beside = inner.width.min(KEYS + WHAT);
    for (place, (x, lines)) in [(inner.x, left), (inner.x + beside, right)].into_iter().enumerate() {
        let width = if place == 0 { beside } else { inner.width - beside };
        let column = Rect { x, width, ..inner };
        for (line, (keys, what)) in column.rows().zip(lines) {
            Row::at(line, buffer, theme).column(keys, KEYS).text(what.role, &what.text);
        }
    }
}

fn lines(theme: Theme) -> Vec<(Text, Text)> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push((Text::new(Role::Title, group.name()), Text::default()));
        let told = BINDINGS.iter().filter(|binding| binding.group == group && !binding.help.is_empty());
        lines.extend(told.map(|binding| (Text::plain(binding.shown), Text::plain(binding.help))));
    }
    let signs = [
        (Role::Warning, "degraded: 1% fail or stall"),
        (Role::Failing, "failing: 5%"),
        (Role::Untrusted, "measurement in doubt"),
        (Role::Mark, "where it first went wrong"),
    ];
    lines.push((Text::new(Role::Title, "SIGNS"), Text::default()));
    lines.extend(signs.map(|(role, meaning)| (Text::new(role, theme.sign(role)), Text::plain(meaning))));
    lines.push((Text::plain("--"), Text::plain("not measured, never a 0")));
    lines.push((Text::new(Role::Mark, "!"), Text::plain("in charts: a mark, the knee")));
    lines
}
