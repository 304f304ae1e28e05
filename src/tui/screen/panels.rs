//! The framed panels of the overview.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget};

use super::line::Row;
use crate::tui::model::{Errors, Model, Text};
use crate::tui::theme::{Role, Theme};

/// Lines of a panel that are its frame.
pub(super) const FRAME: u16 = 2;

/// Columns of the latency table.
const NAME: u16 = 14;
const VALUE: u16 = 10;
/// Columns of the error histogram.
const ERROR_NAME: u16 = 28;
const COUNT: u16 = 11;
const SHARE: u16 = 8;
/// A frame narrower or lower than this has no inside.
const LEAST: (u16, u16) = (6, 3);

/// Draws a frame with a title left and a word right, and returns what is inside.
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
    if !aside.is_empty() {
        Row::at(head, buffer, theme).right(&Text::label(aside), used + 1);
    }
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

pub(super) fn clients(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Clients", "", theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let ramp = &model.overview.ramp;
        let bar = line.width.saturating_sub(24).max(line.width / 2);
        Row::at(line, buffer, theme).bar(ramp.share, bar, "░").gap(2).text(Role::Plain, &ramp.text);
    }
    if let Some(line) = lines.next() {
        Row::at(line, buffer, theme).texts(&model.overview.states, 2);
    }
}

pub(super) fn latency(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Latency ms", "last 10 s", theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let mut row = Row::at(line, buffer, theme).gap(NAME);
        for name in ["p50", "p95", "p99", "max"] {
            row = row.column_right(&Text::label(name), VALUE);
        }
    }
    for (line, latency) in lines.zip(&model.overview.latency) {
        let mut row = Row::at(line, buffer, theme).column(&Text::plain(latency.name), NAME);
        for value in &latency.values {
            row = row.column_right(value, VALUE);
        }
    }
}

pub(super) fn traffic(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Traffic", &model.overview.peak, theme, area, buffer);
    for (line, texts) in inner.rows().zip([&model.overview.traffic, &model.overview.playback]) {
        Row::at(line, buffer, theme).texts(texts, 3);
    }
}

pub(super) fn errors(errors: &Errors, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Errors", &errors.total, theme, area, buffer);
    if errors.lines.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, &errors.none);
    }
    let name_width = ERROR_NAME.min(inner.width.saturating_sub(COUNT + SHARE));
    for (line, error) in inner.rows().zip(&errors.lines) {
        let row = Row::at(line, buffer, theme)
            .column(&Text::new(error.role, error.name.clone()), name_width)
            .column_right(&Text::plain(error.count.clone()), COUNT)
            .column_right(&Text::label(error.share.clone()), SHARE)
            .gap(1);
        let room = line.right().saturating_sub(row.end());
        row.bar(error.bar, room, " ");
    }
}
