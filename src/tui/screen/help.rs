//! The help overlay: the table of keys, and what the signs mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::line::Row;
use super::panels::framed;
use crate::tui::keys::{BINDINGS, Group};
use crate::tui::model::Text;
use crate::tui::theme::{Role, Theme};

/// Columns of the overlay, and of the keys in it.
const WIDTH: u16 = 64;
const KEYS: u16 = 8;

pub(super) fn draw(theme: Theme, area: Rect, buffer: &mut Buffer) {
    let lines = lines(theme);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let overlay = area.centered(WIDTH.min(area.width).into(), height.min(area.height).into());
    Clear.render(overlay, buffer);
    let inner = framed("Help", "any key closes it", theme, overlay, buffer);
    for (line, (keys, what)) in inner.rows().zip(lines) {
        Row::at(line, buffer, theme).column(&keys, KEYS).text(what.role, &what.text);
    }
}

fn lines(theme: Theme) -> Vec<(Text, Text)> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push((Text::new(Role::Title, group.name()), Text::default()));
        let listed = BINDINGS.iter().filter(|binding| binding.group == group);
        lines.extend(listed.map(|binding| (Text::plain(binding.shown), Text::plain(binding.help))));
    }
    let signs = [
        (Role::Warning, "degraded: from 1% of requests or clients on"),
        (Role::Failing, "failing: from 5%"),
        (Role::Untrusted, "the measurement itself has not been judged"),
        (Role::Mark, "where the stream first was not served well"),
    ];
    lines.push((Text::new(Role::Title, "SIGNS"), Text::default()));
    lines.extend(signs.map(|(role, meaning)| (Text::new(role, theme.sign(role)), Text::plain(meaning))));
    lines.push((Text::plain("--"), Text::plain("not measured yet, which is never shown as 0")));
    lines
}
