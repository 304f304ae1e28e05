//! The screen without room for panels: the run, its verdict, and one line for each key number.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::Row;
use crate::tui::layout::{take, take_bottom, take_right};
use crate::tui::model::{Model, Text, TinyLine};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;

/// Minimum width and height for panels.
const PANELS: (u16, u16) = (80, 24);
/// Minimum width and height for more than the verdict.
const LINES: (u16, u16) = (40, 10);
/// Columns of the names.
const NAME: u16 = 8;
/// Columns of a small chart, and the fewest that are worth it.
const SPARK: u16 = 24;
const SPARK_LEAST: u16 = 6;

pub(super) fn is_small(area: Rect) -> bool {
    area.width < PANELS.0 || area.height < PANELS.1
}

pub(super) fn draw(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let tiny = &model.tiny;
    if area.width < LINES.0 || area.height < LINES.1 {
        super::verdict(&model.top.verdict, &tiny.worst, theme, area, buffer);
        return;
    }
    let mut body = area;
    Row::at(take(&mut body, 1), buffer, theme).fitting(&tiny.run, 1);
    super::verdict(&model.top.verdict, &tiny.since, theme, take(&mut body, 1), buffer);
    Row::at(take_bottom(&mut body, 1), buffer, theme).indent().fitting(&model.footer, 2);
    widget::ribbon(&tiny.ribbon, theme, take_bottom(&mut body, 1), buffer);
    for (place, line) in body.rows().zip(&tiny.lines) {
        draw_line(line, theme, place, buffer);
    }
}

fn draw_line(line: &TinyLine, theme: Theme, place: Rect, buffer: &mut Buffer) {
    let sign = if line.name.role == Role::Mark { theme.sign(Role::Mark) } else { "" };
    let name = Text::new(line.name.role, format!("{sign}{}", line.name.text));
    let used = Row::at(place, buffer, theme).column(&name, NAME).fitting(&line.texts, 2).end();
    let mut rest = Rect { x: used + 2, width: place.right().saturating_sub(used + 2), ..place };
    if rest.width >= SPARK_LEAST {
        let spark = take_right(&mut rest, SPARK);
        widget::spark(&line.spark, None, line.tone, theme, spark, buffer);
    }
}
