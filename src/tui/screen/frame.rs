//! The frame around a panel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget as _};

use super::line::Row;
use crate::tui::model::Text;
use crate::tui::theme::{Role, Theme};

/// Lines of a panel that its frame takes.
pub(super) const FRAME: u16 = 2;

/// Minimum width and height; a smaller frame has no inside.
const LEAST: (u16, u16) = (6, 3);
/// Draws a frame with a title at the left and a text at the right, and returns the area inside it.
pub(super) fn framed(title: &str, aside: &str, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    let area = area.intersection(buffer.area);
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return Rect::ZERO;
    }
    let block = Block::bordered().border_style(theme.style(Role::Label));
    let inner = block.inner(area);
    block.render(area, buffer);
    let head = Rect { x: area.x + 2, width: area.width - 4, height: 1, ..area };
    let used = Row::at(head, buffer, theme).text(Role::Title, title).end();
    if !aside.is_empty() && used + 2 < head.right() {
        Row::at(head, buffer, theme).right(&Text::label(aside), used + 1);
    }
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
